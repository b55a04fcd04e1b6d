package service

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Stop is part of [Service].
func (n *Base) Stop(ctx context.Context) error {
	n.mu.Lock()
	n.stayLocked()
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
		n.Path(), holdouts(n), context.Cause(ctx))
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

// holdouts names the services at and below n whose hooks the stop or the start under way waits for;
// n itself where it is between hooks.
func holdouts(n *Base) string {
	var paths []string
	var visit func(n *Base)
	visit = func(n *Base) {
		n.mu.Lock()
		l := n.life
		holds := n.state.active() && l.hooks > 0 &&
			(l.told || l.draining || l.overran || n.state == Starting && !l.launched)
		n.mu.Unlock()
		if n.group != nil {
			for _, c := range n.group.snapshot() {
				visit(c)
			}
		}
		if holds {
			paths = append(paths, n.Path())
		}
	}
	visit(n)
	if len(paths) == 0 {
		return n.Path()
	}
	return strings.Join(paths, ", ")
}
