package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariants 4 and 10: which hooks can join the start of their tree, and which would wait for themselves.

func TestRunHookJoinsTheStartOfItsTree(t *testing.T) {
	for _, owner := range []string{"leaf", "group", "group itself"} {
		t.Run(owner, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var app, sub *service.MultiService
				joined := make(chan error, 1)
				began := time.Now()
				body := service.Hooks{Run: func(ctx context.Context) error {
					target := app
					if owner == "group itself" {
						target = sub
					}
					err := target.Start(ctx) // until all of the tree runs
					wantEqual(t, time.Since(began), time.Second)
					joined <- err
					return untilDone(ctx)
				}}
				app, sub = service.NewMulti("app"), service.NewMulti("sub")
				if owner == "leaf" {
					must(t, sub.Add(service.New("a", body)))
				} else {
					sub = service.NewMultiBase(nil, "sub", body)
				}
				slow := service.New("slow", service.Hooks{Start: func(context.Context) error {
					time.Sleep(time.Second)
					return nil
				}})
				must(t, sub.Add(slow), app.Add(sub), app.Start(ctx))
				must(t, <-joined, app.Stop(ctx))
			})
		})
	}
}

// The wait of such a hook ends with the start, whatever becomes of that.
func TestRunHookThatJoinsAStartThatIsStopped(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		var got error
		a := service.Func("a", func(ctx context.Context) error {
			got = app.Start(ctx)
			return untilDone(ctx)
		})
		hold := newGate()
		must(t, app.Add(a, service.New("hold", service.Hooks{Start: hold.obeying})))
		started := later(func() error { return app.Start(ctx) })
		<-hold.begun
		synctest.Wait()
		began := time.Now()
		must(t, app.Stop(ctx))
		wantErr(t, <-started, "/app", context.Canceled)
		wantErr(t, got, "/app", service.ErrParentStopped)
		wantEqual(t, time.Since(began), 0)
	})
}

func TestStartHookThatStartsALaterSibling(t *testing.T) {
	for name, start := range map[string]func(context.Context, service.Service) error{
		"start": func(ctx context.Context, s service.Service) error { return s.Start(ctx) },
		"run":   func(ctx context.Context, s service.Service) error { return service.Run(ctx, s, noSignals) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				app := service.NewMulti("app")
				z := service.New("z", service.Hooks{Start: nothing})
				a := service.New("a", service.Hooks{Start: func(ctx context.Context) error { return start(ctx, z) }})
				must(t, app.Add(a, z))
				began := time.Now()
				wantErr(t, app.Start(ctx), "/app/z", service.ErrOwnHook)
				wantEqual(t, time.Since(began), 0)
				wantState(t, service.Failed, app, a)
			})
		})
	}
}

// Side by side the Start of one service does not hold up that of another. Acquire does: no Start is
// called before all are through.
func TestHookOfTheStartWaitsForASiblingSideBySide(t *testing.T) {
	for _, hook := range []string{"acquire", "start"} {
		t.Run(hook, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				app, sub := service.NewMulti("app", service.SideBySide()), service.NewMulti("sub")
				slow := func(context.Context) error {
					time.Sleep(time.Second)
					return nil
				}
				z := service.New("z", service.Hooks{Acquire: nothing, Start: slow})
				wait := func(ctx context.Context) error {
					time.Sleep(time.Millisecond)
					return z.Start(ctx)
				}
				a := service.New("a", withHook(hook, wait, service.Hooks{}))
				must(t, sub.Add(a), app.Add(sub, z))
				err := app.Start(ctx)
				if hook == "start" {
					must(t, err, app.Stop(ctx))
					return
				}
				wantErr(t, err, "/app/z", service.ErrOwnHook)
			})
		})
	}
}

// A stop of one child in the middle of the start is part of the walk when it undoes what the walk is
// at, and goes on beside it when the child ran already.
func TestStopHookThatJoinsTheStartOfItsTree(t *testing.T) {
	for _, ran := range []bool{false, true} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			app := service.NewMulti("app")
			hold, slow := newGate(), newGate()
			var got error
			h := service.Hooks{Acquire: nothing, Start: hold.obeying, Stop: func(ctx context.Context) error {
				got = app.Start(ctx)
				return nil
			}}
			a := service.New("a", h)
			must(t, app.Add(a, service.New("slow", service.Hooks{Start: slow.obeying})))
			began := time.Now()
			started := later(func() error { return app.Start(ctx) })
			<-hold.begun
			if ran {
				close(hold.open)
				<-slow.begun
			}
			stopped := later(func() error { return a.Stop(ctx) })
			synctest.Wait()
			if !ran {
				wantErr(t, got, "/app", service.ErrOwnHook)
			}
			close(slow.open)
			must(t, <-started, <-stopped)
			if ran {
				must(t, got)
			}
			wantEqual(t, time.Since(began), 0)
			wantState(t, service.Idle, a)
			must(t, app.Stop(ctx))
		})
	}
}

func TestRunOfItsOwnServiceFromAHook(t *testing.T) {
	for _, hook := range hookNames {
		for _, target := range []string{"a", "app"} {
			t.Run(hook+"/"+target, func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					app := service.NewMulti("app")
					var a *service.Base
					var got error
					a = service.New("a", withHook(hook, func(ctx context.Context) error {
						root := service.Service(a)
						if target == "app" {
							root = app
						}
						got = service.Run(ctx, root, noSignals)
						if hook == "run" {
							return untilDone(ctx)
						}
						return nil
					}, service.Hooks{}))
					began := time.Now()
					must(t, app.Add(a), app.Start(ctx))
					synctest.Wait()
					wantState(t, service.Running, app, a) // it is left alone
					must(t, app.Stop(ctx))
					wantEqual(t, time.Since(began), 0)
					wantErr(t, got, "/app", service.ErrOwnHook)
				})
			})
		}
	}
}
