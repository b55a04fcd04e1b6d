package tub_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

// tally counts without a lock: the race detector sees every overlap of its
// methods.
type tally struct {
	n       int
	inside  int
	overlap bool
	goOn    chan struct{}
	begun   chan struct{}
	order   []int
}

func newTally() *tally { return &tally{goOn: make(chan struct{}), begun: make(chan struct{}, 1000)} }

func (c *tally) enter() {
	c.inside++
	c.overlap = c.overlap || c.inside != 1
	c.n++
}

func (c *tally) leave() { c.inside-- }

func (c *tally) Add() int { c.enter(); defer c.leave(); return c.n }

func (c *tally) Note(i int) { c.enter(); defer c.leave(); c.order = append(c.order, i) }

func (c *tally) Order() []int { return c.order }

func (c *tally) Overlap() bool { return c.overlap }

// AddThrough waits for another object in the middle.
func (c *tally) AddThrough(ctx context.Context, other *tub.Reference) (int, error) {
	c.enter()
	c.leave()
	_, err := other.Call(ctx, "add")
	c.enter()
	defer c.leave()
	return c.n, err
}

func (c *tally) AddYielding(ctx context.Context) int {
	c.enter()
	c.leave()
	tub.Yield(ctx, func() {})
	c.enter()
	defer c.leave()
	return c.n
}

// Hold keeps the turn until it is let go.
func (c *tally) Hold() { c.begun <- struct{}{}; <-c.goOn }

// Await gives the turn up until it is let go.
func (c *tally) Await(ctx context.Context) int {
	c.begun <- struct{}{}
	tub.Yield(ctx, func() { <-c.goOn })
	c.enter()
	defer c.leave()
	c.order = append(c.order, -1)
	return c.n
}

func (c *tally) LetGo() { close(c.goOn) }

