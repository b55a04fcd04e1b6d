package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// A unit is a service that checks its own hooks: that there is never a second copy, and that each
// start has one stop.
type unit struct {
	*service.Base
	hooks service.Hooks
	run   func(context.Context) error
	owes  atomic.Int32 // starts without their stop
	runs  atomic.Int32
}

func newUnit(t interface{ Errorf(string, ...any) }, name string) *unit {
	u := &unit{run: untilDone}
	u.hooks = service.Hooks{
		Start: func(context.Context) error {
			if u.owes.Add(1) != 1 {
				t.Errorf("%s started twice", name)
			}
			return nil
		},
		Run: func(ctx context.Context) error {
			if u.runs.Add(1) != 1 {
				t.Errorf("two Runs of %s", name)
			}
			defer u.runs.Add(-1)
			return u.run(ctx)
		},
		Stop: func(context.Context) error {
			if u.owes.Add(-1) != 0 || u.runs.Load() != 0 {
				t.Errorf("%s stopped while it runs, or twice", name)
			}
			return nil
		},
	}
	u.Base = service.NewBase(u, name, u.hooks)
	return u
}

func TestStormOfAttachesAndDisowns(t *testing.T) {
	ctx := t.Context()
	var parents []*service.MultiService
	defer guard(t, func() string { return dump(parents...) })()
	parents = []*service.MultiService{service.NewMulti("p"), service.NewMulti("q", service.SideBySide()), service.NewMulti("r")}
	for _, p := range parents {
		must(t, p.Start(ctx))
	}
	var units []*unit
	for i := range 6 {
		units = append(units, newUnit(t, fmt.Sprint("u", i)))
	}
	expected := []error{service.ErrHasParent, service.ErrNoParent, service.ErrBusy, service.ErrRemoved, service.ErrParentStopped, context.Canceled, service.ErrNameTaken}
	check := func(err error) {
		if err == nil {
			return
		}
		for _, e := range expected {
			if errors.Is(err, e) {
				return
			}
		}
		t.Errorf("unexpected: %v", err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 400 {
				u, p := units[rand.IntN(len(units))], parents[rand.IntN(len(parents))]
				switch rand.IntN(14) {
				case 0, 1, 2:
					check(u.SetParent(p))
				case 3, 4:
					check(u.DisownParent().Wait(ctx))
				case 5:
					u.DisownParent()
				case 6, 7:
					check(service.Move(ctx, u, p))
				case 8:
					check(u.Stop(ctx))
				case 9:
					if u.Parent() != nil { // as a root it could not be attached any more
						check(u.Start(ctx))
					}
				case 10:
					check(p.Stop(ctx))
				case 11:
					check(p.Start(ctx))
				case 12, 13:
					check(service.Move(ctx, u, p, service.KeepRunning()))
				}
			}
		})
	}
	all.Wait()
	for _, p := range parents {
		must(t, p.Stop(ctx))
		wantState(t, service.Idle, p)
	}
	for _, u := range units {
		must(t, u.Stop(ctx))
		if u.owes.Load() != 0 {
			t.Errorf("%s was left running", u.Path())
		}
	}
}

func TestCrossedAttachesOfGroupsDoNotDeadlock(t *testing.T) {
	ctx := t.Context()
	var groups []*service.MultiService
	defer guard(t, func() string { return dump(groups...) })()
	for i := range 5 {
		groups = append(groups, service.NewMulti(fmt.Sprint("g", i)))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				a, b := groups[rand.IntN(len(groups))], groups[rand.IntN(len(groups))]
				switch rand.IntN(8) {
				case 6, 7:
					service.Move(ctx, a, b, service.KeepRunning())
				case 0, 1:
					a.SetParent(b)
				case 2:
					a.DisownParent().Wait(ctx)
				case 3:
					service.Move(ctx, a, b)
				case 4:
					a.Start(ctx)
				case 5:
					a.Stop(ctx)
				}
			}
		})
	}
	all.Wait()
	for _, g := range groups {
		g.DisownParent().Wait(ctx)
		must(t, g.Stop(ctx))
	}
}

// Services fail, panic and end all the time, are restarted at once, and are pushed about meanwhile.
func TestStormOfRestarts(t *testing.T) {
	ctx := t.Context()
	var groups []*service.MultiService
	defer guard(t, func() string { return dump(groups...) })()
	root := service.NewMulti("root", restart(service.Backoff{Initial: -1, Limit: -1}))
	groups = append(groups, root)
	for i, strategy := range []service.Group{service.OneForOne, service.OneForAll, service.RestForOne} {
		opts := []service.Option{service.Strategy(strategy), restart(service.Backoff{Initial: time.Nanosecond, Limit: 20, Within: time.Millisecond})}
		if i == 0 {
			opts = append(opts, service.SideBySide())
		}
		g := service.NewMulti(fmt.Sprint("g", i), opts...)
		must(t, root.Add(g))
		groups = append(groups, g)
	}
	var units []*unit
	var runs atomic.Int32
	for i := range 9 {
		u := newUnit(t, fmt.Sprint("u", i))
		body := u.run
		u.run = func(ctx context.Context) error {
			runs.Add(1)
			short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(300))*time.Microsecond)
			defer cancel()
			body(short)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case rand.IntN(3) == 0:
				panic(errBoom)
			case rand.IntN(20) == 0:
				return nil
			}
			return errBoom
		}
		u.Base = service.NewBase(u, u.Name(), u.hooks, restart(service.Backoff{Initial: time.Microsecond, Max: time.Millisecond, Limit: 50, Within: time.Millisecond}))
		units = append(units, u)
		must(t, groups[1+i%3].Add(u))
	}
	must(t, root.Start(ctx))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 300 {
				u, g := units[rand.IntN(len(units))], groups[rand.IntN(len(groups))]
				switch rand.IntN(10) {
				case 0:
					u.Stop(ctx)
				case 1, 2, 3:
					if u.Parent() != nil {
						u.Start(ctx)
					}
				case 4:
					service.Move(ctx, u, g)
				case 5, 6:
					service.Move(ctx, u, g, service.KeepRunning())
				case 7:
					u.DisownParent().Wait(ctx)
					u.SetParent(g)
				case 8:
					g.Start(ctx)
				case 9:
					if rand.IntN(10) == 0 {
						g.Stop(ctx)
					}
					time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
				}
			}
		})
	}
	all.Wait()
	root.Stop(ctx)
	for _, u := range units {
		u.Stop(ctx)
	}
	before := runs.Load()
	time.Sleep(10 * time.Millisecond) // longer than any pause
	for _, u := range units {
		if u.owes.Load() != 0 || u.runs.Load() != 0 || u.State() == service.Running {
			t.Errorf("%s was left %v", u.Path(), u.State())
		}
	}
	if before < 100 || runs.Load() != before {
		t.Errorf("%d runs, %d of them after the end", before, runs.Load()-before)
	}
}
