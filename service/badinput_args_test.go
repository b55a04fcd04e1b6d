package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Bad input: arguments that are missing, malformed or too late. Each has one result.

func TestNilParentIsRefusedInEveryState(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		app, sub := service.NewMulti("app"), service.NewMulti("sub")
		w.see(app)
		bad := service.New("bad", service.Hooks{Start: func(context.Context) error { return errBoom }})
		must(t, app.Add(sub, service.Func("a", untilDone)), app.Start(ctx))
		wantErr(t, bad.Start(ctx), "/bad", errBoom)
		for _, s := range []service.Service{app, sub, app.Child("a"), bad, service.NewMulti("idle"), service.Func("", nil)} {
			state, parent := s.State(), s.Parent()
			wantErr(t, s.SetParent(nil), s.Path(), service.ErrNoParent)
			wantErr(t, service.Move(ctx, s, nil), s.Path(), service.ErrNoParent)
			wantState(t, state, s)
			wantEqual(t, s.Parent(), parent)
		}
		must(t, app.Stop(ctx))
	})
}

// panics says whether f does.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// What is nil where Go has no use for nil panics in the caller, and the tree goes on.
func TestNilServicesAndContextsPanicAndLeaveNoLockBehind(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		type hollow struct{ *service.Base }
		app := service.NewMulti("app")
		slow := service.Hooks{Stop: func(context.Context) error { // so that there is something to wait for
			time.Sleep(time.Second)
			return nil
		}}
		a, group, lone := service.New("a", slow), service.NewMultiBase(nil, "group", slow), service.NewMulti("lone")
		must(t, app.Add(a, group), app.Start(ctx))
		w.see(app, lone)
		var none context.Context
		for what, f := range map[string]func(){
			"a nil child":            func() { app.Add(nil) },
			"a nil Base":             func() { app.Add((*service.Base)(nil)) },
			"a nil group":            func() { app.Add((*service.MultiService)(nil)) },
			"a type without a Base":  func() { app.Add(hollow{}) },
			"to move nothing":        func() { service.Move(ctx, nil, app) },
			"to look below nothing":  func() { service.Lookup[*service.Base](nil, "a") },
			"to run nothing":         func() { service.Run(ctx, nil) },
			"to run without context": func() { service.Run(none, lone) },
			"to start without":       func() { lone.Start(none) },
			"to stop without":        func() { group.Stop(none) }, // which begins
			"to move without":        func() { service.Move(none, lone, app) },
			"to wait without":        func() { a.DisownParent().Wait(none) }, // which begins
		} {
			if !panics(f) {
				t.Errorf("%s does not panic", what)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		wantEqual(t, names(app), "group")
		wantEqual(t, a.Parent(), nil)
		wantState(t, service.Idle, a, group, lone)
		must(t, app.Add(a, lone, service.Func("b", nil)), group.Start(ctx))
		wantState(t, service.Running, app, a, group, lone)
		must(t, app.Stop(ctx))
	})
}

func TestAddOfNothing(t *testing.T) {
	app := service.NewMulti("app")
	must(t, app.Add())
	wantEqual(t, names(app), "")
}

// Any hook may be missing: a start and a stop call the others.
func TestNilHooks(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		var j journal
		all := j.hooks("a")
		set := []func(*service.Hooks){
			func(h *service.Hooks) { h.Acquire = all.Acquire },
			func(h *service.Hooks) { h.Start = all.Start },
			func(h *service.Hooks) { h.Run = all.Run },
			func(h *service.Hooks) { h.Drain = all.Drain },
			func(h *service.Hooks) { h.Stop = all.Stop },
		}
		order := []struct {
			line string
			hook int
		}{{"a.acquire", 0}, {"a.start", 1}, {"a.drain", 3}, {"a.run-end", 2}, {"a.stop", 4}}
		for mask := range 1 << len(set) {
			var h service.Hooks
			for i, f := range set {
				if mask>>i&1 == 1 {
					f(&h)
				}
			}
			var want []string
			for _, o := range order {
				if mask>>o.hook&1 == 1 {
					want = append(want, o.line)
				}
			}
			leaf, group := service.New("a", h), service.NewMultiBase(nil, "a", h)
			for _, s := range []service.Service{leaf, group} {
				for _, root := range []service.Service{s, nil} {
					if root == nil {
						app := service.NewMulti("app")
						must(t, app.Add(s))
						root = app
					}
					w.see(root)
					must(t, root.Start(ctx))
					wantState(t, service.Running, s)
					synctest.Wait()
					must(t, root.Stop(ctx))
					wantState(t, service.Idle, s)
					wantEqual(t, j.take(), strings.Join(want, " "))
				}
			}
		}
		must(t, service.Func("f", nil).Start(ctx))
	})
}

