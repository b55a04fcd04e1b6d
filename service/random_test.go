package service_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/octavo-go/octavo/service"
)

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
