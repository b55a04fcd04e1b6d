package broker_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// A canned connection has all its input already, comes in pieces and keeps its output.
type canned struct {
	net.Conn // nothing else is called
	in       *bytes.Reader
	piece    int

	mu     sync.Mutex
	out    []byte
	closed bool
}

func (c *canned) Read(p []byte) (int, error) { return c.in.Read(p[:min(len(p), c.piece)]) }

func (c *canned) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

func (c *canned) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (*canned) SetReadDeadline(time.Time) error  { return nil }
func (*canned) SetWriteDeadline(time.Time) error { return nil }

// FuzzLink reads whatever comes behind a negotiation. The Link ends, tells every request, releases
// every object, and has written a stream that can be read.
func FuzzLink(f *testing.F) {
	for i, s := range recorded.Streams(f) {
		f.Add(s, uint16(i))
	}
	f.Add(bytes.Repeat(callMessage(0, 1, 1, "echo", "x"), 3), uint16(0))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint16) {
		conn := &canned{in: bytes.NewReader(stream), piece: int(piece%512) + 1}
		h := echo()
		l := broker.New(conn, conn, banana.Vocabs[1], h, broker.Options{Calls: 20, Queue: 10_000,
			Decode: banana.Limits{Depth: 40, String: 1 << 16, LongInt: 100, Message: 1 << 18}})
		h.link = l
		objects := []*object{new(object), new(object)}
		announce(t, l, objects[0], objects[1], objects[0])
		var requests []*pending
		for range 3 {
			requests = append(requests, call(t, l, 1, "x"))
		}
		if err := l.Serve(); err == nil {
			t.Fatal("Serve returned nil")
		}
		h.wg.Wait()
		for i, p := range requests {
			if !p.ended() {
				t.Fatalf("request %d has not been told", i+1)
			}
		}
		for i, o := range objects {
			if o.held() != 0 || o.released.Load() != 1 {
				t.Fatalf("object %d is held %d times, was released %d times", i+1, o.held(), o.released.Load())
			}
		}
		readable(t, conn.out, len(stream))
	})
}

func readable(t *testing.T, out []byte, in int) {
	t.Helper()
	if most := 1000 + 300*in; len(out) > most {
		t.Fatalf("%d bytes made the Link write %d", in, len(out))
	}
	d := banana.NewDecoder(bufio.NewReader(bytes.NewReader(out)), banana.Vocabs[1], banana.Limits{})
	for {
		err := d.NextMessage()
		if err == nil {
			err = d.Unwind(0)
		}
		var farewell *banana.PeerError
		if errors.Is(err, io.EOF) || errors.As(err, &farewell) {
			return
		}
		if err != nil {
			t.Fatalf("the Link wrote what cannot be read: %v\n%x", err, out)
		}
	}
}
