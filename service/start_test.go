package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 4: start.

func TestStartGoesInOrderAndAcquiresTheWholeTreeFirst(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMultiBase(nil, "app", j.hooks("app"))
		sub := service.NewMultiBase(nil, "sub", j.hooks("sub"))
		must(t, app.Add(service.New("a", j.hooks("a")), sub, service.New("c", j.hooks("c"))), sub.Add(service.New("b", j.hooks("b"))))
		must(t, app.Start(ctx))
		wantEqual(t, j.take(), "app.acquire a.acquire sub.acquire b.acquire c.acquire "+
			"app.start a.start sub.start b.start c.start")
		must(t, app.Start(ctx)) // of a running one is nil
		must(t, sub.Add(service.New("d", j.hooks("d"))))
		wantEqual(t, j.take(), "d.acquire d.start")
		must(t, app.Stop(ctx))
	})
}

func TestGroupsOwnRunBeginsBeforeItsChildren(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		begun := make(chan struct{})
		app := service.NewMultiBase(nil, "app", service.Hooks{Run: func(ctx context.Context) error {
			close(begun)
			return untilDone(ctx)
		}})
		must(t, app.Add(service.New("a", service.Hooks{Start: func(context.Context) error {
			<-begun
			return nil
		}})), app.Start(ctx), app.Stop(ctx))
	})
}

func TestGroupIsStartingUntilItsChildrenRun(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMultiBase(nil, "app", service.Hooks{Run: untilDone})
		g := newGate()
		a := service.Func("a", untilDone)
		must(t, app.Add(a, service.New("b", service.Hooks{Start: g.obeying})))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		wantState(t, service.Starting, app)
		wantState(t, service.Running, a)

		joined := later(func() error { return app.Start(ctx) })
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		wantErr(t, app.Start(short), "/app", context.DeadlineExceeded) // only its own wait
		wantState(t, service.Starting, app)
		close(g.open)
		must(t, <-started, <-joined)
		wantState(t, service.Running, app)
		must(t, app.Stop(ctx))
	})
}

func TestFailedStartIsUndoneInReverse(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		undo := errors.New("undo")
		app, sub := service.NewMulti("app"), service.NewMultiBase(nil, "sub", service.Hooks{Start: j.hook("sub.start", nil), Stop: j.hook("sub.stop", nil)})
		a := service.New("a", j.hooks("a"))
		b := service.New("b", service.Hooks{Start: j.hook("b.start", nil), Stop: j.hook("b.stop", undo)})
		bad := service.New("bad", service.Hooks{Start: j.hook("bad.start", errBoom), Stop: j.hook("bad.stop", nil)})
		half := service.New("half", service.Hooks{Acquire: j.hook("half.acquire", nil), Start: j.hook("half.start", nil), Stop: j.hook("half.stop", nil)})
		never := service.New("never", service.Hooks{Start: j.hook("never.start", nil), Stop: j.hook("never.stop", nil)})
		must(t, app.Add(a, b, sub, half, never), sub.Add(bad))
		err := app.Start(ctx)
		wantErr(t, err, "/app/sub/bad", errBoom, undo)
		wantErr(t, err, "/app/b")
		wantEqual(t, j.take(), "a.acquire half.acquire a.start b.start sub.start bad.start "+
			"a.drain half.stop sub.stop b.stop a.run-end a.stop")
		wantState(t, service.Failed, app, sub, bad, b)
		wantState(t, service.Idle, a, half, never)
		wantErr(t, app.Err(), "/app/sub/bad", errBoom)
	})
}

func TestStopHookFollowsTheFirstHookOnly(t *testing.T) {
	for _, c := range []struct {
		what           string
		acquire, start error
		none           string // a hook left out
		want           string
	}{
		{what: "both succeed", want: "acquire start stop"},
		{what: "acquire fails", acquire: errBoom, want: "acquire"},
		{what: "start fails after acquire", start: errBoom, want: "acquire start stop"},
		{what: "start fails alone", start: errBoom, none: "acquire", want: "start"},
		{what: "only acquire", none: "start", want: "acquire stop"},
		{what: "neither", none: "both", want: "stop"},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var j journal
				h := service.Hooks{Acquire: j.hook("acquire", c.acquire), Start: j.hook("start", c.start), Stop: j.hook("stop", nil)}
				if c.none == "acquire" || c.none == "both" {
					h.Acquire = nil
				}
				if c.none == "start" || c.none == "both" {
					h.Start = nil
				}
				s := service.New("s", h)
				if err := s.Start(ctx); !errors.Is(err, errors.Join(c.acquire, c.start)) && (c.acquire != nil || c.start != nil) && !errors.Is(err, errBoom) {
					t.Error(err)
				}
				must(t, s.Stop(ctx))
				wantEqual(t, j.take(), c.want)
			})
		})
	}
}

