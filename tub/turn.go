package tub

import (
	"context"
	"reflect"
	"sync"
)

// A turn lets one method of an object run at a time. Who waits for it gets it
// in the order in which it became ready: a call when it arrived, a method that
// waited for something when that happened.
type turn struct {
	mu    sync.Mutex
	busy  bool
	queue []waiter
}

// A waiter is a call that has not begun, or a method that wants to go on.
type waiter struct {
	task  *task
	ready chan struct{}
}

// enter takes the turn if it is free and reports whether it did. Otherwise w
// is queued: its task will be run, or its channel closed, with the turn held.
func (t *turn) enter(w waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case w.parks(t):
		return false
	case t.busy:
		t.queue = append(t.queue, w)
		return false
	}
	t.busy = true
	return true
}

// leave hands the turn to the next in the queue. If that is a call, it is
// returned and the caller has to run it.
func (t *turn) leave() *task {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		next := t.queue[0]
		t.queue[0] = waiter{}
		t.queue = t.queue[1:]
		switch {
		case next.ready != nil:
			close(next.ready)
			return nil
		case !next.parks(t):
			return next.task
		}
	}
	t.busy, t.queue = false, nil
	return nil
}

// turns are those of all objects that some Tub of this process holds, by what
// the program made: an object has one turn however many Tubs it is published
// in, and however it is wrapped.
var turns = sharedTurns{byOwner: make(map[any]*sharedTurn)}

type sharedTurns struct {
	mu      sync.Mutex
	byOwner map[any]*sharedTurn
}

type sharedTurn struct {
	turn
	users int
}

// turnKey is keyOf, but nil for what has no size: Go does not tell pointers to
// such things apart, and there is nothing in them to be guarded.
func turnKey(owner any) any {
	t := reflect.TypeOf(owner)
	if t.Size() == 0 || t.Kind() == reflect.Pointer && t.Elem().Size() == 0 {
		return nil
	}
	return keyOf(owner)
}

func (s *sharedTurns) get(owner any) *turn {
	key := turnKey(owner)
	if key == nil {
		return new(turn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byOwner[key]
	if t == nil {
		t = new(sharedTurn)
		s.byOwner[key] = t
	}
	t.users++
	return &t.turn
}

func (s *sharedTurns) release(owner any) {
	key := turnKey(owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.byOwner[key]; key != nil && t != nil {
		if t.users--; t.users == 0 {
			delete(s.byOwner, key)
		}
	}
}

// A hold is a method's right to its object's turn, carried by its context.
type hold struct {
	turn *turn
	mu   sync.Mutex
	away bool // given up and not taken back
	over bool // the method has returned
}

type holdKey struct{}

func holdOf(ctx context.Context) *hold {
	h, _ := ctx.Value(holdKey{}).(*hold)
	return h
}

// giveUp lets others have the turn while the method waits. It reports whether
// it did; then [hold.retake] and [hold.back] must follow. It does not where
// another goroutine with the same context has done so already, or the method
// has returned.
func (h *hold) giveUp() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away || h.over {
		return false
	}
	h.away = true
	h.passOn()
	return true
}

func (h *hold) passOn() {
	if next := h.turn.leave(); next != nil {
		go next.run()
	}
}

// retake queues for the turn now and returns a channel that is closed when it
// is held again.
func (h *hold) retake() <-chan struct{} {
	ready := make(chan struct{})
	if h.turn.enter(waiter{ready: ready}) {
		close(ready)
	}
	return ready
}

// back notes that the turn is held again. If the method has returned meanwhile,
// leaving a goroutine behind that waited, nobody needs it.
func (h *hold) back() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = false
	if h.over {
		h.passOn()
	}
}

// end gives the turn up for good when the method has returned. It may be
// called again.
func (h *hold) end() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over && !h.away {
		h.passOn()
	}
	h.over = true
}

// Yield runs f without the turn of the object whose method was given ctx:
// other methods of it may run meanwhile. It returns when f has returned and
// the turn is held again. Use it to wait inside a method for anything but a
// [Reference.Call], which does it by itself. With any other context Yield just
// calls f.
func Yield(ctx context.Context, f func()) {
	h := holdOf(ctx)
	if !h.giveUp() {
		f()
		return
	}
	defer func() {
		<-h.retake()
		h.back()
	}()
	f()
}

// Detach returns a context for a goroutine that a method starts and that lives
// beside it: calls made with it leave the method's turn alone. It ends when
// ctx does.
func Detach(ctx context.Context) context.Context {
	if holdOf(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, holdKey{}, (*hold)(nil))
}
