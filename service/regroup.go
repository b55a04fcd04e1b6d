package service

import (
	"context"
	"math"
	"runtime/pprof"
	"time"
)

// A regroup is the part of a comeback that is about several members of a group. There is one at most
// for a group; what fails meanwhile becomes part of it. A goroutine stops the members, a timer waits,
// a goroutine starts them. Guarded by the mutex of the group.
type regroup struct {
	from    uint64 // the first place whose member is to be stopped
	failure *FailureError
	working bool // a goroutine is at it
	more    bool // a member has failed since it went over them
	round   int  // of the timer
}

// regroupLocked has the members stopped and started again that the strategy of the group g says,
// since c has failed. The mutexes of c and g are held.
func (g *Base) regroupLocked(c *Base, pause time.Duration, failure *FailureError) {
	b := g.group.regroup
	if b == nil || !b.working && b.forgotten() {
		b = &comeback{of: g}
		b.from = math.MaxUint64
		g.group.regroup = b
	}
	first := uint64(0)
	if g.opt.strategy == RestForOne {
		first = c.place.number
	}
	b.from = min(b.from, first)
	b.pause = max(b.pause, pause)
	b.failure = failure
	b.more = true
	c.joinLocked(b)
	if !b.working {
		b.working = true
		b.mu.Lock()
		if b.timer != nil {
			b.timer.Stop()
		}
		b.mu.Unlock()
		unlabelled(b.stopMembers)
	}
}

// forgotten says whether no member comes back with b.
func (b *comeback) forgotten() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left == 0
}

// joinLocked makes c one of those that come back with b. c.mu is held.
func (c *Base) joinLocked(b *comeback) {
	if c.back == b {
		return
	}
	c.stayLocked()
	c.back = b
	b.mu.Lock()
	b.left++
	b.mu.Unlock()
}

// stopMembers stops the members, in reverse, and sets the timer.
func (b *comeback) stopMembers() {
	g := b.of
	for {
		g.mu.Lock()
		if b.overLocked() {
			g.mu.Unlock()
			return
		}
		b.more = false
		from, failure, values := b.from, b.failure, g.life.values
		g.mu.Unlock()

		if late := b.stopFrom(from, failure, values); late != nil {
			g.mu.Lock()
			if !b.overLocked() {
				g.group.regroup = nil
				g.failLocked(&FailureError{Path: failure.Path, Err: join(failure.Err, late)})
			}
			g.mu.Unlock()
			return
		}
		g.mu.Lock()
		if !b.more {
			b.working = false
			b.round++
			round := b.round
			b.mu.Lock()
			if !b.overLocked() && b.left > 0 {
				b.timer = time.AfterFunc(b.pause, func() { b.startMembers(round) })
			}
			b.mu.Unlock()
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
	}
}

// overLocked says whether the group is being stopped: that stop sees to all members. The mutex of the
// group is held.
func (b *comeback) overLocked() bool {
	g := b.of
	if !g.goesDown() && g.group.regroup == b {
		return false
	}
	if g.group.regroup == b {
		g.group.regroup = nil
	}
	return true
}

// stopFrom stops the members from a place on, the last one first, and says which did not end.
func (b *comeback) stopFrom(from uint64, cause error, values context.Context) error {
	g := b.of
	ctx, cancel := context.WithTimeoutCause(values, g.stopBudget(), ErrStopTimeout)
	defer cancel()
	share := newBudget(ctx)
	defer share.cancel()
	w := newWalker()
	defer w.dismiss()
	var late []error
	for number := uint64(math.MaxUint64); ; {
		var c *Base
		if c, number = g.group.childBefore(number); c == nil || number < from {
			break
		}
		ctx, cancel := share.share(c)
		late = append(late, w.stopMember(b, c, cause, ctx))
		cancel()
	}
	w.late.takeStacks()
	return join(late...)
}

// stopMember stops one member, or waits for whoever does. It returns an error if it has not ended.
func (w *walker) stopMember(b *comeback, c *Base, cause error, ctx context.Context) error {
	g := b.of
	c.mu.Lock()
	if c.above() != g || !c.state.active() {
		c.mu.Unlock()
		return nil
	}
	g.mu.Lock()
	over := b.overLocked()
	g.mu.Unlock()
	if over {
		c.mu.Unlock()
		return nil
	}
	l := c.life
	until, _ := ctx.Deadline()
	if !l.claimed && !l.asked {
		c.joinLocked(b)
	}
	switch {
	case l.claimed || l.asked:
		c.mu.Unlock()
	case l.walking:
		c.askLocked(l, cause, nineTenths(time.Until(until)))
		c.mu.Unlock()
	default:
		c.claimLocked(l)
		c.mu.Unlock()
		c.conclude(l, w.stopTree(c, l, cause, until))
	}
	began := time.Now()
	var result error
	if w.awaitInTime(c, ctx, func() bool {
		result = l.result
		return l.over
	}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.life != l || !c.state.active() || c.above() != g {
			return nil
		}
		return result
	}
	e := newLateError(c, l, time.Since(began))
	w.late.add(e)
	return e
}

// startMembers starts the members again after the pause, in order.
func (b *comeback) startMembers(round int) {
	pprof.SetGoroutineLabels(context.Background())
	g := b.of
	g.mu.Lock()
	if b.working || b.round != round || b.overLocked() {
		g.mu.Unlock()
		return
	}
	b.working = true
	b.more = false
	b.from = math.MaxUint64
	b.pause = 0
	g.mu.Unlock()

	for number := uint64(0); ; {
		g.mu.Lock()
		p := g.group.kids.after(number)
		var c *Base
		if p != nil {
			c = p.child
		}
		more := b.more
		over := b.overLocked()
		if p == nil && !more && !over {
			g.group.regroup = nil
		}
		g.mu.Unlock()
		switch {
		case over, p == nil && !more:
			return
		case more:
			b.stopMembers()
			return
		}
		number = p.number
		c.mu.Lock()
		var l *life
		if c.back == b && c.place == p {
			l = c.bornAgain()
		}
		c.mu.Unlock()
		if l != nil {
			c.runStart(l)
		}
	}
}
