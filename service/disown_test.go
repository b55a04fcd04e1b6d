package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 3: disown never loses the end.

func TestDisownIsDoneWhenTheServiceHasReallyStopped(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app, sub := service.NewMulti("app"), service.NewMulti("sub")
		stop, drain := errors.New("stop"), errors.New("drain")
		g := newGate()
		var cause error
		a := service.New("a", service.Hooks{
			Run: func(ctx context.Context) error {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return nil
			},
			Drain: func(context.Context) error { return drain },
			Stop: func(ctx context.Context) error {
				g.stubborn(ctx)
				return stop
			},
		})
		must(t, sub.Add(a), app.Add(sub), app.Start(ctx))
		left := sub.DisownParent()
		if left.Err() != nil || sub.DisownParent() != left {
			t.Error("a second call gave another future, or the first was done")
		}
		<-g.begun
		select {
		case <-left.Done():
			t.Error("done before it has stopped")
		default:
		}
		wantEqual(t, sub.Parent(), app)
		wantEqual(t, names(app), "sub")
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		wantErr(t, left.Wait(short), "", context.DeadlineExceeded)
		close(g.open)
		err := left.Wait(ctx)
		wantErr(t, err, "/app/sub/a", stop, drain)
		wantEqual(t, left.Err(), err)
		wantEqual(t, cause, service.ErrRemoved)
		wantEqual(t, sub.Parent(), nil)
		wantEqual(t, app.Child("sub"), nil)
		wantState(t, service.Idle, sub)
		wantState(t, service.Running, app)
		must(t, app.Add(sub)) // now, and not before
		wantState(t, service.Running, a)
		wantErr(t, app.Stop(ctx), "/app/sub/a", stop)
	})
}

func TestDisownWithoutParentIsDoneAtOnce(t *testing.T) {
	a := service.Func("a", nil)
	f := a.DisownParent()
	<-f.Done()
	wantErr(t, f.Err(), "/a", service.ErrNoParent)
	wantErr(t, f.Wait(t.Context()), "/a", service.ErrNoParent)
}

func TestDisownDuringItsStartUndoesIt(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		g := newGate()
		a := service.New("a", service.Hooks{Acquire: j.hook("acquire", nil), Start: g.obeying, Stop: j.hook("stop", nil)})
		must(t, app.Add(j.brief("first"), a, j.brief("last")))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		must(t, a.DisownParent().Wait(ctx))
		must(t, <-started) // goes on without it
		wantEqual(t, j.take(), "acquire +first stop +last")
		wantState(t, service.Idle, a)
		wantState(t, service.Running, app)
		must(t, app.Stop(ctx))
	})
}

func TestDisownDuringAttachEndsBoth(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Start(ctx))
		g := newGate()
		a := service.New("a", service.Hooks{Start: g.obeying})
		added := later(func() error { return app.Add(a) })
		<-g.begun
		must(t, a.DisownParent().Wait(ctx))
		wantErr(t, <-added, "/a", service.ErrRemoved)
		wantEqual(t, a.Parent(), nil)
		must(t, app.Stop(ctx))
	})
}

func TestDisownOfAnAcquiredSiblingDuringTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		b := service.New("b", j.hooks("b"))
		must(t, app.Add(service.New("a", service.Hooks{Start: func(ctx context.Context) error {
			return b.DisownParent().Wait(ctx)
		}}), b), app.Start(ctx))
		wantEqual(t, j.take(), "b.acquire b.stop")
		must(t, app.Stop(ctx))
	})
}

func TestDisownOfAnOverrunServiceIsDoneAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		g := newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn}, service.StopWithin(time.Second))
		must(t, app.Add(a), app.Start(ctx))
		left := a.DisownParent()
		wantErr(t, left.Wait(ctx), "/app/a", service.ErrStopTimeout)
		wantEqual(t, a.Parent(), nil)
		wantState(t, service.Stopping, a)
		wantErr(t, a.SetParent(app), "/a", service.ErrBusy)
		wantErr(t, a.Start(ctx), "/a", service.ErrBusy)
		must(t, app.Stop(ctx)) // no longer its concern
		wantState(t, service.Idle, app)
		close(g.open)
	})
}
