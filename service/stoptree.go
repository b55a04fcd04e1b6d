package service

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// stopTree stops n, which the caller has claimed, and all below it. The errors are complete, the
// state is left to conclude.
func (w *walker) stopTree(n *Base, l *life, cause error, until time.Time) error {
	ctx, cancel := context.WithDeadlineCause(l.values, until, ErrStopTimeout)
	defer cancel()
	if n.sweep(l, onward(cause), until) {
		left := nineTenths(time.Until(until))
		drain, cancel := context.WithDeadlineCause(l.values, time.Now().Add(left), ErrStopTimeout)
		w.drainTree(n, l, drain)
		cancel()
	}
	err := w.stopNode(n, l, cause, ctx)
	w.late.takeStacks()
	return err
}

// onward is the cause for what is below a service that stops with cause.
func onward(cause error) error {
	if cause == nil {
		return ErrParentStopped
	}
	return cause
}

// stopNode stops n, which the caller has claimed, after all below it.
func (w *walker) stopNode(n *Base, l *life, cause error, ctx context.Context) error {
	began := time.Now()
	var errs []error
	if n.group != nil {
		errs = w.stopChildren(n, l, onward(cause), ctx)
	}
	if n.hooks.Drain != nil { // it may be at it for the stop of a group above
		w.awaitInTime(n, ctx, func() bool { return !l.draining })
	}
	n.mu.Lock()
	l.cause = cause
	l.told = true
	if l.end != nil {
		l.end(cause)
	}
	n.mu.Unlock()

	if !w.awaitInTime(n, ctx, func() bool { return l.hooks == 0 }) {
		n.overran(l, w.late, time.Since(began))
	} else if n.takeOwed(l) {
		w.stopHook(job{n, l, "Stop", n.hooks.Stop, n.hookContext(l, ctx)})
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	if l.fault != nil {
		errs = append(errs, l.fault)
	}
	if l.runErr != nil {
		errs = append(errs, l.runErr)
	}
	return join(append(errs, l.errs...)...)
}

// stopChildren stops the children of g. gl is the life of g that ends with this.
func (w *walker) stopChildren(g *Base, gl *life, cause error, ctx context.Context) []error {
	var mu sync.Mutex
	var errs []error // guarded by mu
	w.backward(g, ctx, func(w *walker, c *Base, ctx context.Context) {
		err := w.stopChild(g, gl, c, cause, ctx)
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	})
	return errs
}

// takeOwed says whether Stop is still to be called, to the one that will.
func (n *Base) takeOwed(l *life) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	owed := l.owed
	l.owed = false
	return owed
}

// stopHook calls Drain or Stop, and notes what goes wrong.
func (w *walker) stopHook(j job) {
	began := time.Now()
	w.begin(j)
	err, ok := w.wait(j.ctx.Done())
	if !ok {
		err, ok = w.abandon(j)
	}
	switch {
	case !ok, j.ctx.Err() != nil && (errors.Is(err, j.ctx.Err()) || errors.Is(err, ErrStopTimeout)):
		j.n.overran(j.l, w.late, time.Since(began))
	case err != nil:
		j.n.mu.Lock()
		j.l.errs = append(j.l.errs, fmt.Errorf("%s %s: %w", strings.ToLower(j.kind), j.n.Path(), err))
		j.n.mu.Unlock()
	}
}

// overran notes that n did not end in time.
func (n *Base) overran(l *life, late *lateList, after time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.overran {
		return // by another hook: once is enough
	}
	l.overran = true
	e := newLateError(n, l, after)
	late.add(e)
	l.errs = append(l.errs, e)
}

// stopChild stops a child of g, or waits for whoever does. gl is the life of g that ends with this.
func (w *walker) stopChild(g *Base, gl *life, c *Base, cause error, ctx context.Context) error {
	c.mu.Lock()
	if c.above() != g {
		c.mu.Unlock()
		return nil
	}
	c.stayLocked()
	if !c.state.active() {
		c.mu.Unlock()
		return nil
	}
	l := c.life
	var err error
	var inTime bool
	if !l.claimed && !l.walking {
		c.claimLocked(l)
		c.mu.Unlock()
		err = w.stopNode(c, l, cause, ctx)
		inTime = c.conclude(l, err)
	} else {
		c.mu.Unlock()
		err, inTime = w.awaitStop(c, l, ctx)
	}
	if !inTime {
		c.countLate(l, g, gl)
	}
	return err
}

// awaitStop waits for the end of a life that another stops, or that has overrun before. It says
// whether that came in time.
func (w *walker) awaitStop(c *Base, l *life, ctx context.Context) (result error, ended bool) {
	began := time.Now()
	c.mu.Lock()
	before := l.over
	c.mu.Unlock()
	over := false
	ended = w.awaitInTime(c, ctx, func() bool {
		result, over = l.result, l.over
		return over && (c.life != l || !c.state.active())
	})
	switch {
	case ended && before:
		return nil, true // whoever stopped it then was told
	case over:
		return result, ended
	}
	e := newLateError(c, l, time.Since(began))
	w.late.add(e)
	return e, false
}

// countLate makes g, which is being stopped, Failed in the end for its child c, which has overrun, and
// until c has ended keeps it Stopping.
func (c *Base) countLate(l *life, g *Base, gl *life) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.above() != g || l.lateIn != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	gl.late = true
	if c.life == l && c.state.active() {
		l.lateIn = gl
		gl.below++
	}
}

// awaitInTime waits for ok until ctx ends. What comes about just then is in time.
func (w *walker) awaitInTime(n *Base, ctx context.Context, ok func() bool) bool {
	for range 10 {
		if n.await(w.bell, ctx.Done(), ok) {
			return true
		}
		runtime.Gosched()
	}
	return false
}
