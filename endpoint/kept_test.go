package endpoint_test

import (
	"errors"
	"net"
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
	for _, desc := range []string{"tcp:0", "tcp:0:interface=127.0.0.1", "mem:"} {
		t.Run(desc, func(t *testing.T) {
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
				c, err := net.Dial("tcp", first)
				if l.Addr().Network() == "mem" {
					c, err = endpoint.Dial(t.Context(), endpoint.New("mem", first).String())
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
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
	for _, desc := range []string{"tcp:0:interface=127.0.0.1", "mem:", "mem:one-listener"} {
		t.Run(desc, func(t *testing.T) {
			srv := server(t, desc)
			l := listen(t, srv)
			_, err := srv.Listen(t.Context())
			if !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("second Listen: %v", err)
			}
			l.Close()
			listen(t, srv)
		})
	}
}
