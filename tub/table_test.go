package tub_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/tub"
)

func TestKeysThatPythonTakesForOneAreOne(t *testing.T) {
	same := [][]any{
		{1, int64(1), int8(1), uint64(1), 1.0, float32(1), true, decimal("1"), decimal("1.0"), decimal("10E-1"), big.NewInt(1)},
		{0, false, 0.0, decimal("-0.0")},
		{0.5, decimal("0.5"), decimal("5E-1")},
		{power(1, 70), 1180591620717411303424.0, decimal("1180591620717411303424")},
		{inf(1), decimal("Infinity"), decimal("inf")},
		{inf(-1), decimal("-Infinity")},
		{"a", text("a")},
		{tub.Tuple{1, "a"}, tub.Tuple{1.0, "a"}},
		{frozen(1, 2), frozen(2, 1.0)},
		{tub.Tuple{frozen()}, tub.Tuple{frozen()}},
	}
	for i, group := range same {
		for j, other := range same {
			for _, a := range group {
				for _, b := range other {
					d := dict(a, "here")
					if _, ok := d.Get(b); ok != (i == j) {
						t.Errorf("%T(%v) finds %T(%v): %v", b, b, a, a, ok)
					}
				}
			}
		}
	}
}

type text string

func TestKeysThatPythonTellsApartAreApart(t *testing.T) {
	long := strings.Repeat("x", 100)
	d := dict()
	keys := []any{
		nil, "a", []byte("a"), "i1;", []byte("i1;"), 1, -1, 1.5, "1", tub.Tuple{}, tub.Tuple{1}, tub.Tuple{tub.Tuple{}},
		tub.Tuple{tub.Tuple{}, tub.Tuple{}}, frozen(), frozen(tub.Tuple{}), frozen(frozen()), tub.Tuple{"a", "b"}, tub.Tuple{"ab"},
		long, []byte(long), tub.Tuple{long}, frozen(long), power(1, 1000), power(-1, 1000), decimal("NaN"), decimal("1E999"),
		&struct{ a int }{}, &struct{ a int }{},
	}
	for _, k := range keys {
		if err := d.Set(k, k); err != nil {
			t.Errorf("Set(%v): %v", k, err)
		}
	}
	if d.Len() != len(keys) {
		t.Errorf("of %d keys only %d are left: %v", len(keys), d.Len(), d)
	}
}

func TestWhatCanChangeIsNoKey(t *testing.T) {
	for _, k := range []any{[]any{}, dict(), set(), map[string]int{}, tub.Tuple{[]any{}}, struct{}{}, (*big.Int)(nil), (*tub.FrozenSet)(nil)} {
		if err := dict().Set(k, 1); err == nil {
			t.Errorf("%T became a key", k)
		}
		if _, ok := dict(1, 2).Get(k); ok {
			t.Errorf("%T was found", k)
		}
		if dict(1, 2).Delete(k) {
			t.Errorf("%T was deleted", k)
		}
		if _, err := tub.NewSet(k); err == nil {
			t.Errorf("%T became a member of a set", k)
		}
		if _, err := tub.NewFrozenSet(k); err == nil {
			t.Errorf("%T became a member of a frozenset", k)
		}
	}
	if _, err := tub.NewDict(1); err == nil {
		t.Error("NewDict took a key without a value")
	}
}

// A few hundred bytes of shared tuples stand for more keys than any memory
// holds.
func TestATupleThatWritesOutEndlesslyIsNoKey(t *testing.T) {
	var deep any = tub.Tuple{"x"}
	for range 60 {
		deep = tub.Tuple{deep, deep}
	}
	began := time.Now()
	if err := dict().Set(deep, 1); err == nil {
		t.Error("it became a key")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to refuse it", took)
	}
	// Frozensets of frozensets are cheap, however much they share.
	deep = frozen("x")
	for i := range 90 {
		deep = frozen(deep, tub.Tuple{deep, i})
	}
	if err := dict().Set(deep, 1); err != nil {
		t.Errorf("nested frozensets: %v", err)
	}
}

func TestADictKeepsItsOrder(t *testing.T) {
	d := dict("c", 1, "a", 2, "b", 3)
	d.Set("c", 4)
	d.Delete("a")
	d.Set("a", 5)
	var keys strings.Builder
	for k := range d.All() {
		keys.WriteString(k.(string))
	}
	if keys.String() != "cba" || d.String() != `{"c": 4, "b": 3, "a": 5}` {
		t.Errorf("order %s of %s, want cba", keys.String(), d)
	}
	for i := range 1000 { // more than are kept: deleted places are given up
		d.Set(i, i)
	}
	for i := range 999 {
		if !d.Delete(i) || d.Delete(i) {
			t.Fatalf("deleting %d", i)
		}
	}
	if v, ok := d.Get(999); !ok || v != 999 || d.Len() != 4 {
		t.Errorf("after deleting most: %v", d)
	}
	s := set(3, 1, 2)
	s.Delete(1)
	if s.Has(1) || !s.Has(2) || s.Len() != 2 || s.String() != "set(3, 2)" {
		t.Errorf("got %v", s)
	}
	for range s.All() {
		break
	}
}

func inf(sign int) float64 { return math.Inf(sign) }
