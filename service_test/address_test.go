package octavo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/octavo-go/octavo/service"
)

func wantNoParent(t *testing.T, left *service.Future) {
	t.Helper()
	if err := left.Wait(within(t)); !errors.Is(err, service.ErrNoParent) {
		t.Errorf("got %v, want %v", err, service.ErrNoParent)
	}
}

func TestAnAllocatedPortAndItsFURLsOutliveRestarts(t *testing.T) {
	tb, client := newTub(t, "a"), startedTub(t, "client")
	l := listenOn(t, tb, loopback)
	if l.Addr() != nil {
		t.Errorf("before the start it is at %v", l.Addr())
	}
	must(t, tb.Start(t.Context()))
	addr := l.Addr().String()
	furl := publish(t, tb)
	for range 20 {
		ref, err := client.GetReference(within(t), furl)
		must(t, err)
		lost := make(chan error, 1)
		ref.OnDisconnect(func(err error) { lost <- err })
		must(t, tb.Stop(context.Background()))
		<-lost // else the client might use the connection that it had
		if l.Parent() != tb.MultiService || l.Addr().String() != addr {
			t.Fatalf("stopped it is at %v below %v", l.Addr(), l.Parent())
		}
		must(t, tb.Start(t.Context()))
		if l.Addr().String() != addr {
			t.Fatalf("%s has become %s", addr, l.Addr())
		}
	}
	wantGreeting(t, client, furl, "a")
}

func TestAListenerAloneCanBeStoppedAndStarted(t *testing.T) {
	tb, client := startedTub(t, "a"), startedTub(t, "client")
	l := listenOn(t, tb, loopback)
	furl := publish(t, tb)
	for range 20 {
		must(t, l.Stop(within(t)))
		wantState(t, service.Running, tb)
		wantState(t, service.Idle, l)
		must(t, l.Start(within(t)))
		again(t, client)
		wantGreeting(t, client, furl, "a")
	}
}

func TestAMovedListenerServesItsNewTubAtItsAddress(t *testing.T) {
	for name, ep := range map[string]string{"allocated": loopback, "fixed": fixedEndpoint(t)} {
		t.Run(name, func(t *testing.T) {
			a, b := startedTub(t, "a"), startedTub(t, "b")
			client := startedTub(t, "client")
			l := listenOn(t, a, ep)
			addr := l.Addr().String()
			fromA := publish(t, a)
			early, err := client.GetReference(within(t), fromA)
			must(t, err)

			must(t, service.Move(within(t), l, b.MultiService))
			if l.Parent() != b.MultiService || l.Addr().String() != addr {
				t.Fatalf("it is at %v below %v", l.Addr(), l.Parent())
			}
			wantState(t, service.Running, l)
			fromB := publish(t, b)
			wantGreeting(t, client, fromB, "b")
			// The connection that Tub a has answered is still its own.
			if got, err := early.Call(within(t), "greet"); err != nil || got != "this is a" {
				t.Errorf("over the early connection: %v, %v", got, err)
			}
			again(t, client)
			wantUnknown(t, client, fromA)

			for range 10 { // and to and fro
				must(t, service.Move(within(t), l, a.MultiService))
				again(t, client)
				wantGreeting(t, client, fromA, "a")
				wantUnknown(t, client, fromB)
				must(t, service.Move(within(t), l, b.MultiService))
				again(t, client)
				wantGreeting(t, client, fromB, "b")
			}
			if l.Addr().String() != addr {
				t.Errorf("%s has become %s", addr, l.Addr())
			}
		})
	}
}

func TestAMoveToAnIdleTubWaitsForItsStart(t *testing.T) {
	a, b := startedTub(t, "a"), newTub(t, "b")
	l := listenOn(t, a, loopback)
	addr := l.Addr().String()
	must(t, service.Move(within(t), l, b.MultiService))
	wantState(t, service.Idle, l)
	furl := publish(t, b) // the address is known, though nobody listens
	must(t, b.Start(t.Context()))
	if l.Addr().String() != addr {
		t.Errorf("%s has become %s", addr, l.Addr())
	}
	wantGreeting(t, startedTub(t, "client"), furl, "b")
}

// A refused move must not cost the Tub its Listener, not even for a moment.
func TestAMoveThatIsRefusedTouchesNothing(t *testing.T) {
	a, b := startedTub(t, "a"), startedTub(t, "b")
	l := listenOn(t, a, loopback)
	listenOn(t, b, loopback) // takes the name
	furl := publish(t, a)
	if err := service.Move(within(t), l, b.MultiService); !errors.Is(err, service.ErrNameTaken) {
		t.Fatalf("got %v", err)
	}
	if err := l.SetParent(b.MultiService); !errors.Is(err, service.ErrHasParent) {
		t.Fatalf("got %v", err)
	}
	wantState(t, service.Running, l)
	wantGreeting(t, startedTub(t, "client"), furl, "a")
}
