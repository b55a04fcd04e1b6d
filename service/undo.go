package service

import (
	"context"
	"slices"
	"time"
)

// undo stops what was started of n and below, and with that ends the start of n.
func (w *walker) undo(n *Base, l *life, refused []refusal) {
	n.mu.Lock()
	asked, cause, until := l.asked, l.cause, l.until
	var startErr error
	var failure *FailureError // the attempt to restart that this was
	switch {
	case !asked:
		for _, r := range refused {
			err := &StartError{Path: r.n.Path(), Err: r.err}
			startErr = join(startErr, err)
		}
		cause = &FailureError{Path: refused[0].n.Path(), Err: refused[0].err}
		if ctx := l.start.ctx; ctx.Err() != nil {
			cause = context.Cause(ctx)
		}
		if l.start.again && l.start.root == n {
			failure = &FailureError{Path: refused[0].n.Path(), Err: startErr}
			cause = failure
		}
	case l.swept && l.start.attach && l.start.root == n:
		startErr = &StartError{Path: n.Path(), Err: stoppedMeanwhile(cause)}
		l.failed = startErr
	}
	l.startErr = startErr
	l.walking = false
	l.undoing = true
	n.claimLocked(l)
	if failure != nil && !l.closing {
		n.failLocked(failure)
	}
	n.mu.Unlock()
	w.ready = slices.DeleteFunc(w.ready, func(b newborn) bool { return b.n.within(n) })
	if !asked {
		for _, r := range refused {
			r.blame(n)
		}
	}
	if until.IsZero() {
		until = time.Now().Add(n.stopBudget())
	}
	n.conclude(l, w.stopTree(n, l, cause, until))
}

// blame marks the service that refused, and those above it up to top, as failed.
func (r refusal) blame(top *Base) {
	err := &StartError{Path: r.n.Path(), Err: r.err}
	for n := r.n; n != nil; n = n.above() {
		n.mu.Lock()
		if n.life != nil && n.life.failed == nil {
			n.life.failed = err
		}
		n.mu.Unlock()
		if n == top {
			return
		}
	}
}

// waitOn gives a hook of the start that was told to end the time to do so that a stop would have.
func (w *walker) waitOn(j job) (error, bool) {
	n := j.n
	began := time.Now()
	ctx, cancel := context.WithDeadline(context.Background(), n.undoBy(j.l.start))
	defer cancel()
	err, ok := w.wait(ctx.Done())
	if !ok {
		err, ok = w.abandon(j)
	}
	if !ok {
		n.overran(j.l, w.late, time.Since(began))
	}
	return err, ok
}

// undoBy is when a hook of n that was told to end has to. The clock runs for whatever is to be undone:
// n, the group above it whose stop was asked for, or all that is being started.
func (n *Base) undoBy(s *start) time.Time {
	now := time.Now()
	for p := n; ; p = p.above() {
		p.mu.Lock()
		l := p.life
		if l.until.IsZero() && p == s.root {
			l.until = now.Add(p.stopBudget())
		}
		until := l.until
		p.mu.Unlock()
		if until.IsZero() && p.above() != nil {
			continue
		}
		left := until.Sub(now)
		if p != n {
			left = nineTenths(left)
		}
		if own := n.opt.stopWithin; own > 0 {
			left = min(left, own)
		}
		return now.Add(left)
	}
}