func TestContextOfStartEndsItAndIsUndone(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		slow := service.New("slow", service.Hooks{Start: untilDone, Stop: j.hook("slow.stop", nil)})
		var cause error
		must(t, app.Add(j.brief("a"), service.New("b", service.Hooks{Stop: func(ctx context.Context) error {
			if ctx.Err() != nil {
				t.Error("the undoing was given an ended context")
			}
			return nil
		}, Run: func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil
		}}), slow))
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		began := time.Now()
		wantErr(t, app.Start(short), "/app/slow", context.DeadlineExceeded)
		wantEqual(t, time.Since(began), time.Second)
		wantEqual(t, j.take(), "+a -a")
		wantState(t, service.Failed, app)
		wantEqual(t, cause, context.DeadlineExceeded)

		ended, end := context.WithCancel(ctx)
		end()
		wantErr(t, app.Start(ended), "/app", context.Canceled)
		wantEqual(t, j.take(), "")
	})
}

func TestStartWithinBoundsEachHook(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		wait := func(d time.Duration) func(context.Context) error {
			return func(ctx context.Context) error {
				select {
				case <-time.After(d):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		ok := service.New("ok", service.Hooks{Acquire: wait(800 * time.Millisecond), Start: wait(800 * time.Millisecond)}, service.StartWithin(time.Second))
		must(t, ok.Start(ctx), ok.Stop(ctx))
		bad := service.New("bad", service.Hooks{Start: wait(2 * time.Second)}, service.StartWithin(time.Second))
		began := time.Now()
		wantErr(t, bad.Start(ctx), "/bad", context.DeadlineExceeded)
		wantEqual(t, time.Since(began), time.Second)
		wantState(t, service.Failed, bad)
	})
}

func TestSideBySideStartsTogether(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app", service.SideBySide())
		sleep := func(context.Context) error { time.Sleep(time.Second); return nil }
		for _, name := range []string{"a", "b", "c"} {
			must(t, app.Add(service.New(name, service.Hooks{Acquire: sleep, Start: sleep, Drain: sleep, Stop: sleep, Run: untilDone})))
		}
		must(t, app.Add(service.Func("d", untilDone)))
		began := time.Now()
		must(t, app.Start(ctx))
		wantEqual(t, time.Since(began), 2*time.Second)
		must(t, app.Stop(ctx))
		wantEqual(t, time.Since(began), 4*time.Second)
	})
}

func TestSideBySideFailureEndsTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app", service.SideBySide())
		var cause error
		slow := service.New("slow", service.Hooks{Start: func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}})
		bad := service.New("bad", service.Hooks{Start: func(context.Context) error { time.Sleep(time.Second); return errBoom }})
		must(t, app.Add(slow, bad))
		wantErr(t, app.Start(ctx), "/app/bad", errBoom)
		var failure *service.FailureError
		if !errors.As(cause, &failure) || failure.Path != "/app/bad" {
			t.Errorf("the cause of the other is %v", cause)
		}
		wantState(t, service.Failed, app, bad)
		wantState(t, service.Idle, slow)
	})
}

func TestRunThatFailsAtOnceDoesNotFailTheStart(t *testing.T) {
	bad := func(context.Context) error { return errBoom }
	for range 50 {
		bubble(t, func(t *testing.T, ctx context.Context) {
			app := service.NewMulti("app")
			must(t, app.Add(service.Func("bad", bad), service.Func("good", untilDone)))
			must(t, app.Start(ctx))
			synctest.Wait()
			wantState(t, service.Failed, app)

			app = service.NewMulti("app")
			must(t, app.Start(ctx), app.Add(service.Func("bad", bad)))
			synctest.Wait()
			wantState(t, service.Failed, app)

			app = service.NewMulti("app")
			must(t, app.Start(ctx))
			var self *service.Base
			self = service.Func("self", func(context.Context) error { self.DisownParent(); return nil })
			must(t, app.Add(self))
			synctest.Wait()
			wantState(t, service.Running, app)
			wantState(t, service.Idle, self)
			wantEqual(t, names(app), "")
			must(t, app.Stop(ctx))
		})
	}
}

func TestStartIsBusyWhileStoppingOrUnderAParentThatDoesNotRun(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g := newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn})
		must(t, app.Add(a))
		wantErr(t, a.Start(ctx), "/app/a", service.ErrBusy)
		must(t, app.Start(ctx))
		stopped := later(func() error { return app.Stop(ctx) })
		<-g.begun
		wantErr(t, app.Start(ctx), "/app", service.ErrBusy)
		wantErr(t, a.Start(ctx), "/app/a", service.ErrBusy)
		close(g.open)
		must(t, <-stopped)
	})
}

func TestContextsOfStartHooksEndWithThem(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		type key struct{}
		var acquire, start, run context.Context
		a := service.New("a", service.Hooks{
			Acquire: func(ctx context.Context) error { acquire = ctx; return nil },
			Start:   func(ctx context.Context) error { start = ctx; return nil },
			Run:     func(ctx context.Context) error { run = ctx; <-ctx.Done(); return nil },
		})
		app := service.NewMulti("app")
		must(t, app.Add(a))
		starting, cancel := context.WithCancel(context.WithValue(ctx, key{}, 42))
		must(t, app.Start(starting))
		synctest.Wait()
		if acquire.Err() == nil || start.Err() == nil {
			t.Error("a context of the start outlives its hook")
		}
		cancel()
		synctest.Wait()
		if run.Err() != nil {
			t.Error("cancelling the start's context reached Run")
		}
		for _, c := range []context.Context{acquire, start, run} {
			if c.Value(key{}) != 42 {
				t.Error("a value of the start's context is missing")
			}
		}
		must(t, app.Stop(ctx))
	})
}
