package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"testing"

	"go.uber.org/goleak"
)

var everything = regexp.MustCompile("")

// TestSubjects takes every figure once. The census is part of each: a subject that does not run all
// its children, or does not wait for their end, has no figure.
func TestSubjects(t *testing.T) {
	for _, m := range measures {
		for _, s := range m.subjects {
			for _, n := range []int{1, 7, phased} {
				t.Run(fmt.Sprintf("%s/%d/%s", m.name, n, s.name), func(t *testing.T) {
					defer goleak.VerifyNone(t)
					figure, err := s.time(n, 10)
					if err != nil {
						t.Fatal(err)
					}
					mustHave(t, figure, wall, cpu)
					if s.memory == nil {
						return
					}
					if figure, err = s.memory(n, 10); err != nil {
						t.Fatal(err)
					}
					mustHave(t, figure, live, allocs)
				})
			}
		}
	}
}

func mustHave(t *testing.T, s sample, columns ...column) {
	t.Helper()
	for _, c := range columns {
		if v, ok := s[c]; !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s is %v", c, v)
		}
	}
	if s[wall] < 0 || s[cpu] < 0 {
		t.Errorf("less than no time: %v", s)
	}
}

// TestTreesRun looks at each tree from outside, while it runs.
func TestTreesRun(t *testing.T) {
	const n = 50
	for name, open := range map[string]opener{
		"raw-shared": openRawShared, "raw-each": openRawEach, "raw-named": openRawNamed, "raw-calls": openRawCalls,
		"octavo": openOctavo, "octavo-side": openOctavoSide,
		"octavo hooks": openOctavoHooks, "octavo-side hooks": openOctavoHooksSide,
		"suture": openSuture, "oklog": openOklog, "errgroup": openErrgroup,
		"fx": openFx, "fx hooks": openFxHooks, "dskit": openDskit, "dskit hooks": openDskitIdle,
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			c := newCensus(n)
			tree, err := open(names(n), c)
			if err != nil {
				t.Fatal(err)
			}
			if came := c.came.Load(); came != 0 {
				t.Errorf("%d children came before the start", came)
			}
			if err := tree.start(); err != nil {
				t.Fatal(err)
			}
			<-c.present
			if went := c.went.Load(); went != 0 {
				t.Errorf("%d children went before the stop", went)
			}
			if changing, ok := tree.(changing); ok {
				changeOnce(t, changing, c, n)
			} else if err := tree.stop(); err != nil {
				t.Error(err)
			} else if err := c.gone(n); err != nil {
				t.Error(err)
			}
		})
	}
}

// changeOnce adds a child and removes it, and stops the tree.
func changeOnce(t *testing.T, tree changing, c *census, n int) {
	t.Helper()
	if err := tree.add("one more"); err != nil {
		t.Fatal(err)
	}
	if err := tree.remove(); err != nil {
		t.Fatal(err)
	}
	if came, went := c.came.Load(), c.went.Load(); came != int64(n+1) || went != 1 {
		t.Errorf("after one was added and removed %d had come and %d had gone", came, went)
	}
	if err := tree.stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.gone(n + 1); err != nil {
		t.Error(err)
	}
}

// A cheat runs one child more than asked for, or does not end its children, or fails.
type cheat struct {
	c                 *census
	come, leave       int
	starting, stopped error
}

func (t *cheat) start() error {
	for range t.come {
		t.c.come()
	}
	return t.starting
}

func (t *cheat) stop() error {
	for range t.leave {
		t.c.leave()
	}
	return t.stopped
}

func (t *cheat) add(string) error { return t.starting }
func (t *cheat) remove() error    { return t.stopped }

func TestCheatsAreFoundOut(t *testing.T) {
	failure := errors.New("no")
	for name, by := range map[string]cheat{
		"one too many":     {come: 4, leave: 4},
		"does not wait":    {come: 3, leave: 2},
		"does not start":   {come: 3, leave: 3, starting: failure},
		"does not stop":    {come: 3, leave: 3, stopped: failure},
		"more go than are": {come: 3, leave: 4},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(_ []string, c *census) (tree, error) {
				cheat := by
				cheat.c = c
				return &cheat, nil
			}
			for _, s := range []subject{lifecycle("cheat", peer, open), change("cheat", peer, as(open))} {
				if _, err := s.time(3, 3); err == nil {
					t.Error("its time was taken")
				}
				if _, err := s.memory(3, 3); err == nil {
					t.Error("its memory was taken")
				}
			}
		})
	}
}
