package service_test

import (
	"context"
	"runtime/pprof"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 11: a move that keeps the service running.

func TestKeepRunningHandsOverWithoutAStop(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		type key struct{}
		with := func(v string) context.Context { return context.WithValue(context.Background(), key{}, v) }
		ctx := t.Context()
		var j journal
		one, two := service.NewMulti("one"), service.NewMulti("two", service.StopWithin(10*time.Second))
		var runCtx, stopCtx context.Context
		w := service.New("w", service.Hooks{
			Start: j.hook("+w", nil),
			Run:   func(ctx context.Context) error { runCtx = ctx; return untilDone(ctx) },
			Stop:  func(ctx context.Context) error { stopCtx = ctx; return j.hook("-w", nil)(ctx) },
		})
		sub := service.NewMulti("sub")
		must(t, sub.Add(w), one.Add(sub, j.brief("a")), two.Add(j.brief("b")), one.Start(with("one")), two.Start(with("two")))
		synctest.Wait()
		first := runCtx
		j.take()
		must(t, service.Move(ctx, sub, two, service.KeepRunning()))
		wantEqual(t, j.take(), "")
		wantState(t, service.Running, sub, w)
		wantEqual(t, w.Path(), "/two/sub/w")
		wantEqual(t, names(one)+"|"+names(two), "a|b sub")
		wantEqual(t, one.Child("sub"), nil)
		wantEqual(t, two.Child("sub"), service.Service(sub))
		must(t, one.Stop(ctx))
		wantEqual(t, j.take(), "-a")
		must(t, first.Err())
		path, _ := pprof.Label(first, "service")
		wantEqual(t, path, "/one/sub/w")

		// Its stop and its next start are an affair of the new parent.
		began := time.Now()
		must(t, sub.Stop(ctx), sub.Start(ctx))
		synctest.Wait()
		wantEqual(t, runCtx.Value(key{}), any("two"))
		if until, _ := stopCtx.Deadline(); until.Sub(began) > 10*time.Second {
			t.Errorf("its budget was %v", until.Sub(began))
		}
		path, _ = pprof.Label(runCtx, "service")
		wantEqual(t, path, "/two/sub/w")
		j.take()
		must(t, two.Stop(ctx))
		wantEqual(t, j.take(), "-w -b")
		must(t, two.Start(ctx)) // in its place as the last
		wantEqual(t, j.take(), "+b +w")
		must(t, two.Stop(ctx))
	})
}

func TestKeepRunningRefusesAndChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one, two, idle := service.NewMulti("one"), service.NewMulti("two"), service.NewMulti("idle")
		taken, below, stopped := service.NewMulti("taken"), service.NewMulti("below"), j.brief("stopped")
		g := service.NewMulti("g")
		must(t, g.Add(j.brief("a"), below), one.Add(g, stopped), taken.Add(service.Func("g", nil)))
		must(t, one.Start(ctx), two.Start(ctx), taken.Start(ctx), stopped.Stop(ctx))
		j.take()
		keep := service.KeepRunning()
		wantErr(t, service.Move(ctx, g, nil, keep), "/one/g", service.ErrNoParent)
		wantErr(t, service.Move(ctx, g, g, keep), "/one/g", service.ErrCycle)
		wantErr(t, service.Move(ctx, g, below, keep), "/one/g", service.ErrCycle)
		wantErr(t, service.Move(ctx, g, taken, keep), "/one/g", service.ErrNameTaken)
		wantErr(t, service.Move(ctx, g, idle, keep), "/one/g", service.ErrBusy)
		wantErr(t, service.Move(ctx, stopped, two, keep), "/one/stopped", service.ErrBusy)
		wantErr(t, service.Move(ctx, one, two, keep), "/one", service.ErrBusy) // it has no parent
		ended, cancel := context.WithCancel(ctx)
		cancel()
		wantErr(t, service.Move(ended, g, two, keep), "/one/g", context.Canceled)

		hold := newGate()
		must(t, one.Add(service.New("hold", service.Hooks{Stop: hold.stubborn})))
		stop := later(func() error { return one.Stop(ctx) })
		<-hold.begun
		wantState(t, service.Running, g)
		wantErr(t, service.Move(ctx, g, two, keep), "/one/g", service.ErrBusy) // its parent is stopping
		wantEqual(t, j.take(), "")
		wantEqual(t, names(one)+"|"+names(two)+"|"+names(taken), "g stopped hold||g")
		wantEqual(t, g.Parent(), one)
		close(hold.open)
		must(t, <-stop, two.Stop(ctx), taken.Stop(ctx))
		wantState(t, service.Idle, g)
	})
}

