package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 6: stop ends.

func TestStopBudgets(t *testing.T) {
	for _, c := range []struct {
		what            string
		root, sub, leaf time.Duration // StopWithin; 0: none
		wantRoot        time.Duration
		wantLeaf        time.Duration
	}{
		{"defaults", 0, 0, 0, 25 * time.Second, 20250 * time.Millisecond},
		{"of the root", 10 * time.Second, 0, 0, 10 * time.Second, 8100 * time.Millisecond},
		{"of a group", 0, time.Second, 0, 25 * time.Second, 900 * time.Millisecond},
		{"of the leaf", 0, 0, time.Second, 25 * time.Second, time.Second},
		{"cannot lengthen", 10 * time.Second, time.Hour, time.Hour, 10 * time.Second, 8100 * time.Millisecond},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				within := func(d time.Duration) (opts []service.Option) {
					if d > 0 {
						opts = append(opts, service.StopWithin(d))
					}
					return opts
				}
				var began time.Time
				got := map[string]time.Duration{}
				measure := func(name string) service.Hooks {
					return service.Hooks{Stop: func(ctx context.Context) error {
						deadline, _ := ctx.Deadline()
						got[name] = deadline.Sub(began)
						return nil
					}}
				}
				root := service.NewMultiBase(nil, "root", measure("root"), within(c.root)...)
				sub := service.NewMulti("sub", within(c.sub)...)
				leaf := service.New("leaf", measure("leaf"), within(c.leaf)...)
				must(t, sub.Add(leaf), root.Add(sub), root.Start(ctx))
				began = time.Now()
				must(t, root.Stop(ctx))
				wantEqual(t, got["root"], c.wantRoot)
				wantEqual(t, got["leaf"], c.wantLeaf)

				got["leaf"] = 0 // stopped alone it has the same
				must(t, root.Start(ctx))
				began = time.Now()
				must(t, leaf.Stop(ctx))
				wantEqual(t, got["leaf"], c.wantLeaf)
				must(t, root.Stop(ctx))
			})
		})
	}
}

func TestOverrunIsNamedAndTheRestStillStops(t *testing.T) {
	for _, hook := range []string{"run", "drain", "stop"} {
		t.Run(hook, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var j journal
				app, sub := service.NewMulti("app"), service.NewMulti("sub")
				g := newGate()
				h := service.Hooks{Start: nothing, Stop: j.hook("stuck.stop", nil)}
				switch hook {
				case "run":
					h.Run = g.stubborn
				case "drain":
					h.Drain = g.stubborn
				case "stop":
					h.Stop = func(ctx context.Context) error {
						j.write("stuck.stop")
						return g.stubborn(ctx)
					}
				}
				stuck := service.New("stuck", h)
				must(t, app.Add(j.brief("a"), sub), sub.Add(j.brief("b"), stuck), app.Start(ctx))
				synctest.Wait()
				j.take()

				began := time.Now()
				err := app.Stop(ctx)
				if took := time.Since(began); took > 25*time.Second || took < 20*time.Second {
					t.Errorf("the stop took %v", took)
				}
				wantErr(t, err, "/app/sub/stuck", service.ErrStopTimeout)
				if strings.Count(err.Error(), "not ended") != 1 {
					t.Errorf("%q names others too", err)
				}
				if s := fmt.Sprintf("%+v", err); !strings.Contains(s, "stubborn") {
					t.Errorf("no stack of the hook in:\n%s", s)
				}
				wantEqual(t, strings.TrimPrefix(j.take(), "stuck.stop "), "-b -a")
				wantState(t, service.Stopping, stuck, sub, app)
				for _, s := range []service.Service{stuck, sub, app} {
					wantErr(t, s.Start(ctx), s.Path(), service.ErrBusy)
				}
				wantErr(t, app.Stop(ctx), "/app/sub/stuck", service.ErrStopTimeout)

				close(g.open)
				synctest.Wait()
				wantState(t, service.Failed, stuck, sub, app)
				wantErr(t, stuck.Err(), "/app/sub/stuck", service.ErrStopTimeout)
				if hook != "stop" { // Stop followed, once, when the other had returned
					wantEqual(t, j.take(), "stuck.stop")
				}
				wantEqual(t, j.take(), "")
			})
		})
	}
}

func TestOverrunServiceCanBeStartedAgainOnceItHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		g := newGate()
		s := service.New("s", service.Hooks{Start: nothing, Run: g.stubborn, Stop: j.hook("stop", nil)}, service.StopWithin(time.Second))
		must(t, s.Start(ctx))
		wantErr(t, s.Stop(ctx), "/s", service.ErrStopTimeout)
		wantErr(t, s.SetParent(service.NewMulti("app")), "/s", service.ErrBusy)
		wantEqual(t, j.count("stop"), 0)
		close(g.open)
		synctest.Wait()
		wantEqual(t, j.count("stop"), 1)
		must(t, s.Start(ctx), s.Stop(ctx))
		wantEqual(t, j.count("stop"), 2)
	})
}

