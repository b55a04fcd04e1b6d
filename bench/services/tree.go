package main

import "fmt"

// A tree is a number of children under one owner.
type tree interface {
	start() error // returns when all have been told to start
	stop() error  // returns when all have ended
}

// An opener makes a tree with children of these names, where it has names, that come to c. Nothing
// is started yet.
type opener func(names []string, c *census) (tree, error)

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("child-%06d", i)
	}
	return all
}

// phased is the number of children from which on a phase is long enough to be measured.
const phased = 1000

// lifecycle measures trees that are made, started and stopped.
func lifecycle(name string, k kind, open opener) subject {
	return subject{
		name: name,
		kind: k,
		time: func(n, work int) (sample, error) {
			names := names(n)
			reps := max(1, work/n)
			m := newMeter()
			mark := m.mark
			if n < phased {
				mark = func(column) {}
			}
			for range reps {
				if err := liveOnce(open, names, mark); err != nil {
					return nil, err
				}
			}
			return m.sample(n * reps), nil
		},
		memory: func(n, work int) (sample, error) { return weighTrees(open, n, work) },
	}
}

func liveOnce(open opener, names []string, mark func(column)) error {
	c := newCensus(len(names))
	t, err := open(names, c)
	if err != nil {
		return err
	}
	mark(making)
	if err := t.start(); err != nil {
		return err
	}
	<-c.present
	mark(start)
	if err := t.stop(); err != nil {
		return err
	}
	mark(stop)
	return c.gone(len(names))
}

// weighTrees measures trees that run, many at a time if they are small.
func weighTrees(open opener, n, work int) (sample, error) {
	names := names(n)
	trees := make([]tree, max(1, work/2/n))
	counts := make([]*census, len(trees))
	before := weigh()
	for i := range trees {
		c := newCensus(n)
		t, err := open(names, c)
		if err != nil {
			return nil, err
		}
		if err := t.start(); err != nil {
			return nil, err
		}
		<-c.present
		trees[i], counts[i] = t, c
	}
	s := before.sample(n * len(trees))
	for i, t := range trees {
		if err := t.stop(); err != nil {
			return nil, err
		}
		if err := counts[i].gone(n); err != nil {
			return nil, err
		}
	}
	return s, nil
}
