package negotiate

import (
	"errors"
	"fmt"
)

// A RefusedError is what the other side said when it turned us down. Its text
// comes from a stranger.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return fmt.Sprintf("peer refused: %.200q", e.Text) }

// ErrDuplicate refuses a second connection between the same two Tubs. The
// text is the protocol's.
var ErrDuplicate error = said("Duplicate connection")

// ErrWrongTub is returned where the certificate on the other side is not that
// of the Tub that was asked for.
var ErrWrongTub = errors.New("connected to the wrong Tub")

// A said error is a reason that the peer is told. The peer of any other error
// learns nothing but that there was one: it could tell of our insides.
type said string

func (s said) Error() string { return string(s) }

func saidf(format string, args ...any) error { return said(fmt.Sprintf(format, args...)) }

const generic = "internal server error, see logs"

func textFor(err error) string {
	var s said
	if errors.As(err, &s) {
		return string(s)
	}
	return generic
}
