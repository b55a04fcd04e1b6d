package tub_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

// Two Tubs that dial each other at the same moment end with one connection,
// and neither is told that there is no way.
func TestSimultaneousConnectsLeaveOneConnection(t *testing.T) {
	for range 40 {
		a, b := start(t), start(t)
		toA := must(a.Register(new(calculator), ""))
		toB := must(b.Register(new(calculator), ""))
		var both sync.WaitGroup
		var refs [2]*tub.Reference
		for i, from := range []struct {
			tub  *tub.Tub
			furl tub.FURL
		}{{a, toB}, {b, toA}} {
			both.Go(func() {
				ref, err := from.tub.GetReference(within(t), from.furl)
				if err != nil {
					t.Errorf("side %d: %v", i, err)
					return
				}
				refs[i] = ref
			})
		}
		both.Wait()
		for i, ref := range refs {
			if ref == nil {
				continue
			}
			if got, err := tub.Call[int](within(t), ref, "add", 1, 2); err != nil || got != 3 {
				t.Errorf("side %d: add = %v, %v", i, got, err)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// All who want one peer share one search, and get the same connection.
func TestWaitersShareOneAttempt(t *testing.T) {
	server := start(t)
	furl := must(server.Register(new(calculator), ""))
	dials := make(chan string, 100)
	client := start(t, tub.DialPolicy(func(d tub.Dial) error { dials <- d.Hint; return nil }))
	var all sync.WaitGroup
	refs := make([]*tub.Reference, 30)
	for i := range refs {
		all.Go(func() {
			var err error
			if refs[i], err = client.GetReference(within(t), furl); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(dials) != 1 {
		t.Errorf("%d dials, want 1", len(dials))
	}
	for _, ref := range refs {
		if ref != refs[0] {
			t.Error("the same object gave two references")
		}
	}
}

// Nobody else fails because of one caller's wrong FURL.
func TestAWrongPinFailsAlone(t *testing.T) {
	server := start(t)
	good := must(server.Register(new(calculator), ""))
	bad := must(tub.ParseFURL(wrongPin(good)))
	client := start(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			furl, want := good, error(nil)
			if i%2 == 0 {
				furl, want = bad, tub.ErrWrongTub
			}
			if _, err := client.GetReference(within(t), furl); !errors.Is(err, want) {
				t.Errorf("caller %d: got %v, want %v", i, err, want)
			}
		})
	}
	all.Wait()
	if _, err := client.GetReference(within(t), bad); !errors.Is(err, tub.ErrWrongTub) {
		t.Errorf("over the living connection: got %v, want ErrWrongTub", err)
	}
	if _, err := client.GetReference(within(t), good); err != nil {
		t.Error(err)
	}
	if _, err := server.GetReference(within(t), bad); !errors.Is(err, tub.ErrWrongTub) {
		t.Errorf("from itself: got %v, want ErrWrongTub", err)
	}
	if _, err := start(t).GetReference(within(t), bad); !errors.Is(err, tub.ErrWrongTub) {
		t.Errorf("with the wrong FURL alone: got %v, want ErrWrongTub", err)
	}
}
