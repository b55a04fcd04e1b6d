package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Stop is part of [Service].
func (n *Base) Stop(ctx context.Context) error {
	n.mu.Lock()
	if !n.state.active() {
		n.mu.Unlock()
		return nil
	}
	l := n.life
	n.askLocked(l, nil, n.stopBudget())
	n.mu.Unlock()
	return n.joinStop(ctx, l)
}

// joinStop waits for the stop that ends l.
func (n *Base) joinStop(ctx context.Context, l *life) error {
	var err error
	over := func() bool {
		err = l.result
		return l.over
	}
	n.mu.Lock()
	done := over()
	n.mu.Unlock()
	switch {
	case done:
		return err
	case ownHook(ctx, n):
		return fmt.Errorf("stop %s: %w", n.Path(), ErrOwnHook)
	case n.await(make(chan struct{}, 1), ctx.Done(), over):
		return err
	}
	return fmt.Errorf("stop %s: gave up waiting for %s: %w",
		n.Path(), strings.Join(holdouts(n), ", "), context.Cause(ctx))
}

// askLocked sees to it that n stops: here, or by the start that is at work in it. What stops already
// keeps its cause: then it returns false. n.mu is held.
func (n *Base) askLocked(l *life, cause error, budget time.Duration) bool {
	switch {
	case l.claimed, l.asked:
		return false
	case l.walking:
		l.asked = true
		l.cause = cause
		l.until = time.Now().Add(budget)
		if l.abort != nil {
			l.abort(cause)
		}
	default:
		until := time.Now().Add(budget)
		n.claimLocked(l)
		unlabelled(func() {
			w := newWalker()
			result := w.stopTree(n, l, cause, until)
			w.dismiss()
			n.conclude(l, result)
		})
	}
	return true
}

// claimLocked makes the caller the one that stops n. n.mu is held.
func (n *Base) claimLocked(l *life) {
	l.claimed = true
	nothing := n.state == Starting && n.group == nil && l.hooks == 0 && !l.owed
	if n.state != Stopping && !nothing {
		n.setState(Stopping, nil)
	}
}

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

// sweep tells all below n that a stop will come by: nothing can be added or started there from now
// on, and starts under way are ended. It says whether there is anything to drain.
func (n *Base) sweep(l *life, cause error, until time.Time) (drains bool) {
	n.mu.Lock()
	drains = n.hooks.Drain != nil && l.serving
	n.mu.Unlock()
	if n.group == nil {
		return drains
	}
	for _, c := range n.group.snapshot() {
		c.mu.Lock()
		cl := c.life
		down := false
		switch {
		case !c.state.active(), cl.claimed, c.above() != n:
		case cl.walking:
			if !cl.asked {
				cl.swept = true
			}
			c.askLocked(cl, cause, nineTenths(time.Until(until)))
		default:
			cl.closing = true
			down = true
		}
		c.mu.Unlock()
		if down && c.sweep(cl, cause, until) {
			drains = true
		}
	}
	return drains
}

// drainTree calls Drain of all below n and then of n.
func (w *walker) drainTree(n *Base, l *life, ctx context.Context) {
	if n.group != nil {
		w.backward(n, ctx, func(w *walker, c *Base, ctx context.Context) {
			c.mu.Lock()
			cl := c.life
			skip := !c.state.active() || cl.claimed || cl.walking || c.above() != n
			c.mu.Unlock()
			if !skip {
				w.drainTree(c, cl, ctx)
			}
		})
	}
	if n.hooks.Drain == nil {
		return
	}
	n.mu.Lock()
	skip := !l.serving || l.drained
	if !skip {
		l.drained = true
		if n.state == Running {
			n.setState(Stopping, nil)
		}
	}
	n.mu.Unlock()
	if !skip {
		w.stopHook(job{n, l, "Drain", n.hooks.Drain, n.hookContext(l, ctx)})
	}
}

