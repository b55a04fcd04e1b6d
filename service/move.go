package service

import (
	"context"
	"fmt"
)

// Move gives s a new parent: it disowns it, waits until it has ended, and attaches it, as the last
// child. nil means that it is there, and runs if the new parent does.
//
// Name and place in the new parent are reserved first, so what can be refused is refused before s is
// touched, with the errors of [Service.SetParent]. After that nobody else can attach or start s. If
// its stop fails, or its start there, it is left without a parent and the error says which. ctx
// bounds the waits; a stop begun goes on without it. Without a parent s is only attached. A hook
// cannot move its own service: [ErrOwnHook].
func Move(ctx context.Context, s Service, to *MultiService) error {
	n := s.node()
	p, err := n.reserve(ctx, to)
	if err != nil {
		target := "nothing"
		if to != nil {
			target = to.Path()
		}
		return fmt.Errorf("move %s to %s: %w", n.Path(), target, err)
	}
	path := n.Path()
	defer n.unreserve(to, p)
	if n.parent.Load() != nil {
		if err := n.DisownParent().Wait(ctx); err != nil {
			return fmt.Errorf("move %s to %s: its stop failed, it is left without a parent: %w", path, to.Path(), err)
		}
	}
	if err := n.attach(ctx, to, p); err != nil {
		return fmt.Errorf("move %s to %s: its start there failed, it is left without a parent: %w", path, to.Path(), err)
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
	n.moving = true
	return to.kids.add(n, true), nil
}

// unreserve ends the move, and gives back the place if it was not taken.
func (n *Base) unreserve(to *MultiService, p *place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moving = false
	to.mu.Lock()
	defer to.mu.Unlock()
	if p.reserved && !p.gone {
		to.kids.remove(p)
		if n.place != nil && n.above() == &to.Base {
			to.kids.names[n.name] = n.place
		}
	}
}
