package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 7: restart with backoff and jitter within an intensity limit, then escalate; or ignore.

// fullPauses makes every pause as long as it can be.
func fullPauses(t *testing.T) {
	t.Cleanup(service.SetJitter(func(d time.Duration) time.Duration { return d }))
}

// A faulty service fails when it is told to, and counts its runs.
type faulty struct {
	*service.Base
	runs  atomic.Int32
	fails chan error
}

func newFaulty(name string, h service.Hooks, opts ...service.Option) *faulty {
	f := &faulty{fails: make(chan error)}
	h.Run = func(ctx context.Context) error {
		f.runs.Add(1)
		select {
		case err := <-f.fails:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.Base = service.NewBase(f, name, h, opts...)
	return f
}

func (f *faulty) fail(err error) {
	f.fails <- err
	synctest.Wait()
}

func restart(b service.Backoff) service.Option { return service.OnFailure(service.Restart(b)) }

func TestRestartAfterAPauseInWhichItIsFailed(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		var j journal
		app := service.NewMulti("app")
		w := newFaulty("w", service.Hooks{Start: j.hook("+w", nil), Stop: j.hook("-w", nil)}, restart(service.Backoff{}))
		must(t, app.Add(w, j.brief("other")), app.Start(ctx))
		j.take()
		w.fail(errBoom)
		wantEqual(t, j.take(), "-w")
		wantState(t, service.Failed, w)
		wantErr(t, w.Err(), "/app/w", errBoom)
		wantState(t, service.Running, app)
		if p := goroutines(t); strings.Contains(p, "octavo/service.") {
			t.Errorf("a goroutine lasts through the pause:\n%s", p)
		}
		time.Sleep(100*time.Millisecond - 1)
		synctest.Wait()
		wantState(t, service.Failed, w)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantState(t, service.Running, w)
		must(t, w.Err(), app.Stop(ctx))
		wantEqual(t, j.take(), "+w -other -w")
		wantEqual(t, w.runs.Load(), 2)
	})
}

// pauseOf is how long w takes to run again after a failure.
func pauseOf(w *faulty, err error) time.Duration {
	w.fail(err)
	began := time.Now()
	for w.State() != service.Running {
		time.Sleep(time.Millisecond)
		synctest.Wait()
	}
	return time.Since(began)
}

func TestPausesDoubleUpToTheirBoundAndResetAfterAStableTimeOnly(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Initial: 100 * time.Millisecond, Max: time.Second, Stable: 10 * time.Second, Limit: -1}))
		must(t, w.Start(ctx))
		for _, want := range []int{100, 200, 400, 800, 1000, 1000} {
			time.Sleep(9 * time.Second) // each start succeeds, and that is not enough
			wantEqual(t, pauseOf(w, errBoom), time.Duration(want)*time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		wantEqual(t, pauseOf(w, errBoom), 100*time.Millisecond)
		must(t, w.Stop(ctx), w.Start(ctx)) // by hand: all is forgotten
		wantEqual(t, pauseOf(w, errBoom), 100*time.Millisecond)
		wantEqual(t, pauseOf(w, errBoom), 200*time.Millisecond)
		must(t, w.Stop(ctx))
	})
}

func TestPausesAreDrawnFromTheWholeRange(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Initial: time.Second, Max: time.Second, Limit: -1}))
		must(t, w.Start(ctx))
		low, high, sum := time.Hour, time.Duration(0), time.Duration(0)
		const n = 200
		for range n {
			p := pauseOf(w, errBoom)
			low, high, sum = min(low, p), max(high, p), sum+p
		}
		if low > 100*time.Millisecond || high < 900*time.Millisecond || high > time.Second || sum < n*400*time.Millisecond || sum > n*600*time.Millisecond {
			t.Errorf("pauses from %v to %v, %v on average", low, high, sum/n)
		}
		must(t, w.Stop(ctx))
	})
}

func TestNegativeInitialMeansNoPause(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Initial: -1, Limit: -1}))
		must(t, w.Start(ctx))
		for range 1000 {
			w.fail(errBoom)
			wantState(t, service.Running, w)
		}
		must(t, w.Stop(ctx))
	})
}

func TestPausesDoNotOverflow(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		const forever = 1<<63 - 1
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Initial: 1, Max: forever, Limit: -1, Stable: forever}))
		must(t, w.Start(ctx))
		for i := range 40 {
			w.fail(errBoom)
			time.Sleep(1 << i)
			synctest.Wait()
			wantState(t, service.Running, w)
		}
		must(t, w.Stop(ctx))
	})
}

// One child's failures never delay another's restart, as with a pause that all share.
func TestPausesAreEachChildsOwn(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		app := service.NewMulti("app")
		a := newFaulty("a", service.Hooks{}, restart(service.Backoff{Initial: time.Second, Limit: -1}))
		b := newFaulty("b", service.Hooks{}, restart(service.Backoff{Initial: 100 * time.Millisecond, Max: 100 * time.Millisecond, Limit: -1}))
		must(t, app.Add(a, b), app.Start(ctx))
		a.fail(errBoom)
		began := time.Now()
		for range 5 {
			wantEqual(t, pauseOf(b, errBoom), 100*time.Millisecond)
		}
		wantState(t, service.Failed, a)
		time.Sleep(time.Second - time.Since(began))
		synctest.Wait()
		wantState(t, service.Running, a)
		must(t, app.Stop(ctx))
	})
}

func TestRestartStopsAndStartsTheWholeGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		var j journal
		app := service.NewMulti("app")
		sub := service.NewMulti("sub", restart(service.Backoff{}))
		bad := newFaulty("bad", service.Hooks{Stop: j.hook("-bad", nil)})
		must(t, sub.Add(j.brief("a"), bad, j.brief("z")), app.Add(j.brief("o"), sub), app.Start(ctx))
		j.take()
		bad.fail(errBoom)
		wantEqual(t, j.take(), "-z -bad -a")
		wantState(t, service.Failed, bad, sub)
		wantState(t, service.Running, app)
		wantErr(t, sub.Err(), "/app/sub/bad", errBoom)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		wantEqual(t, j.take(), "+a +z")
		wantState(t, service.Running, bad, sub)
		must(t, app.Stop(ctx))
	})
}

func TestErrorsOfTheStopBeforeARestartAreInErr(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		stop := errors.New("stop")
		w := newFaulty("w", service.Hooks{Stop: func(context.Context) error { return stop }}, restart(service.Backoff{}))
		must(t, w.Start(ctx))
		w.fail(errBoom)
		wantErr(t, w.Err(), "/w", errBoom, stop)
		must(t, w.Stop(ctx))
	})
}

func TestGoodEndIsNotRestarted(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{}))
		must(t, w.Start(ctx))
		w.fail(nil)
		time.Sleep(time.Hour)
		wantState(t, service.Idle, w)
		wantEqual(t, w.runs.Load(), 1)
	})
}

func TestContextErrorOfAnotherContextIsRestarted(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{}))
		must(t, w.Start(ctx))
		for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
			pauseOf(w, fmt.Errorf("dial: %w", err))
		}
		wantEqual(t, w.runs.Load(), 3)
		must(t, w.Stop(ctx))
	})
}
