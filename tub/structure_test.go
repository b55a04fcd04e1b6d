package tub_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/tub"
)

type node struct {
	Name string
	Next *node `octavo:"next"`
	Skip int   `octavo:"-"`
	own  int
}

// typed has a method for each kind of parameter.
type typed struct{}

func (g *typed) Int8(v int8) int8                                  { return v }
func (g *typed) Uint8(v uint8) uint8                               { return v }
func (g *typed) Uint64(v uint64) uint64                            { return v }
func (g *typed) Int(v int) int                                     { return v }
func (g *typed) Big(v *big.Int) *big.Int                           { return v }
func (g *typed) Bool(v bool) bool                                  { return v }
func (g *typed) Text(v string) string                              { return v }
func (g *typed) Bytes(v []byte) []byte                             { return v }
func (g *typed) Pint(v *int) *int                                  { return v }
func (g *typed) Ints(v []int) []int                                { return v }
func (g *typed) Three(v [3]int) [3]int                             { return v }
func (g *typed) Tuple(v tub.Tuple) tub.Tuple                       { return v }
func (g *typed) Map(v map[string]int) map[string]int               { return v }
func (g *typed) Set(v map[int]struct{}) int                        { return len(v) }
func (g *typed) Node(v node) node                                  { return v }
func (g *typed) Pnode(v *node) *node                               { return v }
func (g *typed) Decimal(v tub.Decimal) tub.Decimal                 { return v }
func (g *typed) Float(v float64) float64                           { return v }
func (g *typed) Float32(v float32) float32                         { return v }
func (g *typed) Nested(v map[string][]map[int]*node) int           { return len(v) }
func (g *typed) Many(a int, rest ...string) string                 { return fmt.Sprint(a, rest) }
func (g *typed) Kw(a int, kw tub.Keywords) int                     { return a + len(kw) }
func (g *typed) Results(a int) (int, string, error)                { return a, "b", nil }
func (g *typed) Any(v any) any                                     { return v }
func (g *typed) Pair(a, b []any) bool                              { a[0] = "changed"; return b[0] == "changed" }
func (g *typed) Dicts(a, b *tub.Dict) bool                         { return a == b }
func (g *typed) Maps(a, b map[string]any) bool                     { a["new"] = 1; return b["new"] == 1 }
func (g *typed) Nodes(a, b *node) bool                             { return a == b }
func (g *typed) Ring(v *node) bool                                 { return v.Next.Next == v }
func (g *typed) Array(v [1]any) int                                { return len(v) }
func (g *typed) Sets(a, b *tub.Set) bool                           { return a == b }
func (g *typed) Frozen(v *tub.FrozenSet) *tub.FrozenSet            { return v }
func (g *typed) Strings(v map[string]struct{}) map[string]struct{} { return v }
func (g *typed) Reference(v *tub.Reference) bool                   { return v == nil }
func (g *typed) Failing(v fmt.Stringer) string                     { return v.String() }

