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
			if j.n.opt.policy != restarts {
				panic(j.panicked(v))
			}
			err = recovered(v)
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

// returnedLate sees to a hook that has overrun and has now returned. n.mu is held, and unlocked.
func (n *Base) returnedLate(l *life, kind string, err error) {
	if !obeys(err, l.cause) {
		l.failed = join(l.failed, fmt.Errorf("%s of %s: %w", kind, n.Path(), err))
	}
	n.wrapUp(l)
}

// stopLate calls the Stop of a service that has overrun. Nobody waits for it: it may take the time that
// a stop of its own would have.
func (n *Base) stopLate(l *life) {
	ctx, cancel := context.WithTimeoutCause(l.values, n.stopBudget(), ErrStopTimeout)
	defer cancel()
	job{n, l, "Stop", n.hooks.Stop, n.hookContext(l, ctx)}.call(func(err error) {
		n.mu.Lock()
		l.hooks--
		n.returnedLate(l, "Stop", err)
	})
}

// launchLocked has the Run of l called. n.mu is held.
func (n *Base) launchLocked(l *life) {
	if l.claimed || l.asked {
		return // stopped before it came to that
	}
	ctx, end := context.WithCancelCause(n.runContext(l))
	l.end = end
	l.launched = true
	l.hooks++
	go func() {
		job{n, l, "Run", n.hooks.Run, ctx}.call(func(err error) { n.runReturned(l, err) })
	}()
}
