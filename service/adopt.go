package service

import (
	"context"
	"fmt"
)

// A MoveOption is given to [Move].
type MoveOption func(*moveOptions)

type moveOptions struct{ keepRunning bool }

// KeepRunning makes a [Move] hand over a running service without stopping it. The service and both
// parents have to be Running, otherwise it is [ErrBusy], and nothing has changed.
//
// From then on the service is an affair of its new parent, which stops it as its last child and whose
// strategy and policy its failures meet. What runs keeps its contexts, with the values they have, and
// its profiler labels; at its next start it takes all that from the new parent. Since nothing is
// waited for, a hook can do this to its own service.
func KeepRunning() MoveOption { return func(o *moveOptions) { o.keepRunning = true } }

// handOver gives n, as it runs, to another parent.
func (n *Base) handOver(to *MultiService) error {
	if to == nil {
		return ErrNoParent
	}
	if !validName(n.name) {
		return errBadName(n.name)
	}
	// With this held nothing moves below anything else, so the order of the locks of two parents can
	// be told: the lower one first, as everywhere. Where neither is below the other no one else
	// takes one of them with the other held.
	attaching.Lock()
	defer attaching.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if to.within(n) {
		return ErrCycle
	}
	switch {
	case n.state != Running || n.goesDown():
		return fmt.Errorf("%w: it is not Running", ErrBusy)
	case n.leaving != nil || n.moving:
		return fmt.Errorf("%w: it is being moved or removed", ErrBusy)
	}
	from := n.parent.Load()
	if from == nil {
		return fmt.Errorf("%w: it has no parent that is Running", ErrBusy)
	}
	low, high := from, to
	if to.within(&from.Base) {
		low, high = to, from
	}
	low.mu.Lock()
	defer low.mu.Unlock()
	if low != high {
		high.mu.Lock()
		defer high.mu.Unlock()
	}
	for _, p := range []*MultiService{from, to} {
		if p.state != Running || p.goesDown() {
			return fmt.Errorf("%w: %s is not Running", ErrBusy, p.Path())
		}
	}
	if taken := to.kids.names[n.name]; taken != nil && taken.child != n {
		return ErrNameTaken
	}
	from.kids.remove(n.place)
	n.place = to.kids.add(n, false)
	n.parent.Store(to)
	n.wakeLocked()
	return nil
}

// keepRunning is Move with KeepRunning.
func (n *Base) keepRunning(ctx context.Context, to *MultiService) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return n.handOver(to)
}
