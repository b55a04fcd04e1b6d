package tub

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A table is an insertion-ordered hash table under Python's rules of equality:
// what [Dict], [Set] and [FrozenSet] are made of.
type table struct {
	entries []entry        // deleted ones have gone set
	index   map[string]int // canonical key -> place in entries
}

type entry struct {
	key, value any
	gone       bool
}

func (t *table) len() int { return len(t.index) }

func (t *table) get(key any) (any, bool) {
	k, err := canonical(key)
	if err != nil {
		return nil, false
	}
	i, ok := t.index[k]
	if !ok {
		return nil, false
	}
	return t.entries[i].value, true
}

// set reports whether the key was there already.
func (t *table) set(key, value any) (had bool, err error) {
	k, err := canonical(key)
	if err != nil {
		return false, err
	}
	if i, ok := t.index[k]; ok {
		t.entries[i].value = value
		return true, nil
	}
	if t.index == nil {
		t.index = make(map[string]int)
	}
	t.index[k] = len(t.entries)
	t.entries = append(t.entries, entry{key: key, value: value})
	return false, nil
}

func (t *table) delete(key any) bool {
	k, err := canonical(key)
	if err != nil {
		return false
	}
	i, ok := t.index[k]
	if !ok {
		return false
	}
	delete(t.index, k)
	t.entries[i] = entry{gone: true}
	if len(t.entries) > 2*len(t.index)+8 {
		t.compact()
	}
	return true
}

func (t *table) compact() {
	place := make(map[int]int, len(t.index))
	kept := t.entries[:0:0]
	for i, e := range t.entries {
		if !e.gone {
			place[i] = len(kept)
			kept = append(kept, e)
		}
	}
	for k, i := range t.index {
		t.index[k] = place[i]
	}
	t.entries = kept
}

func (t *table) all() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for _, e := range t.entries {
			if !e.gone && !yield(e.key, e.value) {
				return
			}
		}
	}
}

func (t *table) keys() iter.Seq[any] {
	return func(yield func(any) bool) {
		for k := range t.all() {
			if !yield(k) {
				return
			}
		}
	}
}

func (t *table) members() string {
	var parts []string
	for k := range t.all() {
		parts = append(parts, fmt.Sprintf("%#v", k))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// canonical returns a text that two values share exactly if Python takes them
// for the same key.
func canonical(v any) (string, error) {
	b, err := appendCanonical(nil, v, 0)
	return string(b), err
}

const canonicalDepth = 100

func appendCanonical(b []byte, v any, depth int) ([]byte, error) {
	if depth > canonicalDepth {
		return nil, fmt.Errorf("tub: key is nested more than %d deep", canonicalDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), nil
	case string:
		return appendCounted(b, 't', v), nil
	case []byte:
		return appendCounted(b, 'b', string(v)), nil
	case bool:
		if v {
			return append(b, "i1;"...), nil
		}
		return append(b, "i0;"...), nil
	case int64:
		return appendInteger(b, v), nil
	case int:
		return appendInteger(b, int64(v)), nil
	case *big.Int:
		return append(append(append(b, 'i'), v.String()...), ';'), nil
	case float64:
		return appendFloat(b, v), nil
	case Decimal:
		return appendDecimal(b, v), nil
	case Tuple:
		return appendSequence(b, 'T', v, depth)
	case *FrozenSet:
		keys := make([]string, 0, v.Len())
		for k := range v.t.index {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return appendCounted(b, 'F', strings.Join(keys, "")), nil
	case *Dict, *Set:
		return nil, fmt.Errorf("tub: a %T cannot be a key: it can change", v)
	}
	return appendReflected(b, v)
}

func appendInteger(b []byte, v int64) []byte {
	return append(strconv.AppendInt(append(b, 'i'), v, 10), ';')
}

func appendCounted(b []byte, kind byte, s string) []byte {
	b = strconv.AppendInt(append(b, kind), int64(len(s)), 10)
	return append(append(b, ':'), s...)
}

func appendSequence(b []byte, kind byte, items []any, depth int) ([]byte, error) {
	b = append(strconv.AppendInt(append(b, kind), int64(len(items)), 10), ':')
	for _, item := range items {
		var err error
		if b, err = appendCanonical(b, item, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendFloat makes whole numbers the integers that they equal.
func appendFloat(b []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && !math.IsInf(v, 0):
		i, _ := new(big.Float).SetFloat64(v).Int(nil)
		return append(append(append(b, 'i'), i.String()...), ';')
	case math.IsInf(v, 0):
		return append(append(b, 'r'), strconv.FormatFloat(v, 'g', -1, 64)+";"...)
	case math.IsNaN(v):
		return append(b, "nan;"...) // in Python only the very same NaN is equal; here any
	}
	r := new(big.Rat).SetFloat64(v)
	return append(append(append(b, 'r'), r.String()...), ';')
}

func appendDecimal(b []byte, v Decimal) []byte {
	r, ok := v.Rat()
	switch {
	case !ok:
		return appendCounted(b, 'd', v.String())
	case r.IsInt():
		return append(append(append(b, 'i'), r.Num().String()...), ';')
	}
	return append(append(append(b, 'r'), r.String()...), ';')
}

// appendReflected covers the other Go numbers and texts, and things that are
// only equal to themselves: references and objects.
func appendReflected(b []byte, v any) ([]byte, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Pointer:
		return append(b, fmt.Sprintf("p%s%p;", r.Type(), v)...), nil
	case r.Kind() == reflect.String:
		return appendCounted(b, 't', r.String()), nil
	case r.Kind() == reflect.Bool:
		return appendCanonical(b, r.Bool(), 0)
	case r.CanInt():
		return appendInteger(b, r.Int()), nil
	case r.CanUint():
		return append(strconv.AppendUint(append(b, 'i'), r.Uint(), 10), ';'), nil
	case r.CanFloat():
		return appendFloat(b, r.Float()), nil
	}
	return nil, fmt.Errorf("tub: a value of type %T cannot be a key", v)
}