// stopNode stops n, which the caller has claimed, after all below it.
func (w *walker) stopNode(n *Base, l *life, cause error, ctx context.Context) error {
	began := time.Now()
	var mu sync.Mutex
	var errs []error // guarded by mu
	if n.group != nil {
		w.backward(n, ctx, func(w *walker, c *Base, ctx context.Context) {
			err := w.stopChild(n, l, c, onward(cause), ctx)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
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
	if l.runErr != nil {
		errs = append(errs, l.runErr)
	}
	return join(append(errs, l.errs...)...)
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
	e := &lateError{path: n.Path(), after: after}
	late.add(e)
	n.mu.Lock()
	defer n.mu.Unlock()
	l.errs = append(l.errs, e)
}

// stopChild stops a child of g, or waits for whoever does. gl is the life of g that ends with this.
func (w *walker) stopChild(g *Base, gl *life, c *Base, cause error, ctx context.Context) error {
	c.mu.Lock()
	if c.above() != g || !c.state.active() {
		c.mu.Unlock()
		return nil
	}
	l := c.life
	var err error
	if !l.claimed && !l.walking {
		c.claimLocked(l)
		c.mu.Unlock()
		err = w.stopNode(c, l, cause, ctx)
		c.conclude(l, err)
	} else {
		c.mu.Unlock()
		err = w.awaitStop(c, l, ctx)
	}
	c.countLate(l, g, gl)
	return err
}

// awaitStop waits for the end of a life that another stops, or that has overrun before.
func (w *walker) awaitStop(c *Base, l *life, ctx context.Context) error {
	began := time.Now()
	w.awaitInTime(c, ctx, func() bool { return l.over && (c.life != l || !c.state.active()) })
	c.mu.Lock()
	result, over := l.result, l.over
	c.mu.Unlock()
	if over {
		return result
	}
	e := &lateError{path: c.Path(), after: time.Since(began)}
	w.late.add(e)
	return e
}

// countLate makes g, which is being stopped, stay Stopping until its child c, which has overrun, has
// ended.
func (c *Base) countLate(l *life, g *Base, gl *life) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life != l || !c.state.active() || c.above() != g || l.lateIn != nil {
		return
	}
	l.lateIn = gl
	g.mu.Lock()
	gl.below++
	g.mu.Unlock()
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

// backward lets f go over the children of n, the last one first, each with its share of the time
// until ctx ends. When next to nothing is left of that, f gets all the others at once.
func (w *walker) backward(n *Base, ctx context.Context, f func(*walker, *Base, context.Context)) {
	b := newBudget(ctx)
	defer b.cancel()
	for number := uint64(math.MaxUint64); ; {
		c, at := n.group.childBefore(number)
		if c == nil {
			return
		}
		if n.opt.sideBySide || b.spent() {
			w.backwardAtOnce(n, number, b, f)
			return
		}
		number = at
		ctx, cancel := b.share(c)
		f(w, c, ctx)
		cancel()
	}
}

func (w *walker) backwardAtOnce(n *Base, number uint64, b *budget, f func(*walker, *Base, context.Context)) {
	var all sync.WaitGroup
	for {
		var c *Base
		if c, number = n.group.childBefore(number); c == nil {
			break
		}
		ctx, cancel := b.share(c)
		all.Add(1)
		unlabelled(func() {
			defer all.Done()
			w := w.beside()
			defer w.dismiss()
			f(w, c, ctx)
			cancel()
		})
	}
	all.Wait()
}

// holdouts names the services at and below n whose hooks a stop or a start waits for.
func holdouts(n *Base) (paths []string) {
	n.mu.Lock()
	l := n.life
	holds := n.state.active() && l.hooks > 0 && (l.told || l.drained || l.asked || l.claimed && n.group == nil)
	n.mu.Unlock()
	if n.group != nil {
		for _, c := range n.group.snapshot() {
			paths = append(paths, holdouts(c)...)
		}
	}
	if holds {
		paths = append(paths, n.Path())
	}
	return paths
}
