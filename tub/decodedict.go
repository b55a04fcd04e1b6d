package tub

import (
	"fmt"
	"reflect"

	"github.com/octavo-go/octavo/internal/banana"
)

// dict reads a dict, as what the wanted type makes of it.
func (d *decoder) dict(num uint64, t reflect.Type) (reflect.Value, error) {
	elem := t
	if t.Kind() == reflect.Pointer {
		elem = t.Elem()
	}
	switch {
	case t == anyType || t == reflect.TypeFor[*Dict]():
		return d.dynamicDict(num)
	case t.Kind() == reflect.Map && t.Elem() != reflect.TypeFor[struct{}]():
		return d.goMap(num, t)
	case elem.Kind() == reflect.Struct && !opaque(elem) && !byReference(t):
		return d.structure(num, t, elem)
	}
	return reflect.Value{}, mismatch(t, "a dict")
}

// opaque are structs that are values of their own kind.
func opaque(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[Dict](), reflect.TypeFor[Set](), reflect.TypeFor[FrozenSet](),
		reflect.TypeFor[Decimal](), reflect.TypeFor[Reference](), reflect.TypeFor[FURL](), bigType.Elem():
		return true
	}
	return false
}

func (d *decoder) dynamicDict(num uint64) (reflect.Value, error) {
	dict := new(Dict)
	v := reflect.ValueOf(dict)
	c := d.begin(num, v, false)
	return v, d.pairs(c, v, anyType, func(k reflect.Value, tok banana.Token) error {
		key := k.Interface()
		if had, err := dict.t.set(key, nil); err != nil || had {
			return keyViolation(had, key, err)
		}
		return d.value(tok, anyType, func(v reflect.Value) error {
			return dict.Set(key, v.Interface())
		})
	})
}

// keyName shows a key in an error that a stranger may read. Of an object it
// shows the type alone: what is in it is nobody's business, and may be changing.
func keyName(key any) string {
	switch key := key.(type) {
	case string:
		return fmt.Sprintf("%.40q", key)
	case []byte:
		return fmt.Sprintf("%.40q", key)
	case nil, bool, int, int64, float64:
		return fmt.Sprint(key)
	}
	return fmt.Sprintf("(%T)", key)
}

func keyViolation(had bool, key any, err error) error {
	if had {
		return banana.Violationf("key %s comes twice", keyName(key))
	}
	return banana.Violationf("%v", err)
}

func (d *decoder) goMap(num uint64, t reflect.Type) (reflect.Value, error) {
	m := reflect.MakeMap(t)
	c := d.begin(num, m, false)
	return m, d.pairs(c, m, t.Key(), func(k reflect.Value, tok banana.Token) error {
		if !k.Comparable() || !k.Equal(k) { // NaN could be set but never found
			return banana.Violationf("a value of type %s cannot be a key", k.Type())
		}
		if m.MapIndex(k).IsValid() {
			return keyViolation(true, k.Interface(), nil)
		}
		m.SetMapIndex(k, reflect.Zero(t.Elem()))
		return d.value(tok, t.Elem(), func(v reflect.Value) error {
			m.SetMapIndex(k, v)
			return nil
		})
	})
}

// structure reads a dict into a struct or a pointer to one.
func (d *decoder) structure(num uint64, t, st reflect.Type) (reflect.Value, error) {
	p := planOf(st)
	ptr := reflect.New(st)
	v := ptr
	identity := ptr
	if t.Kind() != reflect.Pointer {
		v, identity = ptr.Elem(), reflect.Value{}
	}
	had := make(map[string]bool)
	before := d.todo
	c := d.begin(num, identity, false)
	err := d.pairs(c, v, anyType, func(k reflect.Value, tok banana.Token) error {
		key, ok := keyText(k.Interface())
		index, known := p.field(key)
		switch {
		case !ok || !known:
			return banana.Violationf("%s has no field %s", st, keyName(k.Interface()))
		case had[key]:
			return keyViolation(true, key, nil)
		}
		had[key] = true
		field := ptr.Elem().FieldByIndex(index)
		return d.value(tok, field.Type(), func(v reflect.Value) error {
			field.Set(v)
			return nil
		})
	})
	if err == nil && t.Kind() != reflect.Pointer && d.todo > before {
		err = banana.Violationf("a %s cannot be part of a cycle: take a pointer to it", st)
	}
	return v, err
}

// keyText accepts bytes as the name of a field too: what Python 2 called str.
func keyText(k any) (string, bool) {
	switch k := k.(type) {
	case string:
		return k, true
	case []byte:
		return string(k), true
	}
	return "", false
}

// pairs reads keys and hands each over with the first token of its value.
func (d *decoder) pairs(c *container, v reflect.Value, key reflect.Type, pair func(reflect.Value, banana.Token) error) error {
	for {
		tok, err := d.Next()
		if err != nil {
			return err
		}
		if tok.Kind == banana.Close {
			return d.end(c, v)
		}
		k, err := d.whole(tok, key)
		if err != nil {
			return within(err, "key")
		}
		if tok, err = d.Next(); err != nil {
			return err
		}
		if tok.Kind == banana.Close {
			return banana.Violationf("key %s has no value", keyName(k.Interface()))
		}
		if err := pair(k, tok); err != nil {
			return within(err, "[%s]", keyName(k.Interface()))
		}
	}
}
