package main

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// errgroupTree is goroutines with the context of their group.
type errgroupTree struct {
	n      int
	c      *census
	cancel context.CancelFunc
	group  *errgroup.Group
}

func openErrgroup(names []string, c *census) (tree, error) {
	return &errgroupTree{n: len(names), c: c}, nil
}

func (t *errgroupTree) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.group, ctx = errgroup.WithContext(ctx)
	for range t.n {
		t.group.Go(func() error { return t.c.run(ctx) })
	}
	return nil
}

func (t *errgroupTree) stop() error {
	t.cancel()
	return t.group.Wait()
}
