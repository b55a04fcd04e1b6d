package tub

import (
	"fmt"
	"math/big"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// An encoder writes the Go values of one message. It keeps shared and cyclic
// structure: a container that it meets again becomes a reference.
type encoder struct {
	*banana.Encoder
	conn  *connection
	seen  map[identity]uint64 // container -> its OPEN
	depth int
	held  []*object // held until the message is in the stream

	// References in the message. One that nobody holds any more must not be
	// given back before the message that names it is in the stream.
	refs []*Reference
}

// An identity tells whether two Go values are the same container. Slices are
// the same if they share their memory from the same start and have one length.
type identity struct {
	typ reflect.Type
	ptr uintptr
	len int
}

// maxEncodeDepth stops a structure without end that has no cycle: Foolscap's
// senders have the same failsafe.
const maxEncodeDepth = 10_000

func newEncoder(e *banana.Encoder, c *connection) *encoder {
	return &encoder{Encoder: e, conn: c}
}

// release lets go of the objects that the message names. The connection holds
// them now, if the message was sent.
func (e *encoder) release() {
	runtime.KeepAlive(e.refs)
	for _, o := range e.held {
		o.Release()
	}
}

// value writes v. Its errors say what cannot be sent; the message must be
// dropped then.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.none()
	case bool:
		e.boolean(v)
	case int:
		e.Int(int64(v))
	case int64:
		e.Int(v)
	case float64:
		e.Float(v)
	case string:
		e.text(v)
	case []byte:
		e.Bytes(v)
	case *big.Int:
		if v == nil {
			e.none()
		} else {
			e.Big(v)
		}
	case Decimal:
		e.Open("decimal")
		e.Text(v.String())
		e.Close()
	case Tuple:
		return e.sequence("tuple", reflect.ValueOf(v))
	case []any:
		return e.sequence("list", reflect.ValueOf(v))
	case *Dict:
		return e.dict(v)
	case *Set:
		if v == nil {
			e.none()
			return nil
		}
		return e.set("set", v, &v.t)
	case *FrozenSet:
		if v == nil {
			e.none()
			return nil
		}
		return e.set("immutable-set", v, &v.t)
	case *Reference:
		return e.reference(v)
	case *object:
		v.Retain()
		e.announce(v)
	default:
		return e.reflected(reflect.ValueOf(v))
	}
	return nil
}

func (e *encoder) none() {
	e.Open("none")
	e.Close()
}

func (e *encoder) boolean(v bool) {
	e.Open("boolean")
	if v {
		e.Int(1)
	} else {
		e.Int(0)
	}
	e.Close()
}

func (e *encoder) text(s string) {
	e.Open("unicode")
	e.Text(strings.ToValidUTF8(s, "\uFFFD"))
	e.Close()
}

// reflected writes what has a Go type of its own.
func (e *encoder) reflected(v reflect.Value) error {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		e.none()
		return nil
	}
	if v.Kind() == reflect.Pointer && opaque(v.Type().Elem()) {
		return e.value(v.Elem().Interface())
	}
	if isObject(v.Interface()) {
		return e.object(v.Interface())
	}
	if _, ok := v.Interface().(error); ok {
		return fmt.Errorf("an error (%s) cannot be passed as a value: return it", v.Type())
	}
	switch v.Kind() {
	case reflect.Bool:
		e.boolean(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.Int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.Uint(v.Uint())
	case reflect.Float32, reflect.Float64:
		e.Float(v.Float())
	case reflect.String:
		e.text(v.String())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			e.Bytes(v.Bytes())
			return nil
		}
		return e.sequence("list", v)
	case reflect.Array:
		return e.items("list", v)
	case reflect.Map:
		return e.mapping(v)
	case reflect.Struct:
		return e.structure(v)
	case reflect.Pointer:
		if v.Elem().Kind() == reflect.Struct {
			return e.shared(v, 0, func() error { return e.structure(v.Elem()) })
		}
		return e.deeper(func() error { return e.value(v.Elem().Interface()) })
	default:
		return fmt.Errorf("a value of type %s cannot be sent", v.Type())
	}
	return nil
}

// sequence writes a slice.
func (e *encoder) sequence(typ string, v reflect.Value) error {
	if v.Len() == 0 {
		return e.items(typ, v) // all empty slices may share one address
	}
	return e.shared(v, v.Len(), func() error { return e.items(typ, v) })
}