func TestTypesAreTheSchemaOfTheirArguments(t *testing.T) {
	ref := reach(t, new(typed))
	five := int64(5)
	for _, c := range []struct {
		method string
		arg    any
		want   any // nil: refused
	}{
		{"int8", 127, int64(127)}, {"int8", 128, nil}, {"int8", -128, int64(-128)}, {"int8", -129, nil}, {"int8", 1.0, nil},
		{"uint8", 255, int64(255)}, {"uint8", -1, nil}, {"uint8", 256, nil},
		{"uint64", uint64(1<<64 - 1), new(big.Int).SetUint64(1<<64 - 1)}, {"uint64", power(1, 64), nil}, {"uint64", -1, nil},
		{"int", power(1, 63), nil}, {"int", "1", nil}, {"int", true, nil}, {"int", nil, nil}, {"int", decimal("1"), nil}, {"int", five, five},
		{"big", 5, five}, {"big", power(-1, 200), power(-1, 200)}, {"big", "x", nil}, {"big", 1.5, nil},
		{"bool", true, true}, {"bool", 1, nil}, {"bool", nil, nil},
		{"text", "ä", "ä"}, {"text", []byte("a"), nil}, {"text", 1, nil}, {"text", nil, nil},
		{"bytes", []byte("a"), []byte("a")}, {"bytes", "a", nil}, {"bytes", []any{1}, nil}, {"bytes", []byte{}, []byte{}},
		{"pint", 5, five}, {"pint", &five, five}, {"pint", "x", nil},
		{"ints", []int{1, 2}, []any{int64(1), int64(2)}}, {"ints", tub.Tuple{1}, []any{int64(1)}}, {"ints", []any{1, "x"}, nil}, {"ints", 1, nil},
		{"three", [3]int{1, 2, 3}, []any{int64(1), int64(2), int64(3)}}, {"three", []int{1, 2}, nil}, {"three", []int{1, 2, 3, 4}, nil}, {"three", nil, nil},
		{"tuple", tub.Tuple{1, "a"}, tub.Tuple{int64(1), "a"}}, {"tuple", []any{1}, nil},
		{"map", map[string]int{"a": 1}, dict("a", int64(1))}, {"map", map[int]int{1: 1}, nil}, {"map", set(1), nil}, {"map", dict([]byte("a"), 1), nil},
		{"set", set(1, 2, 2.0), int64(2)}, {"set", map[int]struct{}{1: {}, 2: {}}, int64(2)}, {"set", map[int]int{}, nil}, {"set", set("a"), nil}, {"set", frozen(1), int64(1)},
		{"node", node{Name: "n", Skip: 1, own: 2}, dict("Name", "n", "next", nil)}, {"node", dict([]byte("Name"), "n"), dict("Name", "n", "next", nil)},
		{"node", dict("Name", []byte("n")), nil}, {"node", dict("name", "n"), nil}, {"node", dict("own", 1), nil}, {"node", dict("Skip", 1), nil},
		{"node", dict("-", 1), nil}, {"node", dict(1, 1), nil}, {"node", dict("Name", "a", []byte("Name"), "b"), nil}, {"node", nil, nil}, {"node", []any{}, nil},
		{"pnode", &node{Name: "a", Next: &node{Name: "b"}}, dict("Name", "a", "next", dict("Name", "b", "next", nil))},
		{"decimal", decimal("1.50"), decimal("1.50")}, {"decimal", "1.50", nil}, {"decimal", 1.5, nil},
		{"float", 1, 1.0}, {"float", 0.1, 0.1}, {"float", inf(1), inf(1)}, {"float", "1", nil}, {"float", power(1, 100), nil}, {"float", true, nil},
		{"float32", 1e300, nil}, {"float32", inf(-1), inf(-1)},
		{"nested", map[string]any{"a": []any{map[int]any{1: nil, 2: node{}}}}, int64(1)}, {"nested", map[string]any{"a": []any{map[int]any{1: 1}}}, nil},
		{"frozen", frozen(1), frozen(int64(1))}, {"frozen", set(1), nil},
		{"strings", map[string]struct{}{"a": {}}, set("a")}, {"strings", set([]byte("a")), nil},
		{"reference", nil, true}, {"reference", 1, nil}, {"reference", new(typed), false}, {"failing", 1, nil},
		{"results", 1, tub.Tuple{int64(1), "b"}},
	} {
		got, err := ref.Call(within(t), c.method, c.arg)
		switch {
		case c.want == nil && (err == nil || !strings.Contains(err.Error(), "foolscap.tokens.Violation: argument 0")):
			t.Errorf("%s(%T %v) = %v, %v; want a Violation that names the argument", c.method, c.arg, c.arg, got, err)
		case c.want != nil && (err != nil || !equal(got, c.want)):
			t.Errorf("%s(%T %v) = %#v, %v; want %#v", c.method, c.arg, c.arg, got, err, c.want)
		}
	}
	for _, method := range []string{"pint", "big", "bytes", "ints", "map", "pnode", "any", "frozen"} {
		// None is nil, and a nil slice or map goes back as an empty one.
		if got, err := ref.Call(within(t), method, nil); err != nil || got != nil && fmt.Sprint(got) != "[]" && fmt.Sprint(got) != "{}" {
			t.Errorf("%s(nil) = %v, %v", method, got, err)
		}
	}
	for _, c := range []struct {
		args []any
		want string
	}{{[]any{1}, "1 []"}, {[]any{1, "a", "b"}, "1 [a b]"}} {
		if got, err := ref.Call(within(t), "many", c.args...); got != c.want {
			t.Errorf("many%v = %v, %v; want %s", c.args, got, err, c.want)
		}
	}
	if got, err := ref.Call(within(t), "kw", 1, tub.Keywords{"a": 1, "b": nil}); got != int64(3) {
		t.Errorf("kw = %v, %v", got, err)
	}
	for _, args := range [][]any{{}, {1, 2}, {1, "a", 3}} {
		if got, err := ref.Call(within(t), "many", args...); err == nil {
			t.Errorf("many%v = %v", args, got)
		}
	}
}

