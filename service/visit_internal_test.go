package service

import (
	"context"
	"testing"
	"testing/synctest"
)

// Starts that go side by side have a list of places to visit. One that a child has left must not be
// visited, wherever the child is now.
func TestChildRemovedAndAddedAgainIsVisitedAtItsNewPlaceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starts := 0
		open := make(chan struct{})
		g := NewMulti("g")
		first := New("first", Hooks{Start: func(context.Context) error { <-open; return nil }})
		c := New("c", Hooks{Start: func(context.Context) error { starts++; return nil }})
		if err := g.Add(first, c); err != nil {
			t.Fatal(err)
		}
		started := make(chan error, 1)
		go func() { started <- g.Start(t.Context()) }()
		synctest.Wait()

		old := c.place
		<-c.DisownParent().Done()
		if err := g.Add(c); err != nil {
			t.Fatal(err)
		}
		if c.place == old {
			t.Fatal("it has its old place")
		}
		g.mu.Lock()
		l := g.life
		g.mu.Unlock()
		if c.enter(l, old) != nil {
			t.Error("it is visited where it was")
		}
		close(open)
		if err := <-started; err != nil || starts != 1 || c.State() != Running {
			t.Errorf("%v; %d starts; %v", err, starts, c)
		}
		if err := g.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
