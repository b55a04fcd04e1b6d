package tub_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

// keeper keeps what it is given and gives out what it has.
type keeper struct {
	own  *lent
	held any
}

func (k *keeper) Own() *lent                { return k.own }
func (k *keeper) IsOwn(o *lent) bool        { return o == k.own }
func (k *keeper) Keep(v any)                { k.held = v }
func (k *keeper) Kept() any                 { return k.held }
func (k *keeper) Drop()                     { k.held = nil }
func (k *keeper) Same(a, b any) bool        { return a == b }
func (k *keeper) Both() []any               { return []any{k.own, k.own, tub.Tuple{k.own}} }
func (k *keeper) Furl(r *tub.Reference) any { return r.FURL().String() }

func (k *keeper) Ask(ctx context.Context, r *tub.Reference) (string, error) {
	return tub.Call[string](ctx, r, "text")
}

func TestObjectsComeHomeAsThemselves(t *testing.T) {
	ref := reach(t, &keeper{own: &lent{"theirs"}})
	theirs := must(tub.Call[*tub.Reference](within(t), ref, "own"))
	if !must(tub.Call[bool](within(t), ref, "is_own", theirs)) {
		t.Error("the object did not come home")
	}
	mine := &lent{"mine"}
	if got := must(tub.Call[string](within(t), ref, "ask", mine)); got != "mine" {
		t.Errorf("ask: %q", got)
	}
	must(ref.Call(within(t), "keep", mine))
	if got := must(ref.Call(within(t), "kept")); got != any(mine) {
		t.Errorf("kept: %v, want the object itself", got)
	}
	if got := must(tub.Call[*lent](within(t), ref, "kept")); got != mine {
		t.Errorf("kept as *lent: %v", got)
	}
	if !must(tub.Call[bool](within(t), ref, "same", mine, mine)) || must(tub.Call[bool](within(t), ref, "same", mine, &lent{"other"})) {
		t.Error("the peer cannot tell objects apart")
	}
	revocable, _ := tub.Revocable(mine)
	exposed := tub.Expose(mine, "Text")
	for _, c := range [][2]any{{revocable, revocable}, {exposed, mine}} {
		must(ref.Call(within(t), "keep", c[0]))
		if got := must(ref.Call(within(t), "kept")); got != c[1] {
			t.Errorf("%T came home as %T", c[0], got)
		}
	}
}

func TestOneReferenceWhileItLives(t *testing.T) {
	ref := reach(t, &keeper{own: &lent{"theirs"}})
	first := must(tub.Call[*tub.Reference](within(t), ref, "own"))
	second := must(tub.Call[*tub.Reference](within(t), ref, "own"))
	all := must(tub.Call[[]any](within(t), ref, "both"))
	if first != second || all[0] != any(first) || all[1] != any(first) || all[2].(tub.Tuple)[0] != any(first) {
		t.Error("one object, several references")
	}
	if first.TubID() != ref.TubID() || first.FURL().IsZero() || first.FURL().TubID() != ref.TubID() {
		t.Errorf("TubID %s, FURL %v", first.TubID(), first.FURL())
	}
}

func TestWhatNobodyHoldsIsReleased(t *testing.T) {
	l := new(lender)
	ref := reach(t, l)
	const objects = 20
	held := make([]*tub.Reference, objects)
	for i := range held {
		held[i] = must(tub.Call[*tub.Reference](within(t), ref, "lend"))
	}
	runtime.GC()
	runtime.GC()
	if n := l.freed.Load(); n != 0 {
		t.Errorf("%d of the objects that are held are gone", n)
	}
	for _, h := range held {
		if got := must(tub.Call[string](within(t), h, "text")); got != "mine" {
			t.Errorf("text: %q", got)
		}
	}
	runtime.KeepAlive(held)
	collected(t, "objects whose references are gone", func() bool { return l.freed.Load() == objects })
	runtime.KeepAlive(ref)
}

func TestTheOwnersObjectsGoWithTheConnection(t *testing.T) {
	l := new(lender)
	server := start(t)
	furl := must(server.Register(l, ""))
	client := must(tub.New())
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ref := must(client.GetReference(within(t), furl))
	lent := must(tub.Call[*tub.Reference](within(t), ref, "lend"))
	if err := client.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	collected(t, "an object that was held over a lost connection", func() bool { return l.freed.Load() == 1 })
	runtime.KeepAlive(lent)
}

