package service_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 8: it can be restarted.

func TestStoppedAndFailedServicesStartAgain(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var runs, running atomic.Int32
		fail := true
		a := service.Func("a", func(ctx context.Context) error {
			if running.Add(1) > 1 {
				t.Error("a second copy runs")
			}
			defer running.Add(-1)
			runs.Add(1)
			if fail {
				return errBoom
			}
			return untilDone(ctx)
		})
		one, two := service.NewMulti("one"), service.NewMulti("two")
		must(t, one.Add(a), one.Start(ctx))
		synctest.Wait()
		wantState(t, service.Failed, a, one)
		fail = false
		for range 3 {
			must(t, one.Start(ctx))
			synctest.Wait()
			must(t, a.Err())
			must(t, one.Stop(ctx))
		}
		must(t, two.Start(ctx), a.DisownParent().Wait(ctx), two.Add(a))
		synctest.Wait()
		wantState(t, service.Running, a)
		must(t, two.Stop(ctx))
		wantEqual(t, runs.Load(), 5)
	})
}

// Invariant 9: no lasting goroutine without work; hooks run on labelled goroutines of the tree.

func goroutines(t *testing.T) string {
	t.Helper()
	synctest.Wait()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestServiceWithoutRunCostsNoGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		idle := func() {
			t.Helper()
			if p := goroutines(t); strings.Contains(p, "octavo/service.") {
				t.Errorf("there are goroutines of the tree:\n%s", p)
			}
		}
		app := service.NewMulti("app", service.SideBySide())
		for _, name := range []string{"a", "b", "c"} {
			must(t, app.Add(j.brief(name)))
		}
		must(t, app.Start(ctx))
		idle()
		must(t, app.Stop(ctx))
		idle()
	})
}

func TestHooksCarryTheLabelOfTheirService(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		seen := func(ctx context.Context) error {
			if path, _ := pprof.Label(ctx, "service"); path != "/app/a" {
				t.Errorf("the label is %q", path)
			}
			var b bytes.Buffer
			pprof.Lookup("goroutine").WriteTo(&b, 1)
			for r := range strings.SplitSeq(b.String(), "\n\n") {
				if strings.Contains(r, "TestHooksCarry") && strings.Contains(r, "WriteTo") && !strings.Contains(r, `"service":"/app/a"`) {
					t.Errorf("not labelled:\n%s", r)
				}
			}
			return nil
		}
		app := service.NewMulti("app")
		a := service.New("a", service.Hooks{Acquire: seen, Start: seen, Drain: seen, Stop: seen, Run: func(ctx context.Context) error {
			seen(ctx)
			return untilDone(ctx)
		}})
		// Stopped by a hook of another service, its hooks still carry their own label only.
		b := service.New("b", service.Hooks{Stop: func(ctx context.Context) error { return a.Stop(ctx) }})
		must(t, app.Add(a, b), app.Start(ctx), app.Stop(ctx))
		if strings.Contains(goroutines(t), `"service"`) {
			t.Error("a label is left behind")
		}
	})
}

// Invariant 10: a hook may call anything.

func TestHookThatWaitsForItsOwnEndGetsErrOwnHook(t *testing.T) {
	for _, hook := range []string{"acquire", "start", "run", "drain", "stop"} {
		for _, what := range []string{"stop", "stop root", "disown", "move"} {
			t.Run(hook+"/"+what, func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					app, to := service.NewMulti("app"), service.NewMulti("to")
					var a *service.Base
					called := false
					act := func(ctx context.Context) error {
						called = true
						var err error
						switch what {
						case "stop":
							err = a.Stop(ctx)
						case "stop root":
							err = app.Stop(ctx)
						case "disown":
							err = a.DisownParent().Wait(ctx)
						case "move":
							err = service.Move(ctx, a, to)
						}
						wantErr(t, err, "/a", service.ErrOwnHook) // a prefix of /app, too
						return ctx.Err()
					}
					var h service.Hooks
					switch hook {
					case "acquire":
						h.Acquire = act
					case "start":
						h.Start = act
					case "run":
						h.Run = func(ctx context.Context) error {
							act(ctx)
							return untilDone(ctx)
						}
					case "drain":
						h.Drain = act
					case "stop":
						h.Stop = act
					}
					a = service.New("a", h)
					must(t, app.Add(a))
					app.Start(ctx)
					synctest.Wait()
					began := time.Now()
					must(t, app.Stop(ctx))
					wantEqual(t, time.Since(began), 0)
					synctest.Wait()
					if !called {
						t.Error("the hook was not called")
					}
					wantState(t, service.Idle, a, app)
				})
			})
		}
	}
}

func TestStartHookThatStartsItselfGetsErrOwnHook(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var s *service.Base
		s = service.New("s", service.Hooks{Start: func(ctx context.Context) error {
			wantErr(t, s.Start(ctx), "/s", service.ErrOwnHook)
			return nil
		}})
		must(t, s.Start(ctx), s.Stop(ctx))
	})
}

func TestHooksMayCallAnything(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		look := func(context.Context) error {
			for c := range app.Children() {
				_, _, _ = c.State(), c.Err(), c.Path()
			}
			_, err := service.Lookup[*service.Base](app, "a")
			return err
		}
		n := 0
		a := service.New("a", service.Hooks{Acquire: look, Start: look, Drain: look, Stop: look, Run: func(ctx context.Context) error {
			n++
			b := service.Func("b", untilDone)
			must(t, app.Add(b), b.Stop(ctx), b.Start(ctx), b.DisownParent().Wait(ctx))
			return untilDone(ctx)
		}})
		must(t, app.Add(a), app.Start(ctx))
		synctest.Wait()
		must(t, app.Stop(ctx))
		wantEqual(t, n, 1)
	})
}

func TestIterationIsOverASnapshot(t *testing.T) {
	app := service.NewMulti("app")
	for _, name := range []string{"a", "b", "c"} {
		must(t, app.Add(service.Func(name, nil)))
	}
	n := 0
	for c := range app.Children() {
		n++
		must(t, c.DisownParent().Err(), app.Add(service.Func(c.Name()+c.Name(), nil)))
	}
	wantEqual(t, n, 3)
	wantEqual(t, names(app), "aa bb cc")
	for range app.Children() {
		break
	}
}
