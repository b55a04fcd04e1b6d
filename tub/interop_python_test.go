package tub_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

// roles runs a test with the Go side as negotiation master and as slave.
func roles(t *testing.T, f func(t *testing.T, master bool)) {
	for _, master := range []bool{true, false} {
		t.Run(map[bool]string{true: "Go is master", false: "Go is slave"}[master], func(t *testing.T) {
			f(t, master)
		})
	}
}

// target is what Python calls.
type target struct {
	own  *notified
	held any
	stop func()
}

type notified struct{ calls []any }

func (n *notified) Notify(v any) int {
	n.calls = append(n.calls, v)
	return len(n.calls)
}

func (g *target) Echo(v any) any        { return v }
func (g *target) Give(name string) any  { return goValue(name) }
func (g *target) Add(a, b int) int      { return a + b }
func (g *target) Fail(msg string) error { return errors.New(msg) }
func (g *target) Hold(v any)            { g.held = v }
func (g *target) Held() any             { return g.held }
func (g *target) IsHeld(v any) bool     { return v == g.held }
func (g *target) Own() *notified        { return g.own }
func (g *target) IsOwn(v any) bool      { return v == any(g.own) }
func (g *target) FailAs(class, msg string) error {
	return &tub.RemoteError{Type: class, Message: msg}
}

func (g *target) Check(name string, v any) any {
	if fits(name, v) {
		return true
	}
	return fmt.Sprintf("%s arrived as %#v", name, v)
}

func (g *target) Keywords(a int, kw tub.Keywords) []any {
	return []any{[]any{a}, map[string]any(kw)}
}

func (g *target) Notify(ctx context.Context, ref *tub.Reference, v any) (any, error) {
	return ref.Call(ctx, "notify", v)
}

// Die ends the Tub while its caller waits.
func (g *target) Die(ctx context.Context) error {
	g.stop()
	<-ctx.Done()
	return ctx.Err()
}

func TestPythonClientWithGoServer(t *testing.T) {
	roles(t, func(t *testing.T, master bool) {
		python := startPython(t, "client")
		tb := start(t, identityBeside(t, python.tubID, master))
		var stopping sync.WaitGroup
		defer stopping.Wait()
		g := &target{own: new(notified), stop: func() {
			stopping.Go(func() { tb.Stop(context.Background()) })
		}}
		furl, err := tb.Register(g, "")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(python.in, furl.String()+"\n")
		checks := python.checks()
		for _, c := range checks {
			t.Run(c.Check, func(t *testing.T) {
				if !c.OK {
					t.Error(c.Detail)
				}
			})
		}
		if want := 3*(len(goValues)+len(goStructures)) + 22; len(checks) != want {
			t.Errorf("the Python client made %d checks, want %d", len(checks), want)
		}
	})
}

// withPython runs f with a reference to the Python peer's target.
func withPython(t *testing.T, f func(t *testing.T, ctx context.Context, ref *tub.Reference)) {
	roles(t, func(t *testing.T, master bool) {
		python := startPython(t, "serve")
		furl, err := tub.ParseFURL(python.line("furl: "))
		if err != nil {
			t.Fatal(err)
		}
		tb := start(t, identityBeside(t, python.tubID, master))
		ctx := within(t)
		ref, err := tb.GetReference(ctx, furl)
		if err != nil {
			t.Fatal(err)
		}
		f(t, ctx, ref)
	})
}

func TestGoClientWithPythonServer(t *testing.T) {
	withPython(t, func(t *testing.T, ctx context.Context, ref *tub.Reference) {
		t.Run("values", func(t *testing.T) { everyValue(t, ctx, ref) })
		t.Run("calls", func(t *testing.T) { everyKindOfCall(t, ctx, ref) })
		t.Run("objects", func(t *testing.T) { objectsBothWays(t, ctx, ref) })
		t.Run("1000 calls in flight", func(t *testing.T) { thousandCalls(t, ctx, ref) })
		t.Run("5 MB", func(t *testing.T) { fiveMegabytes(t, ctx, ref) })
		t.Run("peer killed in mid-call", func(t *testing.T) { killedInMidCall(t, ctx, ref) })
	})
}

func everyValue(t *testing.T, ctx context.Context, ref *tub.Reference) {
	names, err := tub.Call[[]string](ctx, ref, "names")
	if err != nil {
		t.Fatal(err)
	}
	if want := len(goValues) + len(goStructures); len(names) != want {
		t.Errorf("Python knows %d values, Go %d", len(names), want)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if v, err := ref.Call(ctx, "echo", goValue(name)); err != nil || !fits(name, v) {
				t.Errorf("echoed as %#v, %v", v, err)
			}
			if v, err := ref.Call(ctx, "check", name, goValue(name)); err != nil || v != true {
				t.Errorf("Python says: %v, %v", v, err)
			}
			if v, err := ref.Call(ctx, "give", name); err != nil || !fits(name, v) {
				t.Errorf("given as %#v, %v", v, err)
			}
		})
	}
}

