package valuejson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
	"github.com/octavo-go/octavo/tub"
)

// scalars are the values that hold no others; all of them can be keys.
func scalars(furl func(tub.FURL) (any, error)) *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Custom(func(t *rapid.T) any {
			// Smaller ones are read as int64.
			n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 9, 40).Draw(t, "magnitude"))
			n.SetBit(n, 64, 1)
			if rapid.Bool().Draw(t, "negative") {
				n.Neg(n)
			}
			return n
		}),
		rapid.Float64().AsAny(),
		rapid.SampledFrom([]any{0.0, math.Copysign(0, -1), 1.0, 1e21, 1e-7, math.NaN(), math.Inf(1), math.Inf(-1)}),
		rapid.String().AsAny(),
		rapid.SampledFrom([]any{"$", "$bytes", "$dict", "\x7f\u0085\u2028", "<&>"}),
		rapid.SliceOf(rapid.Byte()).AsAny(),
		rapid.Custom(func(t *rapid.T) any {
			d, err := tub.ParseDecimal(rapid.StringMatching(`-?[0-9]{1,5}(\.[0-9]{0,5})?(E[+-]?[0-9]{1,3})?|NaN|-Infinity`).Draw(t, "decimal"))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}),
		rapid.Custom(func(t *rapid.T) any {
			name := rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "name")
			f, err := tub.ParseFURL("pb://" + strings.Repeat("a", 32) + "@tcp:h:1/" + name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := furl(f)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}),
	)
}

// hashables are the values that can be keys.
func hashables(scalar *rapid.Generator[any], depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalar
	}
	below := rapid.SliceOfN(hashables(scalar, depth-1), 0, 3)
	return rapid.OneOf(scalar,
		rapid.Map(below, func(items []any) any { return tub.Tuple(items) }),
		rapid.Map(below, func(items []any) any { return must(tub.NewFrozenSet(items...)) }),
	)
}

func values(scalar *rapid.Generator[any], depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalar
	}
	items := rapid.SliceOfN(values(scalar, depth-1), 0, 4)
	keys := rapid.SliceOfN(hashables(scalar, 2), 0, 4)
	return rapid.OneOf(
		hashables(scalar, 2),
		rapid.Map(items, func(items []any) any { return items }),
		rapid.Map(items, func(items []any) any { return tub.Tuple(items) }),
		rapid.Map(keys, func(keys []any) any { return must(tub.NewSet(keys...)) }),
		rapid.Custom(func(t *rapid.T) any {
			d := new(tub.Dict)
			keys := keys
			if rapid.Bool().Draw(t, "text keys") {
				keys = rapid.SliceOfN(rapid.StringMatching(`\$?[a-z]{0,3}`).AsAny(), 0, 4)
			}
			for _, k := range keys.Draw(t, "keys") {
				if err := d.Set(k, values(scalar, depth-1).Draw(t, "value")); err != nil {
					t.Fatal(err)
				}
			}
			return d
		}),
	)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestEveryValueSurvivesTheWayThereAndBack(t *testing.T) {
	resolve := references()
	all := values(scalars(resolve), 4)
	rapid.Check(t, func(t *rapid.T) {
		v := all.Draw(t, "value")
		text, err := valuejson.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil || compact.String() != string(text) || !isOneLine(text) {
			t.Fatalf("%q is no compact JSON on one line (%v)", text, err)
		}
		again, err := valuejson.Parse(string(text), resolve)
		if err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		if diff := difference(v, again); diff != "" {
			t.Fatalf("%s: %s", text, diff)
		}
	})
}

func isOneLine(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

// difference says where two values are not the same value of the same type, in
// the same order. NaN is NaN.
func difference(a, b any) string {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return fmt.Sprintf("%T became %T", a, b)
	}
	var same bool
	switch a := a.(type) {
	case float64:
		b := b.(float64)
		same = math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
	case *big.Int:
		same = a.Cmp(b.(*big.Int)) == 0
	case []byte:
		same = bytes.Equal(a, b.([]byte))
	case []any:
		return differences(a, b.([]any))
	case tub.Tuple:
		return differences(a, b.(tub.Tuple))
	case *tub.Set:
		return differences(slices.Collect(a.All()), slices.Collect(b.(*tub.Set).All()))
	case *tub.FrozenSet:
		return differences(slices.Collect(a.All()), slices.Collect(b.(*tub.FrozenSet).All()))
	case *tub.Dict:
		return differences(flat(a.All()), flat(b.(*tub.Dict).All()))
	default:
		same = a == b
	}
	if !same {
		return fmt.Sprintf("%v became %v", a, b)
	}
	return ""
}

func differences(a, b []any) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d parts became %d", len(a), len(b))
	}
	for i := range a {
		if diff := difference(a[i], b[i]); diff != "" {
			return fmt.Sprintf("part %d: %s", i, diff)
		}
	}
	return ""
}

func flat(pairs iter.Seq2[any, any]) (all []any) {
	for k, v := range pairs {
		all = append(all, k, v)
	}
	return all
}
