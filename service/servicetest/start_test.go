package servicetest_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/service/servicetest"
)

var errBoom = errors.New("boom")

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// tree is a group with one child of those hooks.
func tree(t *testing.T, h service.Hooks, opts ...service.Option) (*service.MultiService, *service.Base) {
	t.Helper()
	app, a := service.NewMulti("app"), service.New("a", h, opts...)
	if err := app.Add(a); err != nil {
		t.Fatal(err)
	}
	return app, a
}

func TestStartRunsTheTreeUntilTheTestEnds(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var r servicetest.Recorder
		app := service.NewMulti("app")
		if err := app.Add(r.New("a"), r.New("b")); err != nil {
			t.Fatal(err)
		}
		outcome(func(f *fakeT) {
			f.Cleanup(func() {
				if app.State() != service.Idle {
					t.Error("still running in a cleanup that was registered earlier")
				}
			})
			servicetest.Start(f, app)
			if got := r.Take(); !slices.Equal(got, []string{"start a", "start b"}) {
				t.Errorf("got %q", got)
			}
			f.Cleanup(func() {
				if app.State() != service.Running {
					t.Error("stopped already in a cleanup that was registered later")
				}
			})
		}).wantSuccess(t)
		if got := r.Take(); !slices.Equal(got, []string{"drain b", "drain a", "stop b", "stop a"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestTreeThatTheTestHasStoppedOrStartedAgain(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		app, _ := tree(t, service.Hooks{Run: untilDone})
		outcome(func(f *fakeT) {
			servicetest.Start(f, app)
			app.Stop(f.Context())
			servicetest.Start(f, app)
			app.Stop(f.Context())
		}).wantSuccess(t)
	})
}

func TestStartThatFailsEndsTheTest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var r servicetest.Recorder
		app := service.NewMulti("app")
		bad := service.New("bad", service.Hooks{Start: func(context.Context) error { return errBoom }})
		if err := app.Add(r.New("a"), bad); err != nil {
			t.Fatal(err)
		}
		f := outcome(func(f *fakeT) {
			servicetest.Start(f, app)
			t.Error("the test went on")
		})
		f.wantFailure(t, "start /app/bad: boom")
		if got := r.Take(); !slices.Equal(got, []string{"start a", "drain a", "stop a"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestLeakOfAStartThatFailed(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		open := make(chan struct{})
		defer close(open)
		app, _ := tree(t, service.Hooks{Start: func(context.Context) error {
			go leaked(open)
			return errBoom
		}})
		f := outcome(func(f *fakeT) { servicetest.Start(f, app) })
		if len(f.failures) != 2 || !strings.Contains(f.failures[1], "servicetest_test.leaked") {
			t.Errorf("got %q", f.failures)
		}
	})
}

func TestStartWantsARootThatDoesNotRun(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		app, a := tree(t, service.Hooks{})
		f := outcome(func(f *fakeT) { servicetest.Start(f, a) })
		f.wantFailure(t, "/app/a is not a root")
		outcome(func(f *fakeT) {
			servicetest.Start(f, app)
			outcome(func(f *fakeT) { servicetest.Start(f, app) }).wantFailure(t, "/app is Running already")
		}).wantSuccess(t)
	})
}

func TestErrorsOfTheStopFailTheTest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		app, _ := tree(t, service.Hooks{Stop: func(context.Context) error { return errBoom }})
		start := func(opts ...servicetest.Option) *fakeT {
			return outcome(func(f *fakeT) { servicetest.Start(f, app, opts...) })
		}
		start().wantFailure(t, "stop /app/a: boom")
		start(servicetest.MayFail()).wantFailure(t, "stop /app/a: boom")
	})
}

func TestLateServiceFailsTheTestWithItsStacks(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		open := make(chan struct{})
		app, a := tree(t, service.Hooks{Stop: func(context.Context) error { stuck(open); return nil }},
			service.StopWithin(50*time.Millisecond))
		f := outcome(func(f *fakeT) { servicetest.Start(f, app, servicetest.MayFail()) })
		f.wantFailure(t, "/app/a", service.ErrStopTimeout.Error(), "servicetest_test.stuck")
		close(open)
		servicetest.WaitState(t, a, service.Failed)
	})
}

func stuck(open chan struct{}) { <-open }

