package tub

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// canonical returns a text that two values share exactly if Python takes them
// for the same key.
func canonical(v any) (string, error) {
	c := canon{budget: maxKey}
	if err := c.value(v, 0); err != nil {
		return "", err
	}
	return digest(c.b), nil
}

// digest keeps a long text from being kept: an index of large keys would cost
// far more than the message that brought them.
func digest(b []byte) string {
	if len(b) <= longKey {
		return string(b)
	}
	sum := sha256.Sum256(b)
	return string(append([]byte{'#'}, sum[:]...))
}

const (
	longKey  = 64
	keyDepth = 100
	// maxKey bounds a tuple as a key, by what it is when written out. A few
	// bytes of shared tuples inside one another can stand for more than any
	// memory holds.
	maxKey = 64 << 10
)

// A canon writes the canonical text of one key.
type canon struct {
	b      []byte
	budget int // what the items of tuples may still add
}

func (c *canon) value(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		c.b = append(c.b, 'n')
	case string:
		c.counted('t', v)
	case []byte:
		c.counted('b', string(v))
	case bool:
		if v {
			c.integer(1)
		} else {
			c.integer(0)
		}
	case int64:
		c.integer(v)
	case int:
		c.integer(int64(v))
	case *big.Int:
		if v == nil {
			return fmt.Errorf("tub: a nil *big.Int cannot be a key")
		}
		c.big(v)
	case float64:
		c.float(v)
	case Decimal:
		c.decimal(v)
	case Tuple:
		return c.tuple(v, depth)
	case *FrozenSet:
		if v == nil {
			return fmt.Errorf("tub: a nil *FrozenSet cannot be a key")
		}
		c.b = append(c.b, v.canonical()...)
	case *Dict, *Set:
		return fmt.Errorf("tub: a %T cannot be a key: it can change", v)
	default:
		return c.reflected(v)
	}
	return nil
}

func (c *canon) tuple(items Tuple, depth int) error {
	if depth == keyDepth {
		return fmt.Errorf("tub: key is nested more than %d deep", keyDepth)
	}
	c.b = append(strconv.AppendInt(append(c.b, 'T'), int64(len(items)), 10), ':')
	for _, item := range items {
		before := len(c.b)
		if err := c.value(item, depth+1); err != nil {
			return err
		}
		// What was nested has been charged further down, and is charged
		// again: that bounds the depth of the writing, too.
		if c.budget -= len(c.b) - before + 1; c.budget < 0 {
			return fmt.Errorf("tub: a tuple of more than %d bytes cannot be a key", maxKey)
		}
	}
	return nil
}

// canonical is computed once: a set does not change, and one may be a key in
// many places.
func (s *FrozenSet) canonical() string {
	if c := s.hashed.Load(); c != nil {
		return *c
	}
	keys := make([]string, 0, len(s.t.index))
	for k := range s.t.index {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var c canon
	for _, k := range keys {
		c.counted('m', k)
	}
	text := digest(append([]byte{'F'}, append(c.b, ';')...))
	s.hashed.Store(&text)
	return text
}

func (c *canon) counted(kind byte, s string) {
	c.b = strconv.AppendInt(append(c.b, kind), int64(len(s)), 10)
	c.b = append(append(c.b, ':'), s...)
}

// Integers are written in base 16, which costs no more than their length.
func (c *canon) integer(v int64) {
	c.b = append(strconv.AppendInt(append(c.b, 'i'), v, 16), ';')
}

func (c *canon) big(v *big.Int) { c.b = append(v.Append(append(c.b, 'i'), 16), ';') }

func (c *canon) rat(r *big.Rat) {
	c.big(r.Num())
	if !r.IsInt() {
		c.b[len(c.b)-1] = '/'
		c.b = append(r.Denom().Append(c.b, 16), ';')
	}
}

// float makes whole numbers the integers that they equal.
func (c *canon) float(v float64) {
	switch {
	case math.IsInf(v, 0):
		c.infinity(v < 0)
	case math.IsNaN(v):
		c.b = append(c.b, "nan;"...) // in Python only the very same NaN is equal; here any
	default:
		c.rat(new(big.Rat).SetFloat64(v))
	}
}

func (c *canon) infinity(negative bool) {
	if negative {
		c.b = append(c.b, '-')
	}
	c.b = append(c.b, "inf;"...)
}

func (c *canon) decimal(v Decimal) {
	r, ok := v.Rat()
	s := strings.ToLower(v.String())
	switch {
	case ok:
		c.rat(r)
	case strings.Contains(s, "inf"):
		c.infinity(s[0] == '-')
	default:
		c.counted('d', s)
	}
}

// reflected covers the other Go numbers and texts, and things that are only
// equal to themselves: references and objects.
func (c *canon) reflected(v any) error {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Pointer:
		c.counted('p', fmt.Sprintf("%s %x", r.Type(), r.Pointer()))
	case r.Kind() == reflect.String:
		c.counted('t', r.String())
	case r.Kind() == reflect.Bool:
		return c.value(r.Bool(), 0)
	case r.CanInt():
		c.integer(r.Int())
	case r.CanUint():
		c.big(new(big.Int).SetUint64(r.Uint()))
	case r.CanFloat():
		c.float(r.Float())
	default:
		return fmt.Errorf("tub: a value of type %T cannot be a key", v)
	}
	return nil
}
