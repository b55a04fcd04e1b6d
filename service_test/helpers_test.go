package octavo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

const loopback = "tcp:0:interface=127.0.0.1"

// A greeter says which Tub it lives in.
type greeter struct{ name string }

func (g *greeter) Greet() string { return "this is " + g.name }

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%+v", err)
	}
}

// within bounds a test's patience; it is far beyond what anything takes.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newTub makes a Tub that is stopped at the end of the test.
func newTub(t *testing.T, name string) *tub.Tub {
	t.Helper()
	tb, err := tub.New(tub.Name(name))
	must(t, err)
	t.Cleanup(func() {
		if err := tb.Stop(context.Background()); err != nil {
			t.Errorf("stopping Tub %s: %+v", name, err)
		}
	})
	return tb
}

func startedTub(t *testing.T, name string) *tub.Tub {
	t.Helper()
	tb := newTub(t, name)
	must(t, tb.Start(t.Context()))
	return tb
}

func listenOn(t *testing.T, tb *tub.Tub, ep string) *listener.Listener {
	t.Helper()
	l, err := tb.ListenOn(ep)
	must(t, err)
	return l
}

func stopListening(t *testing.T, tb *tub.Tub, l *listener.Listener) {
	t.Helper()
	must(t, tb.StopListeningOn(l).Wait(within(t)))
}

// publish registers a greeter that knows the Tub's name.
func publish(t *testing.T, tb *tub.Tub) tub.FURL {
	t.Helper()
	furl, err := tb.Register(&greeter{tb.Name()}, "")
	must(t, err)
	return furl
}

// greet reaches an object through its FURL and calls it.
func greet(ctx context.Context, client *tub.Tub, furl tub.FURL) (string, error) {
	ref, err := client.GetReference(ctx, furl)
	if err != nil {
		return "", err
	}
	return tub.Call[string](ctx, ref, "greet")
}

func wantGreeting(t *testing.T, client *tub.Tub, furl tub.FURL, name string) {
	t.Helper()
	if got, err := greet(within(t), client, furl); err != nil || got != "this is "+name {
		t.Fatalf("calling %s: got %q, %v", name, got, err)
	}
}

// wantUnknown sees that a FURL leads to a Listener that does not know its Tub
// and says so.
func wantUnknown(t *testing.T, client *tub.Tub, furl tub.FURL) {
	t.Helper()
	_, err := client.GetReference(within(t), furl)
	var e *tub.ConnectError
	if !errors.As(err, &e) || len(e.Attempts) != 1 || e.Attempts[0].Stage != "negotiate" ||
		!strings.Contains(err.Error(), "unknown TubID "+furl.TubID()) {
		t.Fatalf("got %v, want a refusal with the unknown TubID", err)
	}
}

// again gives a Tub a new life, so that it has no connection any more.
func again(t *testing.T, tb *tub.Tub) {
	t.Helper()
	must(t, tb.Stop(context.Background()), tb.Start(t.Context()))
}

// fixedPort returns a port that is free. It is below those that the kernel
// gives to whoever asks for any: one of those could be taken, by another
// connection of this machine, while nobody listens on it.
func fixedPort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			must(t, l.Close())
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}

// fixedEndpoint is one that two Tubs can listen on in turn.
func fixedEndpoint(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("tcp:%d:interface=127.0.0.1", fixedPort(t))
}

// occupy takes the port of an endpoint until the returned function is called.
func occupy(t *testing.T, ep string) (leave func()) {
	t.Helper()
	port := strings.Split(ep, ":")[1]
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return func() { must(t, l.Close()) }
}

func wantAddressInUse(t *testing.T, err error, ep string) {
	t.Helper()
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), ep) {
		t.Fatalf("got %v, want an address in use that names %s", err, ep)
	}
}

func wantState(t *testing.T, want service.State, ss ...service.Service) {
	t.Helper()
	for _, s := range ss {
		if got := s.State(); got != want {
			t.Errorf("%s is %v (%v), want %v", s.Path(), got, s.Err(), want)
		}
	}
}

func childNames(m *service.MultiService) string {
	var all []string
	for s := range m.Children() {
		all = append(all, s.Name())
	}
	return strings.Join(all, " ")
}

func portOf(l *listener.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// A journal is what happened, in order.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) write(event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
}

func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := strings.Join(j.events, " ")
	j.events = nil
	return s
}

// service writes down its start and its stop.
func (j *journal) service(name string) *service.Base {
	hook := func(event string) func(context.Context) error {
		return func(context.Context) error { j.write(event); return nil }
	}
	return service.New(name, service.Hooks{Start: hook("+" + name), Stop: hook("-" + name)})
}
