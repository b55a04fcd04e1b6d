package main

// A changing tree takes and gives children while it runs.
type changing interface {
	tree
	add(name string) error // returns when the child has been told to start
	remove() error         // takes the child added last; returns when it has ended
}

type changingOpener func(names []string, c *census) (changing, error)

// add+remove: one child is added to a running tree, and removed.
func init() {
	register(measure{
		name:  "add+remove",
		base:  "raw-each",
		least: 1000,
		subjects: []subject{
			change("raw-each", raw, as(openRawEach)),
			change("raw-named", raw, as(openRawNamed)),
			change("octavo", ours, as(openOctavo)),
			change("octavo-hooks", ours, as(openOctavoHooks)),
			change("suture", peer, as(openSuture)),
		},
	})
}

// as is for the openers of trees that can change.
func as(open opener) changingOpener {
	return func(names []string, c *census) (changing, error) {
		t, err := open(names, c)
		if err != nil {
			return nil, err
		}
		return t.(changing), nil
	}
}

func change(name string, k kind, open changingOpener) subject {
	return subject{
		name: name,
		kind: k,
		time: func(n, work int) (sample, error) {
			var s sample
			return s, changeRunning(open, n, work, func(change func() error) error {
				m := newMeter()
				err := change()
				s = m.sample(work)
				return err
			})
		},
		// Live is what a child that has been removed leaves behind.
		memory: func(n, work int) (sample, error) {
			var s sample
			return s, changeRunning(open, n, work, func(change func() error) error {
				before := weigh()
				err := change()
				s = before.sample(work)
				return err
			})
		},
	}
}

// changeRunning lets during do the change to a tree of n children that run: that many children are
// added and removed.
func changeRunning(open changingOpener, n, times int, during func(func() error) error) error {
	all := names(n + times)
	c := newCensus(n)
	t, err := open(all[:n], c)
	if err != nil {
		return err
	}
	if err := t.start(); err != nil {
		return err
	}
	<-c.present
	err = during(func() error {
		for _, name := range all[n:] {
			if err := t.add(name); err != nil {
				return err
			}
			if err := t.remove(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.stop(); err != nil {
		return err
	}
	return c.gone(n + times)
}
