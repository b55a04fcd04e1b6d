package tub_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/tub"
)

// waiter waits until it is let go.
type waiter struct {
	begun chan struct{}
	goOn  chan struct{}
	calls atomic.Int64
}

func newWaiter() *waiter {
	return &waiter{begun: make(chan struct{}, 1000), goOn: make(chan struct{})}
}

func (w *waiter) Wait(ctx context.Context) error {
	w.calls.Add(1)
	w.begun <- struct{}{}
	select {
	case <-w.goOn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stubborn ignores its context.
func (w *waiter) Stubborn() {
	w.begun <- struct{}{}
	<-w.goOn
}

func (w *waiter) Count() int64 { return w.calls.Load() }

var errWhy = errors.New("changed my mind")

func TestACallWithAnEndedContextIsNotSent(t *testing.T) {
	w := newWaiter()
	ref := reach(t, w)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errWhy)
	if _, err := ref.Call(ctx, "wait"); !errors.Is(err, tub.ErrNotSent) || !errors.Is(err, errWhy) || errors.Is(err, tub.ErrNoAnswer) {
		t.Errorf("got %v, want ErrNotSent and the cause", err)
	}
	if n, err := tub.Call[int](within(t), ref, "count"); n != 0 || err != nil {
		t.Errorf("the method ran %d times (%v)", n, err)
	}
}

func TestACallWhoseContextEndsLaterIsNotAnswered(t *testing.T) {
	w := newWaiter()
	ref := reach(t, w)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-w.begun
		cancel(errWhy)
	}()
	if _, err := ref.Call(ctx, "wait"); !errors.Is(err, tub.ErrNoAnswer) || !errors.Is(err, errWhy) || errors.Is(err, tub.ErrNotSent) {
		t.Errorf("got %v, want ErrNoAnswer and the cause", err)
	}
	close(w.goOn)
	if n, err := tub.Call[int](within(t), ref, "count"); n != 1 || err != nil {
		t.Errorf("afterwards: count = %d, %v", n, err)
	}
}

func TestALostConnectionTellsWhatBecameOfCalls(t *testing.T) {
	w := newWaiter()
	server := start(t)
	furl := must(server.Register(w, ""))
	ref := must(start(t).GetReference(within(t), furl))
	go func() {
		<-w.begun
		server.Stop(context.Background())
	}()
	if _, err := ref.Call(within(t), "wait"); !errors.Is(err, tub.ErrNoAnswer) || errors.Is(err, tub.ErrNotSent) {
		t.Errorf("in flight: got %v, want ErrNoAnswer", err)
	}
	if _, err := ref.Call(within(t), "wait"); !errors.Is(err, tub.ErrNotSent) || errors.Is(err, tub.ErrNoAnswer) {
		t.Errorf("afterwards: got %v, want ErrNotSent", err)
	}
	if err := ref.Send("wait"); !errors.Is(err, tub.ErrNotSent) {
		t.Errorf("Send afterwards: got %v, want ErrNotSent", err)
	}
	if err := ref.Send("wait", func() {}); !errors.Is(err, tub.ErrViolation) || errors.Is(err, tub.ErrNotSent) {
		t.Errorf("Send of a function: got %v, want ErrViolation", err)
	}
}

func TestTooManyCallsAreNotSent(t *testing.T) {
	w := newWaiter()
	furl := must(start(t).Register(w, ""))
	ref := must(start(t, tub.WithLimits(tub.Limits{Calls: 3})).GetReference(within(t), furl))
	results := make(chan error, 3)
	for range 3 {
		go func() { _, err := ref.Call(within(t), "wait"); results <- err }()
	}
	<-w.begun
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := ref.Call(ctx, "count")
		cancel()
		if errors.Is(err, tub.ErrNotSent) && strings.Contains(err.Error(), "too many") {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	close(w.goOn)
	for range 3 {
		<-results // of which one may itself have been one too many
	}
}

// lender gives out objects that it does not keep.
type lender struct {
	begun, goOn chan struct{}
	freed       atomic.Int64
}

type lent struct{ text string }

func (l *lent) Text() string { return l.text }

func (l *lender) Lend() any {
	o := &lent{text: "mine"}
	runtime.AddCleanup(o, func(struct{}) { l.freed.Add(1) }, struct{}{})
	return o
}

func (l *lender) LendLate() any {
	l.begun <- struct{}{}
	<-l.goOn
	return l.Lend()
}

// collected runs the collector until f is true.
func collected(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s of garbage collection", what)
		}
		runtime.GC()
	}
}

func TestALateAnswersReferencesAreGivenBack(t *testing.T) {
	l := &lender{begun: make(chan struct{}), goOn: make(chan struct{})}
	ref := reach(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-l.begun
		cancel()
	}()
	if _, err := ref.Call(ctx, "lend_late"); !errors.Is(err, tub.ErrNoAnswer) {
		t.Fatal(err)
	}
	close(l.goOn)
	collected(t, "the object of an answer nobody waited for", func() bool { return l.freed.Load() == 1 })
	runtime.KeepAlive(ref)
}

func TestAnAnswerThatDoesNotFitGivesItsReferencesBack(t *testing.T) {
	l := new(lender)
	ref := reach(t, l)
	if _, err := tub.Call[int](within(t), ref, "lend"); !errors.Is(err, tub.ErrViolation) {
		t.Fatalf("a reference as int: got %v, want ErrViolation", err)
	}
	if _, err := tub.Call[map[string]int](within(t), ref, "lend"); !errors.Is(err, tub.ErrViolation) {
		t.Fatalf("a reference as a map: got %v, want ErrViolation", err)
	}
	collected(t, "objects of refused answers", func() bool { return l.freed.Load() == 2 })
	runtime.KeepAlive(ref)
}

// What a refused call carried is given back like anything else.
func TestARefusedCallGivesItsReferencesBack(t *testing.T) {
	ref := reach(t, new(calculator))
	var l lender
	for _, call := range []func(o any) error{
		func(o any) error { _, err := ref.Call(within(t), "no_such_method", o); return err },
		func(o any) error { _, err := ref.Call(within(t), "add", "text", o); return err },
		func(o any) error { _, err := ref.Call(within(t), "add", 1, 2, []any{o}); return err },
		func(o any) error { _, err := ref.Call(within(t), "add", []any{1, []any{o}}, 2); return err },
	} {
		if err := call(l.Lend()); err == nil {
			t.Error("not refused")
		}
	}
	collected(t, "objects of refused calls", func() bool { return l.freed.Load() == 4 })
	runtime.KeepAlive(ref)
}

// One-way calls cannot be refused, so too many of them end the connection.
func TestAFloodOfOneWayCallsEndsItsConnection(t *testing.T) {
	w := newWaiter()
	tb := start(t, tub.WithLimits(tub.Limits{Calls: 50}))
	furl := must(tb.Register(w, ""))
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	for range 60 {
		s.conn.Write(s.bytesOf(func(e *banana.Encoder) {
			writeCall(e, 0, 1, "stubborn", func(e *banana.Encoder) { e.Int(0) })
		}))
	}
	if got := s.read(); !strings.Contains(got, "more than 50 one-way calls wait") {
		t.Errorf("got %s, want the end", got)
	}
	<-w.begun
	close(w.goOn)
}
