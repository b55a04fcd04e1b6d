package tub_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/tub"
)

// hoard answers with much.
type hoard struct{ order []int64 }

func (h *hoard) Much(n int64) []byte { h.order = append(h.order, n); return make([]byte, 64<<10) }

func (h *hoard) Order() []int64 { return h.order }

// A peer that calls and does not read must not keep an object from others, nor
// fill the memory with answers.
func TestAPeerThatDoesNotReadKeepsNoObject(t *testing.T) {
	tb := start(t, tub.WithLimits(tub.Limits{Queue: 64 << 10}))
	h := new(hoard)
	furl, err := tb.Register(h, "")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := start(t).GetReference(within(t), furl)
	if err != nil {
		t.Fatal(err)
	}
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	const calls = 600
	for n := range int64(calls) {
		s.send(1, "much", one(func(e *banana.Encoder) { e.Int(n) }))
	}
	for range 5 {
		if _, err := ref.Call(within(t), "order"); err != nil {
			t.Fatalf("while the other peer does not read: %v", err)
		}
	}
	answers := 0
	for range calls {
		if got := s.read(); !strings.HasPrefix(got, "(answer ") {
			t.Fatalf("answer %d: got %.100s", answers, got)
		}
		answers++
	}
	order, err := tub.Call[[]int64](within(t), ref, "order")
	if err != nil || len(order) != calls || !slices.IsSorted(order) {
		t.Errorf("%d calls ran, in order: %v (%v)", len(order), slices.IsSorted(order), err)
	}
}

// The error of a call that nobody can take is told without stopping the reader,
// or two peers could wait for each other for ever.
func TestRefusedCallsDoNotStopTheReader(t *testing.T) {
	tb := start(t, tub.WithLimits(tub.Limits{Queue: 32 << 10}))
	furl, err := tb.Register(new(hoard), "")
	if err != nil {
		t.Fatal(err)
	}
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	var flood []byte
	const calls = 6_000
	for range calls {
		s.reqs++
		flood = append(flood, s.bytesOf(func(e *banana.Encoder) {
			writeCall(e, s.reqs, 1, strings.Repeat("no", 450), func(e *banana.Encoder) { e.Int(0) })
		})...)
	}
	s.write(flood) // returns only if all of it is read
	for n := range calls {
		if got := s.read(); !strings.Contains(got, "builtins.AttributeError") {
			t.Fatalf("answer %d: got %.200s", n, got)
		}
	}
}

type fragile struct{}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func (f *fragile) NilError() error { var e *nilError; return e }
func (f *fragile) Panic() string   { panic("oh") }
func (f *fragile) Exit() string    { runtime.Goexit(); return "" }
func (f *fragile) Fine() string    { return "fine" }
func (f *fragile) PanicLater(ctx context.Context) (err error) {
	tub.Yield(ctx, func() { panic("later") })
	return nil
}

func (f *fragile) ExitLater(ctx context.Context) (err error) {
	tub.Yield(ctx, runtime.Goexit)
	return nil
}

func TestAMethodThatBreaksFailsItsCallOnly(t *testing.T) {
	ref := reach(t, new(fragile))
	for range 3 {
		for _, method := range []string{"nil_error", "panic", "exit", "panic_later", "exit_later"} {
			_, err := ref.Call(within(t), method)
			var remote *tub.RemoteError
			if !errors.As(err, &remote) || remote.Type != "builtins.RuntimeError" || strings.Contains(remote.Message, "oh") {
				t.Errorf("%s: got %v, want a RuntimeError that does not tell of our insides", method, err)
			}
		}
		if got, err := ref.Call(within(t), "fine"); err != nil || got != "fine" {
			t.Fatalf("after the panics: %v, %v", got, err)
		}
	}
	var all sync.WaitGroup
	for range 20 {
		for _, method := range []string{"exit", "fine", "panic"} {
			all.Go(func() {
				if _, err := ref.Call(within(t), method); method == "fine" && err != nil {
					t.Error(fmt.Errorf("fine: %w", err))
				}
			})
		}
	}
	all.Wait()
}
