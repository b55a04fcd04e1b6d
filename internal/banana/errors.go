package banana

import (
	"errors"
	"fmt"
)

// A Violation refuses one message: it breaks a rule that leaves the stream in
// step, so the connection lives on. Reason is sent to the peer.
type Violation struct{ Reason string }

func (v *Violation) Error() string { return v.Reason }

// Violationf returns a [*Violation].
func Violationf(format string, args ...any) error {
	return &Violation{Reason: fmt.Sprintf(format, args...)}
}

// A ProtocolError ends the connection: after it nobody can know where the next
// token starts or what it means. Its text is sent to the peer.
type ProtocolError struct{ Reason string }

func (e *ProtocolError) Error() string { return "protocol error: " + e.Reason }

func fatalf(format string, args ...any) error {
	return &ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

// Fatalf returns a [*ProtocolError].
func Fatalf(format string, args ...any) error { return fatalf(format, args...) }

// A PeerError is the text of an ERROR token: the peer found our stream broken
// and is about to hang up.
type PeerError struct{ Text string }

func (e *PeerError) Error() string { return fmt.Sprintf("peer reports %q and hangs up", e.Text) }

// ErrAborted is returned where the sender gave up a message half-way.
var ErrAborted = errors.New("ABORT received: the peer could not finish its message")

// IsFatal reports whether err leaves the stream unusable: everything but a
// [*Violation] and [ErrAborted].
func IsFatal(err error) bool {
	var v *Violation
	return err != nil && !errors.As(err, &v) && !errors.Is(err, ErrAborted)
}
