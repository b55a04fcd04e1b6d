package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// What [errors.Is] finds in an [*Error] of a string that cannot be used. Failures of opening wrap the
// operating system's error instead, such as [syscall.EADDRINUSE] or [syscall.ECONNREFUSED].
var (
	ErrSyntax      = errors.New("endpoint: syntax error")
	ErrUnknownType = errors.New("endpoint: unknown type")
	ErrTypeTaken   = errors.New("endpoint: type is registered already")
	ErrArgument    = errors.New("endpoint: bad argument") // missing, surplus, unknown, or of a wrong value
)

// errNoType is both: a string without a type is no description, and "" is not a type of any registry.
var errNoType = errors.Join(ErrSyntax, ErrUnknownType)

// An Error says what is wrong with an endpoint. It is the only type of error of this package, and
// that which transports elsewhere are asked to use.
type Error struct {
	Description string // the endpoint string; in its canonical form once it is parsed
	Field       string // "type", an argument's name, or "argument 3"; "" if no field is to blame
	Pos         int    // the byte of Description where the field begins; -1 if no field is to blame
	Reason      string // what is wrong and what to do; if "", Err says it
	Err         error  // a sentinel of this package, or the cause
}

// Error names the endpoint, the field, the reason and the position.
func (e *Error) Error() string {
	s := "endpoint " + strconv.Quote(shorten(e.Description)) + ": "
	if e.Field != "" {
		s += shorten(e.Field) + ": "
	}
	switch {
	case e.Reason != "":
		s += e.Reason
	case e.Err != nil:
		s += e.Err.Error()
	}
	if e.Pos >= 0 {
		s += fmt.Sprintf(" (at byte %d)", e.Pos)
	}
	return s
}

// Unwrap returns the sentinel or the cause.
func (e *Error) Unwrap() error { return e.Err }

// shorten keeps a hostile string from filling a log; Description holds it whole.
func shorten(s string) string {
	const limit = 200
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}

// failed is the error of an operation on d: no field is to blame, the cause says it all.
func failed(d Description, err error) *Error {
	return &Error{Description: d.s, Pos: -1, Err: err}
}

// ended says why ctx is done, or nil, so that [errors.Is] finds both its Err and its cause. A time limit of ours has
// [os.ErrDeadlineExceeded] for a cause and is that alone, as in the net package.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(cause, err) || errors.Is(cause, os.ErrDeadlineExceeded) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// dialError adds to an error of a [net.Dialer] why ctx is done, if that is what ended the attempt. The dialer says
// only "operation was canceled", or that a time is over without saying whose: ctx's deadline is
// then often noticed by the socket before it is by ctx.
func dialError(ctx context.Context, err error) error {
	var ne net.Error
	timeout := errors.As(err, &ne) && ne.Timeout()
	why := ended(ctx)
	if end, ok := ctx.Deadline(); ok && why == nil && timeout && !time.Now().Before(end) {
		why = context.DeadlineExceeded
	}
	if why == nil || errors.Is(err, why) || !timeout && !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", err, why)
}
