package service

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// visitAll lets f visit children of n, side by side if there are several. The first refusal ends the
// starts of the others.
func (w *walker) visitAll(n *Base, l *life, batch []*Base, f visitor) []refusal {
	if len(batch) == 1 {
		return w.visit(n, l, batch[0], f)
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		left    int // guarded by mu, as are the next two
		refused []refusal
		ready   []newborn
	)
	for _, c := range batch {
		if !c.startsInLine() {
			left++
		}
	}
	if left > 0 {
		w.launch()
	}
	for _, c := range batch {
		if c.startsInLine() {
			continue
		}
		all.Add(1)
		unlabelled(func() {
			defer all.Done()
			w := w.beside()
			defer w.dismiss()
			r := w.visit(n, l, c, f)

			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				ready, w.ready = w.ready, nil // the walk may be done with this
			}
			w.launch()
			if r == nil {
				return
			}
			if refused == nil {
				l.abort(&FailureError{Path: r[0].n.Path(), Err: r[0].err})
				refused = r
				return
			}
			for _, r := range r {
				if !obeys(r.err, context.Cause(l.scope)) {
					refused = append(refused, r)
				}
			}
		})
	}
	var inLine []refusal
	for _, c := range batch {
		if c.startsInLine() && inLine == nil {
			inLine = w.visit(n, l, c, f)
		}
	}
	all.Wait()
	w.ready = append(w.ready, ready...)
	return append(inLine, refused...)
}

// startsInLine says whether a start of n has nothing to wait for.
func (n *Base) startsInLine() bool {
	return n.group == nil && n.hooks.Acquire == nil && n.hooks.Start == nil
}

// visit lets f do its phase in the child c of g, if c takes part in the start of which l is a life.
// A child that is stopped or removed meanwhile is no refusal: the start goes on without it.
func (w *walker) visit(g *Base, l *life, c *Base, f visitor) []refusal {
	cl := c.enter(g, l)
	if cl == nil {
		return nil
	}
	refused := f(w, c, cl)
	c.mu.Lock()
	cl.walking = false
	undo := cl.asked && !cl.claimed
	c.mu.Unlock()
	if undo {
		w.undo(c, cl, refused)
		return nil
	}
	return refused
}

// enter gives the life of c that takes part in the start of l, the life of its parent g, or nil.
func (c *Base) enter(g *Base, l *life) *life {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.above() != g {
		return nil // removed
	}
	cl := c.life
	again := cl != nil && cl.start == l.start
	switch {
	case again && c.state == Starting && !cl.claimed && !cl.asked:
		cl.walking = true
		return cl
	case !again && !c.state.active():
		return c.born(l.start, l.scope, l.values)
	}
	return nil // stopped by hand
}

// becomeRunning makes n Running, unless it is asked to stop or has a child behind the given place
// that is still to be started.
func (n *Base) becomeRunning(l *life, last uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.asked || n.group != nil && n.group.kids.after(last) != nil {
		return false
	}
	l.ready = true
	l.walking = false
	l.serving = !l.runOver
	n.setState(Running, nil)
	if l.runOver { // a group that has ended well while its children started
		n.askLocked(l, nil, n.stopBudget())
	}
	return true
}

// startHook calls a hook of the start, and returns why the service does not start.
func (w *walker) startHook(j job) []refusal {
	n, l := j.n, j.l
	ctx, cancel := context.WithCancelCause(l.scope)
	defer cancel(nil)
	j.ctx = n.hookContext(l, ctx)
	if d := n.opt.startWithin; d > 0 && j.hook != nil {
		late := fmt.Errorf("not done within %v: %w", d, context.DeadlineExceeded)
		var stop context.CancelFunc
		j.ctx, stop = context.WithTimeoutCause(j.ctx, d, late)
		defer stop()
	}
	n.mu.Lock()
	asked := l.asked
	if n.group == nil {
		l.abort = cancel
	}
	if j.hook == nil && j.kind == "Start" && n.hooks.Acquire == nil && !asked && ctx.Err() == nil {
		l.owed = n.hooks.Stop != nil
	}
	n.mu.Unlock()
	if asked {
		return []refusal{{n, errAsked}}
	}
	if ctx.Err() != nil {
		return []refusal{{n, contextError(ctx)}}
	}
	if j.hook == nil {
		return nil
	}

	w.begin(j)
	err, ok := w.wait(j.ctx.Done())
	if !ok {
		err, ok = w.waitOn(j)
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

// undo stops what was started of n and below, and with that ends the start of n.
func (w *walker) undo(n *Base, l *life, refused []refusal) {
	n.mu.Lock()
	asked, cause, until := l.asked, l.cause, l.until
	var startErr error
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
	case l.swept && l.start.attach && l.start.root == n:
		startErr = &StartError{Path: n.Path(), Err: stoppedMeanwhile(cause)}
		l.failed = startErr
	}
	l.startErr = startErr
	l.walking = false
	n.claimLocked(l)
	n.mu.Unlock()
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