func TestNilSelfIsTheNode(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		app := service.NewMultiBase(nil, "app", service.Hooks{})
		group, leaf := service.NewMultiBase(nil, "group", service.Hooks{}), service.NewBase(nil, "leaf", service.Hooks{})
		must(t, app.Add(group, leaf))
		w.see(app)
		wantEqual(t, app.Self(), service.Service(app))
		wantEqual(t, leaf.Parent().Self(), service.Service(app))
		wantEqual(t, app.Child("leaf"), service.Service(leaf))
		wantEqual(t, collect(app)[0], service.Service(group))
		found, err := service.Lookup[*service.MultiService](app, "group")
		must(t, err)
		wantEqual(t, found, group)
		must(t, app.Start(ctx), app.Stop(ctx))
	})
}

func TestBadNamesAreRefusedEverywhere(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		running, idle := service.NewMulti("running"), service.NewMulti("idle")
		must(t, running.Start(ctx))
		w.see(running, idle)
		for _, name := range []string{"", "/", "/a", "a/", "a/b", "//", "../a"} {
			for _, s := range []service.Service{service.Func(name, untilDone), service.NewMulti(name)} {
				wantErr(t, s.Start(ctx), "/"+name, service.ErrBadName)
				wantErr(t, service.Run(ctx, s, service.WithSignals()), "/"+name, service.ErrBadName)
				for _, to := range []*service.MultiService{running, idle} {
					wantErr(t, s.SetParent(to), "/"+name, service.ErrBadName)
					wantErr(t, service.Move(ctx, s, to), "/"+name, service.ErrBadName)
					wantEqual(t, names(to), "")
				}
				must(t, s.Stop(ctx))
				wantErr(t, s.DisownParent().Err(), "/"+name, service.ErrNoParent)
				wantState(t, service.Idle, s)
			}
			if _, err := service.Lookup[service.Service](running, "x/"+name); !errors.Is(err, service.ErrNotFound) {
				t.Errorf("looking up %q: %v", name, err)
			}
		}
		must(t, running.Stop(ctx))
	})
}

