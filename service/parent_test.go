package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/service"
)

// Invariant 1: one parent.

func TestSecondParentIsRefusedWithoutSideEffects(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		one, two := service.NewMulti("one"), service.NewMulti("two")
		a := j.brief("a")
		must(t, one.Add(a), one.Start(ctx), two.Start(ctx))
		j.take()
		for _, to := range []*service.MultiService{two, one} {
			wantErr(t, a.SetParent(to), "/one/a", service.ErrHasParent)
		}
		wantEqual(t, j.take(), "")
		wantEqual(t, a.Parent(), one)
		wantEqual(t, names(one)+"|"+names(two), "a|")
		wantEqual(t, two.Child("a"), nil)
		wantState(t, service.Running, a, one, two)
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestSecondParentIsRefusedWhileDisownIsNotFinished(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		one, two := service.NewMulti("one"), service.NewMulti("two")
		g := newGate()
		a := service.New("a", service.Hooks{Stop: g.stubborn})
		must(t, one.Add(a), one.Start(ctx), two.Start(ctx))
		left := a.DisownParent()
		<-g.begun
		wantErr(t, a.SetParent(two), "/one/a", service.ErrHasParent)
		wantErr(t, a.SetParent(one), "/one/a", service.ErrHasParent)
		wantErr(t, one.Add(service.Func("a", nil)), "a", service.ErrNameTaken)
		close(g.open)
		must(t, left.Wait(ctx), a.SetParent(two))
		wantState(t, service.Running, a)
		must(t, one.Stop(ctx), two.Stop(ctx))
	})
}

func TestAttachChecksInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		hold := newGate()
		stopping := service.NewMulti("stopping")
		must(t, stopping.Add(service.New("taken", service.Hooks{Stop: hold.stubborn})), stopping.Start(ctx))
		stopped := later(func() error { return stopping.Stop(ctx) })
		<-hold.begun

		idle := service.NewMulti("idle")
		must(t, idle.Add(service.NewMulti("taken")))
		attached := func(name string) service.Service {
			s := service.NewMulti(name)
			must(t, s.SetParent(service.NewMulti("p")))
			return s
		}
		running := func(name string) service.Service {
			s := service.NewMulti(name)
			must(t, s.Start(ctx))
			return s
		}
		top := service.NewMulti("taken")
		below := service.NewMulti("below")
		must(t, below.SetParent(top), below.Add(service.NewMulti("taken")))
		badTop := service.NewMulti("a/b")
		badBelow := service.NewMulti("below")
		must(t, badBelow.SetParent(badTop))

		for _, c := range []struct {
			what  string
			child service.Service
			to    *service.MultiService
			want  error
		}{
			{"no parent before bad name", service.NewMulti(""), nil, service.ErrNoParent},
			{"no parent before a parent had", attached("x"), nil, service.ErrNoParent},
			{"empty name", service.NewMulti(""), idle, service.ErrBadName},
			{"slash", service.NewMulti("a/b"), idle, service.ErrBadName},
			{"bad name before cycle", badTop, badBelow, service.ErrBadName},
			{"a parent had before busy", attached("taken"), stopping, service.ErrHasParent},
			{"a parent had before taken", attached("taken"), idle, service.ErrHasParent},
			{"itself", top, top, service.ErrCycle},
			{"cycle before taken", top, below, service.ErrCycle},
			{"stopping parent before taken", service.NewMulti("taken"), stopping, service.ErrBusy},
			{"running child before taken", running("taken"), idle, service.ErrBusy},
			{"taken", service.NewMulti("taken"), idle, service.ErrNameTaken},
		} {
			before := c.child.Parent()
			err := c.child.SetParent(c.to)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.what, err, c.want)
			}
			wantErr(t, err, c.child.Path())
			wantEqual(t, c.child.Parent(), before)
		}
		wantEqual(t, names(idle), "taken")
		wantErr(t, service.Func("", nil).Start(ctx), "", service.ErrBadName)
		wantErr(t, service.Func("a/b", nil).Start(ctx), "a/b", service.ErrBadName)
		close(hold.open)
		must(t, <-stopped)
	})
}

func TestNameIsFreeAgainAfterARefusedAttach(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Add(service.Func("a", nil)))
		twin := service.Func("a", nil)
		wantErr(t, app.Add(twin), "a", service.ErrNameTaken)
		wantErr(t, twin.DisownParent().Err(), "/a", service.ErrNoParent)
		must(t, app.Child("a").DisownParent().Err(), app.Add(twin))
		wantEqual(t, app.Child("a"), service.Service(twin))
	})
}

// Invariant 2: attach is atomic.

