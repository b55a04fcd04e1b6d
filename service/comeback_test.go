package service_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariants 3, 5, 11 and 12, for a service that waits for its restart.

func TestStopOfAFailedServiceCancelsItsRestart(t *testing.T) {
	for name, stop := range map[string]func(context.Context, *service.MultiService, *faulty) error{
		"its own":      func(ctx context.Context, _ *service.MultiService, w *faulty) error { return w.Stop(ctx) },
		"the parent's": func(ctx context.Context, app *service.MultiService, _ *faulty) error { return app.Stop(ctx) },
		"disown":       func(ctx context.Context, _ *service.MultiService, w *faulty) error { return w.DisownParent().Wait(ctx) },
		"move to idle": func(ctx context.Context, _ *service.MultiService, w *faulty) error {
			return service.Move(ctx, w, service.NewMulti("idle"))
		},
		"the parent's disown, with it": func(ctx context.Context, app *service.MultiService, _ *faulty) error {
			return app.DisownParent().Wait(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				fullPauses(t)
				top, app := service.NewMulti("top"), service.NewMulti("app")
				w := newFaulty("w", service.Hooks{}, restart(service.Backoff{}))
				must(t, top.Add(app), app.Add(w), top.Start(ctx))
				w.fail(errBoom)
				must(t, stop(ctx, app, w))
				wantState(t, service.Failed, w)
				wantErr(t, w.Err(), "/app/w", errBoom) // keeps the reason
				time.Sleep(time.Hour)
				wantEqual(t, w.runs.Load(), 1)
				wantState(t, service.Failed, w)
				must(t, top.Stop(ctx))
			})
		})
	}
}

func TestStopWhileItIsStoppedForARestartCancelsThat(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g := newGate()
		w := newFaulty("w", service.Hooks{Stop: g.stubborn}, restart(service.Backoff{}))
		must(t, app.Add(w), app.Start(ctx))
		w.fail(errBoom)
		wantState(t, service.Stopping, w)
		stopped := later(func() error { return w.Stop(ctx) })
		synctest.Wait()
		close(g.open)
		wantErr(t, <-stopped, "/app/w", errBoom)
		time.Sleep(time.Hour)
		wantEqual(t, w.runs.Load(), 1)
		must(t, app.Stop(ctx))
	})
}

func TestStartByHandInThePauseIsTheRestart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		app := service.NewMulti("app")
		var start error
		w := newFaulty("w", service.Hooks{Start: func(context.Context) error { return start }}, restart(service.Backoff{}))
		must(t, app.Add(w), app.Start(ctx))
		w.fail(errBoom)
		must(t, w.Start(ctx))
		time.Sleep(time.Hour)
		wantEqual(t, w.runs.Load(), 2)
		w.fail(errBoom)
		start = errBoom
		wantErr(t, w.Start(ctx), "/app/w", errBoom) // who asked is told, and it is not tried again
		start = nil
		time.Sleep(time.Hour)
		wantState(t, service.Failed, w)
		wantEqual(t, w.runs.Load(), 2)
		must(t, app.Stop(ctx))
	})
}

func TestMoveInThePauseStartsItInTheNewParent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{}))
		must(t, one.Add(w), one.Start(ctx), two.Start(ctx))
		w.fail(errBoom)
		wantErr(t, service.Move(ctx, w, two, service.KeepRunning()), "/one/w", service.ErrBusy)
		wantState(t, service.Failed, w)
		must(t, service.Move(ctx, w, two))
		wantState(t, service.Running, w)
		time.Sleep(time.Hour)
		wantEqual(t, w.runs.Load(), 2)
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestStopDuringARestartUndoesIt(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		app := service.NewMulti("app")
		starts := 0
		w := newFaulty("w", service.Hooks{Start: func(ctx context.Context) error {
			if starts++; starts > 1 {
				return untilDone(ctx)
			}
			return nil
		}}, restart(service.Backoff{}))
		must(t, app.Add(w), app.Start(ctx))
		w.fail(errBoom)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		wantState(t, service.Starting, w)
		must(t, w.Stop(ctx))
		wantState(t, service.Idle, w)
		time.Sleep(time.Hour)
		wantEqual(t, starts, 2)
		must(t, app.Stop(ctx))
	})
}

func TestRootIsRestartedAndRunGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		fullPauses(t)
		for _, when := range []string{"running", "in the pause", "too often"} {
			type key struct{}
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
			var seen any
			app := service.NewMultiBase(nil, "app", service.Hooks{Start: func(ctx context.Context) error {
				seen = ctx.Value(key{})
				return nil
			}}, restart(service.Backoff{Limit: 1}))
			w := newFaulty("w", service.Hooks{})
			must(t, app.Add(w))
			done := later(func() error { return service.Run(ctx, app, service.WithSignals()) })
			synctest.Wait()
			w.fail(errBoom)
			wantState(t, service.Failed, app)
			switch when {
			case "running":
				time.Sleep(time.Second)
				synctest.Wait()
				wantState(t, service.Running, app)
				wantEqual(t, seen, any("v"))
				cancel()
				must(t, <-done)
				wantState(t, service.Idle, app)
			case "in the pause":
				cancel()
				must(t, <-done)
			case "too often":
				time.Sleep(time.Second)
				w.fail(errBoom)
				wantErr(t, <-done, "/app", errBoom)
			}
			cancel()
			time.Sleep(time.Hour)
			if app.State() == service.Running {
				t.Error(when, "it came back")
			}
		}
	})
}

func TestRestartTakesTheValuesOfTheParent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		type key struct{}
		app := service.NewMulti("app")
		var seen []any
		w := newFaulty("w", service.Hooks{Start: func(ctx context.Context) error {
			seen = append(seen, ctx.Value(key{}))
			return nil
		}}, restart(service.Backoff{}))
		must(t, app.Add(w), app.Start(context.WithValue(ctx, key{}, 1)))
		pauseOf(w, errBoom)
		must(t, app.Stop(ctx))
		wantEqual(t, fmt.Sprint(seen), "[1 1]")
	})
}

// Removing a service twice, with waits too short, once ended a supervisor for good.
func TestRemovalsGivenUpOnHoldUpNobodysRestart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		hold := newGate()
		stuck := service.New("stuck", service.Hooks{Stop: hold.stubborn})
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{}))
		must(t, app.Add(stuck, w), app.Start(ctx))
		for range 2 {
			short, cancel := context.WithTimeout(ctx, time.Second)
			wantErr(t, stuck.DisownParent().Wait(short), "", context.DeadlineExceeded)
			cancel()
		}
		pauseOf(w, errBoom)
		wantState(t, service.Running, w)
		close(hold.open)
		synctest.Wait()
		wantEqual(t, stuck.Parent(), nil)
		must(t, app.Stop(ctx))
	})
}

func TestFailureUnderAStoppingAncestorIsNotRestarted(t *testing.T) {
	for _, strategy := range []service.Group{service.OneForOne, service.OneForAll} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			app, g := service.NewMulti("app"), service.NewMulti("g", service.Strategy(strategy))
			hold := newGate()
			w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Limit: 1}))
			must(t, g.Add(w), app.Add(g, service.New("slow", service.Hooks{Stop: hold.stubborn})), app.Start(ctx))
			stopped := later(func() error { return app.Stop(ctx) })
			<-hold.begun
			w.fail(errBoom)
			wantState(t, service.Stopping, w)
			close(hold.open)
			wantErr(t, <-stopped, "/app/g/w", errBoom)
			time.Sleep(time.Hour)
			wantState(t, service.Failed, w)
			wantEqual(t, w.runs.Load(), 1)
		})
	}
}

func TestRestartAfterAHandOverTakesTheValuesOfTheNewParent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		type key struct{}
		one, two := service.NewMulti("one"), service.NewMulti("two")
		var seen []any
		w := newFaulty("w", service.Hooks{Start: func(ctx context.Context) error {
			seen = append(seen, ctx.Value(key{}))
			return nil
		}}, restart(service.Backoff{}))
		must(t, one.Add(w), one.Start(context.WithValue(ctx, key{}, 1)), two.Start(context.WithValue(ctx, key{}, 2)))
		must(t, service.Move(ctx, w, two, service.KeepRunning()))
		pauseOf(w, errBoom)
		wantEqual(t, fmt.Sprint(seen), "[1 2]")
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}
