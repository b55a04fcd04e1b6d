package tub_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

func TestATubStartsAgain(t *testing.T) {
	server := must(tub.New())
	if _, err := server.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	client := start(t)
	var furl tub.FURL
	for round := range 4 {
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			furl = must(server.Register(new(calculator), ""))
		}
		// The listener keeps its port, so the FURL is still good.
		ref, err := client.GetReference(within(t), furl)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		own := must(server.GetReference(within(t), furl))
		for _, r := range []*tub.Reference{ref, own} {
			if got, err := tub.Call[int](within(t), r, "add", 1, 2); got != 3 {
				t.Errorf("round %d: %v, %v", round, got, err)
			}
		}
		lost := make(chan error, 2)
		ref.OnDisconnect(func(err error) { lost <- err })
		if err := server.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		if err := <-lost; err == nil {
			t.Error("OnDisconnect without a reason")
		}
		if _, err := own.Call(within(t), "add", 1, 2); !errors.Is(err, tub.ErrStopped) || !errors.Is(err, tub.ErrNotSent) {
			t.Errorf("a reference of the stopped Tub: %v", err)
		}
		if _, err := server.GetReference(within(t), furl); !errors.Is(err, tub.ErrNotRunning) {
			t.Errorf("stopped: got %v, want ErrNotRunning", err)
		}
		if _, err := ref.Call(within(t), "add", 1, 2); !errors.Is(err, tub.ErrNotSent) {
			t.Errorf("an old reference: got %v, want ErrNotSent", err)
		}
	}
}

// Both sides restart, one after the other; neither takes the other's new life
// for a duplicate.
func TestEitherSideMayRestart(t *testing.T) {
	a, b := must(tub.New()), must(tub.New())
	for _, tb := range []*tub.Tub{a, b} {
		if _, err := tb.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		begin(t, tb)
	}
	fa, fb := must(a.Register(new(calculator), "")), must(b.Register(new(calculator), ""))
	for round := range 8 {
		from, furl, other := a, fb, b
		if round%2 == 1 {
			from, furl, other = b, fa, a
		}
		ref, err := from.GetReference(within(t), furl)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if got, err := tub.Call[int](within(t), ref, "add", 1, 2); got != 3 {
			t.Fatalf("round %d: %v, %v", round, got, err)
		}
		again := other
		if round%4 >= 2 {
			again = from
		}
		if err := again.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		if err := again.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		lost := make(chan error, 1)
		ref.OnDisconnect(func(err error) { lost <- err })
		<-lost
	}
}

func TestStopEndsWhatIsInFlight(t *testing.T) {
	w := newWaiter()
	server, client := must(tub.New()), start(t)
	if _, err := server.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	begin(t, server)
	ref := must(client.GetReference(within(t), must(server.Register(w, ""))))
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := ref.Call(within(t), "wait"); !errors.Is(err, tub.ErrNoAnswer) && !errors.Is(err, tub.ErrNotSent) {
				t.Errorf("in flight: %v", err)
			}
		})
		ref.Send("wait")
	}
	<-w.begun
	if err := server.Stop(within(t)); err != nil {
		t.Error(err)
	}
	all.Wait()
	// What had not begun when the Tub stopped does not begin afterwards.
	if n := w.calls.Load(); n > 31 {
		t.Errorf("%d calls ran", n)
	}
}

// A method that ignores its context makes a stop late, not wrong.
func TestAStubbornMethodMakesStopLate(t *testing.T) {
	w := newWaiter()
	server, client := must(tub.New()), start(t)
	if _, err := server.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	begin(t, server)
	furl := must(server.Register(w, ""))
	ref := must(client.GetReference(within(t), furl))
	lost := make(chan error, 1)
	go func() { _, err := ref.Call(within(t), "stubborn"); lost <- err }()
	<-w.begun
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	if err := <-lost; !errors.Is(err, tub.ErrNoAnswer) { // told although the method still runs
		t.Errorf("its caller: %v", err)
	}
	select {
	case err := <-stopped:
		t.Errorf("Stop returned while a method ran: %v", err)
	default:
	}
	close(w.goOn)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ref = must(client.GetReference(within(t), furl))
	if _, err := ref.Call(within(t), "count"); err != nil {
		t.Error(err)
	}
}

func TestStopWhileOthersConnect(t *testing.T) {
	for range 10 {
		server, client := must(tub.New()), start(t)
		if _, err := server.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		begin(t, server)
		furl := must(server.Register(new(calculator), ""))
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				ref, err := client.GetReference(within(t), furl)
				if err == nil {
					ref.Call(within(t), "add", 1, 2)
				}
			})
		}
		if err := server.Stop(within(t)); err != nil {
			t.Error(err)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if _, err := client.GetReference(within(t), furl); err != nil {
			// The one that came too early for the restart may have been cut
			// off just now; the next one must not be.
			if _, err = client.GetReference(within(t), furl); err != nil {
				t.Error(err)
			}
		}
	}
}
