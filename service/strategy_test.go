package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 7: one for one, one for all, or the rest after it, with waiting.

// team is a running group of four, of which c fails when told to.
func team(t *testing.T, ctx context.Context, j *journal, opts ...service.Option) (app, g *service.MultiService, c *faulty) {
	t.Helper()
	fullPauses(t)
	app, g = service.NewMulti("app"), service.NewMulti("g", opts...)
	c = newFaulty("c", service.Hooks{Start: j.hook("+c", nil), Stop: j.hook("-c", nil)}, restart(service.Backoff{Limit: 2}))
	must(t, g.Add(j.brief("a"), j.brief("b"), c, j.brief("d")), app.Add(g), app.Start(ctx))
	j.take()
	return app, g, c
}

func TestStrategiesStopInReverseAndStartInOrder(t *testing.T) {
	for _, c := range []struct {
		group         service.Group
		stops, starts string
	}{
		{service.OneForOne, "-c", "+c"},
		{service.OneForAll, "-d -c -b -a", "+a +b +c +d"},
		{service.RestForOne, "-d -c", "+c +d"},
	} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			var j journal
			app, g, bad := team(t, ctx, &j, service.Strategy(c.group))
			for range 2 {
				bad.fail(errBoom)
				wantEqual(t, j.take(), c.stops)
				wantState(t, service.Failed, bad)
				wantState(t, service.Running, g)
				time.Sleep(200 * time.Millisecond)
				synctest.Wait()
				wantEqual(t, j.take(), c.starts)
				wantState(t, service.Running, bad, g.Child("a"), g.Child("d"))
			}
			bad.fail(errBoom) // once too often
			wantState(t, service.Failed, bad, g, app)
			wantEqual(t, j.take(), "-d -c -b -a")
			time.Sleep(time.Hour)
			wantEqual(t, j.take(), "")
		})
	}
}

func TestGroupRestartTellsItsMembersWhy(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app, g, bad := team(t, ctx, new(journal), service.Strategy(service.OneForAll))
		var cause error
		must(t, g.Add(service.Func("e", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})))
		bad.fail(errBoom)
		var failure *service.FailureError
		if !errors.As(cause, &failure) || failure.Path != "/app/g/c" || failure.Err != errBoom {
			t.Errorf("the cause is %v", cause)
		}
		must(t, app.Stop(ctx))
	})
}

func TestGroupRestartLeavesAloneWhatDidNotRun(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll))
		must(t, g.Child("a").Stop(ctx)) // by hand
		must(t, g.Add(service.New("e", service.Hooks{Start: j.hook("+e", nil), Run: nothing})))
		synctest.Wait() // e has ended well
		j.take()
		bad.fail(errBoom)
		wantEqual(t, j.take(), "-d -c -b")
		must(t, g.Child("d").Stop(ctx))  // calls off its restart
		must(t, g.Child("b").Start(ctx)) // by hand, at once
		wantEqual(t, j.take(), "+b")
		must(t, g.Add(j.brief("f")))
		wantEqual(t, j.take(), "+f")
		time.Sleep(time.Hour)
		wantEqual(t, j.take(), "+c")
		wantState(t, service.Idle, g.Child("a"), g.Child("d"), g.Child("e"))
		must(t, app.Stop(ctx))
	})
}

func TestMemberThatDoesNotStopMakesTheGroupFail(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		hold := newGate()
		app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll), service.StopWithin(10*time.Second))
		late := newUnit(t, "late")
		stuck := service.New("stuck", service.Hooks{Run: hold.stubborn})
		must(t, g.Add(late, stuck))
		j.take()
		bad.fail(errBoom)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantState(t, service.Stopping, stuck, g, app)
		time.Sleep(time.Hour)
		wantEqual(t, bad.runs.Load(), 1)
		close(hold.open)
		synctest.Wait()
		wantState(t, service.Failed, stuck, g, app, bad)
		wantErr(t, app.Err(), "/app/g/stuck", errBoom, service.ErrStopTimeout)
		must(t, app.Start(ctx), app.Stop(ctx)) // all of it can be started again
	})
}

