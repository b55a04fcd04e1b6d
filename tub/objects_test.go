package tub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

type base struct{}

func (base) Promoted() string   { return "promoted" }
func (base) Overridden() string { return "base" }
func (*base) Pointed() string   { return "pointed" }

type Namer interface{ Named() string }

// published embeds what must not be published with it.
type published struct {
	base
	sync.Mutex
	Namer
	*strings.Builder
}

func (*published) GetVersion() string                 { return "1" }
func (*published) HTTPGet() string                    { return "get" }
func (*published) UserID() string                     { return "id" }
func (*published) X() string                          { return "x" }
func (*published) Overridden() string                 { return "own" }
func (*published) String() string                     { return "string" }
func (*published) GoString() string                   { return "go" }
func (*published) Error() string                      { return "error" }
func (*published) Close() error                       { return nil }
func (*published) MarshalJSON() ([]byte, error)       { return nil, nil }
func (*published) UnmarshalText([]byte) error         { return nil }
func (*published) Format(fmt.State, rune)             {}
func (*published) unexported() string                 { return "" }
func (*published) Nothing()                           {}
func (*published) OnlyError() error                   { return nil }
func (*published) Context(ctx context.Context) string { return tub.CallerID(ctx) }
func (*published) Two() (int, string)                 { return 1, "b" }
func (*published) TwoAndError(fail bool) (int, string, error) {
	if fail {
		return 1, "b", &tub.RemoteError{Type: "builtins.ValueError", Message: "no", Traceback: "here"}
	}
	return 1, "b", nil
}

func TestWhichMethodsAreCallable(t *testing.T) {
	p := new(published)
	p.unexported()
	server := start(t)
	client := start(t)
	plain := must(client.GetReference(within(t), must(server.Register(p, ""))))
	exposed := must(client.GetReference(within(t), must(server.Register(tub.Expose(p, "Promoted", "String", "Overridden", "Lock"), ""))))
	callable := func(ref *tub.Reference, method string) bool {
		t.Helper()
		_, err := ref.Call(within(t), method)
		var remote *tub.RemoteError
		if err != nil && (!errors.As(err, &remote) || !remote.IsA("builtins.AttributeError")) {
			t.Errorf("%s: %v", method, err)
		}
		return err == nil
	}
	for _, method := range []string{
		"GetVersion", "getVersion", "get_version", "HTTPGet", "httpGet", "http_get", "UserID", "userID", "user_id", "X", "x",
		"Nothing", "only_error", "context", "two",
	} {
		if !callable(plain, method) || !callable(exposed, method) {
			t.Errorf("%s is not callable", method)
		}
	}
	for _, method := range []string{
		"Promoted", "promoted", "Overridden", "overridden", "Pointed", "pointed", "Named", "Lock", "lock", "Unlock", "TryLock", "try_lock",
		"String", "string", "GoString", "Error", "error", "Close", "close", "MarshalJSON", "marshal_json", "UnmarshalText", "Format", "format",
		"WriteString", "Len", "Grow", "unexported", "GETVERSION", "getversion", "Get_Version", "", "remote_get_version", "__init__", "x\x00",
	} {
		if callable(plain, method) {
			t.Errorf("%q is callable", method)
		}
	}
	for method, want := range map[string]bool{
		"Promoted": true, "promoted": true, "string": true, "overridden": true, "lock": true, "Unlock": false, "pointed": false, "error": false,
	} {
		if got := callable(exposed, method); got != want {
			t.Errorf("%s is callable once exposed: %v, want %v", method, got, want)
		}
	}
}

