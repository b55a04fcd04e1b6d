package main

import (
	"context"

	"github.com/oklog/run"
)

// oklogTree is a group of actors, and one more that ends it.
type oklogTree struct {
	group run.Group
	quit  chan struct{}
	done  chan error
}

func openOklog(names []string, c *census) (tree, error) {
	t := &oklogTree{quit: make(chan struct{}), done: make(chan error, 1)}
	t.group.Add(func() error { <-t.quit; return nil }, func(error) {})
	for range names {
		ctx, cancel := context.WithCancel(context.Background())
		t.group.Add(func() error { return c.run(ctx) }, func(error) { cancel() })
	}
	return t, nil
}

func (t *oklogTree) start() error {
	go func() { t.done <- t.group.Run() }()
	return nil
}

func (t *oklogTree) stop() error {
	close(t.quit)
	return <-t.done
}