func TestKeepRunningInTheSameParentMakesItTheLast(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one := service.NewMulti("one")
		must(t, one.Add(j.brief("a"), j.brief("b"), j.brief("c")), one.Start(ctx))
		j.take()
		must(t, service.Move(ctx, one.Child("a"), one, service.KeepRunning()))
		wantEqual(t, names(one), "b c a")
		must(t, one.Stop(ctx))
		wantEqual(t, j.take(), "-a -c -b")
	})
}

func TestKeepRunningUpAndDownTheTree(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		root, low := service.NewMulti("root"), service.NewMulti("low")
		w := j.brief("w")
		must(t, root.Add(low, w), root.Start(ctx))
		must(t, service.Move(ctx, w, low, service.KeepRunning()))
		wantEqual(t, w.Path(), "/root/low/w")
		must(t, service.Move(ctx, w, root, service.KeepRunning()))
		wantEqual(t, w.Path(), "/root/w")
		must(t, low.Stop(ctx))
		wantState(t, service.Running, w)
		must(t, root.Stop(ctx))
		wantEqual(t, j.take(), "+w -w")
	})
}

// Half of the old parent's tree has been told to stop when a child of the other half leaves it.
func TestStopOfTheOldParentDoesNotTouchAChildHandedOver(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one, two := service.NewMulti("one"), service.NewMulti("two")
		w, hold := j.brief("w"), newGate()
		must(t, one.Add(w), two.Start(ctx), one.Start(ctx))
		// The hook that stops the parent moves the child first.
		s := service.Func("s", func(ctx context.Context) error {
			<-hold.open
			must(t, service.Move(ctx, w, two, service.KeepRunning()))
			one.Stop(ctx)
			return untilDone(ctx)
		})
		must(t, one.Add(s))
		j.take()
		close(hold.open)
		synctest.Wait()
		wantState(t, service.Idle, one, s)
		wantState(t, service.Running, w)
		wantEqual(t, j.take(), "")
		must(t, two.Stop(ctx))
	})
}

func TestHookMayHandOverItsOwnService(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		var w *service.Base
		w = service.Func("w", func(ctx context.Context) error {
			must(t, service.Move(ctx, w, two, service.KeepRunning()))
			return untilDone(ctx)
		})
		must(t, two.Start(ctx), one.Add(w), one.Start(ctx))
		synctest.Wait()
		wantState(t, service.Running, w)
		wantEqual(t, w.Path(), "/two/w")
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestFailureAfterAHandOverIsAnAffairOfTheNewParent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		fullPauses(t)
		var j journal
		one, two := service.NewMulti("one"), service.NewMulti("two", service.Strategy(service.OneForAll))
		w := newFaulty("w", service.Hooks{}, restart(service.Backoff{Limit: 1}))
		must(t, one.Add(w), two.Add(j.brief("b")), one.Start(ctx), two.Start(ctx))
		must(t, service.Move(ctx, w, two, service.KeepRunning()))
		j.take()
		w.fail(errBoom)
		time.Sleep(time.Second)
		wantEqual(t, j.take(), "-b +b")
		w.fail(errBoom)
		wantState(t, service.Failed, w, two)
		wantErr(t, two.Err(), "/two/w", errBoom)
		wantState(t, service.Running, one)
		must(t, one.Stop(ctx))
	})
}

func TestLateServiceIsFoundByTheLabelItHasHadSinceItsStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		hold := newGate()
		w := service.Func("w", hold.stubborn)
		must(t, one.Add(w), one.Start(ctx), two.Start(ctx), service.Move(ctx, w, two, service.KeepRunning()))
		err := two.Stop(ctx)
		wantErr(t, err, "/two/w", service.ErrStopTimeout)
		wantStack(t, err, "stubborn")
		close(hold.open)
		must(t, one.Stop(ctx))
	})
}