func TestOneMethodOfAnObjectRunsAtATime(t *testing.T) {
	home, other := start(t), start(t)
	c, d := newTally(), new(tally)
	furl := must(home.Register(c, ""))
	elsewhere := must(other.Register(c, "")) // the same object, in another Tub
	revocable, _ := tub.Revocable(c)
	wrapped := must(home.Register(revocable, ""))
	exposed := must(other.Register(tub.Expose(c, "Add"), ""))
	var all sync.WaitGroup
	const each = 25
	for range 2 {
		client := start(t)
		back := d
		for _, f := range []tub.FURL{furl, elsewhere, wrapped, exposed} {
			ref := must(client.GetReference(within(t), f))
			for range each {
				all.Go(func() {
					if _, err := ref.Call(within(t), "add"); err != nil {
						t.Error(err)
					}
				})
				all.Go(func() {
					if _, err := ref.Call(within(t), "add_yielding"); err != nil {
						t.Error(err)
					}
				})
				all.Go(func() {
					if _, err := ref.Call(within(t), "add_through", back); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	all.Wait()
	ref := must(start(t).GetReference(within(t), furl))
	if n := must(tub.Call[int](within(t), ref, "add")); n != 2*4*each*5+1 {
		t.Errorf("counted %d, want %d", n, 2*4*each*5+1)
	}
	if must(tub.Call[bool](within(t), ref, "overlap")) {
		t.Error("two methods ran at once")
	}
}

func TestCallsBeginInTheOrderTheyWereMade(t *testing.T) {
	c := newTally()
	ref := reach(t, c)
	const calls = 2000
	for i := range calls {
		if err := ref.Send("note", i); err != nil {
			t.Fatal(err)
		}
	}
	order := must(tub.Call[[]int](within(t), ref, "order"))
	if len(order) != calls || !slices.IsSorted(order) {
		t.Errorf("%d calls, in order: %v", len(order), slices.IsSorted(order))
	}
}

func TestABusyObjectHoldsUpNobodyElse(t *testing.T) {
	tb := start(t)
	busy, free := newTally(), newTally()
	toBusy, toFree := must(tb.Register(busy, "")), must(tb.Register(free, ""))
	client := start(t)
	a, b := must(client.GetReference(within(t), toBusy)), must(client.GetReference(within(t), toFree))
	a.Send("hold")
	<-busy.begun
	for i := range 10 {
		a.Send("note", i)
		if _, err := b.Call(within(t), "add"); err != nil {
			t.Fatal(err)
		}
	}
	close(busy.goOn)
	if got := must(tub.Call[[]int](within(t), a, "order")); len(got) != 10 || !slices.IsSorted(got) {
		t.Errorf("after the wait: %v", got)
	}
}

// While a method is away others have the turn; it goes on when it has it back.
func TestAMethodThatYieldsLetsOthersIn(t *testing.T) {
	c := newTally()
	ref := reach(t, c)
	done := make(chan error, 1)
	go func() { _, err := ref.Call(within(t), "await"); done <- err }()
	<-c.begun
	for i := range 3 {
		if _, err := ref.Call(within(t), "note", i); err != nil {
			t.Fatal(err)
		}
	}
	close(c.goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if order := must(tub.Call[[]int](within(t), ref, "order")); !slices.Equal(order, []int{0, 1, 2, -1}) {
		t.Errorf("order %v", order)
	}
}

type pingPong struct{ peer *tub.Reference }

func (p *pingPong) Meet(other *tub.Reference) { p.peer = other }

func (p *pingPong) Bounce(ctx context.Context, n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	m, err := tub.Call[int](ctx, p.peer, "bounce", n-1)
	return m + 1, err
}

func TestObjectsThatCallEachOtherBackDoNotDeadlock(t *testing.T) {
	a, b := start(t), start(t)
	pa, pb := new(pingPong), new(pingPong)
	fa, fb := must(a.Register(pa, "")), must(b.Register(pb, ""))
	pb.peer = must(b.GetReference(within(t), fa))
	pa.peer = must(a.GetReference(within(t), fb))
	client := start(t)
	ra, rb := must(client.GetReference(within(t), fa)), must(client.GetReference(within(t), fb))
	var all sync.WaitGroup
	for range 20 {
		for _, ref := range []*tub.Reference{ra, rb} {
			all.Go(func() {
				if got, err := tub.Call[int](within(t), ref, "bounce", 12); err != nil || got != 12 {
					t.Errorf("bounce = %d, %v", got, err)
				}
			})
		}
	}
	all.Wait()
}

func TestTwoHundredCallersAtOnce(t *testing.T) {
	ref := reach(t, newTally())
	var all sync.WaitGroup
	seen := make([]int, 200)
	for i := range seen {
		all.Go(func() {
			var err error
			if seen[i], err = tub.Call[int](within(t), ref, "add"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	slices.Sort(seen)
	for i, n := range seen {
		if n != i+1 {
			t.Fatalf("answer %d is %d", i, n)
		}
	}
}

// leaver starts goroutines with its method's context.
type leaver struct {
	n    int
	done chan error
	goOn chan struct{}
}

func (l *leaver) Keep(ctx context.Context, other *tub.Reference) {
	go func() {
		<-l.goOn // the method has returned
		tub.Yield(ctx, func() {})
		_, err := other.Call(ctx, "add")
		l.done <- err
	}()
}

func (l *leaver) Detached(ctx context.Context, other *tub.Reference) (err error) {
	l.n++
	got := make(chan error)
	go func() {
		_, err := other.Call(tub.Detach(ctx), "add") // leaves the turn alone
		got <- err
	}()
	err = <-got
	l.n++
	return err
}

func (l *leaver) Count() int { return l.n }

func (l *leaver) Leave() { close(l.goOn) }

func TestAContextKeptTooLongDoesNoHarm(t *testing.T) {
	l := &leaver{done: make(chan error, 10), goOn: make(chan struct{})}
	ref := reach(t, l)
	other := newTally()
	for range 5 {
		if _, err := ref.Call(within(t), "keep", other); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ref.Call(within(t), "leave"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := <-l.done; err != nil {
			t.Error(err)
		}
	}
	if n, err := tub.Call[int](within(t), ref, "count"); n != 0 || err != nil {
		t.Errorf("the object is %d, %v", n, err)
	}
}

func TestDetachLeavesTheTurnAlone(t *testing.T) {
	l := new(leaver)
	ref := reach(t, l)
	other := newTally()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := ref.Call(within(t), "detached", other); err != nil {
				t.Error(err)
			}
			if n, err := tub.Call[int](within(t), ref, "count"); err != nil || n%2 != 0 {
				t.Errorf("a method ran in the middle of another: %d, %v", n, err)
			}
		})
	}
	all.Wait()
	ctx := context.Background()
	if tub.Detach(ctx) != ctx {
		t.Error("Detach changes a context that is no method's")
	}
	ran := false
	tub.Yield(ctx, func() { ran = true })
	if !ran {
		t.Error("Yield outside of a method did not run")
	}
}

func TestRevokedObjectsAnswerNobody(t *testing.T) {
	c := newTally()
	inner, revokeInner := tub.Revocable(c)
	outer, revokeOuter := tub.Revocable(inner)
	tb, client := start(t), start(t)
	direct := must(client.GetReference(within(t), must(tb.Register(c, ""))))
	one := must(client.GetReference(within(t), must(tb.Register(inner, ""))))
	two := must(client.GetReference(within(t), must(tb.Register(outer, ""))))
	works := func(ref *tub.Reference) bool {
		_, err := ref.Call(within(t), "add")
		var remote *tub.RemoteError
		if err != nil && (!errors.As(err, &remote) || remote.Message != tub.ErrRevoked.Error()) {
			t.Error(err)
		}
		return err == nil
	}
	if !works(direct) || !works(one) || !works(two) {
		t.Error("not all worked before")
	}
	revokeInner()
	revokeInner()
	if !works(direct) || works(one) || works(two) {
		t.Error("revoking the inner one must end both that lead through it")
	}
	revokeOuter()
	if !works(direct) || works(two) {
		t.Error("revoking the outer one")
	}
}
