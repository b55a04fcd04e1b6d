package service

import (
	"context"
	"errors"
	"fmt"
)

// Move gives s a new parent: it disowns it, waits until it has ended, and attaches it, as the last
// child. nil means that it is there, and runs if the new parent does.
//
// Name and place in the new parent are reserved first, so what can be refused is refused before s is
// touched, with the errors of [Service.SetParent]; so is a ctx that is done. After that nobody else can attach or start s. If
// its stop fails, or its start there, it is left without a parent and the error says which. ctx
// bounds the waits; a stop begun goes on without it. Without a parent s is only attached. A hook
// cannot move its own service: [ErrOwnHook]. With [KeepRunning] s is not stopped.
func Move(ctx context.Context, s Service, to *MultiService, opts ...MoveOption) error {
	var o moveOptions
	for _, opt := range opts {
		opt(&o)
	}
	n := s.node()
	var p *place
	var err error
	if o.keepRunning {
		err = n.keepRunning(ctx, to)
	} else {
		p, err = n.reserve(ctx, to)
	}
	if err != nil {
		target := "nothing"
		if to != nil {
			target = to.Path()
		}
		return fmt.Errorf("move %s to %s: %w", n.Path(), target, err)
	}
	if o.keepRunning {
		return nil
	}
	path := n.Path()
	defer n.unreserve(to, p)
	fail := func(what string, err error) error {
		return fmt.Errorf("move %s to %s: %s: %w", path, to.Path(), what, err)
	}
	if n.parent.Load() != nil {
		left := n.DisownParent()
		err := left.Wait(ctx)
		select {
		case <-left.Done():
			err = left.Err() // ctx may have ended, too: that is for the start to say
			if err != nil && !errors.Is(err, ErrNoParent) {
				return fail("its stop failed and it is left without a parent", err)
			}
		default:
			return fail("gave up waiting for its stop, which leaves it without a parent", err)
		}
	}
	if err := n.attach(to, p, func(context.Context) context.Context { return ctx }); err != nil {
		return fail("it could not be started there and is left without a parent", err)
	}
	return nil
}

// reserve takes a place in to for n, and n for the move.
func (n *Base) reserve(ctx context.Context, to *MultiService) (*place, error) {
	if to == nil {
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
	switch {
	case to.within(n):
		return nil, ErrCycle
	case n.moving:
		return nil, fmt.Errorf("%w: it is being moved already", ErrBusy)
	case n.leaving != nil:
		return nil, fmt.Errorf("%w: it is being removed", ErrBusy)
	case n.state.active() && n.parent.Load() == nil:
		return nil, fmt.Errorf("%w: it is %v", ErrBusy, n.state)
	case ownHook(ctx, n):
		return nil, ErrOwnHook
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	if err := to.takesLocked(); err != nil {
		return nil, err
	}
	if taken := to.kids.names[n.name]; taken != nil && taken.child != n {
		return nil, ErrNameTaken
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	n.moving = true
	return to.kids.add(n, true), nil
}

// unreserve ends the move, and gives back the place if it was not taken.
func (n *Base) unreserve(to *MultiService, p *place) {
	// Not with both locks: to may have come to be below n meanwhile.
	to.mu.Lock()
	if p.reserved && !p.gone {
		to.kids.remove(p)
		if n.above() == &to.Base { // it never left
			to.kids.names[n.name] = n.place
		}
	}
	to.mu.Unlock()
	n.mu.Lock()
	n.moving = false
	n.mu.Unlock()
}
