package service

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Base is a service without children: the node that every service embeds. Make one with [New] or
// [Func], or with [NewBase] to embed it:
//
//	type Cache struct {
//		*service.Base
//		// ...
//	}
//
//	func NewCache() *Cache {
//		c := &Cache{}
//		c.Base = service.NewBase(c, "cache", service.Hooks{Start: c.open, Stop: c.close})
//		return c
//	}
//
// Locks. Each node has one mutex, taken child before parent. attaching, one for the package, is
// taken before any of them by attaches of services that can have children. No callback is ever made
// with a lock held.
type Base struct {
	self  Service       // the value that embeds this node, or the node itself
	group *MultiService // the same node as a group, nil where it cannot have children
	name  string
	hooks Hooks
	opt   options

	// parent is written with mu and the parent's mutex held, and read by anyone.
	parent atomic.Pointer[MultiService]

	mu      sync.Mutex
	state   State
	err     error           // why it is Failed
	life    *life           // the present life, or the last one
	place   *place          // in the parent's list
	leaving *Future         // of the disown under way
	moving  bool            // a Move has it: only that may attach or start it
	back    *comeback       // it will be started again: see there
	trouble *trouble        // its failures, nil before the first one
	waiters []chan struct{} // rung at every change, then forgotten
}

// New makes a service of hooks.
func New(name string, h Hooks, opts ...Option) *Base { return NewBase(nil, name, h, opts...) }

// Func makes a service of one function, its Run hook.
func Func(name string, run func(context.Context) error, opts ...Option) *Base {
	return New(name, Hooks{Run: run}, opts...)
}

// NewBase makes the node for self to embed. self is what [MultiService.Children], [Lookup] and
// others return for it; it is not called before the node is in use. A nil self is the node itself.
func NewBase(self Service, name string, h Hooks, opts ...Option) *Base {
	b := &Base{self: self, name: name, hooks: h}
	b.opt.apply(opts)
	if self == nil {
		b.self = b
	}
	return b
}

func (n *Base) node() *Base { return n }

// Name is part of [Service].
func (n *Base) Name() string { return n.name }

// Parent is part of [Service].
func (n *Base) Parent() *MultiService { return n.parent.Load() }

// Path is part of [Service].
func (n *Base) Path() string {
	p := n.parent.Load()
	if p == nil {
		return "/" + n.name
	}
	return p.Path() + "/" + n.name
}

// State is part of [Service].
func (n *Base) State() State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Err is part of [Service].
func (n *Base) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// String is the path and the state, so that printing a service does not look into it.
func (n *Base) String() string { return n.Path() + " (" + n.State().String() + ")" }

// within says whether n is top or below it.
func (n *Base) within(top *Base) bool {
	for n != nil && n != top {
		n = n.above()
	}
	return n != nil
}

// above is the parent's node, or nil.
func (n *Base) above() *Base {
	if p := n.parent.Load(); p != nil {
		return &p.Base
	}
	return nil
}

// stopBudget is the time a stop of n alone has.
func (n *Base) stopBudget() time.Duration {
	own := n.opt.stopWithin
	p := n.above()
	if p == nil {
		if own > 0 {
			return own
		}
		return defaultStop
	}
	d := nineTenths(p.stopBudget())
	if own > 0 {
		d = min(d, own)
	}
	return d
}

func nineTenths(d time.Duration) time.Duration { return d / 10 * 9 }

// wakeLocked tells those that wait for a change of n to look again. n.mu is held.
func (n *Base) wakeLocked() {
	for _, bell := range n.waiters {
		select {
		case bell <- struct{}{}:
		default: // it has been rung already
		}
	}
	n.waiters = n.waiters[:0]
}

// await returns true once ok, called with n.mu held, does, or false when giveUp is closed first.
// The bell is a channel with room for one, which a goroutine may use for many waits.
func (n *Base) await(bell chan struct{}, giveUp <-chan struct{}, ok func() bool) bool {
	for {
		n.mu.Lock()
		if ok() {
			n.mu.Unlock()
			return true
		}
		n.waiters = append(n.waiters, bell)
		n.mu.Unlock()
		select {
		case <-bell:
		case <-giveUp:
			n.mu.Lock()
			defer n.mu.Unlock()
			n.waiters = slices.DeleteFunc(n.waiters, func(b chan struct{}) bool { return b == bell })
			return ok()
		}
	}
}
