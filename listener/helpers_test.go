package listener_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
)

const (
	ourID   = "aaaaaaaabbbbbbbbccccccccdddddddd"
	otherID = "22222222333333334444444455555555"
	generic = "HTTP/1.1 500 Internal Server Error: internal server error, see logs\r\n\r\n"
	upgrade = "Host: h\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
)

// get is what a Tub says to reach the Tub of that id.
func get(id string) string { return "GET /id/" + id + " HTTP/1.1\r\n" + upgrade }

func unknown(id string) string {
	return "HTTP/1.1 500 Internal Server Error: unknown TubID " + id + "\r\n\r\n"
}

// A fakeTub keeps what it is given.
type fakeTub struct {
	*service.MultiService
	id  string
	got chan net.Conn
}

func newTub(id string) *fakeTub {
	f := &fakeTub{id: id, got: make(chan net.Conn, 100)}
	f.MultiService = service.NewMultiBase(f, "tub", service.Hooks{})
	return f
}

func (f *fakeTub) ID() string               { return f.id }
func (f *fakeTub) AcceptConn(conn net.Conn) { f.got <- conn }

// A site is a Listener at mem:x, started, with the means to reach it.
type site struct {
	*listener.Listener
	tub    *fakeTub // its parent, or nil
	client endpoint.Client
}

// private is a registry whose mem names are nobody else's.
func private(t *testing.T) *endpoint.Registry {
	t.Helper()
	r := new(endpoint.Registry)
	must(t, r.Register("mem", endpoint.NewMem()))
	return r
}

// memSite starts a Listener at mem:x under a Tub with our id. It is for use in a
// synctest bubble.
func memSite(t *testing.T, opts ...listener.Option) *site {
	t.Helper()
	s := memSiteWithoutTub(t, opts...)
	s.tub = newTub(ourID)
	must(t, s.SetParent(s.tub.MultiService), s.tub.Start(t.Context()))
	stopAtEnd(t, s.tub)
	return s
}

// memSiteWithoutTub makes a Listener and leaves the rest to the test.
func memSiteWithoutTub(t *testing.T, opts ...listener.Option) *site {
	t.Helper()
	r := private(t)
	client, err := r.Client("mem:x")
	must(t, err)
	return &site{Listener: makeListener(t, "mem:x", append(opts, listener.Registry(r))...), client: client}
}

func makeListener(t *testing.T, ep string, opts ...listener.Option) *listener.Listener {
	t.Helper()
	l, err := listener.New(ep, opts...)
	must(t, err)
	return l
}

func startAt(t *testing.T, ep string, opts ...listener.Option) *listener.Listener {
	t.Helper()
	l := makeListener(t, ep, opts...)
	must(t, l.Start(t.Context()))
	stopAtEnd(t, l)
	return l
}

func stopAtEnd(t *testing.T, s service.Service) {
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stopping %s: %+v", s.Path(), err)
		}
	})
}

// dial connects to the site. The connection is closed at the end of the test.
func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := s.client.Dial(t.Context())
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// say connects and writes text.
func (s *site) say(t *testing.T, text string) net.Conn {
	t.Helper()
	conn := s.dial(t)
	write(t, conn, text)
	return conn
}

func (s *site) wantStats(t *testing.T, want listener.Stats) {
	t.Helper()
	if got := s.Stats(); got != want {
		t.Errorf("counted %+v\nwant    %+v", got, want)
	}
}

// dialTCP connects to a Listener on a real socket.
func dialTCP(t *testing.T, l *listener.Listener) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), l.Addr().Network(), l.Addr().String())
	must(t, err)
	conn.SetDeadline(time.Now().Add(30 * time.Second)) // a test that hangs says where
	t.Cleanup(func() { conn.Close() })
	return conn
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatalf("writing %.40q: %v", text, err)
	}
}

// wantAll reads conn to its orderly end.
func wantAll(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got, err := io.ReadAll(conn)
	if string(got) != want || err != nil {
		t.Errorf("read %.200q, %v\nwant %.200q and its end", got, err, want)
	}
}

// wantNext reads as much as want has.
func wantNext(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Errorf("read %q, %v, want %q", got, err, want)
	}
}

// wantOpen sees, in a bubble, that nothing has come and that nobody has hung up.
func wantOpen(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(time.Nanosecond))
	defer conn.SetReadDeadline(time.Time{})
	n, err := conn.Read(make([]byte, 1))
	if ne := net.Error(nil); n != 0 || !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("read %d bytes, %v, want an open connection", n, err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%+v", err)
	}
}

// bubble runs a test with a clock of its own.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// lines are what was logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