func everyKindOfCall(t *testing.T, ctx context.Context, ref *tub.Reference) {
	if v, err := tub.Call[int](ctx, ref, "add", 1, 2); err != nil || v != 3 {
		t.Errorf("add(1, 2) = %v, %v", v, err)
	}
	v, err := ref.Call(ctx, "keywords", 1, tub.Keywords{"b": 2, "a": "x"})
	if err != nil || !equal(v, []any{[]any{int64(1)}, dict("a", "x", "b", int64(2))}) {
		t.Errorf("keywords(1, a='x', b=2) = %v, %v", v, err)
	}
	for method, want := range map[string]string{
		"fail":           "builtins.ValueError",
		"fail_own":       "__main__.OurError",
		"no_such_method": "builtins.AttributeError",
	} {
		_, err := ref.Call(ctx, method, "oops ሴ")
		var remote *tub.RemoteError
		if !errors.As(err, &remote) || remote.Type != want {
			t.Errorf("%s: got %v, want a %s", method, err, want)
			continue
		}
		if method != "no_such_method" && remote.Message != "oops ሴ" {
			t.Errorf("%s: message is %q", method, remote.Message)
		}
		if !remote.IsA("builtins.Exception") {
			t.Errorf("%s: %v is no Exception: %q", method, remote.Type, remote.Parents)
		}
	}
	if _, err := tub.Call[string](ctx, ref, "add", 1, 2); !errors.Is(err, tub.ErrViolation) {
		t.Errorf("an int for a string: got %v, want ErrViolation", err)
	}
	if err := ref.Send("hold", "one-way"); err != nil {
		t.Error(err)
	}
	if v, err := ref.Call(ctx, "held"); err != nil || v != "one-way" {
		t.Errorf("after a one-way call: %v, %v", v, err)
	}
}

func objectsBothWays(t *testing.T, ctx context.Context, ref *tub.Reference) {
	cb := new(notified)
	if v, err := ref.Call(ctx, "notify", cb, "hello"); err != nil || v != int64(1) || len(cb.calls) != 1 || cb.calls[0] != "hello" {
		t.Errorf("called back: %v, %v, object has %v", v, err, cb.calls)
	}
	if _, err := ref.Call(ctx, "hold", cb); err != nil {
		t.Fatal(err)
	}
	if v, err := ref.Call(ctx, "held"); err != nil || v != any(cb) {
		t.Errorf("own object came home as %v, %v", v, err)
	}
	if v, err := tub.Call[*notified](ctx, ref, "held"); err != nil || v != cb {
		t.Errorf("own object came home, typed, as %v, %v", v, err)
	}
	if v, err := ref.Call(ctx, "is_held", cb); err != nil || v != true {
		t.Errorf("sent again it is another object: %v, %v", v, err)
	}
	own, err := tub.Call[*tub.Reference](ctx, ref, "own")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := ref.Call(ctx, "is_own", own); err != nil || v != true {
		t.Errorf("their object did not come home: %v, %v", v, err)
	}
	if v, err := tub.Call[int](ctx, own, "notify", 5); err != nil || v != 1 {
		t.Errorf("their object: %v, %v", v, err)
	}
	if again, err := tub.Call[*tub.Reference](ctx, ref, "own"); err != nil || again != own {
		t.Errorf("their object again: %v, %v; want the same reference", again, err)
	}
}

func thousandCalls(t *testing.T, ctx context.Context, ref *tub.Reference) {
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if v, err := tub.Call[int](ctx, ref, "add", i, 1); err != nil || v != i+1 {
				t.Errorf("add(%d, 1) = %v, %v", i, v, err)
			}
		})
	}
	all.Wait()
}

func fiveMegabytes(t *testing.T, ctx context.Context, ref *tub.Reference) {
	big := []byte(strings.Repeat("0123456789abcdef", 5<<20/16))
	if n, err := tub.Call[int](ctx, ref, "length", big); err != nil || n != len(big) {
		t.Errorf("length = %v, %v; want %d", n, err, len(big))
	}
	if b, err := tub.Call[[]byte](ctx, ref, "echo", big); err != nil || string(b) != string(big) {
		t.Errorf("echo of 5 MB: %d bytes, %v", len(b), err)
	}
}

func killedInMidCall(t *testing.T, ctx context.Context, ref *tub.Reference) {
	lost := make(chan error, 1)
	ref.OnDisconnect(func(err error) { lost <- err })
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := ref.Call(ctx, "never"); !errors.Is(err, tub.ErrNoAnswer) {
			t.Errorf("a call that was waiting: got %v, want ErrNoAnswer", err)
		}
	})
	if _, err := ref.Call(ctx, "die"); !errors.Is(err, tub.ErrNoAnswer) {
		t.Errorf("the call that killed the peer: got %v, want ErrNoAnswer", err)
	}
	waiting.Wait()
	select {
	case <-lost:
	case <-ctx.Done():
		t.Error("OnDisconnect was not called")
	}
	if _, err := ref.Call(ctx, "add", 1, 2); !errors.Is(err, tub.ErrNotSent) {
		t.Errorf("a call afterwards: got %v, want ErrNotSent", err)
	}
}

// A FURL with the TubID of another Tub, but the hints of the Python peer.
func TestWrongTubIDIsRefusedByBothSides(t *testing.T) {
	roles(t, func(t *testing.T, master bool) {
		python := startPython(t, "serve")
		furl := python.line("furl: ")
		other := start(t)
		wrong := must(tub.ParseFURL(strings.Replace(furl, python.tubID, other.ID(), 1)))
		tb := start(t, identityBeside(t, python.tubID, master))
		_, err := tb.GetReference(within(t), wrong)
		var failed *tub.ConnectError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "unknown TubID "+other.ID()) {
			t.Errorf("got %v, want a ConnectError with what the peer said", err)
		}
		if strings.Contains(err.Error(), wrong.Name()) {
			t.Errorf("the error gives the name away: %v", err)
		}
	})
}
