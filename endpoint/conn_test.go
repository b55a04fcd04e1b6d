package endpoint_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/octavo-go/octavo/endpoint"
)

// addressOf is the endpoint string that dials l.
func addressOf(l net.Listener) string {
	a := l.Addr()
	if tcp, ok := a.(*net.TCPAddr); ok {
		host, port, _ := net.SplitHostPort(tcp.String())
		if tcp.IP.IsUnspecified() {
			host = "127.0.0.1"
		}
		return endpoint.New("tcp", host, port).String()
	}
	return endpoint.New(a.Network(), a.String()).String()
}

// everyServer is an endpoint string of every kind of listener there is.
func everyServer(t *testing.T) map[string]string {
	all := map[string]string{
		"tcp":  "tcp:0",
		"tcp4": "tcp:0:interface=127.0.0.1:backlog=5",
		"unix": endpoint.New("unix", filepath.Join(t.TempDir(), "x.sock")).String(),
		"mem":  "mem:",
	}
	if nettest.SupportsIPv6() {
		all["tcp6"] = "tcp:0:interface=[::1]"
	}
	if runtime.GOOS == "linux" {
		all["abstract"] = endpoint.New("unix", fmt.Sprintf("@octavo-test-%d-%s", os.Getpid(), t.Name())).String()
	}
	return all
}

// send writes all of s.
func send(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Errorf("Write: %d of %d bytes, %v", n, len(s), err)
	}
}

func TestEveryConnectionPassesNettest(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				l := listen(t, server(t, desc))
				defer l.Close()
				if c1, err = endpoint.Dial(t.Context(), addressOf(l)); err != nil {
					return nil, nil, nil, err
				}
				if c2, err = l.Accept(); err != nil {
					c1.Close()
					return nil, nil, nil, err
				}
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}

func TestAcceptOfAClosedListenerSaysSo(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			l := listen(t, server(t, desc))
			waiting := make(chan error)
			go func() {
				_, err := l.Accept()
				waiting <- err
			}()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if err := <-waiting; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept during Close: %v", err)
			}
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept after Close: %v", err)
			}
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

func TestWhereNobodyListensIsRefused(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			l := listen(t, server(t, desc))
			to := addressOf(l)
			l.Close()
			c, err := endpoint.Dial(t.Context(), to)
			var e *endpoint.Error
			if !errors.As(err, &e) || c != nil || e.Description != to {
				t.Fatalf("Dial(%q): %v, %v", to, c, err)
			}
			if want := syscall.ECONNREFUSED; name != "unix" && !errors.Is(err, want) {
				t.Errorf("Dial(%q): %v, want %v", to, err, want)
			}
		})
	}
}

func TestAConnectionOutlivesItsListenerAndItsContexts(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			l := listen(t, server(t, desc))
			a := dial(t, addressOf(l))
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			l.Close()
			sent := bytes.Repeat([]byte("octavo"), 100_000)
			go func() {
				send(t, a, string(sent))
				a.Close()
			}()
			got, err := io.ReadAll(b)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestHalfAConnectionCanBeClosed(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			l := listen(t, server(t, desc))
			a := dial(t, addressOf(l))
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			send(t, a, "question")
			if err := a.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(b); err != nil || string(got) != "question" {
				t.Errorf("%q, %v", got, err)
			}
			if _, err := a.Write([]byte("more")); err == nil {
				t.Error("a write after CloseWrite succeeds")
			}
			send(t, b, "answer")
			b.Close()
			if got, err := io.ReadAll(a); err != nil || string(got) != "answer" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
