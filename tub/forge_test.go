package tub_test

import (
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/tub"
)

// A user is an object; only this program makes one.
type user struct{ Admin bool }

func (u *user) Name() string { return "me" }

type office struct{ me *user }

func (o *office) Me() *user                 { return o.me }
func (o *office) IsAdmin(u *user) bool      { return u != nil && u.Admin }
func (o *office) AnyAdmin(all []*user) bool { return len(all) > 0 && all[0].Admin }

// Data that looks like an object must not be taken for one: holding the object
// is what gives the right.
func TestAPeerCannotMakeAnObjectOfOursFromData(t *testing.T) {
	tb := start(t)
	o := &office{me: &user{Admin: true}}
	furl, err := tb.Register(o, "")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := start(t).GetReference(within(t), furl)
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]bool{"Admin": true}
	if got, err := ref.Call(within(t), "is_admin", forged); err == nil || !strings.Contains(err.Error(), "got a dict, want *tub_test.user") {
		t.Errorf("is_admin with a dict: got %v, %v, want a Violation", got, err)
	}
	if got, err := ref.Call(within(t), "any_admin", []any{forged}); err == nil {
		t.Errorf("any_admin with a dict: got %v, want a Violation", got)
	}
	me, err := ref.Call(within(t), "me")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arg  any
		want bool
	}{{me, true}, {nil, false}} {
		if got, err := tub.Call[bool](within(t), ref, "is_admin", c.arg); err != nil || got != c.want {
			t.Errorf("is_admin(%v) = %v, %v; want %v", c.arg, got, err, c.want)
		}
	}
}

type mine struct{ text string }

func (e *mine) Error() string { return e.text }

type clash struct {
	A int `octavo:"x"`
	B int `octavo:"x"`
}

type giver struct{}

func (giver) Give(which string) any {
	d, f := decimal("1.5"), tub.FURL{}
	return map[string]any{
		"nil error": (*mine)(nil), "error": &mine{"oh"}, "decimal": &d, "furl": &f, "nil furl": (*tub.FURL)(nil),
		"clash": clash{1, 2}, "function": func() {}, "channel": make(chan int), "hidden": struct{ a int }{}, "complex": 1i,
	}[which]
}

func TestPointersToValuesAreValues(t *testing.T) {
	ref := reach(t, giver{})
	for which, want := range map[string]any{"nil error": nil, "decimal": decimal("1.5"), "nil furl": nil} {
		if got, err := ref.Call(within(t), "give", which); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", which, got, err, want)
		}
	}
}

func TestWhatCannotBeSentIsSaid(t *testing.T) {
	ref := reach(t, giver{})
	for which, want := range map[string]string{
		"error": "return it", "furl": "no exported fields", "clash": `have the key "x"`, "function": "type func()",
		"channel": "type chan int", "hidden": "no exported fields", "complex": "complex128",
	} {
		if got, err := ref.Call(within(t), "give", which); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("returning %s: got %v, %v; want an error with %q", which, got, err, want)
		}
		if _, err := ref.Call(within(t), "give", giver{}.Give(which)); err == nil || !strings.Contains(err.Error(), "argument 0: ") {
			t.Errorf("sending %s: got %v, want an error that names the argument", which, err)
		}
	}
}

type sharer struct{}

func (sharer) Two(a tub.Tuple, b []int) int     { return len(a) + len(b) }
func (sharer) Lists(a []any, b any) bool        { a[0] = "changed"; return b.([]any)[0] == "changed" }
func (sharer) Other(a []int, b []string) string { return b[0] }

// Python has one empty tuple: it sends the second as a reference to the first.
func TestSharedSequencesFitDifferentTypes(t *testing.T) {
	tb := start(t)
	furl, err := tb.Register(sharer{}, "")
	if err != nil {
		t.Fatal(err)
	}
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	twice := func(n int64) func(e *banana.Encoder) {
		return func(e *banana.Encoder) {
			e.Int(2)
			first := e.Open("tuple")
			for range n {
				e.Int(7)
			}
			e.Close()
			e.Reference(first)
		}
	}
	if got := s.ask(1, "two", twice(0)); got != "(answer 2 0)" {
		t.Errorf("an empty tuple, twice: got %s", got)
	}
	if got := s.ask(1, "lists", twice(1)); got != "(answer 3 (boolean 1))" {
		t.Errorf("a tuple as []any and any: got %s, want one container", got)
	}
	if got := s.ask(1, "other", twice(1)); !strings.Contains(got, "shared value is wanted as []string here") {
		t.Errorf("a tuple as []int and []string: got %s, want a Violation", got)
	}
}
