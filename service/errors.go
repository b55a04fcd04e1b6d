package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// What can be wrong with a request. Errors wrap them and name the path of the service: test with
// [errors.Is].
var (
	ErrHasParent = errors.New("it has a parent")
	ErrNoParent  = errors.New("it has no parent")
	ErrNameTaken = errors.New("the name is taken")
	ErrBadName   = errors.New("bad name")
	ErrCycle     = errors.New("a service cannot be below itself")
	ErrBusy      = errors.New("busy")
	ErrNotFound  = errors.New("no such service") // by Lookup
	ErrWrongType = errors.New("wrong type")      // by Lookup

	// ErrStopTimeout is in the result of a stop that did not get all of its services to end within
	// their budgets. The error names them; printed with %+v it shows where their goroutines stand.
	ErrStopTimeout = errors.New("stop timed out")

	// ErrOwnHook is what a hook gets that would wait, with its own context, for itself: for its own
	// end, or for a start that waits for it.
	ErrOwnHook = errors.New("a hook cannot wait for itself")
)

// What [context.Cause] says of a context of Run that has ended, next to [*SignalError] and
// [*FailureError]. A service that is stopped by its own Stop sees [context.Canceled].
var (
	ErrRemoved       = errors.New("removed from its parent")
	ErrParentStopped = errors.New("its parent was stopped")
)

// A SignalError is the cause of a stop that a signal to the process asked for.
type SignalError struct {
	Signal os.Signal
}

func (e *SignalError) Error() string { return "signal: " + e.Signal.String() }

// A FailureError says which service failed while it ran, and how. It is in the result of the stop
// that the failure leads to, and the cause that the others see in their contexts. Where it wraps a
// [*StartError] that was an attempt to restart the service; where a service has failed more often than
// its [Backoff] allows, it wraps all of these failures.
type FailureError struct {
	Path string
	Err  error
}

func (e *FailureError) Error() string {
	if s, ok := e.Err.(*StartError); ok && s.Path == e.Path {
		return "re" + s.Error()
	}
	return "run " + e.Path + ": " + e.Err.Error()
}
func (e *FailureError) Unwrap() error { return e.Err }

// A StartError says which service did not start, and why. It is what [Service.Start],
// [Service.SetParent], [Move] and [Run] fail with when a start was tried and did not succeed; it
// stands beside the errors met while undoing the start.
type StartError struct {
	Path string
	Err  error
}

func (e *StartError) Error() string { return "start " + e.Path + ": " + e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// errGoexit is what a hook is said to return that ended its goroutine instead.
var errGoexit = errors.New("the hook called runtime.Goexit")

// A lateError names a service that did not end within its budget.
type lateError struct {
	path   string
	label  string // of its goroutines: the path at its start
	after  time.Duration
	stacks atomic.Pointer[string] // set once the stop has taken its profile
}

func newLateError(n *Base, l *life, after time.Duration) *lateError {
	return &lateError{path: n.Path(), label: l.labelled(), after: after}
}

func (e *lateError) Error() string {
	return fmt.Sprintf("stop %s: not ended after %v: %v", e.path, e.after, ErrStopTimeout)
}
func (e *lateError) Unwrap() error { return ErrStopTimeout }

// Format adds the stacks to %+v.
func (e *lateError) Format(f fmt.State, verb rune) {
	io.WriteString(f, e.Error())
	if s := e.stacks.Load(); verb == 'v' && f.Flag('+') && s != nil {
		io.WriteString(f, "\n"+*s)
	}
}

// An errorList is several errors in one line. Unlike the list of [errors.Join] it hands %+v on.
type errorList struct{ all []error }

func (l *errorList) Error() string {
	texts := make([]string, len(l.all))
	for i, err := range l.all {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (l *errorList) Unwrap() []error { return l.all }

func (l *errorList) Format(f fmt.State, verb rune) {
	if verb != 'v' || !f.Flag('+') {
		io.WriteString(f, l.Error())
		return
	}
	for i, err := range l.all {
		if i > 0 {
			io.WriteString(f, "\n")
		}
		fmt.Fprintf(f, "%+v", err)
	}
}

// join makes one error of many, flat, each once. None gives nil.
func join(errs ...error) error {
	var all []error
	add := func(err error) {
		if slices.ContainsFunc(all, func(have error) bool { return sameFact(have, err) }) {
			return
		}
		all = slices.DeleteFunc(all, func(have error) bool { return sameFact(err, have) })
		all = append(all, err)
	}
	for _, err := range errs {
		switch err := err.(type) {
		case nil:
		case *errorList:
			for _, e := range err.all {
				add(e)
			}
		default:
			add(err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &errorList{all}
}

// sameFact says whether b is one of our errors and is, or is part of, the failure a.
func sameFact(a, b error) bool {
	switch b.(type) {
	case *FailureError, *StartError, *lateError:
	default:
		return false
	}
	if a == b {
		return true
	}
	if f, ok := a.(*FailureError); ok {
		a = f.Err
	}
	if list, ok := a.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(list.Unwrap(), func(part error) bool { return sameFact(part, b) })
	}
	return false
}

// contextError says why ctx has ended: its cause, and its Err where the cause does not wrap that.
func contextError(ctx context.Context) error {
	cause := context.Cause(ctx)
	if err := ctx.Err(); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return cause
}

// obeys says whether err is nothing but the echo of having been told to stop with cause. A list is
// only if all its parts are: a failure hidden beside a context error is still a failure.
func obeys(err, cause error) bool {
	if err == nil || identical(err, cause) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if !obeys(part, cause) {
				return false
			}
		}
		return len(e.Unwrap()) > 0
	case interface{ Unwrap() error }:
		return e.Unwrap() != nil && obeys(e.Unwrap(), cause)
	}
	return errors.Is(err, context.Canceled) || cause != nil && errors.Is(err, cause)
}

// identical is == for errors, also those of types that cannot be compared.
func identical(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && a == b
}
