package service_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/service"
)

// Invariant 7: a failure is never silent. Policies have files of their own.

func TestFailureStopsTheWholeTreeInReverse(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app, sub, other := service.NewMulti("app"), service.NewMulti("sub"), service.NewMulti("other")
		g := newGate()
		h := j.hooks("bad")
		h.Run = func(context.Context) error { g.stubborn(context.TODO()); return errBoom }
		bad := service.New("bad", h)
		a, b := service.New("a", j.hooks("a")), service.New("b", j.hooks("b"))
		must(t, app.Add(a, sub, other), sub.Add(bad), other.Add(b), app.Start(ctx))
		j.take()
		close(g.open)
		synctest.Wait()
		// bad is not drained: it does not run any more.
		wantEqual(t, j.take(), "b.drain a.drain b.run-end b.stop bad.stop a.run-end a.stop")
		wantState(t, service.Failed, bad, sub, app)
		wantState(t, service.Idle, a, b, other)
		for _, s := range []service.Service{bad, sub, app} {
			wantErr(t, s.Err(), "/app/sub/bad", errBoom)
		}
		var failure *service.FailureError
		if !errors.As(app.Err(), &failure) || failure.Path != "/app/sub/bad" || failure.Err != errBoom {
			t.Errorf("%v is no FailureError", app.Err())
		}
	})
}

func TestFailureIsInTheResultOfTheStopOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		hold := newGate()
		must(t, app.Add(service.New("slow", service.Hooks{Stop: hold.stubborn}), service.Func("bad", func(context.Context) error { return errBoom })))
		must(t, app.Start(ctx))
		<-hold.begun
		stopped := later(func() error { return app.Stop(ctx) })
		synctest.Wait()
		close(hold.open)
		err := <-stopped
		wantErr(t, err, "/app/bad", errBoom)
		wantEqual(t, strings.Count(err.Error(), "boom"), 1)
	})
}

func TestFailureUnderAStartingAncestorCancelsItsStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		slow := service.New("slow", service.Hooks{Start: untilDone})
		bad := service.Func("bad", func(context.Context) error { return errBoom })
		must(t, app.Add(bad, slow))
		err := app.Start(ctx)
		wantErr(t, err, "/app/bad", errBoom)
		wantEqual(t, strings.Count(err.Error(), "boom"), 1)
		wantState(t, service.Failed, app, bad)
		wantState(t, service.Idle, slow)
	})
}

func TestFailureUnderAStoppingAncestorJoinsItsResult(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g, hold := newGate(), newGate()
		bad := service.Func("bad", func(context.Context) error { g.stubborn(context.TODO()); return errBoom })
		must(t, app.Add(bad, service.New("slow", service.Hooks{Stop: hold.stubborn})), app.Start(ctx))
		stopped := later(func() error { return app.Stop(ctx) })
		<-hold.begun
		close(g.open)
		synctest.Wait()
		wantState(t, service.Stopping, bad, app)
		close(hold.open)
		wantErr(t, <-stopped, "/app/bad", errBoom)
		wantState(t, service.Failed, bad)
	})
}

func TestGoodEnd(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		once := service.New("once", service.Hooks{Start: j.hook("start", nil), Run: nothing, Stop: j.hook("stop", nil)})
		group := service.NewMultiBase(nil, "group", service.Hooks{Run: nothing})
		must(t, group.Add(j.brief("below")))
		must(t, app.Add(once, group, j.brief("a")), app.Start(ctx))
		synctest.Wait()
		wantState(t, service.Idle, once, group)
		wantState(t, service.Running, app)
		wantEqual(t, names(app), "once group a")
		if j.count("stop") != 1 || j.count("-below") != 1 {
			t.Error(j.take())
		}
		must(t, once.Start(ctx)) // and again
		synctest.Wait()
		wantEqual(t, j.count("stop"), 2)
		must(t, app.Stop(ctx))
	})
}

func TestContextErrorOfAnotherContextIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		s := service.Func("s", func(context.Context) error { return context.Canceled })
		must(t, s.Start(ctx))
		synctest.Wait()
		wantState(t, service.Failed, s)
		wantErr(t, s.Err(), "/s", context.Canceled)
	})
}

func TestGoexitCountsAsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		exit := func(context.Context) error { runtime.Goexit(); return nil }
		run := service.Func("run", exit)
		must(t, run.Start(ctx))
		synctest.Wait()
		wantState(t, service.Failed, run)
		wantErr(t, run.Err(), "/run")
		for _, h := range []service.Hooks{{Acquire: exit}, {Start: exit}} {
			s := service.New("s", h)
			wantErr(t, s.Start(ctx), "/s")
			wantState(t, service.Failed, s)
		}
		for _, h := range []service.Hooks{{Drain: exit}, {Stop: exit}} {
			app := service.NewMulti("app")
			must(t, app.Add(service.New("a", service.Hooks{Stop: nothing}), service.New("s", h)), app.Start(ctx))
			wantErr(t, app.Stop(ctx), "/app/s")
		}
	})
}

// inChild is set in the process that a test starts to see it end.
const inChild = "OCTAVO_SERVICE_TEST_CHILD"

func TestPanicEndsTheProcessWithThePath(t *testing.T) {
	if hook := os.Getenv(inChild); hook != "" {
		explode := func(context.Context) error { panic("kaboom") }
		h := map[string]service.Hooks{
			"Acquire": {Acquire: explode}, "Start": {Start: explode}, "Run": {Run: explode},
			"Drain": {Drain: explode}, "Stop": {Stop: explode},
		}[hook]
		app := service.NewMulti("app")
		app.Add(service.New("bomb", h))
		app.Start(t.Context())
		app.Stop(t.Context())
		select {}
	}
	for _, hook := range []string{"Acquire", "Start", "Run", "Drain", "Stop"} {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), inChild+"="+hook)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic in "+hook+" of service /app/bomb: kaboom") {
			t.Errorf("%s: %v\n%s", hook, err, out)
		}
		if !strings.Contains(string(out), "TestPanicEndsTheProcessWithThePath.func1") {
			t.Errorf("%s: the hook is not in the stack\n%s", hook, out)
		}
	}
}
