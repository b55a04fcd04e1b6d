package main

import (
	"context"
	"fmt"
	"sync/atomic"
)

// A census counts the children of a tree, so that a subject that does not run them all, or does not
// wait for their end, is found out.
type census struct {
	want    int64
	came    atomic.Int64
	went    atomic.Int64
	present chan struct{} // closed when as many have come as are wanted
}

func newCensus(n int) *census {
	return &census{want: int64(n), present: make(chan struct{})}
}

func (c *census) come() {
	if c.came.Add(1) == c.want {
		close(c.present)
	}
}

func (c *census) leave() { c.went.Add(1) }

// run is the body of all children that have one.
func (c *census) run(ctx context.Context) error {
	c.come()
	<-ctx.Done()
	c.leave()
	return nil
}

// up and down are the hooks of all children without a body.
func (c *census) up(context.Context) error   { c.come(); return nil }
func (c *census) down(context.Context) error { c.leave(); return nil }

// gone says what is wrong after n children are said to have come and gone.
func (c *census) gone(n int) error {
	if came, went := c.came.Load(), c.went.Load(); came != int64(n) || went != int64(n) {
		return fmt.Errorf("of %d children %d came and %d went", n, came, went)
	}
	return nil
}
