package service

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Actor makes root an actor for a group of github.com/oklog/run:
//
//	g.Add(service.Actor(root))
//
// execute starts root and returns when it has ended, with what [Run] would. interrupt stops it, with
// its argument as the cause. An actor is good for one run.
func Actor(root Service) (execute func() error, interrupt func(error)) {
	t := &tenure{ctx: context.Background(), n: root.node()}
	return t.execute, t.interrupt
}

// A tenure is the time of a root from a start to the end, for somebody that waits for it. It goes on
// while the root is restarted.
type tenure struct {
	ctx    context.Context
	n      *Base
	budget time.Duration // of the stop; 0: the root's own

	result error // set when execute returns

	mu          sync.Mutex
	life        *life // the first one, once it has begun
	interrupted bool
	took        bool // the interrupt, and nothing else, is why it stops
	paused      bool // it came in the pause before a restart
}

func (t *tenure) execute() error {
	t.result = t.serve()
	return t.result
}

func (t *tenure) serve() error {
	n := t.n
	if ownHook(t.ctx, n) {
		return fmt.Errorf("run %s: %w", n.Path(), ErrOwnHook)
	}
	t.mu.Lock()
	if t.interrupted {
		t.mu.Unlock()
		return nil
	}
	l, mine, err := n.beginStart(t.ctx)
	if err == nil && l != nil && !mine && holdsUp(t.ctx, n, l) {
		err = ErrOwnHook
	}
	if err != nil {
		t.mu.Unlock()
		return &StartError{Path: n.Path(), Err: err}
	}
	if l == nil { // it runs already
		n.mu.Lock()
		l = n.life
		n.mu.Unlock()
	}
	t.life = l
	t.mu.Unlock()

	if mine {
		n.runStart(l)
	}
	n.await(make(chan struct{}, 1), nil, func() bool {
		if n.life != l && n.life != nil && n.life.start.again {
			l = n.life
		}
		return l.over && n.back == nil
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case t.paused:
		return nil
	case l.ready || l.start.again || t.took:
		return l.result
	}
	return l.startErr
}

func (t *tenure) interrupt(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.interrupted {
		return
	}
	t.interrupted = true
	l := t.life
	if l == nil {
		return
	}
	t.n.mu.Lock()
	defer t.n.mu.Unlock()
	budget := t.budget
	if budget == 0 {
		budget = t.n.stopBudget()
	}
	t.paused = t.n.back != nil && t.n.state == Failed
	t.n.stayLocked()
	if now := t.n.life; now != nil && now.start.again {
		l = now
	}
	if t.n.life == l && t.n.state.active() {
		t.took = t.n.askLocked(l, cause, budget)
	}
}

// FromActor makes a service of an actor: a pair of functions as github.com/oklog/run knows them.
// execute is its body; interrupt is called once, while execute runs, when the service is to stop, with
// the reason. What execute returns before that counts as for a Run hook; after it, it does not count.
func FromActor(name string, execute func() error, interrupt func(error)) *Base {
	return Func(name, func(ctx context.Context) error {
		returned := make(chan struct{})
		var interrupter sync.WaitGroup
		interrupter.Go(func() { // with the label of the service, as any goroutine begun here
			select {
			case <-ctx.Done():
				interrupt(context.Cause(ctx))
			case <-returned:
			}
		})
		defer func() {
			close(returned)
			interrupter.Wait()
		}()
		if err := execute(); ctx.Err() == nil {
			return err
		}
		return nil
	})
}
