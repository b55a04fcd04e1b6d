package service_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 5: stop.

func TestStopGoesInReverseAfterDrainingTheWholeTree(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMultiBase(nil, "app", j.hooks("app"))
		sub := service.NewMultiBase(nil, "sub", j.hooks("sub"))
		must(t, app.Add(service.New("a", j.hooks("a")), sub, service.New("c", j.hooks("c"))), sub.Add(service.New("b", j.hooks("b"))))
		// The order holds also when the context that the tree was started with has ended.
		starting, cancel := context.WithCancel(ctx)
		must(t, app.Start(starting))
		cancel()
		synctest.Wait()
		j.take()
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "c.drain b.drain sub.drain a.drain app.drain "+
			"c.run-end c.stop b.run-end b.stop sub.run-end sub.stop a.run-end a.stop app.run-end app.stop")
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "")
	})
}

func TestDependencyRunsUntilWhatDependsOnItHasStopped(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		db := service.Func("db", untilDone)
		web := service.New("web", service.Hooks{Stop: func(context.Context) error {
			wantState(t, service.Running, db)
			time.Sleep(time.Second)
			wantState(t, service.Running, db)
			return nil
		}})
		must(t, app.Add(db, web), app.Start(ctx), app.Stop(ctx))
	})
}

func TestStopIsLegalInEveryState(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		s := service.New("s", service.Hooks{Start: func(context.Context) error { return errBoom }})
		must(t, s.Stop(ctx))
		wantState(t, service.Idle, s)
		wantErr(t, s.Start(ctx), "/s", errBoom)
		must(t, s.Stop(ctx))
		wantState(t, service.Failed, s)
		wantErr(t, s.Err(), "/s", errBoom) // the reason is kept
	})
}

func TestConcurrentStopsShareOneResult(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		g := newGate()
		s := service.New("s", service.Hooks{Stop: func(ctx context.Context) error {
			j.write("stop")
			g.stubborn(ctx)
			return errBoom
		}})
		must(t, s.Start(ctx))
		one, two := later(func() error { return s.Stop(ctx) }), later(func() error { return s.Stop(ctx) })
		<-g.begun
		short, cancel := context.WithTimeoutCause(ctx, time.Second, errors.New("impatient"))
		defer cancel()
		err := s.Stop(short)
		wantErr(t, err, "/s", context.Cause(short))
		if errors.Is(err, service.ErrStopTimeout) {
			t.Errorf("%v: the stop has not overrun, only the caller has left", err)
		}
		close(g.open)
		a, b := <-one, <-two
		wantErr(t, a, "/s", errBoom)
		wantEqual(t, a, b)
		wantEqual(t, j.take(), "stop")
	})
}

func TestStopDuringStartCancelsAndUndoesIt(t *testing.T) {
	for _, answer := range []error{context.Canceled, errBoom, nil} {
		t.Run(fmt.Sprint(answer), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var j journal
				undo := errors.New("undo")
				g := newGate()
				app := service.NewMulti("app")
				a := service.New("a", service.Hooks{Start: nothing, Stop: j.hook("a.stop", undo)})
				b := service.New("b", service.Hooks{Start: func(ctx context.Context) error {
					g.obeying(ctx)
					return answer
				}, Stop: j.hook("b.stop", nil)})
				c := j.brief("c")
				must(t, app.Add(a, b, c))
				started := later(func() error { return app.Start(ctx) })
				<-g.begun
				err := app.Stop(ctx)
				wantErr(t, err, "/app/a", undo)
				if errors.Is(err, errBoom) || errors.Is(err, context.Canceled) {
					t.Errorf("%v: not only the errors of the undoing", err)
				}
				wantState(t, service.Idle, app, b, c)
				wantErr(t, <-started, "/app", context.Canceled, undo)
				want := "a.stop"
				if answer == nil { // it had started after all
					want = "b.stop a.stop"
				}
				wantEqual(t, j.take(), want)
			})
		})
	}
}

