package tub_test

import (
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/tub"
)

type octet uint8

// taker takes arguments of types that are a little unusual.
type taker struct{ secret string }

type named any

func (g *taker) Octets(b []octet) int               { return len(b) }
func (g *taker) Named(v named) named                { return v }
func (g *taker) Float32(f float32) float64          { return float64(f) }
func (g *taker) Float64(f float64) float64          { return f }
func (g *taker) NaNs(m map[float64]int) int         { return len(m) }
func (g *taker) Dict(d *tub.Dict) int               { return d.Len() }
func (g *taker) Self() *taker                       { return g }
func (g *taker) Keyed() map[*taker]func()           { return map[*taker]func(){g: nil} }
func (g *taker) Text(s string) string               { return s }
func (g *taker) String() string                     { return g.secret }
func (g *taker) Fields(f struct{ A, B int }) int    { return f.A + f.B }
func (g *taker) Pointer(f *struct{ A, B int }) bool { return f == nil }

// takerWith returns a stranger that holds a taker as number 1.
func takerWith(t *testing.T, g *taker) *stranger {
	t.Helper()
	tb := start(t)
	furl, err := tb.Register(g, "")
	if err != nil {
		t.Fatal(err)
	}
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	return s
}

func TestBytesFitASliceOfANamedByte(t *testing.T) {
	s := takerWith(t, new(taker))
	if got := s.ask(1, "octets", one(func(e *banana.Encoder) { e.Text("abc") })); got != "(answer 2 3)" {
		t.Errorf("got %s", got)
	}
}

func TestANamedEmptyInterfaceTakesEverything(t *testing.T) {
	ref := reach(t, new(taker))
	for _, v := range []any{nil, int64(1), "a", []byte("b"), []any{"c"}, tub.Tuple{}, dict(1, 2)} {
		if got, err := ref.Call(within(t), "named", v); err != nil || !equal(got, v) {
			if d, ok := v.(*tub.Dict); ok && err == nil && got.(*tub.Dict).Len() == d.Len() {
				continue
			}
			t.Errorf("%v came back as %v, %v", v, got, err)
		}
	}
}

func TestIntegersBecomeFloatsOnlyExactly(t *testing.T) {
	ref := reach(t, new(taker))
	for _, c := range []struct {
		method string
		n      int64
		ok     bool
	}{
		{"float32", 1 << 24, true}, {"float32", 1<<24 + 1, false}, {"float32", -(1<<24 + 1), false},
		{"float64", 1 << 53, true}, {"float64", 1<<53 + 1, false},
		{"float64", 1<<63 - 1, false}, {"float64", -1 << 63, true}, {"float32", -1 << 63, true},
	} {
		got, err := tub.Call[float64](within(t), ref, c.method, c.n)
		if ok := err == nil && got == float64(c.n); ok != c.ok {
			t.Errorf("%s(%d) = %g, %v; want it taken: %v", c.method, c.n, got, err, c.ok)
		}
	}
}

func TestNaNIsNoKeyOfAMap(t *testing.T) {
	s := takerWith(t, new(taker))
	got := s.ask(1, "na_ns", one(func(e *banana.Encoder) {
		e.Open("dict")
		e.Float(inf(1) - inf(1))
		e.Int(1)
		e.Close()
	}))
	if !strings.Contains(got, "cannot be a key") {
		t.Errorf("got %s, want a Violation", got)
	}
}

// What an object holds must not be read from an error, by whoever has a
// reference to it.
func TestAnErrorShowsNothingOfAnObject(t *testing.T) {
	const secret = "hunter2"
	s := takerWith(t, &taker{secret: secret})
	self := func(e *banana.Encoder) {
		e.Open("your-reference")
		e.Int(1)
		e.Close()
	}
	twice := func(e *banana.Encoder) {
		e.Open("dict")
		for range 2 {
			self(e)
			e.Int(1)
		}
		e.Close()
	}
	alone := func(e *banana.Encoder) {
		e.Open("dict")
		self(e)
		e.Close()
	}
	for name, got := range map[string]string{
		"key twice":   s.ask(1, "dict", one(twice)),
		"field":       s.ask(1, "fields", one(twice)),
		"key without": s.ask(1, "dict", one(alone)),
		"wrong type":  s.ask(1, "text", one(self)),
		"result":      s.ask(1, "keyed", func(e *banana.Encoder) { e.Int(0) }),
		"gift number": s.ask(0, "decgift", func(e *banana.Encoder) { e.Int(2); self(e); e.Int(1) }),
		"count":       s.ask(0, "decref", func(e *banana.Encoder) { e.Int(2); self(e); e.Int(1) }),
		"name":        s.ask(0, "getReferenceByName", one(self)),
		"unhashable value": s.ask(1, "dict", one(func(e *banana.Encoder) {
			e.Open("dict")
			e.Open("list")
			self(e)
			e.Close()
			e.Int(1)
			e.Close()
		})),
	} {
		if !strings.HasPrefix(got, "(error ") || strings.Contains(got, secret) {
			t.Errorf("%s: got %s, want an error without the object's insides", name, got)
		}
	}
	if got := s.ask(1, "text", one(func(e *banana.Encoder) { textOf(e, "fine") })); got != "(answer 11 (unicode fine))" {
		t.Errorf("after the errors: got %s", got)
	}
}
