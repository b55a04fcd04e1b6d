package listener_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
)

func TestAStopCutsWhatIsUndecidedAndIsDoneAtOnce(t *testing.T) {
	for name, text := range map[string]string{
		"silent":        "",
		"undecided":     "GET /id/",
		"being refused": get(otherID),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				conn := s.say(t, text)
				synctest.Wait()
				began := time.Now()
				must(t, s.tub.Stop(context.Background()))
				if d := time.Since(began); d != 0 {
					t.Errorf("the stop took %v", d)
				}
				if _, err := io.ReadAll(conn); err != nil {
					t.Errorf("the connection ends with %v", err)
				}
				want := listener.Stats{}
				if text == get(otherID) {
					want.Refused = 1
				}
				s.wantStats(t, want)
			})
		})
	}
}

// A second Close of a socket returns while the first has not let go of the port
// yet. A Future that trusted it would be done too early.
func TestAListenerHasNotStoppedBeforeItsSocketIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFakeSocket()
		f.letGo = make(chan struct{})
		app := service.NewMulti("app")
		l := f.listener(t)
		must(t, app.Add(l), app.Start(t.Context()))
		stopAtEnd(t, app)
		left := l.DisownParent()
		synctest.Wait()
		select {
		case <-left.Done():
			t.Error("the Future is done while the socket is open")
		case <-f.closing:
		}
		close(f.letGo)
		must(t, left.Wait(t.Context()))
		<-f.closed
	})
}

func TestAddrIsNilBeforeTheFirstStartAndKeptAfterAStop(t *testing.T) {
	l := makeListener(t, "tcp:0:interface=127.0.0.1")
	if l.Addr() != nil {
		t.Errorf("before the start Addr is %v", l.Addr())
	}
	var first string
	for range 5 {
		must(t, l.Start(t.Context()))
		addr := l.Addr().String()
		if first == "" {
			first = addr
		}
		conn := dialTCP(t, l)
		write(t, conn, get(ourID))
		wantAll(t, conn, unknown(ourID))
		conn.Close()
		must(t, l.Stop(t.Context()))
		if addr != first || l.Addr().String() != first {
			t.Fatalf("bound to %s, then to %s, and Addr is %s", first, addr, l.Addr())
		}
		var d net.Dialer
		if _, err := d.DialContext(t.Context(), "tcp", first); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("after the stop dialling gives %v", err)
		}
	}
}

func TestAStopBeforeAnybodyCameAndWithoutAStart(t *testing.T) {
	l := makeListener(t, "tcp:0:interface=127.0.0.1")
	must(t, l.Stop(t.Context()))
	must(t, l.Start(t.Context()), l.Stop(t.Context()), l.Stop(t.Context()))
}

func TestASocketOfAStartThatFailsIsGivenBack(t *testing.T) {
	broken := errors.New("broken")
	app := service.NewMulti("app")
	l := makeListener(t, "tcp:0:interface=127.0.0.1")
	must(t, app.Add(l, service.New("b", service.Hooks{Start: func(context.Context) error { return broken }})))
	if err := app.Start(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("Start: %v", err)
	}
	other, err := endpoint.Listen(t.Context(), "tcp:"+l.Addr().String()[len("127.0.0.1:"):]+":interface=127.0.0.1")
	must(t, err)
	must(t, other.Close())
}

