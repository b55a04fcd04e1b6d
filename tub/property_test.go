package tub_test

import (
	"math"
	"math/big"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-go/octavo/tub"
)

// scalars are what any reads from a single token, and text.
func scalars() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }),
		rapid.Map(rapid.Int64(), func(v int64) any { return v }),
		rapid.Map(rapid.Float64(), func(v float64) any { return v }),
		rapid.Map(rapid.String(), func(v string) any { return v }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(v []byte) any { return append([]byte{}, v...) }),
		rapid.SampledFrom([]any{"list", []byte("list"), math.Inf(1), int64(math.MinInt64), int64(1) << 31, int64(-1) << 31}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 9, 40), func(v []byte) any {
			v[0] |= 1
			n := new(big.Int).SetBytes(v)
			if v[1]&1 == 0 {
				n.Neg(n)
			}
			return n
		}),
		rapid.Map(rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,9})?(E[+-][0-9]{1,3})?`), func(s string) any { return decimal(s) }),
	)
}

// values are scalars and containers of them.
func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalars()
	}
	inner := values(depth - 1)
	keys := rapid.OneOf(scalars(), rapid.Map(rapid.SliceOfN(scalars(), 0, 3), func(v []any) any { return append(tub.Tuple{}, v...) }))
	items := rapid.SliceOfN(inner, 0, 5)
	return rapid.OneOf(
		scalars(),
		rapid.Map(items, func(v []any) any { return append([]any{}, v...) }),
		rapid.Map(items, func(v []any) any { return append(tub.Tuple{}, v...) }),
		rapid.Map(rapid.SliceOfN(keys, 0, 5), func(v []any) any { return set(v...) }),
		rapid.Map(rapid.SliceOfN(keys, 0, 5), func(v []any) any { return frozen(v...) }),
		rapid.Custom(func(t *rapid.T) any {
			d := dict()
			for range rapid.IntRange(0, 5).Draw(t, "pairs") {
				d.Set(keys.Draw(t, "key"), inner.Draw(t, "value"))
			}
			return d
		}),
		rapid.Map(inner, func(v any) any { return []any{v, v} }),
	)
}

func TestEveryValueComesBackAsItWas(t *testing.T) {
	ref := reach(t, new(calculator))
	rapid.Check(t, func(rt *rapid.T) {
		v := values(3).Draw(rt, "value")
		got, err := ref.Call(within(t), "echo", v)
		if err != nil || !equal(got, v) {
			rt.Fatalf("%#v came back as %#v, %v", v, got, err)
		}
	})
}

type colour string

type shape struct {
	Bool    bool
	Int8    int8
	Uint    uint
	Float   float64
	Single  float32 `octavo:"single"`
	Text    colour
	Bytes   []byte
	Texts   []string
	Two     [2]int16
	Map     map[int]colour
	Set     map[string]struct{}
	Pointer *int
	Nested  []shape
	Inner   map[string]*shape
}

func shapes(depth int) *rapid.Generator[shape] {
	return rapid.Custom(func(t *rapid.T) shape {
		s := shape{
			Bool:   rapid.Bool().Draw(t, "bool"),
			Int8:   rapid.Int8().Draw(t, "int8"),
			Uint:   rapid.Uint().Draw(t, "uint"),
			Float:  rapid.Float64().Draw(t, "float"),
			Single: rapid.Float32().Draw(t, "single"),
			Text:   colour(rapid.String().Draw(t, "text")),
			Bytes:  append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")...),
			Texts:  append([]string{}, rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "texts")...),
			Two:    [2]int16{rapid.Int16().Draw(t, "0"), rapid.Int16().Draw(t, "1")},
			Map:    map[int]colour{},
			Set:    map[string]struct{}{},
			Nested: []shape{},
			Inner:  map[string]*shape{},
		}
		for _, k := range rapid.SliceOfN(rapid.Int(), 0, 3).Draw(t, "keys") {
			s.Map[k] = colour(rapid.String().Draw(t, "value"))
		}
		for _, k := range rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "members") {
			s.Set[k] = struct{}{}
		}
		if n := rapid.Int().Draw(t, "pointer"); n%2 == 0 {
			s.Pointer = &n
		}
		if depth > 0 {
			s.Nested = append(s.Nested, rapid.SliceOfN(shapes(depth-1), 0, 2).Draw(t, "nested")...)
			for i, inner := range rapid.SliceOfN(shapes(depth-1), 0, 2).Draw(t, "inner") {
				s.Inner[string(rune('a'+i))] = &inner
			}
		}
		return s
	})
}

type shaper struct{ seen int }

func (g *shaper) Shape(s shape) shape              { g.seen++; return s }
func (g *shaper) Shapes(s map[string][]*shape) any { g.seen++; return s }
func (g *shaper) Variadic(first *shape, rest ...shape) bool {
	return len(rest) > 0 && reflect.DeepEqual(*first, rest[0])
}

func TestEveryStructComesBackAsItWas(t *testing.T) {
	ref := reach(t, new(shaper))
	rapid.Check(t, func(rt *rapid.T) {
		s := shapes(2).Draw(rt, "shape")
		got, err := tub.Call[shape](within(t), ref, "shape", s)
		if err != nil || !reflect.DeepEqual(got, s) {
			rt.Fatalf("%+v came back as %+v, %v", s, got, err)
		}
		many, err := tub.Call[map[string][]*shape](within(t), ref, "shapes", map[string][]*shape{"a": {&s, &s}})
		if err != nil || !reflect.DeepEqual(*many["a"][0], s) || many["a"][0] != many["a"][1] {
			rt.Fatalf("%+v came back as %+v, %v", s, many, err)
		}
		if same, err := tub.Call[bool](within(t), ref, "variadic", &s, s); err != nil || !same {
			rt.Fatalf("variadic: %v, %v", same, err)
		}
	})
}
