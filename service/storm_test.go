package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

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
	defer watchdog(t, func() string { return dump(parents...) })()
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
	defer watchdog(t, func() string { return dump(groups...) })()
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
	defer watchdog(t, func() string { return dump(groups...) })()
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

// TestRandomTrees throws requests at a tree, side by side, and checks what must hold whenever
// nothing moves.
func TestRandomTrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) { randomTree(t, rand.New(rand.NewPCG(seed, 1))) })
	})
}

func randomTree(t *testing.T, r *rand.Rand) {
	ctx := t.Context()
	root := service.NewMulti("root", service.StopWithin(100*time.Second))
	groups := []*service.MultiService{root}
	all := []service.Service{root}
	for i := range 4 {
		var opts []service.Option
		if r.IntN(2) == 0 {
			opts = append(opts, service.SideBySide())
		}
		opts = append(opts, randomPolicy(r), service.Strategy(service.Group(r.IntN(3))))
		g := service.NewMultiBase(nil, fmt.Sprint("g", i), randomHooks(t, r, fmt.Sprint("g", i)), opts...)
		groups, all = append(groups, g), append(all, g)
	}
	for i := range 6 {
		all = append(all, service.New(fmt.Sprint("s", i), randomHooks(t, r, fmt.Sprint("s", i)), randomPolicy(r)))
	}
	for range 40 {
		s, g := all[r.IntN(len(all))], groups[r.IntN(len(groups))]
		op, wait := r.IntN(9), r.IntN(3)
		go func() {
			switch op {
			case 0, 1:
				if s != service.Service(root) {
					s.SetParent(g)
				}
			case 2:
				s.DisownParent()
			case 3:
				if s != service.Service(root) {
					service.Move(ctx, s, g)
				}
			case 4:
				s.Stop(ctx)
			case 5:
				s.Start(ctx)
			case 6:
				root.Start(ctx)
			case 7:
				c, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				s.Start(c)
			case 8:
				service.Move(ctx, s, g, service.KeepRunning())
			}
		}()
		switch wait {
		case 0:
			time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
		case 1:
			time.Sleep(time.Hour)
			synctest.Wait()
			checkTree(t, all, groups)
		}
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	checkTree(t, all, groups)
	for _, s := range all {
		s.Stop(ctx)
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, s := range all {
		if st := s.State(); st != service.Idle && st != service.Failed {
			t.Errorf("%s is %v in the end", s.Path(), st)
		}
	}
}

func randomPolicy(r *rand.Rand) service.Option {
	var opts []service.Option
	switch r.IntN(5) {
	case 0:
		opts = append(opts, service.OnFailure(service.Ignore))
	case 1, 2, 3:
		opts = append(opts, restart(service.Backoff{Initial: 3 * time.Second, Limit: 4, Within: time.Hour}))
	}
	if r.IntN(5) == 0 {
		opts = append(opts, service.Significant())
	}
	return service.Options(opts)
}

// checkTree checks a tree in which nothing is under way.
func checkTree(t *testing.T, all []service.Service, groups []*service.MultiService) {
	t.Helper()
	listed := map[service.Service]*service.MultiService{}
	for _, g := range groups {
		for c := range g.Children() {
			if listed[c] != nil {
				t.Errorf("%s is a child of two", c.Path())
			}
			listed[c] = g
			if g.Child(c.Name()) != c {
				t.Errorf("%s is not found by its name", c.Path())
			}
		}
	}
	for _, s := range all {
		if s.Parent() != listed[s] {
			t.Errorf("%s has the parent %v and is listed by %v", s.Path(), s.Parent(), listed[s])
		}
		st := s.State()
		if st == service.Starting || st == service.Stopping {
			t.Errorf("%s is still %v", s.Path(), st)
		}
		if (st == service.Failed) != (s.Err() != nil) {
			t.Errorf("%s is %v with error %v", s.Path(), st, s.Err())
		}
		if p := s.Parent(); p != nil && st == service.Running && p.State() != service.Running {
			t.Errorf("%s is %v below a parent that is %v", s.Path(), st, p.State())
		}
	}
}

// randomHooks take some seconds, fail now and then, and check that they are called as they may be.
func randomHooks(t *testing.T, r *rand.Rand, name string) (h service.Hooks) {
	var mu sync.Mutex
	rr := rand.New(rand.NewPCG(r.Uint64(), 2))
	var owed, running, draining bool
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rr.IntN(n)
	}
	work := func(ctx context.Context) error {
		d := time.Duration(draw(3)) * time.Second
		if draw(12) == 0 {
			time.Sleep(10 * time.Minute) // whatever the context says
			return nil
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			if draw(2) == 0 {
				return ctx.Err()
			}
		}
		if draw(12) == 0 {
			return errBoom
		}
		return nil
	}
	first := func(ctx context.Context) error {
		mu.Lock()
		if owed || running || draining {
			t.Errorf("%s is started while an earlier run is not over", name)
		}
		mu.Unlock()
		err := work(ctx)
		mu.Lock()
		owed = err == nil
		mu.Unlock()
		return err
	}
	acquires := draw(2) == 0
	if acquires {
		h.Acquire = first
		h.Start = work
	} else {
		h.Start = first
	}
	if draw(3) > 0 {
		h.Run = func(ctx context.Context) error {
			mu.Lock()
			if running || !owed {
				t.Errorf("%s: Run out of turn", name)
			}
			running = true
			mu.Unlock()
			defer func() {
				mu.Lock()
				running = false
				mu.Unlock()
			}()
			if draw(3) == 0 {
				return work(ctx)
			}
			return untilDone(ctx)
		}
	}
	if draw(2) == 0 {
		h.Drain = func(ctx context.Context) error {
			mu.Lock()
			draining = true
			mu.Unlock()
			defer func() {
				mu.Lock()
				draining = false
				mu.Unlock()
			}()
			return work(ctx)
		}
	}
	h.Stop = func(ctx context.Context) error {
		mu.Lock()
		if !owed || running || draining {
			t.Errorf("%s: Stop out of turn (owed %v, running %v, draining %v)", name, owed, running, draining)
		}
		owed = false
		mu.Unlock()
		return work(ctx)
	}
	return h
}
