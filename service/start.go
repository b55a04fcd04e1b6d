package service

import (
	"context"
	"errors"
	"fmt"
)

// A start is one Start under way, of root and of all below it.
type start struct {
	root   *Base
	ctx    context.Context // that of the caller
	attach bool            // by SetParent: root is unlinked when it fails
	again  bool            // after a failure of root: it is one more when it fails
}

// A refusal is one service that would not start.
type refusal struct {
	n   *Base
	err error
}

// errAsked is the refusal of a service whose stop has been asked for.
var errAsked = errors.New("asked to stop")

// Start is part of [Service].
func (n *Base) Start(ctx context.Context) error {
	l, mine, err := n.beginStart(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("start %s: %w", n.Path(), err)
	case l == nil: // Running
		return nil
	case mine:
		return n.runStart(l)
	}
	return n.joinStart(ctx, l)
}

// beginStart makes n Starting, or says why not. It returns the life to start, or, not mine, the one
// that is being started by another; nil when n runs.
func (n *Base) beginStart(ctx context.Context) (l *life, mine bool, err error) {
	if !validName(n.name) {
		return nil, false, errBadName(n.name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.moving, n.leaving != nil:
		return nil, false, fmt.Errorf("%w: it is being moved or removed", ErrBusy)
	case n.state == Running && !n.life.claimed && !n.life.closing:
		return nil, false, nil
	case n.state == Starting && !n.life.claimed && !n.life.asked:
		return n.life, false, nil
	case n.state.active():
		return nil, false, fmt.Errorf("%w: it is %v", ErrBusy, Stopping)
	}
	values := context.WithoutCancel(ctx)
	if p := n.above(); p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.accepts() {
			return nil, false, fmt.Errorf("%w: its parent is %v", ErrBusy, p.state)
		}
		values = p.life.values
	}
	return n.born(&start{root: n, ctx: ctx}, ctx, values), true, nil
}

// joinStart waits for a start that another has begun.
func (n *Base) joinStart(ctx context.Context, l *life) error {
	if holdsUp(ctx, n, l) {
		return fmt.Errorf("wait for the start of %s: %w", n.Path(), ErrOwnHook)
	}
	var err error
	if !n.await(make(chan struct{}, 1), ctx.Done(), func() bool {
		err = l.startErr
		return l.ready || l.over
	}) {
		return fmt.Errorf("wait for the start of %s: %w", n.Path(), context.Cause(ctx))
	}
	return err
}

// runStart does the work of a start whose root is n. The caller's goroutine does the walk; the hooks
// run on others.
func (n *Base) runStart(l *life) error {
	w := newWalker()
	defer w.dismiss()
	refused := w.acquireTree(n, l)
	if refused == nil {
		refused = w.startTree(n, l)
	}
	if refused == nil {
		w.launch()
		return nil
	}
	w.undo(n, l, refused)
	n.mu.Lock()
	defer n.mu.Unlock()
	return l.startErr
}

// acquireTree calls Acquire of n and then of all below it.
func (w *walker) acquireTree(n *Base, l *life) []refusal {
	l.acquired = true
	if r := w.startHook(job{n, l, "Acquire", n.hooks.Acquire, nil}); r != nil {
		return r
	}
	if n.group == nil {
		return nil
	}
	_, r := w.eachChild(n, l, 0, (*walker).acquireTree)
	return r
}

// startTree calls Start of n and then starts all below it, and makes n Running.
func (w *walker) startTree(n *Base, l *life) []refusal {
	if !l.acquired { // added since the others were
		if r := w.acquireTree(n, l); r != nil {
			return r
		}
	}
	if r := w.startHook(job{n, l, "Start", n.hooks.Start, nil}); r != nil {
		return r
	}
	if n.hooks.Run != nil { // a group's own Run begins before its children
		w.ready = append(w.ready, newborn{n, l})
	}
	for last := uint64(0); !n.becomeRunning(l, last); {
		var r []refusal
		if last, r = w.eachChild(n, l, last, (*walker).startTree); r != nil {
			return r
		}
		if n.group == nil {
			return []refusal{{n, errAsked}}
		}
	}
	return nil
}

// eachChild lets f visit the children of n behind the given place, also those added meanwhile, until
// one refuses. It returns the last place it has been at.
func (w *walker) eachChild(n *Base, l *life, last uint64, f visitor) (uint64, []refusal) {
	for n.group != nil {
		if l.scope.Err() != nil {
			return last, []refusal{{n, contextError(l.scope)}}
		}
		c, ok := n.group.childAfter(last)
		if !ok {
			break
		}
		last = c.at.number
		var r []refusal
		if n.opt.sideBySide {
			var batch []placed
			for ; ok; c, ok = n.group.childAfter(last) {
				batch, last = append(batch, c), c.at.number
			}
			r = w.visitAll(l, batch, f)
		} else {
			r = w.visit(l, c, f)
		}
		if r != nil {
			return last, r
		}
	}
	return last, nil
}

// A visitor does one phase of a start in a service and all below it.
type visitor func(*walker, *Base, *life) []refusal
