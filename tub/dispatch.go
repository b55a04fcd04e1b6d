package tub

import (
	"sync"
)

// A task is a call that came in and was understood, ready to run.
type task struct {
	object *object // nil: the Tub itself, which has no turn
	work   func(h *hold)
	done   func()
}

// run runs the call, and then the calls to the same object that are next.
func (t *task) run() {
	for t != nil {
		t = t.once()
	}
}

// once runs the call and returns the one that has the turn next. A method that
// ends its goroutine (runtime.Goexit) must not take the turn with it.
func (t *task) once() (next *task) {
	if t.object == nil {
		defer t.done()
		t.work(nil)
		return nil
	}
	h := &hold{turn: t.object.turn}
	returned := false
	defer func() {
		next = h.end()
		t.done()
		if !returned && next != nil {
			go next.run()
		}
	}()
	t.work(h)
	returned = true
	return nil // set above
}

// A dispatcher begins the calls of one connection in the order of their
// arrival. One whose object is busy waits at that object and holds up nobody
// else.
//
// Order is kept by a baton: the goroutine that has it takes the next call and,
// at the door of the method, hands it to a new goroutine if more calls wait.
// So a call is begun only after the one before it has been.
type dispatcher struct {
	mu    sync.Mutex
	queue []*task
	baton bool // a goroutine has it
	tasks sync.WaitGroup
}

func (d *dispatcher) add(t *task) {
	d.tasks.Add(1)
	t.done = d.tasks.Done
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, t)
	d.passLocked()
}

// passLocked gives the baton to a new goroutine if there is work and nobody
// has it.
func (d *dispatcher) passLocked() {
	if d.baton || len(d.queue) == 0 {
		return
	}
	d.baton = true
	go d.next()
}

func (d *dispatcher) next() {
	for {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.baton, d.queue = false, nil
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
