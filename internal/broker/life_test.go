package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

func TestSilenceIsAskedAboutAndThenEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{Keepalive: time.Second, Silence: 5 * time.Second})
		p := call(t, r.link, 1, "x")
		r.heard()
		began := time.Now()
		time.Sleep(time.Second)
		if got := reactions(t, r.heard()); !slices.Equal(got, []string{"PING 0"}) {
			t.Errorf("after a second: %q, want PING", got)
		}
		err := <-r.served
		if took := time.Since(began); !errors.Is(err, broker.ErrSilent) || took != 5*time.Second {
			t.Errorf("ended after %v by %v, want ErrSilent after 5s", took, err)
		}
		p.wants(t, nil, broker.ErrSilent, broker.Unanswered)
	})
}

func TestAnyByteIsASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{Keepalive: time.Second, Silence: 3 * time.Second})
		long := callMessage(0, 1, 0, "echo", strings.Repeat("x", 30))
		for _, b := range long { // a byte every 2.9 seconds
			time.Sleep(2900 * time.Millisecond)
			r.say([]byte{b})
		}
		got := reactions(t, r.heard())
		pings := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != "PING 0" })
		if got[len(got)-1] != "answer 1" || len(pings) != 2*len(long) {
			t.Errorf("%d PINGs for %d bytes, the last is %q", len(pings), len(long), got[len(got)-1])
		}
		r.lives()
	})
}

func TestSilenceShorterThanKeepaliveNeedsNoPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{Keepalive: time.Minute, Silence: time.Second})
		if err := <-r.served; !errors.Is(err, broker.ErrSilent) {
			t.Errorf("ended by %v", err)
		}
		if out := r.heard(); len(out) != 0 {
			t.Errorf("wrote %x", out)
		}
	})
}

func TestTwoIdleLinksKeepEachOtherAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, echo(), echo(), broker.Options{})
		time.Sleep(24 * time.Hour)
		if a.Context().Err() != nil || b.Context().Err() != nil {
			t.Errorf("%v, %v", context.Cause(a.Context()), context.Cause(b.Context()))
		}
		call(t, a, 0, "x", "still here").wants(t, "still here", nil, broker.Answered)
	})
}

func TestStalledPeerEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Stall: 3 * time.Second})
		began := time.Now()
		first := call(t, r.link, 1, "being written")
		synctest.Wait()
		second := call(t, r.link, 1, "behind it")
		err := <-r.served
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != 3*time.Second {
			t.Errorf("ended after %v by %v", took, err)
		}
		first.wants(t, nil, err, broker.Unanswered)
		second.wants(t, nil, err, broker.NotSent)
	})
}

func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Stall: 3 * time.Second})
		call(t, r.link, 1, "x", strings.Repeat("x", 2<<20))
		for b := make([]byte, 256<<10); ; {
			time.Sleep(2 * time.Second)
			r.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := io.ReadFull(r.conn, b); err != nil {
				break // that was all
			}
		}
		r.conn.SetReadDeadline(time.Time{})
		r.listen()
		r.lives()
	})
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{})
		var all []*pending
		for range 100 {
			all = append(all, call(t, r.link, 1, "x", strings.Repeat("x", 10_000)))
		}
		why := errors.New("done with it")
		r.link.Close(why)
		r.link.Close(errors.New("too late"))
		if err := r.link.Call(t.Context(), 1, "x", args(), nil); !errors.Is(err, why) {
			t.Errorf("a call after Close: %v", err)
		}
		if err := r.link.Fail(7, broker.ViolationFailure("x")); !errors.Is(err, why) {
			t.Errorf("an answer after Close: %v", err)
		}
		out, err := io.ReadAll(r.conn)
		if n := len(reactions(t, out)); err != nil || n != 100 {
			t.Errorf("%d of 100 calls were written: %v", n, err)
		}
		if err := <-r.served; !errors.Is(err, why) {
			t.Errorf("Serve returned %v", err)
		}
		for _, p := range all {
			p.wants(t, nil, why, broker.Unanswered)
		}
	})
}

func TestCloseHasAnEndThoughThePeerReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{})
		p := call(t, r.link, 1, "x")
		synctest.Wait()
		q := call(t, r.link, 1, "y")
		began := time.Now()
		r.link.Close(nil)
		if err := <-r.served; !errors.Is(err, broker.ErrClosed) {
			t.Errorf("ended by %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		p.wants(t, nil, broker.ErrClosed, broker.Unanswered)
		q.wants(t, nil, broker.ErrClosed, broker.NotSent)
	})
}

// A peer that takes a little now and then must not draw the end out.
func TestCloseHasOneEndForAllThatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{})
		call(t, r.link, 1, "x", strings.Repeat("x", 2<<20))
		synctest.Wait()
		began := time.Now()
		r.link.Close(nil)
		for b := make([]byte, 256<<10); ; {
			time.Sleep(time.Second)
			if _, err := io.ReadFull(r.conn, b); err != nil {
				break
			}
		}
		<-r.served
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCloseOfAnIdleLinkIsImmediate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{})
		synctest.Wait()
		began := time.Now()
		r.link.Close(nil)
		if err := <-r.served; !errors.Is(err, broker.ErrClosed) || time.Since(began) != 0 {
			t.Errorf("ended after %v by %v", time.Since(began), err)
		}
	})
}

func TestCloseBeforeServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		l := broker.New(near, near, banana.Vocabs[1], echo(), broker.Options{})
		why := errors.New("not wanted")
		l.Close(why)
		if err := l.Serve(); !errors.Is(err, why) {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func TestEndOfThePeerEndsEverything(t *testing.T) {
	for name, c := range map[string]struct {
		say  string
		want error
	}{"between messages": {"", broker.ErrClosed}, "within a message": {"\x00\x88\x0b", io.ErrUnexpectedEOF}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, echo(), broker.Options{})
				obj := new(object)
				announce(t, r.link, obj)
				p := call(t, r.link, 1, "x")
				r.heard()
				r.say([]byte(c.say))
				r.conn.Close()
				if err := r.dies(); !errors.Is(err, c.want) {
					t.Errorf("ended by %v, want %v", err, c.want)
				}
				p.wants(t, nil, c.want, broker.Unanswered)
				if obj.held() != 0 || r.link.Exports() != 0 {
					t.Errorf("objects are still held: %d, %d", obj.held(), r.link.Exports())
				}
				if err := r.link.Call(t.Context(), 1, "x", args(), newPending()); !errors.Is(err, c.want) {
					t.Errorf("a call on a link that has ended: %v", err)
				}
			})
		})
	}
}

// tracked notes the last write deadline.
type tracked struct {
	net.Conn
	mu   sync.Mutex
	last time.Time
}

func (c *tracked) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	c.last = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// TLS writes of its own accord, too: a deadline left behind would break the connection then.
func TestNoDeadlineIsLeftBehindByAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := &tracked{Conn: near}
		l, _ := serve(t, conn, silent(nil), broker.Options{})
		serve(t, far, echo(), broker.Options{})
		call(t, l, 0, "x", "y").wants(t, "y", nil, broker.Answered)
		synctest.Wait()
		conn.mu.Lock()
		defer conn.mu.Unlock()
		if !conn.last.IsZero() {
			t.Errorf("an idle link has a write deadline")
		}
	})
}
