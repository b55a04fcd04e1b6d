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

// Invariant 7: an escalation asks each ancestor on the way up.

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
		var starts atomic.Int32
		app := service.NewMulti("app")
		sub := service.NewMulti("sub", restart(service.Backoff{Initial: time.Second, Limit: 2}))
		bad := newFaulty("bad", service.Hooks{Start: func(context.Context) error { starts.Add(1); return start }})
		must(t, sub.Add(bad), app.Add(sub), app.Start(ctx))
		start = errors.New("no start")
		bad.fail(errBoom)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, service.Failed, sub, bad)
		wantState(t, service.Running, app)
		wantErr(t, sub.Err(), "restart /app/sub/bad", start)
		time.Sleep(2*time.Second - 1)
		wantEqual(t, starts.Load(), 2)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantEqual(t, starts.Load(), 3)
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
