package service_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/run"

	"github.com/octavo-go/octavo/service"
)

// Invariant 12, as far as the result of Run goes.

// noSignals is for bubbles, where os/signal cannot be used.
var noSignals = service.WithSignals()

func TestRunReturnsNilWhenContextAsked(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		why := errors.New("why")
		var cause error
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("a", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return cause
		})))
		asked, ask := context.WithCancelCause(ctx)
		done := later(func() error { return service.Run(asked, app, noSignals) })
		synctest.Wait()
		wantState(t, service.Running, app)
		ask(why)
		must(t, <-done)
		wantEqual(t, cause, why)
		wantState(t, service.Idle, app)
		must(t, service.Run(asked, app, noSignals)) // ended already: it is not even started
	})
}

func TestRunReturnsNilWhenContextAskedDuringTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		g := newGate()
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("a", untilDone), service.New("b", service.Hooks{Start: g.obeying})))
		asked, ask := context.WithCancel(ctx)
		done := later(func() error { return service.Run(asked, app, noSignals) })
		<-g.begun
		ask()
		must(t, <-done)
		wantState(t, service.Idle, app)
	})
}

func TestRunTellsErrorsApart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var start *service.StartError
		var failure *service.FailureError

		err := service.Run(ctx, service.New("s", service.Hooks{Start: func(context.Context) error { return errBoom }}), noSignals)
		wantErr(t, err, "/s", errBoom)
		if !errors.As(err, &start) {
			t.Errorf("%v is no StartError", err)
		}
		err = service.Run(ctx, service.Func("", nil), noSignals)
		wantErr(t, err, "", service.ErrBadName)
		if !errors.As(err, &start) {
			t.Errorf("%v is no StartError", err)
		}

		app := service.NewMulti("app")
		must(t, app.Add(service.New("a", service.Hooks{Stop: func(context.Context) error { return os.ErrClosed }}),
			service.Func("bad", func(context.Context) error { return errBoom })))
		err = service.Run(ctx, app, noSignals)
		wantErr(t, err, "/app/bad", errBoom, os.ErrClosed)
		start = nil
		if errors.As(err, &start) || !errors.As(err, &failure) || failure.Path != "/app/bad" {
			t.Errorf("%v is no FailureError alone", err)
		}

		g := newGate()
		asked, ask := context.WithCancel(ctx)
		late := service.New("late", service.Hooks{Run: untilDone, Stop: g.stubborn})
		done := later(func() error { return service.Run(asked, late, noSignals, service.WithStopBudget(time.Second)) })
		synctest.Wait()
		began := time.Now()
		ask()
		wantErr(t, <-done, "/late", service.ErrStopTimeout)
		wantEqual(t, time.Since(began), time.Second)
		close(g.open)
	})
}

func TestRunReturnsNilWhenTheRootEndedWell(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		must(t, service.Run(ctx, service.Func("s", nothing), noSignals))
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("a", untilDone)))
		done := later(func() error { return service.Run(ctx, app, noSignals) })
		synctest.Wait()
		must(t, app.Stop(ctx), <-done) // by hand
	})
}

func TestValuesOfRunsContextReachTheServices(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		type key struct{}
		must(t, service.Run(context.WithValue(ctx, key{}, 1), service.Func("s", func(ctx context.Context) error {
			if ctx.Value(key{}) != 1 {
				t.Error("the value is missing")
			}
			return nil
		}), noSignals))
	})
}

// The program that the tests of signals run.
func signalled(mode string) {
	var causes []string
	app := service.NewMulti("app")
	body := func(ctx context.Context) error {
		fmt.Println("ready")
		<-ctx.Done()
		causes = append(causes, context.Cause(ctx).Error())
		return nil
	}
	h := service.Hooks{Run: body}
	switch mode {
	case "starting":
		h.Start = func(ctx context.Context) error { fmt.Println("ready"); return untilDone(ctx) }
	case "stuck":
		h.Stop = func(context.Context) error { fmt.Println("stopping"); select {} }
	}
	app.Add(service.New("a", h))
	err := service.Run(context.Background(), app)
	fmt.Printf("err=%v causes=%v state=%v\n", err, causes, app.State())
	os.Exit(0)
}

func TestSignals(t *testing.T) {
	if mode := os.Getenv(inChild); mode != "" {
		signalled(mode)
	}
	for _, c := range []struct {
		mode    string
		signal  syscall.Signal
		second  bool
		want    string
		status  int
		wantErr string
	}{
		{"ready", syscall.SIGTERM, false, "err=<nil> causes=[signal: terminated] state=Idle", 0, ""},
		{"ready", syscall.SIGINT, false, "err=<nil> causes=[signal: interrupt] state=Idle", 0, ""},
		{"starting", syscall.SIGTERM, false, "err=<nil> causes=[] state=Idle", 0, ""},
		{"stuck", syscall.SIGTERM, true, "stopping", 4, "/app/a"},
	} {
		t.Run(fmt.Sprint(c.mode, "/", c.signal), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestSignals$")
			cmd.Env = append(os.Environ(), inChild+"="+c.mode)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			must(t, err, cmd.Start())
			lines := bufio.NewScanner(out)
			last := ""
			for lines.Scan() {
				last = lines.Text()
				switch {
				case last == "ready":
					must(t, cmd.Process.Signal(c.signal))
				case last == "stopping" && c.second:
					must(t, cmd.Process.Signal(c.signal))
				}
			}
			err = cmd.Wait()
			wantEqual(t, last, c.want)
			wantEqual(t, cmd.ProcessState.ExitCode(), c.status)
			if !strings.Contains(stderr.String(), c.wantErr) || strings.Count(stderr.String(), "\n") > 1 {
				t.Errorf("stderr: %q (%v)", stderr.String(), err)
			}
		})
	}
}

func TestActorInAGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var cause error
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("a", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil
		})))
		var g run.Group
		g.Add(service.Actor(app))
		quit := make(chan struct{})
		g.Add(func() error { <-quit; return errBoom }, func(error) {})
		done := later(g.Run)
		synctest.Wait()
		wantState(t, service.Running, app)
		close(quit)
		wantEqual(t, <-done, errBoom)
		wantEqual(t, cause, errBoom)
		wantState(t, service.Idle, app)

		execute, interrupt := service.Actor(service.Func("bad", func(context.Context) error { return errBoom }))
		wantErr(t, execute(), "/bad", errBoom)
		interrupt(nil) // is safe after execute has returned
		interrupt(nil)
	})
}

func TestFromActor(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		n := 0
		quit := make(chan error)
		a := service.FromActor("a", func() error { return <-quit }, func(err error) {
			n++
			wantEqual(t, err, service.ErrParentStopped)
			quit <- errBoom // does not count any more
		})
		app := service.NewMulti("app")
		must(t, app.Add(a), app.Start(ctx), app.Stop(ctx))
		wantEqual(t, n, 1)

		must(t, app.Start(ctx))
		quit <- errBoom
		synctest.Wait()
		wantState(t, service.Failed, a, app)
		must(t, app.Start(ctx))
		quit <- nil
		synctest.Wait()
		wantState(t, service.Idle, a)
		must(t, app.Stop(ctx))
		wantEqual(t, n, 1)
	})
}