func TestStopOfOneChildDuringTheStartLeavesTheOthersAlone(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, sub := service.NewMulti("app"), service.NewMulti("sub")
		g := newGate()
		must(t, sub.Add(j.brief("a"), service.New("gate", service.Hooks{Start: g.obeying})), app.Add(sub, j.brief("b")))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		must(t, sub.Stop(ctx), <-started)
		wantEqual(t, j.take(), "+a -a +b")
		wantState(t, service.Idle, sub)
		wantState(t, service.Running, app)
		must(t, sub.Add(j.brief("c"))) // an idle parent takes children
		must(t, app.Stop(ctx))
	})
}

func TestChildStoppedByHandStaysAttachedAndIsSkipped(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		a := j.brief("a")
		must(t, app.Add(a, j.brief("b")), app.Start(ctx), a.Stop(ctx))
		wantState(t, service.Idle, a)
		wantEqual(t, names(app), "a b")
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "+a +b -a -b")
		must(t, app.Start(ctx), a.Stop(ctx), a.Start(ctx), app.Stop(ctx))
		wantEqual(t, j.take(), "+a +b -a +a -b -a")
	})
}

func TestHookOfASiblingMayStopAChildDuringStartAndStop(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		a := service.New("a", j.hooks("a"))
		c := service.New("c", j.hooks("c"))
		must(t, app.Add(a, service.New("b", service.Hooks{
			Start: func(ctx context.Context) error { return c.Stop(ctx) },
			Stop:  func(ctx context.Context) error { return a.Stop(ctx) },
		}), c))
		must(t, app.Start(ctx))
		wantEqual(t, j.take(), "a.acquire c.acquire a.start c.stop")
		wantState(t, service.Idle, c)
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "a.drain a.run-end a.stop")
	})
}

func TestContextCauseSaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		causes := map[string]error{}
		body := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				causes[name] = context.Cause(ctx)
				return causes[name]
			}
		}
		app := service.NewMultiBase(nil, "app", service.Hooks{Run: body("app")})
		bad := newGate()
		must(t, app.Add(service.Func("a", body("a")), service.Func("bad", func(ctx context.Context) error {
			if bad.obeying(ctx) == nil {
				return errBoom
			}
			return nil
		})))
		must(t, app.Start(ctx), app.Stop(ctx))
		wantEqual(t, causes["app"], context.Canceled)
		wantEqual(t, causes["a"], service.ErrParentStopped)

		bad = newGate()
		must(t, app.Start(ctx))
		close(bad.open)
		synctest.Wait()
		for _, name := range []string{"app", "a"} {
			var failure *service.FailureError
			if !errors.As(causes[name], &failure) || failure.Path != "/app/bad" {
				t.Errorf("the cause of %s is %v", name, causes[name])
			}
		}

		bad = newGate()
		must(t, app.Start(ctx), app.Child("a").DisownParent().Wait(ctx), app.Stop(ctx))
		wantEqual(t, causes["a"], service.ErrRemoved)
	})
}

func TestErrorsOfAStopAreAllThere(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		var want []error
		fail := func(what string) func(context.Context) error {
			err := errors.New(what)
			want = append(want, err)
			return func(ctx context.Context) error { return err }
		}
		run := errors.New("run")
		want = append(want, run)
		a := service.New("a", service.Hooks{Drain: fail("drain"), Stop: fail("stop"), Run: func(ctx context.Context) error {
			<-ctx.Done()
			return errors.Join(ctx.Err(), run) // a failure beside the echo is still one
		}})
		must(t, app.Add(a, service.New("b", service.Hooks{Stop: fail("b")})), app.Start(ctx))
		err := app.Stop(ctx)
		wantErr(t, err, "/app/a", want...)
		wantErr(t, err, "/app/b")
		wantState(t, service.Failed, a)
		wantState(t, service.Idle, app)
		must(t, app.Start(ctx))
		wantErr(t, app.Stop(ctx), "/app/a", want...)
	})
}

func TestGroupWithItsOwnRunStopsItAfterItsChildren(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMultiBase(nil, "app", j.hooks("app"))
		must(t, app.Add(j.brief("a")), app.Start(ctx))
		j.take()
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "app.drain -a app.run-end app.stop")
	})
}
