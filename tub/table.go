package tub

import (
	"fmt"
	"iter"
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
