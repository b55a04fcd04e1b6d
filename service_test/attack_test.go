package octavo_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/octavo-go/octavo/listener"
)

// What a stranger says first, and whether it goes on a byte at a time.
type attack struct {
	first   string
	trickle string
	leave   bool // it hangs up at once
}

func attacks(id string) []attack {
	const upgrade = "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
	request := "GET /id/" + id + " HTTP/1.1\r\n" + upgrade
	unknown := "GET /id/" + strings.Repeat("2", 32) + " HTTP/1.1\r\n" + upgrade
	return []attack{
		{},            // silence
		{leave: true}, // a port scan
		{first: "\x16\x03\x01\x02\x00\x01\x00"},
		{first: strings.Repeat("\xff", 10_000)},
		{first: request[:40]},
		{first: request[:40], leave: true},
		{trickle: request},
		{trickle: "OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{first: "GET /id/" + strings.Repeat("x", 10_000)},
		{first: unknown},
		{first: unknown, trickle: strings.Repeat("banana", 100)},
		{first: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"},
		{first: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nwhat?"},
		{first: request + "\x16\x03\x01"},
		{first: request, leave: true},
		{first: request}, // the Tub's, which waits for TLS
	}
}

// run plays one stranger until its connection ends or the siege does.
func (a attack) run(conn net.Conn, over <-chan struct{}) {
	defer conn.Close()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		io.Copy(io.Discard, conn) // what the other side makes of it is its business
	}()
	defer func() { conn.Close(); <-closed }()
	if _, err := io.WriteString(conn, a.first); err != nil || a.leave {
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, c := range []byte(a.trickle) {
		select {
		case <-tick.C:
		case <-closed:
			return
		case <-over:
			return
		}
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
	}
	select {
	case <-closed:
	case <-over:
	}
}

func TestTwoThousandStrangersDoNotDisturbAnHonestClient(t *testing.T) {
	strangers := 2000
	if testing.Short() {
		strangers = 200
	}
	tb, steady, fresh := startedTub(t, "a"), startedTub(t, "steady"), startedTub(t, "fresh")
	l := listenOn(t, tb, loopback)
	furl := publish(t, tb)
	addr := l.Addr().String()

	over := make(chan struct{})
	var siege, openers sync.WaitGroup
	kinds := attacks(tb.ID())
	next := make(chan attack)
	for range 16 { // dial at a time
		openers.Go(func() {
			var d net.Dialer
			for a := range next {
				conn, err := d.DialContext(t.Context(), "tcp", addr)
				if err != nil {
					t.Errorf("a stranger could not even connect: %v", err)
					continue
				}
				siege.Go(func() { a.run(conn, over) })
			}
		})
	}
	honest, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	calls, connects := 0, 0
	clients.Go(func() { // has a connection and calls
		for calls < 20 || honest.Err() == nil {
			calls++
			if got, err := greet(t.Context(), steady, furl); err != nil || got != "this is a" {
				t.Errorf("call %d: %q, %v", calls, got, err)
				return
			}
		}
	})
	clients.Go(func() { // comes anew each time
		for connects < 20 || honest.Err() == nil {
			connects++
			if err := fresh.Stop(context.Background()); err != nil {
				t.Error(err)
			}
			if err := fresh.Start(t.Context()); err != nil {
				t.Error(err)
			}
			if got, err := greet(t.Context(), fresh, furl); err != nil || got != "this is a" {
				t.Errorf("connection %d: %q, %v", connects, got, err)
				return
			}
		}
	})
	for i := range strangers {
		next <- kinds[i%len(kinds)]
	}
	close(next)
	openers.Wait()
	awaitStrangers(t, l, uint64(strangers))
	stop()
	clients.Wait()
	close(over)
	siege.Wait()
	t.Logf("%d calls, %d connections, %+v", calls, connects, l.Stats())
	began := time.Now()
	must(t, tb.Stop(context.Background()))
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the Tub's stop took %v", d)
	}
}

// awaitStrangers waits until the Listener has decided about that many
// connections: the honest ones come in addition.
func awaitStrangers(t *testing.T, l *listener.Listener, n uint64) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		s := l.Stats()
		if s.Tub+s.HTTP+s.Refused+s.Garbage+s.Silent+s.Excess >= n {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("only %+v of %d strangers are decided about", s, n)
		}
	}
}