// Whatever else a name holds is the business of who gives it.
func TestOddNamesAreNames(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		app := service.NewMulti("app", service.StopWithin(time.Second))
		w.see(app)
		for _, name := range []string{" ", ".", "..", "a b", `"`, `a"}`, "\n", "\x00", "\xff", "ü", `\`, "%v", strings.Repeat("long", 1000)} {
			g := newGate()
			a := service.New(name, service.Hooks{Run: g.stubborn})
			must(t, app.Add(a))
			wantErr(t, app.Add(service.Func(name, nil)), "/"+name, service.ErrNameTaken)
			found, err := service.Lookup[*service.Base](app, name)
			must(t, err)
			wantEqual(t, found, a)
			must(t, app.Start(ctx))
			<-g.begun
			// It is also found among the stacks.
			err = app.Stop(ctx)
			wantErr(t, err, "/app/"+name, service.ErrStopTimeout)
			if s := fmt.Sprintf("%+v", err); !strings.Contains(s, "stubborn") {
				t.Errorf("no stacks for the name %q in %s", name, s)
			}
			close(g.open)
			synctest.Wait()
			must(t, a.DisownParent().Wait(ctx))
		}
	})
}

func TestDuplicateNamesInEveryStateOfTheFirst(t *testing.T) {
	watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
		app, other := service.NewMulti("app"), service.NewMulti("other")
		w.see(app, other)
		start, stop := newGate(), newGate()
		first := service.New("a", service.Hooks{Start: start.stubborn, Stop: stop.stubborn})
		refused := func(state service.State) {
			t.Helper()
			wantState(t, state, first)
			twin := service.NewMulti("a")
			wantErr(t, app.Add(twin), "/a", service.ErrNameTaken)
			wantErr(t, service.Move(ctx, twin, app), "/a", service.ErrNameTaken)
			attached := service.Func("a", nil)
			must(t, other.Add(attached))
			wantErr(t, service.Move(ctx, attached, app), "/other/a", service.ErrNameTaken)
			wantEqual(t, attached.Parent(), other)
			must(t, attached.DisownParent().Wait(ctx))
			wantEqual(t, names(app), "a")
			wantEqual(t, app.Child("a"), service.Service(first))
			wantState(t, service.Idle, twin)
		}
		must(t, app.Add(first))
		refused(service.Idle)
		must(t, first.DisownParent().Wait(ctx), app.Start(ctx))
		added := later(func() error { return app.Add(first) })
		<-start.begun
		refused(service.Starting)
		close(start.open)
		must(t, <-added)
		refused(service.Running)
		left := first.DisownParent()
		<-stop.begun
		refused(service.Stopping)
		close(stop.open)
		must(t, left.Wait(ctx), app.Add(service.Func("a", nil)), app.Stop(ctx))
	})
}

// Contexts that are done before the call.

func TestContextAlreadyDone(t *testing.T) {
	why := errors.New("too late")
	for _, c := range []struct {
		what string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want []error
	}{
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(why)
			return ctx, func() {}
		}, []error{context.Canceled, why}},
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadlineCause(ctx, time.Now(), why)
		}, []error{context.DeadlineExceeded, why}},
	} {
		t.Run(c.what, func(t *testing.T) {
			watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
				late, cancel := c.end(ctx)
				defer cancel()
				testContextDone(t, ctx, late, c.want, w)
			})
		})
	}
}

func testContextDone(t *testing.T, ctx, late context.Context, want []error, w *watchdog) {
	var j journal
	began := time.Now()
	hold := newGate()
	cause := context.Cause(late)

	// Start calls no hook and fails, in a tree of any shape.
	app, sub := service.NewMulti("app"), service.NewMulti("sub", service.SideBySide())
	h := j.hooks("a")
	h.Stop = func(ctx context.Context) error {
		j.write("a.stop")
		return hold.stubborn(ctx)
	}
	a := service.New("a", h)
	must(t, sub.Add(a), app.Add(sub))
	w.see(app)
	for _, s := range []service.Service{app, service.New("s", j.hooks("s")), service.Func("f", nil)} {
		wantErr(t, s.Start(late), s.Path(), want...)
		wantState(t, service.Failed, s)
		wantErr(t, s.Err(), s.Path(), want...)
	}
	wantEqual(t, j.take(), "")
	wantState(t, service.Idle, sub, a)

	// Run is asked for the stop before anything has begun, or as it does.
	must(t, service.Run(late, service.Func("r", untilDone), service.WithSignals()))

	// Start of what runs is nil; Stop of what does not, too.
	must(t, app.Stop(late), app.Start(ctx), app.Start(late), sub.Start(late))
	j.take()

	// Stop goes on without the caller.
	wantErr(t, app.Stop(late), "/app", cause)
	close(hold.open)
	must(t, app.Stop(ctx), app.Stop(late))
	wantEqual(t, j.take(), "a.drain a.run-end a.stop")

	// So does a disown; a future that is done says so.
	hold = newGate()
	must(t, app.Start(ctx))
	left := sub.DisownParent()
	wantEqual(t, left.Wait(late), cause)
	close(hold.open)
	must(t, left.Wait(ctx), left.Wait(late))

	// Move refuses it, after what is wrong with the request itself, and touches nothing.
	must(t, app.Add(sub))
	other := service.NewMulti("other")
	must(t, other.Start(ctx))
	w.see(other)
	j.take()
	for _, opts := range [][]service.MoveOption{nil, {service.KeepRunning()}} {
		wantErr(t, service.Move(late, sub, other, opts...), "/app/sub", cause)
		wantEqual(t, sub.Parent(), app)
	}
	wantErr(t, service.Move(late, sub, sub), "/app/sub", service.ErrCycle)
	synctest.Wait()
	wantState(t, service.Running, sub, a)
	wantEqual(t, j.take(), "")
	must(t, sub.DisownParent().Wait(ctx))
	wantErr(t, service.Move(late, sub, other), "/sub", cause) // also without a parent
	wantEqual(t, sub.Parent(), nil)
	wantEqual(t, names(other), "")
	wantState(t, service.Idle, sub, a)

	// Who joins a start leaves alone.
	g := newGate()
	slow := service.New("slow", service.Hooks{Start: g.stubborn})
	w.see(slow)
	started := later(func() error { return slow.Start(ctx) })
	<-g.begun
	wantErr(t, slow.Start(late), "/slow", cause)
	close(g.open)
	must(t, <-started, slow.Stop(ctx), app.Stop(ctx), other.Stop(ctx))
	wantEqual(t, time.Since(began), 0)
}