func TestWhatMethodsReturn(t *testing.T) {
	client := start(t)
	ref := must(client.GetReference(within(t), must(start(t).Register(new(published), ""))))
	for method, want := range map[string]any{
		"nothing": nil, "only_error": nil, "two": tub.Tuple{int64(1), "b"}, "context": client.ID(),
	} {
		if got, err := ref.Call(within(t), method); err != nil || !equal(got, want) {
			t.Errorf("%s = %#v, %v; want %#v", method, got, err, want)
		}
	}
	if got, err := ref.Call(within(t), "two_and_error", false); err != nil || !equal(got, tub.Tuple{int64(1), "b"}) {
		t.Errorf("two_and_error = %v, %v", got, err)
	}
	_, err := ref.Call(within(t), "two_and_error", true)
	var remote *tub.RemoteError
	if !errors.As(err, &remote) || remote.Type != "builtins.ValueError" || remote.Message != "no" || remote.Traceback != "here" ||
		!remote.IsA("builtins.Exception") || remote.IsA("builtins.KeyError") {
		t.Errorf("got %+v, want the RemoteError that was returned", err)
	}
	if tub.CallerID(t.Context()) != "" {
		t.Error("a context that is no method's has a caller")
	}
}

type collides struct{}

func (*collides) UserID()  {}
func (*collides) User_ID() {}

type unsendable struct{}

func (*unsendable) Do(func()) {}

type unsendables struct{}

func (*unsendables) Do(...chan int) {}

type lateContext struct{}

func (*lateContext) Do(int, context.Context) {}

type bare struct{ A int }

type onlyHidden struct{}

func (*onlyHidden) String() string { return "" }

func TestWhatCannotBeCalledIsAnErrorOfRegister(t *testing.T) {
	tb := start(t)
	for name, c := range map[string]struct {
		obj  any
		want string
	}{
		"collision": {new(collides), "both answer to"}, "function": {new(unsendable), "func()"}, "channels": {new(unsendables), "chan int"},
		"context": {new(lateContext), "context.Context"}, "no methods": {new(bare), "no method"}, "hidden only": {new(onlyHidden), "no method"},
		"number": {1, "no method"}, "nil": {nil, "nil"}, "nil pointer": {(*published)(nil), "nil"},
		"exposing what is not there": {tub.Expose(new(bare), "Nope"), "no method Nope"}, "exposing nil": {tub.Expose(nil, "X"), "nil"},
		"nothing revocable": {first(tub.Revocable(new(bare))), "no method"}, "nil revocable": {first(tub.Revocable(nil)), "nil"},
	} {
		if _, err := tb.Register(c.obj, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func first(v any, _ func()) any { return v }

// counter has its methods on the value.
type counter struct{ n *int }

func (c counter) Next() int { *c.n++; return *c.n }

func TestAnObjectNeedNotBeAPointer(t *testing.T) {
	n := 0
	ref := reach(t, counter{&n})
	for want := range 3 {
		if got, err := tub.Call[int](within(t), ref, "next"); got != want+1 {
			t.Errorf("next = %d, %v", got, err)
		}
	}
}

// decides takes all calls itself. It cannot be compared.
type decides []string

func (d decides) CallRemote(ctx context.Context, method string, args tub.Args) (any, error) {
	if !slices.Contains(d, method) {
		return nil, fmt.Errorf("no %s for %s", method, tub.CallerID(ctx))
	}
	return []any{method, args.Positional, map[string]any(args.Keywords)}, nil
}

func (d decides) Public() string { return "not callable" }

func TestAnObjectMayDecideItself(t *testing.T) {
	revocable, revoke := tub.Revocable(decides{"echo", ""})
	for name, obj := range map[string]any{"itself": decides{"echo", ""}, "revocable": revocable} {
		ref := reach(t, obj)
		got, err := ref.Call(within(t), "echo", 1, "a", tub.Keywords{"k": 2})
		want := []any{"echo", []any{int64(1), "a"}, dict("k", int64(2))}
		if err != nil || !equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
		}
		if _, err := ref.Call(within(t), "public"); err == nil || !strings.Contains(err.Error(), "no public for ") {
			t.Errorf("%s: another method: %v", name, err)
		}
		if _, err := ref.Call(within(t), ""); err != nil {
			t.Errorf("%s: a method without a name: %v", name, err)
		}
		if name == "revocable" {
			revoke()
			if _, err := ref.Call(within(t), "echo"); err == nil || !strings.Contains(err.Error(), tub.ErrRevoked.Error()) {
				t.Errorf("revoked: %v", err)
			}
		}
	}
}
