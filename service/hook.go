package service

import (
	"context"
	"fmt"
	"runtime/pprof"
)

// A job is one call of a hook.
type job struct {
	n    *Base
	l    *life
	kind string // as in Hooks
	hook func(context.Context) error
	ctx  context.Context
}

// call makes the call, under the label of the service, and hands its error to then, also when the
// hook ends the goroutine. A panic goes on to end the process, with the path in its message.
func (j job) call(then func(error)) {
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			panic(j.panicked(v))
		}
		pprof.SetGoroutineLabels(context.Background())
		then(err)
	}()
	pprof.SetGoroutineLabels(j.ctx)
	err = j.hook(j.ctx)
}

func (j job) panicked(v any) error {
	if err, ok := v.(error); ok {
		return fmt.Errorf("panic in %s of service %s: %w", j.kind, j.n.Path(), err)
	}
	return fmt.Errorf("panic in %s of service %s: %v", j.kind, j.n.Path(), v)
}

// returnedLocked notes that a hook has returned. n.mu is held.
func (j job) returnedLocked(err error) {
	j.l.hooks--
	if err == nil && (j.kind == "Acquire" || j.kind == "Start") {
		j.l.owed = j.n.hooks.Stop != nil
	}
	j.n.wakeLocked()
}

// returnedLate sees to a hook that has overrun and now returned, on the goroutine that it had. The
// last one to return is followed by the Stop that is still owed. n.mu is held, and unlocked.
func (n *Base) returnedLate(l *life, kind string, err error) {
	if !obeys(err, l.cause) {
		l.failed = join(l.failed, fmt.Errorf("%s of %s: %w", kind, n.Path(), err))
	}
	if l.over && l.hooks == 0 && l.owed {
		l.owed = false
		l.hooks++
		n.mu.Unlock()
		// Nobody waits for this one: it may take the time that a stop of its own would have.
		ctx, cancel := context.WithTimeoutCause(l.values, n.stopBudget(), ErrStopTimeout)
		j := job{n, l, "Stop", n.hooks.Stop, n.hookContext(l, ctx)}
		j.call(func(err error) {
			cancel()
			n.mu.Lock()
			l.hooks--
			n.returnedLate(l, j.kind, err)
		})
		return
	}
	n.endLocked(l).settle()
}

// launch has the Run of l called. n.mu is held.
func (n *Base) launchLocked(l *life) {
	if l.claimed || n.hooks.Run == nil {
		return // stopped before it came to that
	}
	ctx, end := context.WithCancelCause(n.hookContext(l, l.values))
	l.end = end
	l.hooks++
	j := job{n, l, "Run", n.hooks.Run, ctx}
	go j.call(func(err error) { n.runReturned(l, err) })
}
