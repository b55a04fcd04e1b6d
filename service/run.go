package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/oklog/run"
)

// A RunOption is given to [Run].
type RunOption func(*runOptions)

type runOptions struct {
	signals []os.Signal
	budget  time.Duration
}

// WithSignals sets the signals that ask for the stop. The default is SIGINT and SIGTERM; none leaves
// signals alone, as Run has to in a bubble of testing/synctest.
func WithSignals(signals ...os.Signal) RunOption {
	return func(o *runOptions) { o.signals = signals }
}

// WithStopBudget bounds the stop of the whole tree to d, in place of what [StopWithin] says of the
// root.
func WithStopBudget(d time.Duration) RunOption {
	return func(o *runOptions) { o.budget = d }
}

// exitForced is the exit status of a process that a second signal ends.
const exitForced = 4

// Run starts root, waits for a signal, a failure, a good end of root or the end of ctx, and stops it.
//
// It returns nil when a signal or ctx asked for the stop, also during the start, and the stop was
// clean, or when root ended well. Otherwise it returns what went wrong, joined: a [*StartError] when
// root did not start, a [*FailureError] for a service that failed while it ran, what the hooks
// returned when they were stopped, and [ErrStopTimeout] when services had to be left behind.
//
// A hook that would run its own service, or one above it, gets [ErrOwnHook].
//
// The causes of the stop that services see are a [*SignalError], a [*FailureError], or the cause of
// ctx. A second signal ends the process at once, with exit status 4 and a line on stderr that says
// which services it was waiting for.
func Run(ctx context.Context, root Service, opts ...RunOption) error {
	o := runOptions{signals: []os.Signal{os.Interrupt, syscall.SIGTERM}}
	for _, opt := range opts {
		opt(&o)
	}
	t := &tenure{ctx: context.WithoutCancel(ctx), n: root.node(), budget: o.budget}
	var g run.Group
	g.Add(t.execute, t.interrupt)
	g.Add(until(ctx))
	if len(o.signals) > 0 {
		w := watchSignals(t.n, o.signals)
		defer w.stop()
		g.Add(w.execute, w.interrupt)
	}
	g.Run() // returns what ended it; what counts is how the root did
	return t.result
}

// until is an actor that ends with ctx.
func until(ctx context.Context) (execute func() error, interrupt func(error)) {
	quit := make(chan struct{})
	return func() error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-quit:
			return nil
		}
	}, func(error) { close(quit) }
}

// A signalWatch is an actor that ends with the first signal, and ends the process with the second.
type signalWatch struct {
	n       *Base
	signals chan os.Signal
	first   chan os.Signal
	quit    chan struct{} // closed by interrupt
	done    chan struct{} // closed by stop
	gone    sync.WaitGroup
}

func watchSignals(n *Base, signals []os.Signal) *signalWatch {
	w := &signalWatch{
		n:       n,
		signals: make(chan os.Signal, 2),
		first:   make(chan os.Signal, 1),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	signal.Notify(w.signals, signals...)
	w.gone.Go(w.watch)
	return w
}

func (w *signalWatch) watch() {
	for second := false; ; second = true {
		select {
		case s := <-w.signals:
			if second {
				fmt.Fprintf(os.Stderr, "%s: ended by a second signal (%v) while waiting for %s\n",
					w.n.Path(), s, holdouts(w.n))
				os.Exit(exitForced)
			}
			w.first <- s
		case <-w.done:
			return
		}
	}
}

func (w *signalWatch) execute() error {
	select {
	case s := <-w.first:
		return &SignalError{Signal: s}
	case <-w.quit:
		return nil
	}
}

func (w *signalWatch) interrupt(error) { close(w.quit) }

func (w *signalWatch) stop() {
	signal.Stop(w.signals)
	close(w.done)
	w.gone.Wait()
}
