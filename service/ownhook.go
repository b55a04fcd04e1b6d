package service

import (
	"context"
	"runtime/pprof"
)

// ownerKey is the key under which the context of a hook carries the node whose hook it is: a
// *runOwner for Run, a *Base for the others, which a start or a stop calls and waits for.
type ownerKey struct{}

type runOwner Base

// hookContext makes ctx that of a hook of n other than Run.
func (n *Base) hookContext(l *life, ctx context.Context) context.Context {
	return pprof.WithLabels(context.WithValue(ctx, ownerKey{}, n), l.labels)
}

// runContext is the context of Run, but for its end.
func (n *Base) runContext(l *life) context.Context {
	return pprof.WithLabels(context.WithValue(l.values, ownerKey{}, (*runOwner)(n)), l.labels)
}

// hookOwner is whose hook ctx is that of, or nil, and whether it is Run.
func hookOwner(ctx context.Context) (n *Base, run bool) {
	switch v := ctx.Value(ownerKey{}).(type) {
	case *Base:
		return v, false
	case *runOwner:
		return (*Base)(v), true
	}
	return nil, false
}

// ownHook says whether a hook with ctx would, by waiting for the end of n, wait for itself.
func ownHook(ctx context.Context, n *Base) bool {
	owner, _ := hookOwner(ctx)
	return owner != nil && owner.within(n)
}

// holdsUp says whether a hook with ctx would, by waiting for the start of n in l, wait for itself: that
// start waits for the hook and has not come to all of n yet.
func holdsUp(ctx context.Context, n *Base, l *life) bool {
	owner, run := hookOwner(ctx)
	if owner == nil || run {
		return false
	}
	// at is where the walk of the start is that waits for the hook: a hook of the start itself, or one
	// of a stop that undoes a part of it.
	for at := owner; at != nil; at = at.above() {
		at.mu.Lock()
		al := at.life
		waits := al != nil && al.start == l.start && (al.undoing || at == owner && al.walking)
		beside := waits && al.begun
		at.mu.Unlock()
		if waits {
			return !beside || !goSideBySide(at, n)
		}
	}
	return false
}

// goSideBySide says whether a start of both goes on in each of the two whatever the other does.
func goSideBySide(a, b *Base) bool {
	for p := a; p != nil; p = p.above() {
		if b.within(p) {
			return p.opt.sideBySide && p != a && p != b
		}
	}
	return false
}
