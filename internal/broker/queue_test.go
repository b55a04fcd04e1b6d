package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// fill makes calls until the next would have to wait, and returns them.
func fill(t *testing.T, r *raw) (all []*pending) {
	t.Helper()
	for {
		p := newPending()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		err := r.link.Call(ctx, 1, "queued", args(), p)
		cancel()
		synctest.Wait()
		if err != nil {
			return all
		}
		all = append(all, p)
	}
}

func TestCallWaitsForRoomUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Queue: 200})
		queued := fill(t, r)
		why := errors.New("no more patience")
		ctx, cancel := context.WithCancelCause(t.Context())
		p := newPending()
		result := make(chan error, 1)
		go func() { result <- r.link.Call(ctx, 1, "given-up", args(), p) }()
		patient := make(chan error, 1)
		go func() { patient <- r.link.Call(t.Context(), 1, "patient", args(), nil) }()
		synctest.Wait()
		if len(result) > 0 || len(patient) > 0 {
			t.Error("a call was queued though there is no room")
		}
		cancel(why)
		if err := <-result; !errors.Is(err, why) {
			t.Errorf("got %v, want the cause of the context", err)
		}
		r.listen()
		if err := <-patient; err != nil {
			t.Errorf("there is room, but: %v", err)
		}
		out := r.heard()
		if bytes.Contains(out, []byte("given-up")) || p.ended() {
			t.Error("a call was sent that had returned an error")
		}
		if got := reactions(t, out); len(got) != len(queued)+1 {
			t.Errorf("%d calls were written, want %d", len(got), len(queued)+1)
		}
	})
}

func TestThoseWhoWaitForRoomHearOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Queue: 200})
		fill(t, r)
		results := make(chan error, 20)
		for range 10 {
			go func() { results <- r.link.Call(t.Context(), 1, "x", args(), newPending()) }()
			go func() { results <- r.link.Fail(3, broker.ViolationFailure("x")) }()
		}
		synctest.Wait()
		why := errors.New("that is all")
		r.link.Close(why)
		for range 20 {
			if err := <-results; !errors.Is(err, why) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestTooManyCallsAreRefusedWithTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{Calls: 3})
		for range 3 {
			call(t, r.link, 1, "x")
		}
		p := newPending()
		err := r.link.Call(t.Context(), 1, "x", args(), p)
		if !errors.Is(err, broker.ErrTooManyCalls) || !strings.Contains(err.Error(), "the limit is 3") {
			t.Errorf("got %v", err)
		}
		if err := r.link.Call(t.Context(), 1, "one-way", args(), nil); err != nil {
			t.Errorf("a one-way call waits for no answer: %v", err)
		}
		if err := r.link.Notify(0, "decref", args(), newPending()); err != nil {
			t.Errorf("the machinery's own calls are under no limit: %v", err)
		}
		r.say(message(0, "answer", func(e *banana.Encoder) { e.Int(2); e.Int(1) }))
		r.say(message(1, "answer", func(e *banana.Encoder) { e.Int(1); e.Int(1) }))
		call(t, r.link, 1, "x")
		if p.ended() {
			t.Error("a call that was refused has ended")
		}
	})
}

func TestPeerMayNotHaveTooManyCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, silent(nil), broker.Options{Calls: 3})
		for i := range int64(4) {
			r.say(callMessage(uint64(2*i), i+1, 0, "x"))
		}
		out := r.heard()
		if got := reactions(t, out); !slices.Equal(got, []string{"error 4"}) || !bytes.Contains(out, []byte("too many calls at once: 3 ")) {
			t.Errorf("wrote %q", out)
		}
		r.link.Fail(2, broker.ViolationFailure("x"))
		r.say(callMessage(8, 4, 0, "x"))
		if got := reactions(t, r.heard()); !slices.Equal(got, []string{"error 2"}) {
			t.Errorf("wrote %q", got)
		}
	})
}

// A peer that calls and reads no answers must not be able to fill our memory.
func TestAnswersThatWaitCountAsCallsInWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := echo()
		inner := h.call
		var taken atomic.Int64
		h.call = func(h *host, d *banana.Decoder, c broker.Call) error {
			taken.Add(1)
			return inner(h, d, c)
		}
		r := newDeaf(t, h, broker.Options{Calls: 10, Queue: 500})
		for i := range int64(100) {
			r.say(callMessage(uint64(2*i), i+1, 0, "echo", strings.Repeat("x", 500)))
		}
		if n := taken.Load(); n > 13 { // 10 and what the queue has taken
			t.Errorf("%d calls are in work, the limit is 10", n)
		}
	})
}

func TestPeerThatReadsNoRefusalsLosesTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Queue: 1000})
		const n = 2000
		for i := range int64(n) {
			r.say(callMessage(uint64(2*i), i+1, 999, "x"))
			if r.link.Context().Err() != nil {
				break
			}
		}
		if err := context.Cause(r.link.Context()); err == nil || !strings.Contains(err.Error(), "does not read") {
			t.Errorf("after %d refused calls and none read the Link ends with %v", n, err)
		}
	})
}

// A message may be as large as it likes: that is no sign of a peer that does not read.
func TestRefusalsBehindALargeMessageKeepTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Queue: 1000})
		call(t, r.link, 1, "being written")
		synctest.Wait()
		call(t, r.link, 1, "large", strings.Repeat("x", 100_000))
		r.say(callMessage(0, 1, 999, "x"))
		if err := r.link.Notify(0, "decref", args(), newPending()); err != nil {
			t.Error(err)
		}
		r.listen()
		if got := reactions(t, r.heard()); !slices.Equal(got, []string{"call 1", "call 2", "error 1", "call 3"}) {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestPeerThatReadsNoPongsGetsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDeaf(t, echo(), broker.Options{Queue: 100})
		r.say(bytes.Repeat([]byte{0x8E}, 10_000))
		r.listen()
		if n := len(r.heard()); n == 0 || n > 32<<10 {
			t.Errorf("%d PONGs", n)
		}
		r.lives()
	})
}

func TestPongsAnswerPingsAlsoWithinAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{})
		whole := callMessage(0, 1, 0, "e", "x")
		for i := range whole {
			// Between two tokens only: behind a byte that is a type, and not in a body.
			if i == 0 || whole[i-1] < 0x80 || whole[i-1] == 0x82 {
				continue
			}
			r := newRaw(t, echo(), broker.Options{})
			r.say(whole[:i])
			r.say([]byte{byte(i), 0x8E})
			if got, want := string(r.heard()), string([]byte{byte(i), 0x8F}); got != want {
				t.Errorf("before byte %d: %x, want %x", i, got, want)
			}
			r.say(whole[i:])
			if got := reactions(t, r.heard()); !slices.Equal(got, []string{"answer 1"}) {
				t.Errorf("PING before byte %d: %q", i, got)
			}
		}
		// While a message is being dropped.
		dropped := message(0, "list", func(e *banana.Encoder) { put(e, []any{"list", []any{"list"}}) })
		r.say(dropped[:6])
		r.say([]byte{9, 0x8E})
		if got := r.heard(); string(got) != "\x09\x8F" {
			t.Errorf("while dropping: %x", got)
		}
		r.say(dropped[6:])
		r.lives()
	})
}

func TestAThousandCallsAtOnce(t *testing.T) {
	const n = 1000
	a, b := pair(t, echo(), echo(), broker.Options{Queue: 2000})
	results := make(chan error, 2*n)
	for i := range n {
		for _, l := range []*broker.Link{a, b} {
			go func() {
				p := newPending()
				v := fmt.Sprintf("%d of %p", i, l)
				if err := l.Call(t.Context(), 0, "echo", args(v), p); err != nil {
					results <- err
					return
				}
				<-p.done
				if p.err == nil && p.value != v {
					p.err = fmt.Errorf("got %v, want %v", p.value, v)
				}
				results <- p.err
			}()
		}
	}
	for range 2 * n {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever calls while the Link ends learns what became of it, once.
func TestEveryCallHearsOfAnEndThatComesMeanwhile(t *testing.T) {
	for range 20 {
		a, b := pair(t, echo(), echo(), broker.Options{Queue: 500})
		const n = 50
		results := make(chan error, n)
		begun := make(chan struct{}, n)
		for range n {
			go func() {
				for i := 0; ; i++ {
					p := newPending()
					if err := a.Call(context.Background(), 0, "echo", args("x"), p); err != nil {
						if p.ended() {
							err = fmt.Errorf("returned %w and ended", err)
						}
						results <- err
						return
					}
					if i == 0 {
						begun <- struct{}{}
					}
					<-p.done
				}
			}()
		}
		for range n / 2 {
			<-begun
		}
		why := errors.New("in the middle")
		a.Close(why)
		b.Close(why)
		for range n {
			if err := <-results; !errors.Is(err, why) || strings.Contains(err.Error(), "and ended") {
				t.Fatalf("got %v", err)
			}
		}
	}
}