// A group that is itself restarted gets its members to end in the time of its own stop.
func TestMemberThatEndsLateIsRestartedWithItsGroupAndNeverTwice(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll), restart(service.Backoff{}), service.StopWithin(10*time.Second))
		hold := newGate()
		running := 0
		slow := service.Func("slow", func(ctx context.Context) error {
			if running++; running > 1 {
				t.Error("a second copy runs")
			}
			defer func() { running-- }()
			<-ctx.Done()
			<-hold.open
			return nil
		})
		must(t, g.Add(slow))
		bad.fail(errBoom)
		time.Sleep(15 * time.Second) // past the members' stop, within that of the group
		wantState(t, service.Stopping, slow, g)
		close(hold.open)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, service.Running, app, g, bad, slow)
		must(t, app.Stop(ctx))
	})
}

func TestMemberThatDoesNotStartAgainCountsByItsOwnPolicy(t *testing.T) {
	for name, policy := range map[string]service.Policy{"escalate": service.Escalate, "ignore": service.Ignore, "restart": service.Restart(service.Backoff{Limit: 1})} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var j journal
				app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll))
				fail := 0
				sick := service.New("sick", service.Hooks{Start: func(context.Context) error {
					if fail > 0 {
						fail--
						return errBoom
					}
					return nil
				}}, service.OnFailure(policy))
				must(t, g.Add(sick, j.brief("e")))
				j.take()
				fail = 1
				bad.fail(errBoom)
				j.take()
				time.Sleep(time.Minute)
				synctest.Wait()
				switch name {
				case "escalate":
					wantEqual(t, j.take(), "+a +b +c +d -d -c -b -a")
					wantState(t, service.Failed, sick, g, app)
				case "ignore":
					wantEqual(t, j.take(), "+a +b +c +d +e")
					wantState(t, service.Failed, sick)
				case "restart":
					wantEqual(t, j.take(), "+a +b +c +d -d -c -b -a +a +b +c +d +e")
					wantState(t, service.Running, sick)
				}
				app.Stop(ctx)
			})
		})
	}
}

func TestFailuresOfSeveralMembersAreOneRestart(t *testing.T) {
	for _, strategy := range []service.Group{service.OneForAll, service.RestForOne} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			fullPauses(t)
			var j journal
			g := service.NewMulti("g", service.Strategy(strategy))
			slow := service.New("slow", service.Hooks{Start: j.hook("+slow", nil), Stop: func(context.Context) error { time.Sleep(time.Second); return nil }})
			a := newFaulty("a", service.Hooks{Start: j.hook("+a", nil), Stop: j.hook("-a", nil)}, restart(service.Backoff{}))
			b := newFaulty("b", service.Hooks{Start: j.hook("+b", nil), Stop: j.hook("-b", nil)}, restart(service.Backoff{}))
			must(t, g.Add(a, j.brief("x"), b, slow), g.Start(ctx))
			j.take()
			b.fail(errBoom) // slow is being stopped
			a.fail(errBoom)
			time.Sleep(time.Second)
			synctest.Wait()
			wantEqual(t, j.take(), "-b -x -a")
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			wantEqual(t, j.take(), "+a +x +b +slow")

			b.fail(errBoom) // now the second fails in the pause of the first
			time.Sleep(1100 * time.Millisecond)
			if strategy == service.RestForOne {
				synctest.Wait()
				wantEqual(t, j.take(), "-b")
				a.fail(errBoom)
				wantEqual(t, j.take(), "-x -a")
			}
			time.Sleep(time.Minute)
			if strategy == service.RestForOne {
				wantEqual(t, j.take(), "+a +x +b +slow")
			} else {
				wantEqual(t, j.take(), "-b -x -a +a +x +b +slow")
			}
			wantState(t, service.Running, a, b, slow)
			must(t, g.Stop(ctx))
		})
	}
}

