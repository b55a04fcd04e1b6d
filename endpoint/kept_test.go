package endpoint_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

// listen opens a server of the registry, and closes the listener at the end of the test.
func listen(t *testing.T, s endpoint.Server) net.Listener {
	t.Helper()
	l, err := s.Listen(t.Context())
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func server(t *testing.T, s string) endpoint.Server {
	t.Helper()
	srv, err := endpoint.Default().Server(s)
	if err != nil {
		t.Fatalf("Server(%q): %v", s, err)
	}
	return srv
}

func dial(t *testing.T, s string) net.Conn {
	t.Helper()
	c, err := endpoint.Dial(t.Context(), s)
	if err != nil {
		t.Fatalf("Dial(%q): %v", s, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAChosenAddressIsTheSameAfterCloseAndListen(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			srv := server(t, desc)
			first := ""
			for range 100 {
				l := listen(t, srv)
				if first == "" {
					first = l.Addr().String()
				}
				if got := l.Addr().String(); got != first {
					t.Fatalf("address %s, was %s", got, first)
				}
				// A connection that outlives its listener must not hold the address.
				dial(t, addressOf(l))
				accepted, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer accepted.Close()
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAServerHasOneOpenListener(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			srv := server(t, desc)
			l := listen(t, srv)
			_, err := srv.Listen(t.Context())
			if !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("second Listen: %v", err)
			}
			l.Close()
			l2 := listen(t, srv)
			l.Close() // once more: it must not make room for a third
			if _, err := srv.Listen(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("third Listen: %v", err)
			}
			dial(t, addressOf(l2))
		})
	}
}

func TestOfManyThatListenAtOnceOnAServerOneDoes(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			srv := server(t, desc)
			for range 20 {
				var wg sync.WaitGroup
				open := make(chan net.Listener, 8)
				for range cap(open) {
					wg.Go(func() {
						l, err := srv.Listen(t.Context())
						switch {
						case err == nil:
							open <- l
						case !errors.Is(err, syscall.EADDRINUSE):
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if len(open) != 1 {
					t.Fatalf("%d listen", len(open))
				}
				(<-open).Close()
			}
		})
	}
}

func TestAFailedListenLeavesTheServerFree(t *testing.T) {
	listenFails := func(srv endpoint.Server, want error) {
		t.Helper()
		for range 2 {
			l, err := srv.Listen(t.Context())
			var e *endpoint.Error
			if l != nil || !errors.As(err, &e) || !errors.Is(err, want) || strings.Contains(err.Error(), "has an open listener") {
				t.Errorf("Listen: %v, %v", l, err)
			}
		}
	}
	taken := listen(t, server(t, "mem:failed"))
	srv := server(t, "mem:failed")
	listenFails(srv, syscall.EADDRINUSE)
	taken.Close()
	listen(t, srv)

	path, desc := socket(t)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	srv = server(t, desc)
	listenFails(srv, syscall.EADDRINUSE)
	os.Remove(path)
	listen(t, srv)
}

func TestAKeptMemNameThatWasTakenIsNamed(t *testing.T) {
	srv := server(t, "mem:")
	l := listen(t, srv)
	name := l.Addr().String()
	l.Close()
	listen(t, server(t, "mem:"+name))
	if _, err := srv.Listen(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), name) {
		t.Errorf("Listen: %v", err)
	}
}

// Two may close a listener, the loop that accepts and whoever stops it. When either returns, the
// port must be free.
func TestPortIsFreeWhenTheSecondCloseReturns(t *testing.T) {
	srv, err := endpoint.Default().Server("tcp:0:interface=127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 2000 {
		l, err := srv.Listen(t.Context())
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		accepting := make(chan struct{})
		go func() {
			defer close(accepting)
			l.Accept()
		}()
		first := make(chan struct{})
		go func() {
			defer close(first)
			l.Close()
		}()
		<-accepting
		l.Close()
		defer func() { <-first }()
	}
}