func (e *encoder) items(typ string, v reflect.Value) error {
	return e.container(typ, func() error {
		for i := range v.Len() {
			if err := e.value(v.Index(i).Interface()); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	})
}

func (e *encoder) dict(d *Dict) error {
	if d == nil {
		e.none()
		return nil
	}
	return e.shared(reflect.ValueOf(d), 0, func() error {
		return e.container("dict", func() error {
			for k, v := range d.All() {
				if err := e.pair(k, v); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (e *encoder) pair(k, v any) error {
	if err := e.value(k); err != nil {
		return fmt.Errorf("key %s: %w", keyName(k), err)
	}
	if err := e.value(v); err != nil {
		return fmt.Errorf("[%s]: %w", keyName(k), err)
	}
	return nil
}

func (e *encoder) set(typ string, v any, t *table) error {
	write := func() error {
		return e.container(typ, func() error {
			for m := range t.keys() {
				if err := e.value(m); err != nil {
					return fmt.Errorf("member: %w", err)
				}
			}
			return nil
		})
	}
	if typ == "immutable-set" {
		return write() // Foolscap would resolve a reference to it to a tuple
	}
	return e.shared(reflect.ValueOf(v), 0, write)
}

// mapping writes a Go map: a map to struct{} is a set, others are dicts.
func (e *encoder) mapping(v reflect.Value) error {
	isSet := v.Type().Elem() == reflect.TypeFor[struct{}]()
	typ := "dict"
	if isSet {
		typ = "set"
	}
	write := func() error {
		return e.container(typ, func() error {
			for _, k := range sortedKeys(v) {
				var err error
				if isSet {
					err = e.value(k.Interface())
				} else {
					err = e.pair(k.Interface(), v.MapIndex(k).Interface())
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if v.IsNil() {
		return write()
	}
	return e.shared(v, 0, write)
}

// sortedKeys sorts as Foolscap does where keys can be compared, so that equal
// maps are the same bytes.
func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	switch {
	case m.Type().Key().Kind() == reflect.String:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	case len(keys) > 0 && keys[0].CanInt():
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compare(a.Int(), b.Int()) })
	case len(keys) > 0 && keys[0].CanUint():
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compare(a.Uint(), b.Uint()) })
	}
	return keys
}

func compare[T int64 | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (e *encoder) structure(v reflect.Value) error {
	p := planOf(v.Type())
	if p.err != nil {
		return p.err
	}
	if len(p.fields) == 0 && v.NumField() > 0 {
		return fmt.Errorf("a value of type %s cannot be sent: it has no exported fields", v.Type())
	}
	return e.container("dict", func() error {
		for _, f := range p.fields {
			e.text(f.key)
			if err := e.value(v.FieldByIndex(f.index).Interface()); err != nil {
				return fmt.Errorf(".%s: %w", f.key, err)
			}
		}
		return nil
	})
}

// container writes a sequence with contents.
func (e *encoder) container(typ string, contents func() error) error {
	return e.deeper(func() error {
		e.Open(typ)
		if err := contents(); err != nil {
			return err
		}
		e.Close()
		return nil
	})
}

// shared writes a container, or a reference if it was written before.
func (e *encoder) shared(v reflect.Value, length int, write func() error) error {
	id := identity{typ: v.Type(), ptr: v.Pointer(), len: length}
	if n, ok := e.seen[id]; ok {
		e.Reference(n)
		return nil
	}
	if e.seen == nil {
		e.seen = make(map[identity]uint64)
	}
	e.seen[id] = e.Opens() // the OPEN that write begins with
	return write()
}

func (e *encoder) deeper(f func() error) error {
	if e.depth++; e.depth > maxEncodeDepth {
		return fmt.Errorf("value is nested more than %d deep", maxEncodeDepth)
	}
	defer func() { e.depth-- }()
	return f()
}

// object writes one of our objects as a my-reference. The number it gets
// depends on what goes out before.
func (e *encoder) object(v any) error {
	o, err := e.conn.tub.objects.get(v)
	if err != nil {
		return err
	}
	e.announce(o)
	return nil
}

func (e *encoder) announce(o *object) {
	e.held = append(e.held, o)
	e.Open("my-reference")
	e.Late(&broker.MyReference{Obj: o, FURL: e.conn.tub.furlOf(o)})
	e.Close()
}

// reference writes a reference that we hold: home, if it lives at the peer.
func (e *encoder) reference(r *Reference) error {
	switch {
	case r == nil:
		e.none()
		return nil
	case r.conn != e.conn && r.conn.peer == e.conn.peer:
		return fmt.Errorf("a reference that came over another connection to Tub %s, which may be lost", r.conn.peer)
	case r.conn != e.conn:
		return fmt.Errorf("%w: this one lives in Tub %s", ErrThirdParty, r.conn.peer)
	case r.clid < 0:
		return fmt.Errorf("a bound method of the peer cannot be sent home")
	}
	e.refs = append(e.refs, r)
	e.Open("your-reference")
	e.Int(r.clid)
	e.Close()
	return nil
}
