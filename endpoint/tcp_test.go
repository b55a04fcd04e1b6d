package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/octavo-go/octavo/endpoint"
)

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func TestTCPServesBothFamiliesUnlessToldOtherwise(t *testing.T) {
	for _, c := range []struct {
		options string
		v4, v6  bool
	}{
		{"", true, true},
		{":interface=[::]", true, true},
		{":interface=0.0.0.0", true, false},
		{":interface=127.0.0.1", true, false},
		{":interface=[::1]", false, true},
	} {
		t.Run(c.options, func(t *testing.T) {
			if !nettest.SupportsIPv6() {
				t.Skip("this host has no IPv6")
			}
			l := listen(t, server(t, "tcp:0"+c.options))
			for host, want := range map[string]bool{"127.0.0.1": c.v4, "[::1]": c.v6} {
				conn, err := endpoint.Dial(t.Context(), fmt.Sprintf("tcp:%s:%d:timeout=5", host, portOf(l)))
				if (err == nil) != want {
					t.Errorf("dial %s: %v", host, err)
				}
				if err == nil {
					conn.Close()
				}
			}
		})
	}
}

func TestAKeptPortThatWasTakenIsNamed(t *testing.T) {
	srv := server(t, "tcp:0:interface=127.0.0.1")
	l := listen(t, srv)
	port := portOf(l)
	l.Close()
	other := listen(t, server(t, fmt.Sprintf("tcp:%d:interface=127.0.0.1", port)))
	for range 2 {
		_, err := srv.Listen(t.Context())
		var e *endpoint.Error
		if !errors.As(err, &e) || !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(e.Reason, fmt.Sprint("port ", port)) {
			t.Fatalf("Listen: %v", err)
		}
	}
	other.Close()
	if got := portOf(listen(t, srv)); got != port {
		t.Errorf("port %d, was %d", got, port)
	}
}

func TestAPortThatIsTakenIsExplained(t *testing.T) {
	l := listen(t, server(t, "tcp:0"))
	srv := server(t, fmt.Sprint("tcp:", portOf(l)))
	_, err := srv.Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("Listen: %v", err)
	}
	l.Close()
	listen(t, srv)
}

func TestAnInterfaceOfAnotherHostIsExplained(t *testing.T) {
	_, err := endpoint.Listen(t.Context(), "tcp:0:interface=192.0.2.1")
	var e *endpoint.Error
	if !errors.As(err, &e) || e.Field != "interface" || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("Listen: %v", err)
	}
}

func TestTheSystemsOptionsAreReachableThroughATCPListener(t *testing.T) {
	l := listen(t, server(t, "tcp:0"))
	if _, ok := l.(syscall.Conn); !ok {
		t.Errorf("%T hides the socket", l)
	}
	dial(t, fmt.Sprintf("tcp:127.0.0.1:%d", portOf(l)))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(*net.TCPConn); !ok {
		t.Errorf("a connection is a %T", c)
	}
}

// full listens with a queue of one connection and fills it, until an attempt to connect hangs. It
// returns the address and the error that the attempt ended with.
func full(t *testing.T, timeout string) (string, error) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems refuse, or count otherwise")
	}
	l := listen(t, server(t, "tcp:0:interface=127.0.0.1:backlog=1"))
	for range 5 {
		c, err := endpoint.Dial(t.Context(), addressOf(l)+":timeout="+timeout)
		if err != nil {
			return addressOf(l), err
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the queue takes more than it should")
	return "", nil
}

func TestBacklogAndTimeoutAreHonoured(t *testing.T) {
	_, err := full(t, "0.2")
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("Dial: %v", err)
	}
}

func TestDiallingEndsWithItsContext(t *testing.T) {
	to, _ := full(t, "0.2")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := endpoint.Dial(ctx, to+":timeout=300")
	var ne net.Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("deadline: %v", err)
	}

	why := errors.New("why")
	ctx, end := context.WithCancelCause(t.Context())
	defer time.AfterFunc(100*time.Millisecond, func() { end(why) }).Stop()
	_, err = endpoint.Dial(ctx, to+":timeout=300")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBindAddressIsWhereAConnectionComesFrom(t *testing.T) {
	l := listen(t, server(t, "tcp:0:interface=127.0.0.1"))
	from := "127.0.0.1"
	if runtime.GOOS == "linux" {
		from = "127.0.0.2" // the whole network is local
	}
	c := dial(t, fmt.Sprintf("tcp:127.0.0.1:%d:bindAddress=%s", portOf(l), from))
	if got := netip.MustParseAddrPort(c.LocalAddr().String()).Addr().String(); got != from {
		t.Errorf("from %s, want %s", got, from)
	}
}

func TestNamesAreDialledInBothFamilies(t *testing.T) {
	for _, interfaces := range []string{"127.0.0.1", "[::1]"} {
		if interfaces == "[::1]" && !nettest.SupportsIPv6() {
			t.Skip("this host has no IPv6")
		}
		l := listen(t, server(t, "tcp:0:interface="+interfaces))
		addrs, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", "localhost")
		if err != nil {
			t.Skip(err)
		}
		for _, a := range addrs {
			if a.Unmap().String() == strings.Trim(interfaces, "[]") {
				dial(t, fmt.Sprintf("tcp:localhost:%d", portOf(l)))
				break
			}
		}
	}
}
