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
		time.Sleep(1)
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

// A child that cannot work is not tried for ever: the parent hears of it, with the history.
func TestTooManyFailuresEscalateWithTheirHistory(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		app, sub := service.NewMulti("app"), service.NewMulti("sub")
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Initial: time.Second, Max: time.Second, Limit: 3, Within: 10 * time.Second}))
		must(t, sub.Add(w), app.Add(sub), app.Start(ctx))
		var all []error
		for i := range 3 {
			all = append(all, fmt.Errorf("trouble %d", i))
			pauseOf(w, all[i])
		}
		time.Sleep(7*time.Second + time.Millisecond) // the first is not within 10 s any more
		all = append(all, errors.New("trouble 3"))
		pauseOf(w, all[3])
		must(t, app.Stop(ctx), app.Start(ctx)) // which forgets
		for i := range 3 {
			pauseOf(w, all[i])
		}
		w.fail(all[3])
		wantState(t, service.Failed, w, sub, app)
		for _, s := range []service.Service{w, sub, app} {
			wantErr(t, s.Err(), "/app/sub/w", all[:4]...)
			for _, text := range []string{"more than 3 failures within 10s", "trouble 0", "3s before"} {
				if !strings.Contains(s.Err().Error(), text) {
					t.Errorf("%q does not say %q", s.Err(), text)
				}
			}
		}
		var failure *service.FailureError
		if !errors.As(app.Err(), &failure) || failure.Path != "/app/sub/w" {
			t.Errorf("%v is no FailureError", app.Err())
		}
	})
}

func TestHistoryIsInTheResultOfRunOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("w", func(context.Context) error { return errBoom }, restart(service.Backoff{Limit: 2}))))
		err := service.Run(ctx, app, service.WithSignals())
		wantErr(t, err, "/app/w", errBoom)
		wantEqual(t, strings.Count(err.Error(), "boom"), 3)
		wantState(t, service.Failed, app)
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

func TestEscalationAsksEachAncestorOnTheWayUp(t *testing.T) {
	policies := map[string]service.Option{
		"escalate": service.OnFailure(service.Escalate), "ignore": service.OnFailure(service.Ignore),
		"restart": restart(service.Backoff{Initial: time.Second}), "spent": restart(service.Backoff{Limit: -1}),
	}
	for _, c := range []struct{ root, upper, lower, bad, failed, running string }{
		{"escalate", "escalate", "escalate", "escalate", "root upper lower bad", ""},
		{"ignore", "escalate", "escalate", "escalate", "root upper lower bad", ""},
		{"escalate", "ignore", "escalate", "escalate", "upper lower bad", "root"},
		{"escalate", "restart", "ignore", "escalate", "lower bad", "root upper"},
		{"escalate", "restart", "escalate", "escalate", "upper lower bad", "root"},
		{"restart", "escalate", "escalate", "escalate", "root upper lower bad", ""},
		{"escalate", "escalate", "escalate", "ignore", "bad", "root upper lower"},
		{"escalate", "escalate", "escalate", "restart", "bad", "root upper lower"},
	} {
		t.Run(fmt.Sprint(c.root, c.upper, c.lower, c.bad), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				fullPauses(t)
				root, upper, lower := service.NewMulti("root", policies[c.root]), service.NewMulti("upper", policies[c.upper]), service.NewMulti("lower", policies[c.lower])
				bad := newFaulty("bad", service.Hooks{}, policies[c.bad])
				must(t, root.Add(upper), upper.Add(lower), lower.Add(bad), root.Start(ctx))
				bad.fail(errBoom)
				all := map[string]service.Service{"root": root, "upper": upper, "lower": lower, "bad": bad}
				for _, name := range strings.Fields(c.failed) {
					wantState(t, service.Failed, all[name])
					wantErr(t, all[name].Err(), "/root/upper/lower/bad", errBoom)
				}
				for _, name := range strings.Fields(c.running) {
					wantState(t, service.Running, all[name])
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if back := strings.Contains(c.root+c.upper+c.bad, "restart") && c.lower != "ignore"; back {
					wantState(t, service.Running, root, upper, lower, bad)
				}
				must(t, root.Stop(ctx))
			})
		})
	}
}

