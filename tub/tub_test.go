package tub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/tub"
)

// start returns a running Tub that listens on loopback and is stopped at the
// end of the test.
func start(t *testing.T, opts ...tub.Option) *tub.Tub {
	t.Helper()
	tb, err := tub.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	begin(t, tb)
	return tb
}

func begin(t *testing.T, tb *tub.Tub) {
	t.Helper()
	if err := tb.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tb.Stop(context.Background()); err != nil {
			t.Errorf("stopping the Tub: %+v", err)
		}
	})
}

// within bounds a test's patience; it is far beyond what anything takes.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// reach registers obj in one new Tub and returns a reference to it held by
// another.
func reach(t *testing.T, obj any) *tub.Reference {
	t.Helper()
	furl, err := start(t).Register(obj, "")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := start(t).GetReference(within(t), furl)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

type calculator struct{ last int }

func (c *calculator) Add(a, b int) int { c.last = a + b; return c.last }

func (c *calculator) Fail(text string) error { return errors.New(text) }

func (c *calculator) Echo(v any) any { return v }

func TestCallReturnsWhatTheMethodReturned(t *testing.T) {
	ref := reach(t, new(calculator))
	got, err := tub.Call[int](within(t), ref, "add", 1, 2)
	if err != nil || got != 3 {
		t.Fatalf("add(1, 2) = %v, %v; want 3", got, err)
	}
}

func TestAnErrorArrivesWithTypeAndMessage(t *testing.T) {
	ref := reach(t, new(calculator))
	_, err := ref.Call(within(t), "fail", "no way")
	var remote *tub.RemoteError
	if !errors.As(err, &remote) || remote.Message != "no way" || remote.Type != "errors.errorString" {
		t.Fatalf("got %v, want a *RemoteError of type errors.errorString with its message", err)
	}
}

func TestWrongArgumentsAreViolations(t *testing.T) {
	ref := reach(t, new(calculator))
	for name, args := range map[string][]any{
		"argument 0: got text":          {"one", 2},
		"wants 2 arguments, got 1":      {1},
		"too many positional arguments": {1, 2, 3},
		"takes no keyword arguments":    {1, 2, tub.Keywords{"c": 3}},
	} {
		_, err := ref.Call(within(t), "add", args...)
		var remote *tub.RemoteError
		if !errors.As(err, &remote) || !remote.IsA("foolscap.tokens.Violation") || !strings.Contains(remote.Message, name) {
			t.Errorf("add%v: got %v, want a Violation with %q", args, err, name)
		}
	}
}