func TestTheSecondListenerOnAPortIsToldWhichEndpoint(t *testing.T) {
	first := startAt(t, "tcp:0:interface=127.0.0.1")
	ep := "tcp:" + first.Addr().String()[len("127.0.0.1:"):] + ":interface=127.0.0.1"
	second := makeListener(t, ep)
	err := second.Start(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || strings.Count(err.Error(), ep) != 1 {
		t.Errorf("got %v, want an address in use that names %s, once", err, ep)
	}
	if second.State() != service.Failed || second.Addr() != nil {
		t.Errorf("it is %v at %v", second.State(), second.Addr())
	}
	must(t, first.Stop(t.Context()), second.Start(t.Context()), second.Stop(t.Context()))
}

func TestErrorsOfOtherTransportsNameTheEndpointToo(t *testing.T) {
	f := newFakeSocket()
	f.bind = errors.New("no luck")
	err := f.listener(t).Start(t.Context())
	if !errors.Is(err, f.bind) || !strings.Contains(err.Error(), "fake:x") {
		t.Errorf("got %v", err)
	}
}

func TestBadEndpointsAreOneErrorOfNew(t *testing.T) {
	for ep, want := range map[string]error{
		"":                     endpoint.ErrSyntax,
		"tcp":                  endpoint.ErrArgument,
		"tcp:99999":            endpoint.ErrArgument,
		"tcp:80:colour=blue":   endpoint.ErrArgument,
		"tcp:80\\":             endpoint.ErrSyntax,
		"carrier-pigeon:dove":  endpoint.ErrUnknownType,
		"tcp:80:interface=eth": endpoint.ErrArgument,
	} {
		l, err := listener.New(ep)
		var e *endpoint.Error
		if l != nil || !errors.Is(err, want) || !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "listener: endpoint ") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("New(%q) = %v, %v", ep, l, err)
		}
	}
}

func TestAcceptIsTriedAgainWithPauses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFakeSocket()
		log := new(lines)
		l := f.listener(t, listener.Logger(log.logger()))
		must(t, l.Start(t.Context()))
		stopAtEnd(t, l)
		began := time.Now()
		for range 10 {
			f.accept <- syscall.EMFILE
		}
		if d := time.Since(began); d < time.Second || d > 10*time.Second {
			t.Errorf("ten attempts within %v", d)
		}
		near, far := net.Pipe()
		f.accept <- far
		write(t, near, get(ourID))
		wantNext(t, near, unknown(ourID))
		near.Close()
		if l.State() != service.Running || strings.Count(log.String(), "accept failed") != 10 {
			t.Errorf("it is %v and logged\n%s", l.State(), log)
		}

		f.accept <- syscall.EMFILE
		synctest.Wait() // in a pause
		began = time.Now()
		must(t, l.Stop(context.Background()))
		if d := time.Since(began); d != 0 {
			t.Errorf("the stop took %v", d)
		}
	})
}

func TestAListenerWhoseSocketDiesFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFakeSocket()
		app := service.NewMulti("app")
		l := f.listener(t)
		must(t, app.Add(l), app.Start(t.Context()))
		must(t, f.Close())
		synctest.Wait()
		var failure *service.FailureError
		if !errors.As(l.Err(), &failure) || failure.Path != "/app/listener" || !strings.Contains(failure.Error(), "fake:x") {
			t.Errorf("it is %v: %v", l.State(), l.Err())
		}
		if app.State() != service.Failed {
			t.Errorf("the app is %v", app.State())
		}
	})
}

func TestNamesAndEndpointsAreWhatWasGiven(t *testing.T) {
	l := makeListener(t, "MEM:x")
	if l.Name() != "listener" || l.Endpoint() != "MEM:x" {
		t.Errorf("got %q at %q", l.Name(), l.Endpoint())
	}
	if l = makeListener(t, "mem:x", listener.Name("front")); l.Name() != "front" {
		t.Errorf("got %q", l.Name())
	}
}

func TestUnixSocketsWork(t *testing.T) {
	ep := "unix:" + t.TempDir() + "/s"
	tub := newTub(ourID)
	l := makeListener(t, ep)
	must(t, l.SetParent(tub.MultiService))
	for range 3 {
		must(t, tub.Start(t.Context()))
		conn := dialTCP(t, l)
		write(t, conn, get(ourID))
		(<-tub.got).Close()
		conn.Close()
		refused := dialTCP(t, l)
		write(t, refused, get(otherID))
		wantAll(t, refused, unknown(otherID))
		refused.Close()
		must(t, tub.Stop(t.Context()))
	}
}
