package tub

import (
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
)

// A Tuple is Python's tuple: a list that does not change. Two equal tuples of
// hashable values are the same key of a [Dict].
type Tuple []any

// Keywords are keyword arguments. As the last argument of a call they are sent
// as such; a method whose last parameter is of this type collects those it is
// called with.
type Keywords map[string]any

// Args are the arguments of a call that an object decides about itself: see
// [CallRemoter].
type Args struct {
	Positional []any
	Keywords   Keywords
}

// A Dict is Python's dict: it keeps the order in which keys came, and its keys
// compare as Python's do: 1, 1.0 and true are the same key, the text "a" and
// the bytes "a" are not. The zero value is empty and ready to use. It is not
// safe for concurrent use.
type Dict struct{ t table }

// NewDict returns a Dict of keys and values in turn. It returns an error for a
// key that cannot be hashed and for a key without a value.
func NewDict(pairs ...any) (*Dict, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("tub: NewDict with %d arguments: the last key has no value", len(pairs))
	}
	d := new(Dict)
	for i := 0; i < len(pairs); i += 2 {
		if err := d.Set(pairs[i], pairs[i+1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Len returns the number of keys.
func (d *Dict) Len() int { return d.t.len() }

// Get returns the value of key. A key that cannot be hashed is not there.
func (d *Dict) Get(key any) (value any, ok bool) { return d.t.get(key) }

// Set gives key a value; a key that is there keeps its place. It returns an
// error for a key that Python could not hash, such as a list.
func (d *Dict) Set(key, value any) error {
	_, err := d.t.set(key, value)
	return err
}

// Delete removes key and reports whether it was there.
func (d *Dict) Delete(key any) bool { return d.t.delete(key) }

// All yields keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] { return d.t.all() }

// String formats d for people.
func (d *Dict) String() string {
	var parts []string
	for k, v := range d.All() {
		parts = append(parts, fmt.Sprintf("%#v: %#v", k, v))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// A Set is Python's set. Members compare like the keys of a [Dict] and keep
// the order in which they came. The zero value is empty and ready to use. It
// is not safe for concurrent use.
type Set struct{ t table }

// NewSet returns a Set of the given members. It returns an error for one that
// cannot be hashed.
func NewSet(members ...any) (*Set, error) {
	s := new(Set)
	for _, m := range members {
		if err := s.Add(m); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Len returns the number of members.
func (s *Set) Len() int { return s.t.len() }

// Has reports whether v is a member.
func (s *Set) Has(v any) bool { _, ok := s.t.get(v); return ok }

// Add makes v a member. It returns an error if v cannot be hashed.
func (s *Set) Add(v any) error {
	_, err := s.t.set(v, nil)
	return err
}

// Delete removes v and reports whether it was a member.
func (s *Set) Delete(v any) bool { return s.t.delete(v) }

// All yields the members.
func (s *Set) All() iter.Seq[any] { return s.t.keys() }

// String formats s for people.
func (s *Set) String() string { return "set" + s.t.members() }

// A FrozenSet is Python's frozenset: a set that does not change and can be a
// key. It is safe for concurrent use.
type FrozenSet struct {
	t      table
	hashed atomic.Pointer[string] // as a key, once it was one
}

// NewFrozenSet returns a FrozenSet of the given members. It returns an error
// for one that cannot be hashed.
func NewFrozenSet(members ...any) (*FrozenSet, error) {
	s := new(FrozenSet)
	for _, m := range members {
		if _, err := s.t.set(m, nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Len returns the number of members.
func (s *FrozenSet) Len() int { return s.t.len() }

// Has reports whether v is a member.
func (s *FrozenSet) Has(v any) bool { _, ok := s.t.get(v); return ok }

// All yields the members.
func (s *FrozenSet) All() iter.Seq[any] { return s.t.keys() }

// String formats s for people.
func (s *FrozenSet) String() string { return "frozenset" + s.t.members() }
