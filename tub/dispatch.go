package tub

import (
	"sync"
	"sync/atomic"
)

// A task is a call that came in and was understood, ready to run.
type task struct {
	object *object // nil: the Tub itself, which has no turn
	work   func(h *hold)
	oneWay bool
	from   *dispatcher
}

// run runs the call. A method that ends its goroutine (runtime.Goexit) must not
// take the turn with it.
func (t *task) run() {
	defer t.from.tasks.Done()
	if t.oneWay {
		defer t.from.oneWay.Add(-1)
	}
	if t.object == nil {
		t.work(nil)
		return
	}
	h := &hold{turn: t.object.turn}
	defer h.end()
	t.work(h)
}

// A dispatcher begins the calls of one connection in the order of their
// arrival. One whose object is busy waits at that object and holds up nobody
// else.
//
// Order is kept by a baton: the goroutine that has it takes the next call and,
// at the door of the method, hands it to a new goroutine if more calls wait.
// So a call is begun only after the one before it has been.
type dispatcher struct {
	tasks  sync.WaitGroup
	oneWay atomic.Int64 // those of the tasks that get no answer

	mu     sync.Mutex
	queue  []*task
	baton  bool              // a goroutine has it
	unsent int               // answers that are about to be queued, or wait for room
	parked map[*turn][]*task // calls whose turn came while too many were
}

func (d *dispatcher) add(t *task) {
	d.tasks.Add(1)
	if t.oneWay {
		d.oneWay.Add(1)
	}
	t.from = d
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, t)
	d.passLocked()
}

// passLocked gives the baton to a new goroutine if there is work and nobody
// has it.
func (d *dispatcher) passLocked() {
	if d.baton || len(d.queue) == 0 || d.unsent >= maxUnsent {
		return
	}
	d.baton = true
	go d.next()
}

func (d *dispatcher) next() {
	for {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.queue = nil
		}
		if len(d.queue) == 0 || d.unsent >= maxUnsent {
			d.baton = false
			d.mu.Unlock()
			return
		}
		t := d.queue[0]
		d.queue[0] = nil
		d.queue = d.queue[1:]
		d.mu.Unlock()
		if t.object == nil || t.object.turn.enter(waiter{task: t}) {
			d.mu.Lock()
			d.baton = false
			d.passLocked()
			d.mu.Unlock()
			t.run()
			return
		}
	}
}