func TestStopOfTheGroupCallsOffItsMembersRestart(t *testing.T) {
	for _, when := range []time.Duration{0, 1500 * time.Millisecond} { // while they stop, in the pause
		bubble(t, func(t *testing.T, ctx context.Context) {
			var j journal
			app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll))
			must(t, g.Add(service.New("slow", service.Hooks{Stop: func(context.Context) error { time.Sleep(1450 * time.Millisecond); return nil }})))
			bad.fail(errBoom)
			time.Sleep(when)
			if err := g.DisownParent().Wait(ctx); when > 0 {
				must(t, err)
			} else {
				wantErr(t, err, "/app/g/c", errBoom) // met by the stop
			}
			time.Sleep(time.Hour)
			wantEqual(t, j.take(), "-d -c -b -a")
			wantState(t, service.Running, app)
			must(t, app.Stop(ctx))
		})
	}
}

func TestMemberThatLeavesIsNotRestarted(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, g, bad := team(t, ctx, &j, service.Strategy(service.OneForAll))
		a := g.Child("a")
		bad.fail(errBoom)
		must(t, a.DisownParent().Wait(ctx), bad.DisownParent().Wait(ctx))
		time.Sleep(time.Minute)
		wantEqual(t, j.take(), "-d -c -b -a +b +d")
		wantState(t, service.Idle, a)
		must(t, app.Stop(ctx))
	})
}

// Invariant 7: significant.

func TestGoodEndOfASignificantChildIsOneOfTheGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, outer := service.NewMulti("app"), service.NewMulti("outer")
		inner := service.NewMulti("inner", service.Significant(), restart(service.Backoff{}))
		job := newFaulty("job", service.Hooks{Stop: j.hook("-job", nil)}, service.Significant(), restart(service.Backoff{Initial: -1}))
		must(t, inner.Add(j.brief("a"), job, j.brief("z")), outer.Add(inner, j.brief("o")), app.Add(outer), app.Start(ctx))
		j.take()
		job.fail(errBoom) // no good end
		wantEqual(t, j.take(), "-job")
		wantState(t, service.Running, job)
		job.fail(nil)
		wantEqual(t, j.take(), "-o -z -job -a")
		wantState(t, service.Idle, outer, inner, job)
		wantState(t, service.Running, app)
		time.Sleep(time.Hour)
		wantState(t, service.Idle, outer)
		must(t, app.Stop(ctx))
	})
}

func TestSignificantChildOfTheRootEndsRun(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("server", untilDone), service.Func("job", nothing, service.Significant())))
		must(t, service.Run(ctx, app, service.WithSignals()))
	})
}

func TestGroupThatStartsEndsWellOnceItRuns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g := newGate()
		must(t, app.Add(service.Func("job", nothing, service.Significant()), service.New("slow", service.Hooks{Start: g.obeying})))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		synctest.Wait()
		wantState(t, service.Starting, app)
		close(g.open)
		must(t, <-started)
		synctest.Wait()
		wantState(t, service.Idle, app)
	})
}

func TestStoppedByHandIsNoGoodEnd(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		job := service.Func("job", untilDone, service.Significant())
		must(t, app.Add(job), app.Start(ctx), job.Stop(ctx))
		wantState(t, service.Running, app)
		must(t, app.Stop(ctx))
	})
}

func TestPauseOfAGroupIsTheLongestOfThoseThatFailed(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		g := service.NewMulti("g", service.Strategy(service.RestForOne))
		quick := newFaulty("quick", service.Hooks{}, restart(service.Backoff{}))
		slow := newFaulty("slow", service.Hooks{}, restart(service.Backoff{Initial: 10 * time.Second}))
		must(t, g.Add(quick, slow), g.Start(ctx))
		slow.fail(errBoom)
		quick.fail(errBoom)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		wantState(t, service.Failed, quick)
		time.Sleep(time.Second)
		synctest.Wait()
		wantState(t, service.Running, quick, slow)
		must(t, g.Stop(ctx))
	})
}