func TestLeakedGoroutineFailsTheTest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		open := make(chan struct{})
		defer close(open)
		app, _ := tree(t, service.Hooks{Start: func(context.Context) error { go leaked(open); return nil }})
		f := outcome(func(f *fakeT) { servicetest.Start(f, app) })
		f.wantFailure(t, "goroutines of /app outlive its stop", `"service":"/app/a"`, "servicetest_test.leaked")
	})
}

func TestLeakOfAnyHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		defer close(open)
		leak := func(context.Context) error { go leaked(open); return nil }
		for _, h := range []service.Hooks{{Acquire: leak}, {Start: leak}, {Run: leak}, {Drain: leak}, {Stop: leak}} {
			app, a := tree(t, h)
			f := outcome(func(f *fakeT) {
				servicetest.Start(f, app)
				if h.Run != nil {
					servicetest.WaitState(f, a, service.Idle) // a good end
				}
			})
			f.wantFailure(t, "servicetest_test.leaked")
		}
	})
}

func TestLeakOfAServiceThatIsNoLongerInTheTree(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		open := make(chan struct{})
		defer close(open)
		app := service.NewMulti("app")
		f := outcome(func(f *fakeT) {
			servicetest.Start(f, app)
			late := service.New("late", service.Hooks{Start: func(context.Context) error {
				go func() { go leaked(open) }() // one that a hook has begun only indirectly
				return nil
			}})
			if err := app.Add(late); err != nil {
				t.Error(err)
			}
			if err := late.DisownParent().Wait(f.Context()); err != nil {
				t.Error(err)
			}
		})
		f.wantFailure(t, `"service":"/app/late"`, "servicetest_test.leaked")
	})
}

func leaked(open chan struct{}) { <-open }

func TestGoroutineThatEndsSoonIsNoLeak(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var ended atomic.Bool
		app, _ := tree(t, service.Hooks{Stop: func(context.Context) error {
			go func() {
				time.Sleep(100 * time.Millisecond)
				ended.Store(true)
			}()
			return nil
		}})
		outcome(func(f *fakeT) { servicetest.Start(f, app) }).wantSuccess(t)
		if !ended.Load() {
			t.Error("the test ended before it")
		}
	})
}

// Trees of tests that run side by side often have the same paths.
func TestGoroutineOfAnotherTreeIsNoLeak(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		other, _ := tree(t, service.Hooks{Run: untilDone})
		servicetest.Start(t, other)
		unwatched, _ := tree(t, service.Hooks{Run: untilDone})
		if err := unwatched.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		app, _ := tree(t, service.Hooks{Run: untilDone})
		outcome(func(f *fakeT) { servicetest.Start(f, app) }).wantSuccess(t)
		if err := unwatched.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFailureOfTheTreeFailsTheTest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		app, _ := tree(t, service.Hooks{Run: func(context.Context) error { return errBoom }})
		run := func(opts ...servicetest.Option) *fakeT {
			return outcome(func(f *fakeT) {
				servicetest.Start(f, app, opts...)
				servicetest.WaitState(f, app, service.Failed)
			})
		}
		run().wantFailure(t, "/app has failed", "run /app/a: boom")
		run(servicetest.MayFail()).wantSuccess(t)
	})
}

// The tree is being stopped for a failure when the test ends.
func TestFailureUnderWayWhenTheTestEnds(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		open := make(chan struct{})
		app, a := tree(t, service.Hooks{
			Run:  func(context.Context) error { return errBoom },
			Stop: func(context.Context) error { <-open; return nil },
		})
		run := func(opts ...servicetest.Option) *fakeT {
			open = make(chan struct{})
			return outcome(func(f *fakeT) {
				servicetest.Start(f, app, opts...)
				servicetest.WaitState(f, a, service.Stopping)
				time.AfterFunc(10*time.Millisecond, func() { close(open) })
			})
		}
		run().wantFailure(t, "run /app/a: boom")
		run(servicetest.MayFail()).wantSuccess(t)
	})
}

func TestStartHandsOnTheContextOfTheTest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		type key struct{}
		var value any
		var path string
		app, _ := tree(t, service.Hooks{Start: func(ctx context.Context) error {
			value = ctx.Value(key{})
			path, _ = pprof.Label(ctx, "service")
			return nil
		}})
		outcome(func(f *fakeT) {
			f.ctx = context.WithValue(f.ctx, key{}, "value")
			servicetest.Start(f, app)
		}).wantSuccess(t)
		if value != "value" || path != "/app/a" {
			t.Errorf("the hook sees the value %v and the label %q", value, path)
		}
	})
}