func TestStackShowsOnlyItsOwnGoroutines(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app", service.SideBySide())
		open := make(chan struct{})
		one := func(context.Context) error { go func() { helperOfOne(open) }(); <-open; return nil }
		two := func(context.Context) error { onlyTwo(open); return nil }
		must(t, app.Add(service.New("one", service.Hooks{Stop: one}), service.New("two", service.Hooks{Stop: two}),
			service.New("three", service.Hooks{Run: untilDone})))
		must(t, app.Start(ctx))
		err := app.Stop(ctx)
		wantErr(t, err, "/app/one", service.ErrStopTimeout)
		wantErr(t, err, "/app/two", service.ErrStopTimeout)
		all := fmt.Sprintf("%+v", err)
		_, one1, _ := strings.Cut(all, "stop /app/one:")
		one1, _, _ = strings.Cut(one1, "stop /app/two:")
		if !strings.Contains(one1, "helperOfOne") || strings.Contains(one1, "onlyTwo") {
			t.Errorf("wrong stacks for one:\n%s", all)
		}
		close(open)
	})
}

func helperOfOne(c chan struct{}) { <-c }
func onlyTwo(c chan struct{})     { <-c }

func TestHookThatEndsWithItsBudgetIsLate(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		for _, h := range []service.Hooks{{Stop: untilDone}, {Drain: untilDone}} {
			s := service.New("s", h, service.StopWithin(time.Second))
			must(t, s.Start(ctx))
			began := time.Now()
			wantErr(t, s.Stop(ctx), "/s", service.ErrStopTimeout)
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
			wantState(t, service.Failed, s)
		}
	})
}

func TestWhenNothingIsLeftTheRestAreToldAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		open := make(chan struct{})
		stuck := func(context.Context) error { <-open; return nil }
		must(t, app.Add(j.brief("a"), j.brief("b")))
		for i := range 20 {
			must(t, app.Add(service.New(fmt.Sprint("stuck", i), service.Hooks{Stop: stuck})))
		}
		must(t, app.Start(ctx))
		j.take()
		began := time.Now()
		err := app.Stop(ctx)
		if took := time.Since(began); took > 25*time.Second {
			t.Errorf("took %v", took)
		}
		for i := range 20 {
			wantErr(t, err, fmt.Sprint("/app/stuck", i))
		}
		if j.count("-a") != 1 || j.count("-b") != 1 {
			t.Error("not all were told:", j.take())
		}
		close(open)
	})
}

func TestStartHookThatIgnoresItsEndOverruns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		g := newGate()
		app := service.NewMulti("app", service.StopWithin(10*time.Second))
		a := service.New("a", service.Hooks{Start: g.stubborn, Stop: j.hook("a.stop", nil)})
		must(t, app.Add(j.brief("first"), a))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		began := time.Now()
		err := app.Stop(ctx)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		wantErr(t, err, "/app/a", service.ErrStopTimeout)
		wantErr(t, <-started, "/app/a", service.ErrStopTimeout)
		wantEqual(t, j.take(), "+first -first")
		wantState(t, service.Stopping, a, app)
		close(g.open)
		synctest.Wait()
		wantEqual(t, j.take(), "a.stop") // it had started after all
		wantState(t, service.Failed, a, app)
	})
}

func TestWaitWithAForeignContextIsEndedByTheBudget(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var s *service.Base
		var seen error
		s = service.New("s", service.Hooks{Stop: func(context.Context) error {
			seen = s.Stop(context.Background())
			return nil
		}}, service.StopWithin(time.Second))
		must(t, s.Start(ctx))
		wantErr(t, s.Stop(ctx), "/s", service.ErrStopTimeout)
		synctest.Wait()
		wantErr(t, seen, "/s", service.ErrStopTimeout)
		wantState(t, service.Failed, s)
	})
}

// A hook may return just as its service is given up: the states that this leads to are those of a
// service that overran, whichever comes first.
func TestStatesWhereAHookReturnsAsItIsGivenUp(t *testing.T) {
	for range 300 {
		bubble(t, func(t *testing.T, ctx context.Context) {
			app, sub := service.NewMulti("app"), service.NewMulti("sub")
			var a *service.Base
			a = service.New("a", service.Hooks{Stop: func(context.Context) error {
				a.Stop(context.Background()) // until it is over
				return nil
			}})
			must(t, sub.Add(a), app.Add(sub), app.Start(ctx))
			wantErr(t, app.Stop(ctx), "/app/sub/a", service.ErrStopTimeout)
			synctest.Wait()
			wantState(t, service.Failed, app, sub, a)
			wantErr(t, app.Err(), "/app/sub/a", service.ErrStopTimeout)
			must(t, app.Start(ctx))
			app.Stop(ctx)
			synctest.Wait()
		})
		if t.Failed() {
			return
		}
	}
}

// So it is with a restart: a group that had to leave something behind does not come back.
func TestRestartWhereAHookReturnsAsItIsGivenUp(t *testing.T) {
	for range 300 {
		bubble(t, func(t *testing.T, ctx context.Context) {
			app := service.NewMulti("app")
			sub := service.NewMulti("sub", service.OnFailure(service.Restart(service.Backoff{})))
			var late *service.Base
			late = service.New("late", service.Hooks{Stop: func(context.Context) error {
				late.Stop(context.Background())
				return nil
			}})
			fails := service.Func("fails", func(context.Context) error { return errBoom })
			must(t, sub.Add(late, fails), app.Add(sub), app.Start(ctx))
			time.Sleep(time.Hour)
			wantState(t, service.Failed, app, sub, late)
			wantErr(t, app.Err(), "/app/sub/late", service.ErrStopTimeout, errBoom)
		})
		if t.Failed() {
			return
		}
	}
}
