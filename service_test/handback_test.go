package octavo_test

import (
	"testing"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

// This is why the project exists: Foolscap could not take a port from one Tub
// and give it to another, because the new owner bound it before the old one had
// let go of it.
func TestAPortGoesFromTubToTubFiveHundredTimes(t *testing.T) {
	ep := fixedEndpoint(t)
	tubs := []*tub.Tub{startedTub(t, "a"), startedTub(t, "b")}
	client, loyal := startedTub(t, "client"), startedTub(t, "loyal")
	var furls [2]tub.FURL
	var first *tub.Reference
	rounds := 500
	if testing.Short() {
		rounds = 50
	}
	for round := range rounds {
		i := round % 2
		owner := tubs[i]
		l := listenOn(t, owner, ep)
		if furls[i].IsZero() {
			furls[i] = publish(t, owner)
		}
		again(t, client) // it would use the connection that it has
		wantGreeting(t, client, furls[i], owner.Name())
		if round == 0 {
			ref, err := loyal.GetReference(within(t), furls[0])
			must(t, err)
			first = ref
		}
		if other := furls[1-i]; round%25 > 22 && !other.IsZero() {
			wantUnknown(t, client, other)
			// What Tub a was given in the first round is still its own.
			got, err := tub.Call[string](within(t), first, "greet")
			if err != nil || got != "this is a" {
				t.Fatalf("round %d: the connection of the first round: %q, %v", round, got, err)
			}
		}
		stopListening(t, owner, l)
		if l.Parent() != nil || owner.Child("listener") != nil || l.State() != service.Idle {
			t.Fatalf("round %d: the Listener is %v below %v", round, l.State(), l.Parent())
		}
	}
}

// The same without a pause, and with both contending for the port.
func TestAPortIsFreeAsSoonAsTheFutureIsDone(t *testing.T) {
	ep := fixedEndpoint(t)
	tubs := []*tub.Tub{startedTub(t, "a"), startedTub(t, "b")}
	for round := range 2000 {
		owner := tubs[round%2]
		l, err := owner.ListenOn(ep)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		left := owner.StopListeningOn(l)
		<-left.Done()
		must(t, left.Err())
	}
}

func TestAnotherTubsListenerIsNotLetGoOf(t *testing.T) {
	a, b := startedTub(t, "a"), startedTub(t, "b")
	l := listenOn(t, a, loopback)
	furl := publish(t, a)
	left := b.StopListeningOn(l)
	select {
	case <-left.Done():
	default:
		t.Error("the Future is not done at once")
	}
	wantNoParent(t, left)
	if l.Parent() != a.MultiService {
		t.Errorf("its parent is %v", l.Parent())
	}
	wantState(t, service.Running, l)
	wantGreeting(t, startedTub(t, "client"), furl, "a")

	stopListening(t, a, l)
	wantNoParent(t, a.StopListeningOn(l)) // it was, but is no more
}

func TestListenersAreNamedInTurn(t *testing.T) {
	for name, tb := range map[string]*tub.Tub{"idle": newTub(t, "idle"), "running": startedTub(t, "running")} {
		l := listenOn(t, tb, loopback)
		second := listenOn(t, tb, loopback)
		listenOn(t, tb, loopback)
		if got := childNames(tb.MultiService); got != "listener listener-2 listener-3" {
			t.Errorf("%s: %s", name, got)
		}
		stopListening(t, tb, second)
		stopListening(t, tb, l)
		listenOn(t, tb, loopback)
		listenOn(t, tb, loopback)
		if got := childNames(tb.MultiService); got != "listener-3 listener listener-2" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestBadEndpointsAddNothing(t *testing.T) {
	tb := startedTub(t, "a")
	for _, ep := range []string{"", "tcp", "tcp:x", "pigeon:dove"} {
		if l, err := tb.ListenOn(ep); l != nil || err == nil {
			t.Errorf("ListenOn(%q) = %v, %v", ep, l, err)
		}
	}
	ep := fixedEndpoint(t)
	leave := occupy(t, ep)
	_, err := tb.ListenOn(ep)
	wantAddressInUse(t, err, ep)
	if got := childNames(tb.MultiService); got != "" {
		t.Errorf("it has %s", got)
	}
	leave()
	listenOn(t, tb, ep)
}
