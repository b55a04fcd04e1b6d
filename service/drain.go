package service

import (
	"context"
	"time"
)

// sweep tells all below n that a stop will come by: nothing can be added or started there from now
// on, and starts under way are ended. It says whether there is anything to drain.
func (n *Base) sweep(l *life, cause error, until time.Time) (drains bool) {
	n.mu.Lock()
	drains = n.hooks.Drain != nil && n.serves(l)
	n.mu.Unlock()
	if n.group == nil {
		return drains
	}
	for _, c := range n.group.snapshot() {
		c.mu.Lock()
		if c.above() == n {
			c.stayLocked()
		}
		cl := c.life
		down := false
		switch {
		case !c.state.active(), cl.claimed, c.above() != n:
		case cl.walking:
			if !cl.asked {
				cl.swept = true
			}
			// Less than what the walk will wait: so it hears from that start who is late.
			c.askLocked(cl, cause, nineTenths(nineTenths(time.Until(until))))
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
	skip := !n.serves(l) || l.drained
	if !skip {
		l.drained = true
		l.draining = true
		if n.state == Running {
			n.setState(Stopping, nil)
		}
	}
	n.mu.Unlock()
	if skip {
		return
	}
	w.stopHook(job{n, l, "Drain", n.hooks.Drain, n.hookContext(l, ctx)})
	n.mu.Lock()
	l.draining = false
	n.wakeLocked()
	n.mu.Unlock()
}
