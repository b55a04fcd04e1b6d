package service

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// attaching is held by attaches of services that can have children, so that no two of them can make
// a cycle between them. See [Base] for the order of locks.
var attaching sync.Mutex

// SetParent is part of [Service].
func (n *Base) SetParent(parent *MultiService) error {
	return n.attach(parent, nil, func(values context.Context) context.Context { return values })
}

// A starter gives the context to start with, under a parent whose values are those.
type starter func(values context.Context) context.Context

// attach links n and, under a running parent, starts it. A Move hands in the place that it has
// reserved.
func (n *Base) attach(parent *MultiService, reserved *place, with starter) error {
	l, err := n.link(parent, reserved, with)
	if err != nil {
		to := "nothing"
		if parent != nil {
			to = parent.Path()
		}
		return fmt.Errorf("attach %s to %s: %w", n.Path(), to, err)
	}
	if l == nil {
		return nil
	}
	return n.runStart(l)
}

// link makes n a child of parent, and Starting if parent runs: then it returns the life to start.
func (n *Base) link(parent *MultiService, reserved *place, with starter) (*life, error) {
	if parent == nil {
		return nil, ErrNoParent
	}
	if !validName(n.name) {
		return nil, errBadName(n.name)
	}
	if n.group != nil {
		attaching.Lock()
		defer attaching.Unlock()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.parent.Load(); p != nil {
		return nil, fmt.Errorf("%w: %s", ErrHasParent, p.Path())
	}
	if parent.within(n) {
		return nil, ErrCycle
	}
	parent.mu.Lock()
	defer parent.mu.Unlock()
	if err := parent.takesLocked(); err != nil {
		return nil, err
	}
	switch {
	case n.state.active():
		return nil, fmt.Errorf("%w: it is %v", ErrBusy, n.state)
	case n.moving && reserved == nil:
		return nil, fmt.Errorf("%w: it is being moved", ErrBusy)
	}
	switch taken := parent.kids.names[n.name]; {
	case taken != reserved:
		return nil, ErrNameTaken
	case reserved != nil && parent.state == Starting:
		parent.kids.remove(reserved) // to the end, where the start will come by
		n.place = parent.kids.add(n, false)
	case reserved != nil:
		reserved.reserved = false
		n.place = reserved
	default:
		n.place = parent.kids.add(n, false)
	}
	n.stayLocked()
	n.life = nil // so that the start of the parent does not take it for one it has seen
	n.parent.Store(parent)
	if parent.state != Running {
		return nil, nil
	}
	values := parent.life.values
	ctx := with(values)
	return n.born(&start{root: n, ctx: ctx, attach: true}, ctx, values), nil
}

// takesLocked says why m takes no more children. m.mu is held.
func (m *MultiService) takesLocked() error {
	if m.state == Stopping || m.state.active() && (m.life.asked || m.life.claimed || m.life.closing) {
		return fmt.Errorf("%w: the parent is %v", ErrBusy, Stopping)
	}
	return nil
}

// DisownParent is part of [Service].
func (n *Base) DisownParent() *Future {
	n.mu.Lock()
	f, l := n.leaving, n.life
	switch {
	case f != nil:
		n.mu.Unlock()
		return f
	case n.parent.Load() == nil:
		n.mu.Unlock()
		f = newFuture(n)
		f.complete(fmt.Errorf("disown %s: %w", n.Path(), ErrNoParent))
		return f
	}
	f = newFuture(n)
	n.leaving = f
	n.stayLocked()
	switch {
	case !n.state.active():
		n.unlinkLocked(nil)
		n.mu.Unlock()
	case l.over: // it has overrun, and leaves as it is
		n.endLocked(l).settle()
	default:
		n.askLocked(l, ErrRemoved, n.stopBudget())
		n.mu.Unlock()
	}
	return f
}

func validName(name string) bool { return name != "" && !strings.Contains(name, "/") }

func errBadName(name string) error { return fmt.Errorf("%w: %q", ErrBadName, name) }
