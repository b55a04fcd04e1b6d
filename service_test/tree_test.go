package octavo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

func TestTubsAndListenersAreFoundAsWhatTheyAre(t *testing.T) {
	app, net := service.NewMulti("app"), service.NewMulti("net")
	tb := newTub(t, "tub")
	l := listenOn(t, tb, loopback)
	must(t, app.Add(net), net.Add(tb))
	if got, err := service.Lookup[*tub.Tub](app, "net/tub"); got != tb || err != nil {
		t.Errorf("the Tub: %v, %v", got, err)
	}
	if got, err := service.Lookup[*listener.Listener](app, "/app/net/tub/listener"); got != l || err != nil {
		t.Errorf("the Listener: %v, %v", got, err)
	}
	if _, err := service.Lookup[*listener.Listener](app, "net/tub"); !errors.Is(err, service.ErrWrongType) {
		t.Errorf("the Tub as a Listener: %v", err)
	}
	for s := range net.Children() {
		if got, ok := s.(*tub.Tub); !ok || got != tb {
			t.Errorf("a child of net is %T", s)
		}
	}
	for s := range tb.Children() {
		if got, ok := s.(*listener.Listener); !ok || got != l {
			t.Errorf("a child of the Tub is %T", s)
		}
	}
	if l.Parent().Self() != service.Service(tb) || l.Path() != "/app/net/tub/listener" {
		t.Errorf("the Listener is at %s below %T", l.Path(), l.Parent().Self())
	}
	must(t, net.DisownParent().Wait(within(t)), tb.DisownParent().Wait(within(t)))
}

func TestATubThatCannotBindIsNotAttached(t *testing.T) {
	app := service.NewMulti("app")
	must(t, app.Start(t.Context()))
	defer func() { must(t, app.Stop(context.Background())) }()
	ep := fixedEndpoint(t)
	leave := occupy(t, ep)
	tb := newTub(t, "tub")
	free := listenOn(t, tb, loopback)
	l := listenOn(t, tb, ep)
	for range 3 {
		err := tb.SetParent(app)
		wantAddressInUse(t, err, ep)
		var e *service.StartError
		if !errors.As(err, &e) || e.Path != "/app/tub/listener-2" {
			t.Errorf("got %v, want a StartError of /app/tub/listener-2", err)
		}
		if tb.Parent() != nil || childNames(app) != "" {
			t.Errorf("it is below %v, and the app has %q", tb.Parent(), childNames(app))
		}
		wantState(t, service.Failed, tb, l)
		wantState(t, service.Idle, free)
		wantState(t, service.Running, app)
	}
	leave()
	must(t, tb.SetParent(app))
	wantState(t, service.Running, tb, l, free)
	wantGreeting(t, startedTub(t, "client"), publish(t, tb), "tub")
	must(t, tb.DisownParent().Wait(within(t)))
}

func TestAnAppWhoseLastPortIsTakenLeavesNothingStarted(t *testing.T) {
	events := new(journal)
	app, tb := service.NewMulti("app"), newTub(t, "tub")
	ep := fixedEndpoint(t)
	leave := occupy(t, ep)
	first := listenOn(t, tb, loopback)
	door, err := listener.New(ep, listener.Name("door"))
	must(t, err, app.Add(events.service("db"), tb, events.service("worker"), door))

	err = app.Start(t.Context())
	wantAddressInUse(t, err, ep)
	var e *service.StartError
	if !errors.As(err, &e) || e.Path != "/app/door" {
		t.Errorf("got %v, want a StartError of /app/door", err)
	}
	// Ports are bound over the whole tree before anything starts.
	if got := events.take(); got != "" {
		t.Errorf("events: %s", got)
	}
	wantState(t, service.Idle, first, tb)
	wantState(t, service.Failed, door)
	occupy(t, "tcp:"+portOf(first))() // it is free again

	leave()
	must(t, app.Start(t.Context()))
	wantState(t, service.Running, app, tb, first, door)
	wantGreeting(t, startedTub(t, "client"), publish(t, tb), "tub")
	must(t, app.Stop(context.Background()))
	if got, want := events.take(), "+db +worker -worker -db"; got != want {
		t.Errorf("events: %s, want %s", got, want)
	}
	must(t, tb.DisownParent().Wait(within(t)))
}

// A later failure takes back what was bound and started before it.
func TestAFailureLaterInTheTreeStopsTubAndListeners(t *testing.T) {
	broken := errors.New("broken")
	app, tb := service.NewMulti("app"), newTub(t, "tub")
	l := listenOn(t, tb, loopback)
	var during service.State
	bad := service.New("bad", service.Hooks{Start: func(context.Context) error {
		during = l.State()
		return broken
	}})
	must(t, app.Add(tb, bad))
	if err := app.Start(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if during != service.Running {
		t.Errorf("while the next one starts the Listener is %v", during)
	}
	wantState(t, service.Idle, tb, l)
	occupy(t, "tcp:"+portOf(l))()
	must(t, bad.DisownParent().Wait(within(t)), app.Start(t.Context()), app.Stop(context.Background()))
}

func TestConnectionsEndWithTheirTubNotWithItsListener(t *testing.T) {
	app, tb := service.NewMulti("app"), newTub(t, "tub")
	l := listenOn(t, tb, loopback)
	must(t, app.Add(tb), app.Start(t.Context()))
	ref, err := startedTub(t, "client").GetReference(within(t), publish(t, tb))
	must(t, err)
	stopListening(t, tb, l)
	if got, err := ref.Call(within(t), "greet"); err != nil || got != "this is tub" {
		t.Errorf("without the Listener: %v, %v", got, err)
	}
	must(t, app.Stop(context.Background()))
	if _, err := ref.Call(within(t), "greet"); err == nil {
		t.Error("a call to a stopped Tub was answered")
	}
}
