package tub

import (
	"maps"
	"slices"
)

// maxUnsent is how many answers of one connection may wait for the peer to
// read. Beyond it no more of its calls begin: what they return would have to be
// kept. Objects must not wait for such a peer with their turn held, so its
// calls give up their place and get it back when answers move again.
const maxUnsent = 100

// answering counts answers that are about to be queued. They wait there if the
// peer does not read.
func (d *dispatcher) answering(n int) {
	d.mu.Lock()
	d.unsent += n
	resume := n < 0 && d.unsent < maxUnsent
	var turns []*turn
	if resume {
		turns = slices.Collect(maps.Keys(d.parked))
		d.passLocked()
	}
	d.mu.Unlock()
	for _, t := range turns {
		t.unpark(d)
	}
}

// parks puts a call aside whose connection has too many answers that nobody
// reads, or that comes behind one that was put aside. The turn's lock is held.
func (w waiter) parks(t *turn) bool {
	if w.task == nil {
		return false
	}
	d := w.task.from
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unsent < maxUnsent && len(d.parked[t]) == 0 {
		return false
	}
	if d.parked == nil {
		d.parked = make(map[*turn][]*task)
	}
	d.parked[t] = append(d.parked[t], w.task)
	return true
}

// unpark puts the calls of a connection back into the queue, in front: they
// were next when they were put aside.
func (t *turn) unpark(d *dispatcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.mu.Lock()
	back := d.parked[t]
	delete(d.parked, t)
	d.mu.Unlock()
	if len(back) == 0 {
		return
	}
	if !t.busy {
		t.busy = true
		go back[0].run()
		back = back[1:]
	}
	again := make([]waiter, 0, len(back)+len(t.queue))
	for _, task := range back {
		again = append(again, waiter{task: task})
	}
	t.queue = append(again, t.queue...)
}
