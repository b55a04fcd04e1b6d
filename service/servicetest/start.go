// Package servicetest helps to test trees of services.
//
//	func TestShop(t *testing.T) {
//		app := newShop()
//		servicetest.Start(t, app)
//		// ... app runs, and is stopped when the test ends
//	}
//
// [Start] fails the test if the tree does not start, does not stop cleanly, or leaves a goroutine
// behind. [WaitState] waits for what a service does by itself, and a [Recorder] makes services that
// write down the order in which they are started and stopped.
//
// All of it works as well inside a bubble of [testing/synctest], with the time of the bubble: there a
// service that is late is found at once. Outside, finding it takes as long as the stop of the tree
// may take, see [service.StopWithin].
package servicetest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"sync/atomic"
	"testing"

	"github.com/octavo-go/octavo/service"
)

// An Option is given to [Start].
type Option func(*options)

type options struct{ mayFail bool }

// MayFail is for tests in which a service fails while it runs: neither that nor that the tree is
// Failed when the test ends fails the test. Late services, errors of stop hooks and leaks still do.
func MayFail() Option { return func(o *options) { o.mayFail = true } }

// label is the key of the profiler label that tells the goroutines of one tree from those of others
// that have the same paths, as tests that run in parallel will.
const label = "servicetest"

var started atomic.Uint64 // numbers the trees

// Start starts root and all below it, or ends the test with the reason why not. root is neither
// started already nor part of a larger tree. When the test ends, before the cleanups that were
// registered earlier, root is stopped, and the test fails
//
//   - with each error of the stop: a service that is late is named, with the stacks of its goroutines,
//   - if root has failed by itself, unless that is what the test is about: see [MayFail],
//   - if a goroutine of the tree is still there a second later: one that called a hook, or was begun
//     by one, however indirectly.
//
// A test may stop root itself. To start it again it calls Start again: goroutines of a run that was
// begun otherwise are not watched.
func Start(t testing.TB, root service.Service, opts ...Option) {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if p := root.Parent(); p != nil {
		t.Fatalf("servicetest: %s is not a root: start the tree it is part of", root.Path())
	}
	if s := root.State(); s != service.Idle && s != service.Failed {
		t.Fatalf("servicetest: %s is %v already", root.Path(), s)
	}
	mark := fmt.Sprintf("%s %d", t.Name(), started.Add(1))
	running := false
	t.Cleanup(func() {
		t.Helper() // so that failures are shown at the call of Start
		if !running || stop(t, root, o) {
			wantNoGoroutines(t, root, mark)
		}
	})
	if err := root.Start(pprof.WithLabels(t.Context(), pprof.Labels(label, mark))); err != nil {
		t.Fatalf("servicetest: %+v", err)
	}
	running = true
}

// stop stops root and reports what goes wrong. It returns false if services are late: their
// goroutines have been shown.
func stop(t testing.TB, root service.Service, o options) bool {
	t.Helper()
	err := root.Stop(context.Background()) // the context of the test has ended
	for _, err := range parts(err) {
		if failed := (*service.FailureError)(nil); err != nil && !(o.mayFail && errors.As(err, &failed)) {
			t.Errorf("servicetest: %+v", err)
		}
	}
	if err == nil && root.Err() != nil && !o.mayFail {
		t.Errorf("servicetest: %s has failed: %+v", root.Path(), root.Err())
	}
	return !errors.Is(err, service.ErrStopTimeout)
}

// parts are the errors that a stop has joined.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
