package service

import (
	"context"
	"fmt"
)

// A Future is something that will be done. Any number of goroutines may wait for it.
type Future struct {
	done chan struct{}
	err  error // written before done is closed
	of   *Base // whose end it is
}

func newFuture(of *Base) *Future { return &Future{done: make(chan struct{}), of: of} }

func (f *Future) complete(err error) {
	f.err = err
	close(f.done)
}

// Done is closed when it is done.
func (f *Future) Done() <-chan struct{} { return f.done }

// Wait returns the error of the future once it is done, or the cause of ctx when that ends first. A
// hook that waits with its own context for its own end gets [ErrOwnHook] at once.
func (f *Future) Wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	default:
	}
	if ownHook(ctx, f.of) {
		return fmt.Errorf("wait for the end of %s: %w", f.of.Path(), ErrOwnHook)
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Err is the error of the future, and nil until it is done.
func (f *Future) Err() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}