func TestAliasesStayAliases(t *testing.T) {
	ref := reach(t, new(typed))
	list, m, n, d, s := []any{1, 2}, map[string]any{"a": 1}, &node{Name: "n"}, dict("a", 1), set(1)
	for method, arg := range map[string]any{"pair": list, "maps": m, "nodes": n, "dicts": d, "sets": s} {
		if got, err := ref.Call(within(t), method, arg, arg); err != nil || got != true {
			t.Errorf("%s with one container twice: %v, %v", method, got, err)
		}
	}
	if got, err := ref.Call(within(t), "pair", []any{1}, []any{1}); got != false {
		t.Errorf("two equal lists: %v, %v", got, err)
	}
	if got, err := ref.Call(within(t), "nodes", n, &node{Name: "n"}); got != false {
		t.Errorf("two equal structs: %v, %v", got, err)
	}
	ring := &node{Name: "a", Next: &node{Name: "b"}}
	ring.Next.Next = ring
	if got, err := ref.Call(within(t), "ring", ring); got != true {
		t.Errorf("a ring: %v, %v", got, err)
	}
	if _, err := ref.Call(within(t), "node", *ring); err != nil { // the copy is no part of the ring
		t.Errorf("a copy of a struct that leads to a ring: %v", err)
	}
	var loop [1]any
	inner := []any{nil}
	inner[0] = inner
	loop[0] = inner
	if _, err := ref.Call(within(t), "array", loop); err != nil {
		t.Errorf("an array around a cycle: %v", err)
	}
	// Everything at once comes back with the same shape.
	a := []any{nil, nil, nil, nil}
	shared := dict("a", a)
	a[0], a[1], a[2], a[3] = a, tub.Tuple{a, shared}, shared, map[string]any{"self": a}
	back, ok := must(ref.Call(within(t), "any", a)).([]any)
	if !ok || len(back) != 4 {
		t.Fatal("the list did not come back")
	}
	back[0].([]any)[0] = "changed"
	got, _ := back[2].(*tub.Dict).Get("a")
	self, _ := back[3].(*tub.Dict).Get("self")
	if back[0] != "changed" || back[1].(tub.Tuple)[0].([]any)[0] != "changed" || back[1].(tub.Tuple)[1] != back[2] ||
		got.([]any)[0] != "changed" || self.([]any)[0] != "changed" {
		t.Error("a change through one alias is not seen through another")
	}
}

func TestAnArrayIsNoPartOfACycle(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(typed), ""))
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	for method, value := range map[string]func(e *banana.Encoder){
		"array": func(e *banana.Encoder) { n := e.Open("list"); e.Reference(n); e.Close() },
		"node":  func(e *banana.Encoder) { n := e.Open("dict"); e.Text("next"); e.Reference(n); e.Close() },
	} {
		if got := s.ask(1, method, one(value)); !strings.Contains(got, "foolscap.tokens.Violation") {
			t.Errorf("%s: got %s", method, got)
		}
	}
	if got := s.ask(1, "pnode", one(func(e *banana.Encoder) {
		n := e.Open("dict")
		e.Text("next")
		e.Reference(n)
		e.Close()
	})); !strings.Contains(got, "(reference ") {
		t.Errorf("pnode: got %s", got)
	}
	// A value nested too deep to be sent says so, and is not sent.
	ref := must(start(t).GetReference(within(t), furl))
	var deep any
	for range 20_000 {
		deep = []any{deep}
	}
	if _, err := ref.Call(within(t), "any", deep); err == nil || !strings.Contains(err.Error(), "nested more than") {
		t.Errorf("too deep: %.200v", err)
	}
	var pointer any
	pointer = &pointer
	if _, err := ref.Call(within(t), "any", pointer); err == nil {
		t.Error("a pointer to itself was sent")
	}
}
