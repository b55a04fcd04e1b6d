package tub

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/negotiate"
)

// Errors of this package; test for them with errors.Is.
var (
	// ErrNotRunning is returned by what needs a started Tub.
	ErrNotRunning = errors.New("tub is not running: start it first")
	// ErrNoLocation is returned by Register while the Tub has no address
	// that a FURL could name: it neither listens nor has SetLocation.
	ErrNoLocation = errors.New("tub has no location yet: start it with a listener, or call SetLocation")
	// ErrNameTaken is returned by Register for a name that leads to another object.
	ErrNameTaken = errors.New("name is taken by another object")
	// ErrNoHints is returned by GetReference for a FURL without a hint that
	// this Tub can dial.
	ErrNoHints = errors.New("no usable connection hint")
	// ErrWrongTub is returned where the Tub on the other side is not the one
	// that the FURL names.
	ErrWrongTub = negotiate.ErrWrongTub
	// ErrReplaced ends a connection to a peer that has made a new one.
	ErrReplaced = errors.New("replaced by a new connection")
	// ErrStopped ends the connections of a Tub that is stopped.
	ErrStopped = errors.New("tub was stopped")
	// ErrThirdParty is returned where a reference to an object of a third
	// Tub would have to be sent: gifts are not supported yet.
	ErrThirdParty = errors.New("a reference can only be sent to the Tub it came from")
	// ErrViolation is returned where a value breaks a rule: it cannot be
	// sent, or what came back does not fit the wanted type.
	ErrViolation = errors.New("violation")

	// ErrNotSent tells of a call that nothing of it has left this process.
	ErrNotSent = errors.New("call was not sent")
	// ErrNoAnswer tells of a call that it was sent and that no answer came:
	// nobody knows whether the method ran.
	ErrNoAnswer = errors.New("call was sent but not answered")
)

// A RemoteError is an error that the other side answered a call with, or that
// it passed as a value. A method that returns a *RemoteError decides what its
// caller sees, so that a Python caller can trap it by name.
type RemoteError struct {
	Type      string   // qualified class name, such as builtins.ValueError
	Message   string   //
	Parents   []string // the class itself, then its bases, by qualified name
	Traceback string   // where it was raised, if the peer tells
}

func (e *RemoteError) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// IsA reports whether the error is of the named class or one derived from it,
// as Python's trap does.
func (e *RemoteError) IsA(class string) bool {
	return e.Type == class || slices.Contains(e.Parents, class)
}

func remoteError(f *broker.Failure) *RemoteError {
	return &RemoteError{Type: f.Type, Message: f.Value, Parents: f.Parents, Traceback: f.Traceback}
}

// pythonBases end the Parents of every exception that Python 3 knows.
var pythonBases = []string{"builtins.Exception", "builtins.BaseException", "builtins.object"}

// failureOf is what a caller is told of err.
func failureOf(err error) *broker.Failure {
	var remote *RemoteError
	if errors.As(err, &remote) {
		f := &broker.Failure{Type: remote.Type, Value: remote.Message, Traceback: remote.Traceback, Parents: remote.Parents}
		if len(f.Parents) == 0 {
			f.Parents = append([]string{f.Type}, pythonBases...)
		}
		return f
	}
	var v *banana.Violation
	if errors.As(err, &v) {
		return broker.ViolationFailure(err.Error())
	}
	f := &broker.Failure{Type: goTypeName(err), Value: err.Error()}
	f.Parents = append([]string{f.Type}, pythonBases...)
	return f
}

// goTypeName is the class name of a Go error: its package path and type.
func goTypeName(err error) string {
	t := reflect.TypeOf(err)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "builtins.Exception"
	}
	return t.PkgPath() + "." + t.Name()
}

func noSuchMethod(object, method string) *broker.Failure {
	return &broker.Failure{
		Type:    "builtins.AttributeError",
		Value:   fmt.Sprintf("%s has no method %.100q", object, method),
		Parents: append([]string{"builtins.AttributeError"}, pythonBases...),
	}
}

// A ConnectError tells why a Tub could not be reached, one line a hint.
type ConnectError struct {
	TubID    string
	Attempts []HintError // in the order in which they failed
	Err      error       // why the whole attempt ended, where that was not the last hint's failure
}

// A HintError is what became of one connection hint.
type HintError struct {
	Hint  string
	Stage string        // "skipped", "policy", "dial" or "negotiate"
	After time.Duration // since the attempt began
	Err   error
}

func (e *ConnectError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot reach Tub %s", e.TubID)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "\n\t%s", a)
	}
	return b.String()
}

// Unwrap lets errors.Is and errors.As look at every hint's error.
func (e *ConnectError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	return errs
}

func (e HintError) String() string {
	hint := e.Hint
	if quoted := strconv.Quote(hint); quoted != `"`+hint+`"` {
		hint = quoted // a stranger's text must not look like a line of ours
	}
	return fmt.Sprintf("%s: %s after %v: %v", hint, e.Stage, e.After.Round(time.Millisecond), e.Err)
}
