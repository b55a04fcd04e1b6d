package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Invariant 11: move.

func TestMoveStopsAndStartsAgain(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one, two, idle := service.NewMulti("one"), service.NewMulti("two"), service.NewMulti("idle")
		group := service.NewMulti("group")
		must(t, group.Add(j.brief("a")), one.Add(group), two.Add(j.brief("z")), one.Start(ctx), two.Start(ctx))
		j.take()
		must(t, service.Move(ctx, group, two))
		wantEqual(t, j.take(), "-a +a")
		wantEqual(t, names(one)+"|"+names(two), "|z group")
		wantEqual(t, group.Path(), "/two/group")
		wantState(t, service.Running, group)
		must(t, service.Move(ctx, group, idle))
		wantEqual(t, j.take(), "-a")
		wantState(t, service.Idle, group)
		must(t, group.DisownParent().Wait(ctx), service.Move(ctx, group, two)) // without a parent
		wantEqual(t, j.take(), "+a")
		must(t, two.Add(j.brief("last")), service.Move(ctx, group, two)) // to its own parent: as the last
		wantEqual(t, names(two), "z last group")
		wantEqual(t, two.Child("group"), service.Service(group))
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestMoveRefusesBeforeTheServiceIsTouched(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one, taken, stopping := service.NewMulti("one"), service.NewMulti("taken"), service.NewMulti("stopping")
		hold := newGate()
		group, below := service.NewMulti("group"), service.NewMulti("below")
		must(t, group.Add(j.brief("a"), below), one.Add(group), one.Start(ctx))
		must(t, taken.Add(service.Func("group", nil)), taken.Start(ctx))
		must(t, stopping.Add(service.New("x", service.Hooks{Stop: hold.stubborn})), stopping.Start(ctx))
		stopped := later(func() error { return stopping.Stop(ctx) })
		<-hold.begun
		j.take()
		wantErr(t, service.Move(ctx, group, nil), "/one/group", service.ErrNoParent)
		wantErr(t, service.Move(ctx, group, group), "/one/group", service.ErrCycle)
		wantErr(t, service.Move(ctx, group, below), "/one/group", service.ErrCycle)
		wantErr(t, service.Move(ctx, group, taken), "/one/group", service.ErrNameTaken)
		wantErr(t, service.Move(ctx, group, stopping), "/one/group", service.ErrBusy)
		wantErr(t, service.Move(ctx, one, taken), "/one", service.ErrBusy) // it runs as a root
		wantEqual(t, j.take(), "")
		wantState(t, service.Running, group)
		wantEqual(t, group.Parent(), one)
		close(hold.open)
		must(t, <-stopped, one.Stop(ctx), taken.Stop(ctx))
	})
}

func TestMoveReservesNameAndPlace(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		g := newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn})
		must(t, one.Add(a), one.Start(ctx), two.Start(ctx))
		moved := later(func() error { return service.Move(ctx, a, two) })
		<-g.begun
		wantErr(t, two.Add(service.Func("a", nil)), "/a", service.ErrNameTaken)
		wantErr(t, service.Move(ctx, a, two), "/one/a", service.ErrBusy)
		must(t, two.Add(service.Func("b", nil)))
		wantEqual(t, names(two), "b")
		wantEqual(t, two.Child("a"), nil)
		close(g.open)
		must(t, <-moved)
		wantEqual(t, names(two), "a b")
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestMoveThatFailsLeavesItWithoutParent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		must(t, one.Start(ctx), two.Start(ctx))
		var start, stop error
		a := service.New("a", service.Hooks{
			Start: func(context.Context) error { return start },
			Stop:  func(context.Context) error { return stop },
		})
		must(t, one.Add(a))
		stop = errBoom
		err := service.Move(ctx, a, two)
		wantErr(t, err, "its stop failed", errBoom)
		wantEqual(t, a.Parent(), nil)
		wantEqual(t, names(one)+names(two), "")

		stop = nil
		must(t, one.Add(a))
		start = errBoom
		err = service.Move(ctx, a, two)
		wantErr(t, err, "without a parent", errBoom)
		wantErr(t, err, "/two/a")
		wantEqual(t, a.Parent(), nil)
		start = nil
		must(t, two.Add(a), one.Stop(ctx), two.Stop(ctx)) // the name was given back
	})
}

func TestMoveGivesUpWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		g := newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn})
		must(t, one.Add(a), one.Start(ctx), two.Start(ctx))
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		wantErr(t, service.Move(short, a, two), "gave up", context.DeadlineExceeded)
		left := a.DisownParent() // goes on
		close(g.open)
		must(t, left.Wait(ctx))
		must(t, two.Add(a), one.Stop(ctx), two.Stop(ctx))
	})
}

// Where the context ends as the stop does, the error is not that the stop failed.
func TestMoveWhoseContextEndsWithTheStop(t *testing.T) {
	for range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		one, two := service.NewMulti("one"), service.NewMulti("two")
		a := service.New("a", service.Hooks{Stop: func(context.Context) error {
			cancel()
			return nil
		}})
		must(t, one.Add(a), one.Start(t.Context()))
		if err := service.Move(ctx, a, two); err != nil {
			wantErr(t, err, "gave up waiting for its stop", context.Canceled)
		} else {
			wantEqual(t, a.Parent(), two)
		}
		must(t, one.Stop(t.Context()))
	}
}

func TestMoveToAParentThatStopsMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		g, hold := newGate(), newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn})
		must(t, two.Add(service.New("hold", service.Hooks{Stop: hold.stubborn})))
		must(t, one.Add(a), one.Start(ctx), two.Start(ctx))
		moved := later(func() error { return service.Move(ctx, a, two) })
		<-g.begun
		stopped := later(func() error { return two.Stop(ctx) })
		<-hold.begun
		close(g.open)
		wantErr(t, <-moved, "/a", service.ErrBusy)
		close(hold.open)
		must(t, <-stopped, one.Stop(ctx))
		wantEqual(t, a.Parent(), nil)
	})
}