func TestAttachUnderRunningParentReturnsOnceTheChildRuns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Start(ctx))
		g := newGate()
		a := service.New("a", service.Hooks{Start: g.obeying})
		added := later(func() error { return app.Add(a) })
		<-g.begun
		wantState(t, service.Starting, a)
		wantEqual(t, a.Parent(), app)
		wantEqual(t, names(app), "a")
		wantErr(t, app.Add(service.Func("a", nil)), "a", service.ErrNameTaken)
		synctest.Wait()
		select {
		case err := <-added:
			t.Fatal("Add returned early:", err)
		default:
		}
		close(g.open)
		must(t, <-added)
		wantState(t, service.Running, a)
		must(t, app.Stop(ctx))
	})
}

func TestFailedAttachUnlinksAndCanBeTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app := service.NewMulti("app")
		must(t, app.Start(ctx))
		fail := errBoom
		a := service.New("a", service.Hooks{Start: func(context.Context) error { return fail }})
		err := app.Add(a)
		wantErr(t, err, "/app/a", errBoom)
		var start *service.StartError
		if !errors.As(err, &start) || start.Path != "/app/a" {
			t.Errorf("%v is no StartError of /app/a", err)
		}
		wantState(t, service.Failed, a)
		wantErr(t, a.Err(), "/app/a", errBoom)
		wantState(t, service.Running, app)
		wantEqual(t, a.Parent(), nil)
		wantEqual(t, names(app), "")
		fail = nil
		must(t, app.Add(a))
		wantState(t, service.Running, a)
		must(t, app.Stop(ctx))
	})
}

func TestAttachMetByTheParentsStopIsUndone(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		must(t, app.Start(ctx))
		g := newGate()
		var cause error
		a := service.New("a", service.Hooks{
			Acquire: j.hook("acquire", nil),
			Start: func(ctx context.Context) error {
				err := g.obeying(ctx)
				cause = context.Cause(ctx)
				return err
			},
			Stop: j.hook("stop", nil),
		})
		added := later(func() error { return app.Add(a) })
		<-g.begun
		must(t, app.Stop(ctx))
		wantErr(t, <-added, "/app/a", service.ErrParentStopped)
		wantEqual(t, cause, service.ErrParentStopped)
		wantEqual(t, j.take(), "acquire stop")
		wantState(t, service.Failed, a)
		wantState(t, service.Idle, app)
		wantEqual(t, a.Parent(), nil)
		wantEqual(t, names(app), "")
	})
}

func TestChildAddedDuringStartIsStartedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		sub := service.NewMulti("sub")
		g := newGate()
		must(t, app.Add(j.brief("a"), service.New("gate", service.Hooks{Start: g.stubborn}), sub))
		started := later(func() error { return app.Start(ctx) })
		<-g.begun
		late := service.New("late", j.hooks("late"))
		must(t, app.Add(late), sub.Add(j.brief("b")))
		wantState(t, service.Idle, late)
		wantErr(t, late.Start(ctx), "/app/late", service.ErrBusy)
		close(g.open)
		must(t, <-started)
		wantState(t, service.Running, late, app, sub)
		wantEqual(t, j.take(), "+a +b late.acquire late.start")
		must(t, app.Stop(ctx))
		wantEqual(t, j.take(), "late.drain late.run-end late.stop -b -a")
	})
}

func TestChildAddedByASiblingsHookIsStartedOnce(t *testing.T) {
	for _, phase := range []string{"acquire", "start"} {
		t.Run(phase, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var j journal
				app := service.NewMulti("app")
				add := func(context.Context) error { return app.Add(j.brief("added")) }
				h := service.Hooks{Acquire: add}
				if phase == "start" {
					h = service.Hooks{Start: add}
				}
				must(t, app.Add(service.New("adder", h), j.brief("z")), app.Start(ctx))
				wantEqual(t, j.take(), "+z +added")
				must(t, app.Stop(ctx))
			})
		})
	}
}

func TestChildDisownedBeforeItsStartIsNeverStarted(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var j journal
		app := service.NewMulti("app")
		a, b := j.brief("a"), j.brief("b")
		must(t, app.Add(service.New("first", service.Hooks{Start: func(ctx context.Context) error {
			return a.DisownParent().Wait(ctx)
		}}), a, b))
		must(t, app.Start(ctx))
		wantEqual(t, j.take(), "+b") // and the sibling behind it is not skipped
		wantState(t, service.Idle, a)
		wantEqual(t, a.Parent(), nil)
		must(t, app.Stop(ctx))

		left := b.DisownParent()
		<-left.Done() // an idle child goes at once
		must(t, left.Err())
		wantEqual(t, j.take(), "-b")
	})
}

func TestCycleIsFoundFromBothSidesAtOnce(t *testing.T) {
	for range 200 {
		a, b := service.NewMulti("a"), service.NewMulti("b")
		one := later(func() error { return a.SetParent(b) })
		two := b.SetParent(a)
		if err := <-one; (err == nil) == (two == nil) {
			t.Fatalf("%v and %v, want one cycle", err, two)
		} else {
			wantErr(t, errors.Join(err, two), "", service.ErrCycle)
		}
	}
}
