package service

import (
	"context"
	"math"
	"sync"
	"time"
)

// A budget is the time a stop has for the children of one group. The children share contexts, so
// that there is no timer for each: what one of them has is nine tenths of what was left when the
// context was made, and it is made anew as soon as that makes a difference.
type budget struct {
	ctx    context.Context // of the group; all ends with it
	until  time.Time
	whole  time.Duration
	shared context.Context
	ends   time.Time            // of shared
	made   []context.CancelFunc // of all that were shared, some of which may still be in use
}

func newBudget(ctx context.Context) *budget {
	until, _ := ctx.Deadline()
	return &budget{ctx: ctx, until: until, whole: time.Until(until)}
}

func (b *budget) cancel() {
	for _, cancel := range b.made {
		cancel()
	}
}

// spent says whether so little is left that it is not worth sharing.
func (b *budget) spent() bool { return time.Until(b.until) <= b.whole/100 }

// share is the context for the stop of c, begun now.
func (b *budget) share(c *Base) (context.Context, context.CancelFunc) {
	now := time.Now()
	left := nineTenths(b.until.Sub(now))
	if own := c.opt.stopWithin; own > 0 && own < left {
		return context.WithDeadlineCause(b.ctx, now.Add(own), ErrStopTimeout)
	}
	if ends := now.Add(left); b.shared == nil || ends.Sub(b.ends) > left/1000 {
		var cancel context.CancelFunc
		b.shared, cancel = context.WithDeadlineCause(b.ctx, ends, ErrStopTimeout)
		b.ends = ends
		b.made = append(b.made, cancel)
	}
	return b.shared, func() {}
}

// backward lets f go over the children of n, the last one first, each with its share of the time
// until ctx ends. When next to nothing is left of that, f gets all the others at once.
func (w *walker) backward(n *Base, ctx context.Context, f func(*walker, *Base, context.Context)) {
	b := newBudget(ctx)
	defer b.cancel()
	for number := uint64(math.MaxUint64); ; {
		c, at := n.group.childBefore(number)
		if c == nil {
			return
		}
		if n.opt.sideBySide || b.spent() {
			w.backwardAtOnce(n, number, b, f)
			return
		}
		number = at
		ctx, cancel := b.share(c)
		f(w, c, ctx)
		cancel()
	}
}

func (w *walker) backwardAtOnce(n *Base, number uint64, b *budget, f func(*walker, *Base, context.Context)) {
	var all sync.WaitGroup
	for {
		var c *Base
		if c, number = n.group.childBefore(number); c == nil {
			break
		}
		ctx, cancel := b.share(c)
		all.Add(1)
		unlabelled(func() {
			defer all.Done()
			w := w.beside()
			defer w.dismiss()
			f(w, c, ctx)
			cancel()
		})
	}
	all.Wait()
}
