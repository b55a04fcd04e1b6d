package service

import (
	"context"
	"fmt"
)

// startHook calls a hook of the start, and returns why the service does not start.
func (w *walker) startHook(j job) []refusal {
	n, l := j.n, j.l
	if l.scope.Err() != nil {
		return []refusal{{n, contextError(l.scope)}}
	}
	if j.hook == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		l.begun = j.kind == "Start"
		if l.begun && n.hooks.Acquire == nil {
			l.owed = n.hooks.Stop != nil
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(l.scope)
	defer cancel(nil)
	j.ctx = n.hookContext(l, ctx)
	if d := n.opt.startWithin; d > 0 {
		late := fmt.Errorf("not done within %v: %w", d, context.DeadlineExceeded)
		var stop context.CancelFunc
		j.ctx, stop = context.WithTimeoutCause(j.ctx, d, late)
		defer stop()
	}
	n.mu.Lock()
	l.begun = j.kind == "Start"
	asked := l.asked
	if n.group == nil {
		l.abort = cancel
	}
	n.mu.Unlock()
	if asked {
		return []refusal{{n, errAsked}}
	}

	w.begin(j)
	err, ok := w.wait(j.ctx.Done())
	if !ok {
		err, _ = w.waitOn(j)
	}
	if err == nil && j.ctx.Err() != nil {
		err = contextError(j.ctx)
	}
	if err == nil {
		return nil
	}
	if j.kind == "Acquire" {
		err = fmt.Errorf("acquire: %w", err)
	}
	return []refusal{{n, err}}
}
