package service

import (
	"fmt"
	"io"
	"runtime"
	"strings"
)

// A PanicError is a panic in a hook of a service that is restarted when it fails. It wraps the value
// of the panic if that is an error; printed with %+v it shows the stack.
type PanicError struct {
	Value any // what panic was called with

	pcs []uintptr
}

// recovered makes an error of the value of a panic. It is called by the deferred function that has
// recovered it. Only program counters are kept: who prints the stack pays for that.
func recovered(v any) *PanicError {
	var pcs [64]uintptr
	n := runtime.Callers(3, pcs[:]) // without this function, its caller and what called that
	return &PanicError{Value: v, pcs: append([]uintptr(nil), pcs[:n]...)}
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap is the value of the panic if that is an error, or nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Stack is where the panic was: the functions from there outwards to the hook, two lines each.
func (e *PanicError) Stack() string {
	var b strings.Builder
	frames := runtime.CallersFrames(e.pcs)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasSuffix(f.Function, "service.job.call") {
			break // what is below that is ours
		}
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return b.String()
}

// Format adds the stack to %+v.
func (e *PanicError) Format(f fmt.State, verb rune) {
	io.WriteString(f, e.Error())
	if verb == 'v' && f.Flag('+') {
		io.WriteString(f, "\n"+e.Stack())
	}
}
