package service

import (
	"context"
	"sync"
	"time"
)

// visitAll lets f visit children side by side; l is the life of their parent. The first refusal ends
// the starts of the others.
func (w *walker) visitAll(l *life, batch []placed, f visitor) []refusal {
	if len(batch) == 1 {
		return w.visit(l, batch[0], f)
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		left    int // guarded by mu, as are the next two
		refused []refusal
		ready   []newborn
	)
	for _, c := range batch {
		if !c.child.startsInLine() {
			left++
		}
	}
	if left > 0 {
		w.launch()
	}
	for _, c := range batch {
		if c.child.startsInLine() {
			continue
		}
		all.Add(1)
		unlabelled(func() {
			defer all.Done()
			w := w.beside()
			defer w.dismiss()
			r := w.visit(l, c, f)

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
		if c.child.startsInLine() && inLine == nil {
			inLine = w.visit(l, c, f)
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

// visit lets f do its phase in a child, if that takes part in the start of which l, the life of
// its parent, is part. A child that is stopped or removed meanwhile is no refusal: the start goes on without it.
func (w *walker) visit(l *life, p placed, f visitor) []refusal {
	c := p.child
	cl := c.enter(l, p.at)
	if cl == nil {
		return nil
	}
	refused := f(w, c, cl)
	c.mu.Lock()
	undo := cl.asked && !cl.claimed
	cl.walking = undo // until undo claims it
	c.mu.Unlock()
	if undo {
		w.undo(c, cl, refused)
		return nil
	}
	return refused
}

// enter gives the life of c that takes part in the start of l, the life of its parent, or nil.
func (c *Base) enter(l *life, p *place) *life {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.place != p {
		return nil // removed; if it has been added again, it is visited there
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
	if l.abort != nil {
		l.abort(nil) // for good: nothing derives from the scope any more
		l.abort = nil
	}
	if n.opt.policy == restarts {
		l.since = time.Now()
	}
	n.setState(Running, nil)
	if l.runOver || l.endsWell { // a group that has ended well while its children started
		n.endWellLocked()
	}
	return true
}
