package service

import (
	"context"
	"io"
	"sync"
)

// Serving makes a service of anything that serves a listener, such as an [net/http.Server]:
//
//	web := service.Serving("web", listen, &http.Server{Handler: mux})
//
// Acquire calls listen, Run calls Serve, Drain calls Shutdown; Stop closes the listener if
// nobody has, and, where Shutdown did not finish in time and s has a Close method, calls that. What Serve
// returns once it was told to end does not count. Whether it can be started again is up to s: an
// http.Server that was shut down serves no more, so make a new service for it.
func Serving[L io.Closer](name string, listen func(context.Context) (L, error), s interface {
	Serve(L) error
	Shutdown(context.Context) error
}, opts ...Option) *Base {
	v := &serving[L]{listen: listen, server: s}
	return New(name, Hooks{Acquire: v.acquire, Run: v.run, Drain: v.drain, Stop: v.stop}, opts...)
}

type serving[L io.Closer] struct {
	listen func(context.Context) (L, error)
	server interface {
		Serve(L) error
		Shutdown(context.Context) error
	}

	mu       sync.Mutex
	listener L
	told     bool // to end
	served   bool // Serve was called: it closes the listener
	forced   bool // Shutdown did not finish
}

func (v *serving[L]) acquire(ctx context.Context) error {
	l, err := v.listen(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listener, v.told, v.served, v.forced = l, false, false, false
	return nil
}

func (v *serving[L]) run(ctx context.Context) error {
	v.mu.Lock()
	v.served = true
	l := v.listener
	v.mu.Unlock()

	returned := make(chan struct{})
	var closer sync.WaitGroup
	closer.Go(func() { // ends Serve where Shutdown has not been called, or not been enough
		select {
		case <-ctx.Done():
			v.mu.Lock()
			v.told = true
			v.mu.Unlock()
			l.Close()
		case <-returned:
		}
	})
	err := v.server.Serve(l)
	close(returned)
	closer.Wait()

	v.mu.Lock()
	defer v.mu.Unlock()
	if v.told {
		return nil
	}
	return err
}

func (v *serving[L]) drain(ctx context.Context) error {
	v.mu.Lock()
	v.told = true
	v.mu.Unlock()
	err := v.server.Shutdown(ctx)
	if err != nil {
		v.mu.Lock()
		v.forced = true
		v.mu.Unlock()
	}
	return err
}

func (v *serving[L]) stop(context.Context) error {
	v.mu.Lock()
	forced, served, l := v.forced, v.served, v.listener
	v.mu.Unlock()
	if !served {
		return l.Close()
	}
	l.Close() // most servers have: then this is an error that says so
	if c, ok := v.server.(io.Closer); ok && forced {
		return c.Close()
	}
	return nil
}