func TestIgnoredFailureLeavesTheServiceFailedAndTheParentAlone(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app", service.Strategy(service.OneForAll))
		w := newFaulty("w", service.Hooks{Stop: j.hook("-w", nil)}, service.OnFailure(service.Ignore))
		must(t, app.Add(w, j.brief("b")), app.Start(ctx))
		j.take()
		w.fail(errBoom)
		time.Sleep(time.Hour)
		wantState(t, service.Failed, w)
		wantState(t, service.Running, app)
		wantEqual(t, j.take(), "-w")
		must(t, w.Start(ctx), app.Stop(ctx))
	})
}

func TestFailedFirstStartFailsTheStartUnderWayWhateverThePolicy(t *testing.T) {
	for name, policy := range map[string]service.Policy{"restart": service.Restart(service.Backoff{}), "ignore": service.Ignore} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				starts := 0
				bad := service.New("bad", service.Hooks{Start: func(context.Context) error { starts++; return errBoom }}, service.OnFailure(policy))
				app := service.NewMulti("app", service.OnFailure(policy))
				must(t, app.Add(bad))
				wantErr(t, app.Start(ctx), "/app/bad", errBoom)
				must(t, bad.DisownParent().Wait(ctx), app.Start(ctx))
				wantErr(t, app.Add(bad), "/app/bad", errBoom)
				time.Sleep(time.Hour)
				wantState(t, service.Failed, bad)
				wantEqual(t, starts, 2)
				must(t, app.Stop(ctx))

				// A child that runs and fails while its group starts makes that start fail, too.
				slow := service.New("slow", service.Hooks{Start: untilDone})
				sub := service.NewMulti("sub", service.OnFailure(policy))
				must(t, sub.Add(service.Func("dies", func(context.Context) error { return errBoom }), slow), app.Add(sub))
				wantErr(t, app.Start(ctx), "/app/sub/dies", errBoom)
				time.Sleep(time.Hour)
				wantState(t, service.Failed, app, sub)
			})
		})
	}
}

func TestFailedRestartCountsAsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		var start error
		starts := 0
		app := service.NewMulti("app")
		sub := service.NewMulti("sub", restart(service.Backoff{Initial: time.Second, Limit: 2}))
		bad := newFaulty("bad", service.Hooks{Start: func(context.Context) error { starts++; return start }})
		must(t, sub.Add(bad), app.Add(sub), app.Start(ctx))
		start = errors.New("no start")
		bad.fail(errBoom)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, service.Failed, sub, bad)
		wantState(t, service.Running, app)
		wantErr(t, sub.Err(), "restart /app/sub/bad", start)
		time.Sleep(2*time.Second - 1)
		wantEqual(t, starts, 2)
		time.Sleep(1)
		synctest.Wait()
		wantEqual(t, starts, 3)
		wantState(t, service.Failed, sub, bad, app)
		wantErr(t, app.Err(), "/app/sub", start, errBoom)
	})
}

func TestFailureDuringARestartOfTheGroupCounts(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		app := service.NewMulti("app")
		sub := service.NewMulti("sub", restart(service.Backoff{Initial: time.Second, Limit: 1}))
		bad := newFaulty("bad", service.Hooks{})
		starts := 0
		slow := service.New("slow", service.Hooks{Start: func(ctx context.Context) error {
			if starts++; starts > 1 {
				return untilDone(ctx)
			}
			return nil
		}})
		must(t, sub.Add(bad, slow), app.Add(sub), app.Start(ctx))
		bad.fail(errBoom)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, service.Starting, sub)
		bad.fail(errBoom)
		wantState(t, service.Failed, sub, bad, app)
		wantErr(t, app.Err(), "more than 1 failures", errBoom)
	})
}

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

func TestServiceThatDoesNotStopForItsRestartFailsItsGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g := newGate()
		w := newFaulty("w", service.Hooks{Stop: g.stubborn}, restart(service.Backoff{}), service.StopWithin(time.Second))
		must(t, app.Add(w), app.Start(ctx))
		w.fail(errBoom)
		time.Sleep(time.Hour)
		wantState(t, service.Stopping, w, app)
		close(g.open)
		synctest.Wait()
		wantState(t, service.Failed, w, app)
		wantErr(t, app.Err(), "/app/w", errBoom, service.ErrStopTimeout)
		time.Sleep(time.Hour)
		wantEqual(t, w.runs.Load(), 1)
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
