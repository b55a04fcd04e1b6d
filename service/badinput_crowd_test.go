package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/octavo-go/octavo/service"
)

// Bad input: everybody at once. These run outside bubbles, on all there is of processors.

// crowd calls f n times, side by side. The race detector follows some 8000 goroutines at most, so
// they come in waves of 2500 that begin together; between is called when one is through.
func crowd(n int, f func(i int), between func()) {
	const wave = 2500
	for first := 0; first < n; first += wave {
		var all sync.WaitGroup
		open := make(chan struct{})
		for i := first; i < min(first+wave, n); i++ {
			all.Go(func() {
				<-open
				f(i)
			})
		}
		close(open)
		all.Wait()
		between()
	}
}

// A ledger counts what befalls services: each that has been attached has been disowned since, or is
// there.
type ledger struct {
	attached map[service.Service]*atomic.Int32
	undone   atomic.Int32 // attaches, by the stop of the parent; a disown may have met that
	futures  sync.Map     // *service.Future to service.Service
}

func newLedger(ss ...service.Service) *ledger {
	l := &ledger{attached: map[service.Service]*atomic.Int32{}}
	for _, s := range ss {
		l.attached[s] = new(atomic.Int32)
	}
	return l
}

// attach attaches s; an error is one of refusals.
func (l *ledger) attach(t *testing.T, s service.Service, to *service.MultiService, refusals ...error) {
	err := s.SetParent(to)
	if err == nil || errors.Is(err, service.ErrRemoved) { // by a disown that met the attach
		l.attached[s].Add(1)
		return
	}
	if errors.Is(err, service.ErrParentStopped) {
		l.undone.Add(1)
	}
	for _, r := range refusals {
		if errors.Is(err, r) {
			return
		}
	}
	t.Errorf("attach of %s: %v", s.Name(), err)
}

func (l *ledger) disown(s service.Service) {
	f := s.DisownParent()
	if !errors.Is(f.Err(), service.ErrNoParent) {
		l.futures.Store(f, s)
	}
}

// check waits for all that has been disowned.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	disowned := map[service.Service]int32{}
	l.futures.Range(func(f, s any) bool {
		if err := f.(*service.Future).Wait(t.Context()); err != nil {
			t.Errorf("disown of %s: %v", s.(service.Service).Name(), err)
		}
		disowned[s.(service.Service)]++
		return true
	})
	for s, n := range l.attached {
		there := int32(0)
		if s.Parent() != nil {
			there = 1
		}
		if got, gone := n.Load(), disowned[s]+there; got > gone || gone > got+l.undone.Load() {
			t.Errorf("%s was attached %d times, disowned %d times, and its parent is %v", s.Name(), got, disowned[s], s.Parent())
		}
	}
}

func TestTenThousandAttachesAndDisownsOnSharedTrees(t *testing.T) {
	w := watch(t)
	ctx := t.Context()
	app, idle := service.NewMulti("app"), service.NewMulti("idle")
	parents := []*service.MultiService{
		service.NewMulti("p"), service.NewMulti("q", service.SideBySide()), service.NewMulti("r"),
	}
	for _, p := range parents {
		must(t, app.Add(p))
	}
	must(t, app.Start(ctx))
	groups := append(parents, app, idle)
	w.see(app, idle)

	var all []service.Service
	var units []*unit
	for i := range 40 {
		u := newUnit(t, fmt.Sprint("u", i))
		units = append(units, u)
		all = append(all, u)
	}
	l := newLedger(all...)
	crowd(10_000, func(int) {
		s := all[rand.IntN(len(all))]
		if rand.IntN(2) == 0 {
			l.disown(s)
		} else {
			l.attach(t, s, groups[rand.IntN(len(groups))], service.ErrHasParent)
		}
	}, func() {
		l.check(t)
		checkTree(t, all, groups)
		for _, s := range all {
			want := service.Idle
			if p := s.Parent(); p != nil {
				want = p.State()
			}
			wantState(t, want, s)
		}
	})
	must(t, app.Stop(ctx))
	wantState(t, service.Idle, all...)
	for _, u := range units {
		if u.owes.Load() != 0 || u.runs.Load() != 0 {
			t.Errorf("%s was left running", u.Path())
		}
	}
}

