package service

import (
	"runtime"
	"sync"
)

// A walker goes over a tree and has hooks called, for one start or one stop. The hooks run one after
// the other on a goroutine beside it, its hand, so that the walk can go on without one that does not
// return. One goroutine uses a walker; parts of a tree that go side by side have one each.
type walker struct {
	hand  *hand         // nil until there is a hook to call, and after one has overrun
	bell  chan struct{} // to wait for changes with
	ready []newborn     // Running, with Run still to be called
	late  *lateList     // of the stop under way
	idle  *idleHands    // of the walkers of the same walk
	first bool          // the others are beside it and end before it
}

type newborn struct {
	n *Base
	l *life
}

// A lateList collects the services that overran in one stop.
type lateList struct {
	mu  sync.Mutex
	all []*lateError // guarded by mu
}

func (list *lateList) add(e *lateError) {
	list.mu.Lock()
	defer list.mu.Unlock()
	list.all = append(list.all, e)
}

func newWalker() *walker {
	var common struct {
		late lateList
		idle idleHands
	}
	return &walker{bell: make(chan struct{}, 1), late: &common.late, idle: &common.idle, first: true}
}

// beside is a walker for another goroutine of the same walk.
func (w *walker) beside() *walker {
	return &walker{bell: make(chan struct{}, 1), late: w.late, idle: w.idle}
}

// dismiss ends the use of a walker. Its hand, which is idle, goes to others of the same walk; the
// first of them, which is the last to be dismissed, ends them all.
func (w *walker) dismiss() {
	if w.hand != nil {
		w.idle.put(w.hand)
		w.hand = nil
	}
	if w.first {
		for h := w.idle.take(); h != nil; h = w.idle.take() {
			close(h.jobs)
		}
	}
}

// idleHands are what walkers that go side by side hand on to each other, so that as many goroutines
// are made as there are hooks at a time.
type idleHands struct {
	mu  sync.Mutex
	all []*hand // guarded by mu
}

func (i *idleHands) put(h *hand) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, h)
}

func (i *idleHands) take() *hand {
	i.mu.Lock()
	defer i.mu.Unlock()
	last := len(i.all) - 1
	if last < 0 {
		return nil
	}
	h := i.all[last]
	i.all = i.all[:last]
	return h
}

// launch has the Run called of what the walk has made Running. That is put off until the walk would
// wait, or is done, so that a Run that fails at once does not meet the start that called it.
func (w *walker) launch() {
	for i, b := range w.ready {
		b.n.mu.Lock()
		b.n.launchLocked(b.l)
		b.n.mu.Unlock()
		w.ready[i] = newborn{}
		if b.n.group != nil {
			runtime.Gosched() // its children come after it
		}
	}
	w.ready = w.ready[:0]
}

// A hand is a goroutine that calls hooks.
type hand struct {
	jobs chan job
	done chan outcome // with room for one

	// Guarded by the mutex of the service whose hook it calls.
	returned  bool
	abandoned bool
}

type outcome struct {
	err  error
	gone bool // the hook ended the goroutine
}

// begin has a hook called. A wait has to follow, and if that is in vain, abandon.
func (w *walker) begin(j job) {
	w.launch()
	if w.hand == nil {
		w.hand = w.idle.take()
	}
	if w.hand == nil {
		w.hand = &hand{jobs: make(chan job), done: make(chan outcome, 1)}
		go w.hand.work()
	}
	j.n.mu.Lock()
	j.l.hooks++
	w.hand.returned = false
	j.n.mu.Unlock()
	w.hand.jobs <- j
}

// wait returns what the hook returned, or false when giveUp is closed first.
func (w *walker) wait(giveUp <-chan struct{}) (error, bool) {
	select {
	case o := <-w.hand.done:
		return w.settle(o), true
	case <-giveUp:
	}
	// A hook that returns because its context has ended, just now, is in time.
	for range 10 {
		runtime.Gosched()
		select {
		case o := <-w.hand.done:
			return w.settle(o), true
		default:
		}
	}
	return nil, false
}

// abandon leaves the hook alone with its goroutine, unless it has returned after all.
func (w *walker) abandon(j job) (error, bool) {
	h := w.hand
	j.n.mu.Lock()
	if !h.returned {
		h.abandoned = true
		w.hand = nil
		j.n.mu.Unlock()
		return nil, false
	}
	j.n.mu.Unlock()
	return w.settle(<-h.done), true
}

func (w *walker) settle(o outcome) error {
	if o.gone {
		w.hand = nil
	}
	return o.err
}

func (h *hand) work() {
	for j := range h.jobs {
		gone := true
		j.call(func(err error) {
			gone = err == errGoexit
			gone = h.finish(j, err, gone)
		})
		if gone {
			return
		}
	}
}

// finish reports what a hook returned. It returns true when there is nobody to work for any more.
func (h *hand) finish(j job, err error, gone bool) bool {
	j.n.mu.Lock()
	j.returnedLocked(err)
	if h.abandoned {
		j.n.returnedLate(j.l, j.kind, err)
		return true
	}
	h.returned = true
	j.n.mu.Unlock()
	h.done <- outcome{err, gone}
	return gone
}