// An object that is sent gets a name, but only for as long as somebody holds
// it.
func TestAutomaticNamesVanishWithTheirObjects(t *testing.T) {
	server := start(t)
	k := &keeper{own: &lent{"theirs"}}
	furl := must(server.Register(k, ""))
	client := start(t)
	ref := must(client.GetReference(within(t), furl))
	own := must(tub.Call[*tub.Reference](within(t), ref, "own")).FURL()
	if got, err := client.GetReference(within(t), own); err != nil || must(tub.Call[string](within(t), got, "text")) != "theirs" {
		t.Fatalf("while it is held: %v", err)
	}
	gone := func() bool {
		runtime.GC()
		var remote *tub.RemoteError
		_, err := client.GetReference(within(t), own)
		if err != nil && (!errors.As(err, &remote) || !remote.IsA("builtins.KeyError")) {
			t.Fatal(err)
		}
		return err != nil
	}
	collected(t, "a name that was made for sending", gone)
	runtime.KeepAlive(ref)
}

func TestConcurrentUseAndRelease(t *testing.T) {
	server := start(t)
	k := &keeper{own: &lent{"theirs"}}
	furl := must(server.Register(k, ""))
	var all sync.WaitGroup
	for range 3 {
		ref := must(start(t).GetReference(within(t), furl))
		for range 4 {
			all.Go(func() {
				for i := range 60 {
					own, err := tub.Call[*tub.Reference](within(t), ref, "own")
					if err != nil {
						t.Error(err)
						return
					}
					if ok, err := tub.Call[bool](within(t), ref, "is_own", own); err != nil || !ok {
						t.Errorf("is_own: %v, %v", ok, err)
						return
					}
					if i%10 == 0 {
						runtime.GC()
					}
				}
			})
		}
	}
	all.Wait()
}

func TestDisconnectIsToldOnce(t *testing.T) {
	server := start(t)
	ref := must(start(t).GetReference(within(t), must(server.Register(new(calculator), ""))))
	var told, cancelled atomic.Int64
	done := make(chan error, 3)
	ref.OnDisconnect(func(err error) { told.Add(1); done <- err })
	cancel := ref.OnDisconnect(func(error) { cancelled.Add(1) })
	cancel()
	cancel()
	server.Stop(within(t))
	if err := <-done; err == nil {
		t.Error("without a reason")
	}
	cancelAfter := ref.OnDisconnect(func(err error) { done <- err }) // it is lost already
	if err := <-done; err == nil {
		t.Error("afterwards: without a reason")
	}
	cancelAfter()
	if told.Load() != 1 || cancelled.Load() != 0 {
		t.Errorf("told %d times, and %d times after it was taken back", told.Load(), cancelled.Load())
	}
}

func TestATubReachesItsOwnObjects(t *testing.T) {
	dialled := false
	tb := start(t, tub.DialPolicy(func(tub.Dial) error { dialled = true; return nil }))
	k := &keeper{own: &lent{"own"}}
	furl := must(tb.Register(k, ""))
	ref := must(tb.GetReference(within(t), furl))
	if ref.TubID() != tb.ID() || must(tb.GetReference(within(t), furl)) != ref {
		t.Errorf("got %v", ref)
	}
	own := must(tub.Call[*tub.Reference](within(t), ref, "own"))
	if !must(tub.Call[bool](within(t), ref, "is_own", own)) {
		t.Error("the object did not come home")
	}
	mine := &lent{"mine"}
	if got := must(tub.Call[string](within(t), ref, "ask", mine)); got != "mine" {
		t.Errorf("ask: %q", got)
	}
	must(ref.Call(within(t), "keep", mine))
	if got := must(ref.Call(within(t), "kept")); got != any(mine) {
		t.Errorf("kept: %v", got)
	}
	if dialled {
		t.Error("the network was used")
	}
}

func TestAReferenceIsForItsOwnTub(t *testing.T) {
	a, b := reach(t, &keeper{own: &lent{"a"}}), reach(t, new(keeper))
	for _, arg := range []any{a, []any{a}, map[string]any{"k": a}} {
		if _, err := b.Call(within(t), "keep", arg); !errors.Is(err, tub.ErrThirdParty) || !errors.Is(err, tub.ErrViolation) {
			t.Errorf("got %v, want ErrThirdParty", err)
		}
	}
	var none *tub.Reference
	if got := must(b.Call(within(t), "same", none, nil)); got != true {
		t.Error("a nil reference is not None")
	}
}