// count is a hook that counts its calls.
func count(n *atomic.Int32) func(context.Context) error {
	return func(context.Context) error {
		n.Add(1)
		return nil
	}
}

// One service and one parent, which is also stopped and started meanwhile.
func TestTenThousandAttachesAndDisownsOfOneService(t *testing.T) {
	w := watch(t)
	ctx := t.Context()
	app := service.NewMulti("app")
	must(t, app.Start(ctx))
	w.see(app)
	u := newUnit(t, "u")
	l := newLedger(u)
	crowd(10_000, func(i int) {
		switch {
		case i%100 == 0:
			if err := app.Stop(ctx); err != nil {
				t.Error(err)
			}
		case i%100 == 1:
			if err := app.Start(ctx); err != nil && !errors.Is(err, service.ErrBusy) &&
				!errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case i%2 == 0:
			l.disown(u)
		default:
			l.attach(t, u, app, service.ErrHasParent, service.ErrBusy, service.ErrParentStopped)
		}
	}, func() { l.check(t) })
	must(t, app.Stop(ctx))
	if u.owes.Load() != 0 || u.runs.Load() != 0 {
		t.Error("it was left running")
	}
}

// Groups that are made each other's parents.
func TestTenThousandAttachesThatWouldMakeCycles(t *testing.T) {
	w := watch(t)
	var all []service.Service
	var groups []*service.MultiService
	for i := range 12 {
		g := service.NewMulti(fmt.Sprint("g", i))
		all, groups = append(all, g), append(groups, g)
	}
	w.see(all...)
	l := newLedger(all...)
	crowd(10_000, func(int) {
		s := all[rand.IntN(len(all))]
		if rand.IntN(2) == 0 {
			l.disown(s)
		} else {
			l.attach(t, s, groups[rand.IntN(len(groups))], service.ErrHasParent, service.ErrCycle)
		}
	}, func() {
		l.check(t)
		checkTree(t, all, groups)
		for _, g := range groups {
			above := 0
			for p := g.Parent(); p != nil && above <= len(groups); p = p.Parent() {
				above++
			}
			if above > len(groups) {
				t.Fatalf("%s is below itself", g.Name())
			}
		}
	})
}

func TestTenThousandChildrenOfOneParent(t *testing.T) {
	watch(t) // without the tree, whose ten thousand lines would say nothing
	ctx := t.Context()
	app := service.NewMulti("app")
	must(t, app.Start(ctx))
	var started, stopped atomic.Int32
	var all []*service.Base
	for i := range 10_000 {
		all = append(all, service.New(fmt.Sprint("c", i), service.Hooks{
			Start: count(&started), Stop: count(&stopped),
		}))
	}
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	crowd(len(all), func(i int) { check(app.Add(all[i])) }, func() {})
	wantEqual(t, len(collect(app)), len(all))
	wantEqual(t, started.Load(), 10_000)
	crowd(len(all), func(i int) { check(all[i].DisownParent().Wait(ctx)) }, func() {})
	wantEqual(t, names(app), "")
	wantEqual(t, stopped.Load(), 10_000)
	must(t, app.Stop(ctx))
}

func TestOneOfTenThousandGetsTheName(t *testing.T) {
	w := watch(t)
	ctx := t.Context()
	running, idle := service.NewMulti("running"), service.NewMulti("idle")
	must(t, running.Start(ctx))
	w.see(running, idle)
	for _, p := range []*service.MultiService{running, idle} {
		var got atomic.Int32
		crowd(10_000, func(int) {
			s := service.Func("a", untilDone)
			if err := s.SetParent(p); err == nil {
				got.Add(1)
			} else if !errors.Is(err, service.ErrNameTaken) {
				t.Error(err)
			}
		}, func() {})
		wantEqual(t, got.Load(), 1)
		wantEqual(t, names(p), "a")
	}
	must(t, running.Stop(ctx))
}
