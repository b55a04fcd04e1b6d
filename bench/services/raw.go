package main

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// rawShared is goroutines with one context, which end together.
type rawShared struct {
	n      int
	c      *census
	cancel context.CancelFunc
	all    sync.WaitGroup
}

func openRawShared(names []string, c *census) (tree, error) {
	return &rawShared{n: len(names), c: c}, nil
}

func (t *rawShared) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	for range t.n {
		t.all.Go(func() { t.c.run(ctx) })
	}
	return nil
}

func (t *rawShared) stop() error {
	t.cancel()
	t.all.Wait()
	return nil
}

// A task is a goroutine that can be stopped and waited for alone.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func begin(run func(context.Context) error) task {
	ctx, cancel := context.WithCancel(context.Background())
	t := task{cancel, make(chan struct{})}
	go func() {
		defer close(t.done)
		run(ctx)
	}()
	return t
}

// rawEach is tasks in a slice. All are told to stop, then all are waited for.
type rawEach struct {
	n     int
	c     *census
	tasks []task
}

func openRawEach(names []string, c *census) (tree, error) {
	return &rawEach{n: len(names), c: c, tasks: make([]task, 0, len(names))}, nil
}

func (t *rawEach) start() error {
	for range t.n {
		t.tasks = append(t.tasks, begin(t.c.run))
	}
	return nil
}

func (t *rawEach) stop() error {
	for _, task := range t.tasks {
		task.cancel()
	}
	for _, task := range t.tasks {
		<-task.done
	}
	return nil
}

func (t *rawEach) add(string) error {
	t.tasks = append(t.tasks, begin(t.c.run))
	return nil
}

func (t *rawEach) remove() error {
	last := len(t.tasks) - 1
	child := t.tasks[last]
	child.cancel()
	<-child.done
	t.tasks[last] = task{}
	t.tasks = t.tasks[:last]
	return nil
}

// rawNamed is tasks with names, of which no two are the same, in order, stopped in reverse and each
// waited for before the next: what a tree promises, by hand and no more.
type rawNamed struct {
	names []string
	c     *census

	mu     sync.Mutex
	byName map[string]*list.Element // of named; guarded by mu, as is the next
	order  list.List
}

type named struct {
	task
	name string
}

func openRawNamed(names []string, c *census) (tree, error) {
	return &rawNamed{names: names, c: c, byName: make(map[string]*list.Element)}, nil
}

func (t *rawNamed) start() error {
	for _, name := range t.names {
		if err := t.add(name); err != nil {
			return err
		}
	}
	return nil
}

func (t *rawNamed) stop() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.order.Back(); e != nil; e = e.Prev() {
		task := e.Value.(named)
		task.cancel()
		<-task.done
	}
	return nil
}

func (t *rawNamed) add(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName[name] != nil {
		return fmt.Errorf("%s is taken", name)
	}
	t.byName[name] = t.order.PushBack(named{begin(t.c.run), name})
	return nil
}

func (t *rawNamed) remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.order.Back()
	task := e.Value.(named)
	task.cancel()
	<-task.done
	t.order.Remove(e)
	delete(t.byName, task.name)
	return nil
}

// rawCalls is pairs of functions in a slice, called in order and in reverse.
type rawCalls struct{ all []calls }

type calls struct{ up, down func(context.Context) error }

func openRawCalls(names []string, c *census) (tree, error) {
	t := &rawCalls{make([]calls, 0, len(names))}
	for range names {
		t.all = append(t.all, calls{c.up, c.down})
	}
	return t, nil
}

func (t *rawCalls) start() error {
	for _, c := range t.all {
		if err := c.up(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

func (t *rawCalls) stop() error {
	for i := len(t.all) - 1; i >= 0; i-- {
		if err := t.all[i].down(context.Background()); err != nil {
			return err
		}
	}
	return nil
}
