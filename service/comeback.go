package service

import (
	"context"
	"runtime/pprof"
	"sync"
	"time"
)

// A comeback is a restart to come: of one service, or of members of a group together. A service has it
// as its back from the failure on, while it is stopped and while it waits, until it is started
// again or anybody decides otherwise. In the pause there is a timer and no goroutine.
type comeback struct {
	of    *Base // the service, or the group whose members it is about
	pause time.Duration

	mu    sync.Mutex // taken after that of any service
	timer *time.Timer
	left  int // members of a group whose back this is

	regroup
}

// stayLocked calls off the restart that n waits for, if any. n.mu is held.
func (n *Base) stayLocked() {
	b := n.back
	if b == nil {
		return
	}
	n.back = nil
	n.wakeLocked()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left > 0 {
		b.left--
	}
	if b.left == 0 && b.timer != nil {
		b.timer.Stop()
	}
}

// comeBackLocked sees to the restart of n alone once its life has ended, or, if that has overrun, to
// the failure of the group which it has become. n.mu is held.
func (n *Base) comeBackLocked(l *life, inTime bool) {
	b := n.back
	if b == nil || b.of != n {
		return
	}
	if inTime {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.timer = time.AfterFunc(b.pause, b.alone)
		return
	}
	n.back = nil
	if p := n.above(); p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.goesDown() {
			p.failLocked(&FailureError{Path: n.Path(), Err: join(bare(l.fault, n), without(l.result, l.fault))})
		}
	}
}

// bare is what a failure of n was, without saying again that it was that of n.
func bare(err error, n *Base) error {
	if f, ok := err.(*FailureError); ok && f.Path == n.Path() {
		return f.Err
	}
	return err
}

// alone starts a service again after the pause.
func (b *comeback) alone() {
	pprof.SetGoroutineLabels(context.Background())
	n := b.of
	n.mu.Lock()
	var l *life
	if n.back == b {
		l = n.bornAgain()
	}
	n.mu.Unlock()
	if l != nil {
		n.runStart(l)
	}
}

// bornAgain begins the life of a restart, or returns nil if there must be none any more. n.mu is held.
func (n *Base) bornAgain() *life {
	n.stayLocked()
	if n.state.active() || n.moving || n.leaving != nil {
		return nil
	}
	values := n.life.values
	if p := n.above(); p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.goesDown() {
			return nil
		}
		values = p.life.values
	}
	return n.born(&start{root: n, ctx: values, again: true}, values, values)
}
