package tub

import (
	"fmt"
	"math"
	"math/big"
	"reflect"

	"github.com/octavo-go/octavo/internal/banana"
)

var bigType = reflect.TypeFor[*big.Int]()

// scalar reads a value that is a single token.
func (d *decoder) scalar(tok banana.Token, t reflect.Type) (reflect.Value, error) {
	if t.Kind() == reflect.Pointer && t != bigType {
		v, err := d.scalar(tok, t.Elem())
		if err != nil {
			return v, err
		}
		return pointerTo(v, t), nil
	}
	switch tok.Kind {
	case banana.Int:
		return integer(tok.Int, t)
	case banana.Big:
		return bigInteger(tok.Big, t)
	case banana.Float:
		return float(tok.Float, t)
	case banana.String:
		return d.bytes(t)
	}
	return reflect.Value{}, banana.Violationf("%v where a value is due", tok.Kind)
}

func integer(n int64, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	switch {
	case t == anyType:
		return reflect.ValueOf(n), nil
	case t == bigType:
		return reflect.ValueOf(big.NewInt(n)), nil
	case v.CanInt():
		if v.OverflowInt(n) {
			return v, banana.Violationf("%d does not fit %s", n, t)
		}
		v.SetInt(n)
	case v.CanUint():
		if n < 0 || v.OverflowUint(uint64(n)) {
			return v, banana.Violationf("%d does not fit %s", n, t)
		}
		v.SetUint(uint64(n))
	case v.CanFloat():
		v.SetFloat(float64(n))
		if exact, _ := big.NewFloat(v.Float()).Int(nil); exact.Cmp(big.NewInt(n)) != 0 {
			return v, banana.Violationf("%d cannot be a %s exactly", n, t)
		}
	default:
		return v, mismatch(t, "an integer")
	}
	return v, nil
}

func bigInteger(n *big.Int, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	switch {
	case t == anyType || t == bigType:
		return reflect.ValueOf(n), nil
	case v.CanUint() && n.IsUint64() && !v.OverflowUint(n.Uint64()):
		v.SetUint(n.Uint64())
		return v, nil
	case v.CanInt() || v.CanUint():
		return v, banana.Violationf("an integer of %d bits does not fit %s", n.BitLen(), t)
	case v.CanFloat():
		return v, banana.Violationf("an integer of %d bits cannot be a %s exactly", n.BitLen(), t)
	}
	return v, mismatch(t, "an integer")
}

func float(f float64, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	switch {
	case t == anyType:
		return reflect.ValueOf(f), nil
	case v.CanFloat():
		if v.OverflowFloat(f) && !math.IsInf(f, 0) {
			return v, banana.Violationf("%g does not fit %s", f, t)
		}
		v.SetFloat(f)
		return v, nil
	}
	return v, mismatch(t, "a float")
}

// bytes reads a byte string. A Go string is text, not bytes.
func (d *decoder) bytes(t reflect.Type) (reflect.Value, error) {
	isBytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	if t != anyType && !isBytes {
		return reflect.Value{}, mismatch(t, "bytes")
	}
	b, err := d.Bytes()
	if err != nil {
		return reflect.Value{}, err
	}
	if t == anyType {
		return reflect.ValueOf(b), nil
	}
	v := reflect.New(t).Elem()
	v.SetBytes(b) // also where the elements have a type of their own
	return v, nil
}

func (d *decoder) boolean(t reflect.Type) (reflect.Value, error) {
	tok, err := d.Next()
	if err != nil {
		return reflect.Value{}, err
	}
	if tok.Kind != banana.Int {
		return reflect.Value{}, banana.Violationf("%v in a boolean", tok.Kind)
	}
	if err := d.finish(); err != nil {
		return reflect.Value{}, err
	}
	return fit(reflect.ValueOf(tok.Int != 0), t, "a boolean")
}

func (d *decoder) unicode(t reflect.Type) (reflect.Value, error) {
	tok, err := d.Next()
	if err != nil {
		return reflect.Value{}, err
	}
	if tok.Kind != banana.String {
		return reflect.Value{}, banana.Violationf("%v in a text", tok.Kind)
	}
	if elem := base(t); t != anyType && elem.Kind() != reflect.String {
		return reflect.Value{}, mismatch(t, "text")
	}
	s, err := d.Text()
	if err != nil {
		return reflect.Value{}, err
	}
	if err := d.finish(); err != nil {
		return reflect.Value{}, err
	}
	return fit(reflect.ValueOf(s), t, "text")
}

func (d *decoder) decimal(t reflect.Type) (reflect.Value, error) {
	tok, err := d.Next()
	if err != nil {
		return reflect.Value{}, err
	}
	if tok.Kind != banana.String || tok.Size > maxDecimal {
		return reflect.Value{}, banana.Violationf("bad decimal: %v of %d bytes", tok.Kind, tok.Size)
	}
	s, err := d.Text()
	if err != nil {
		return reflect.Value{}, err
	}
	v, err := ParseDecimal(s)
	if err != nil {
		return reflect.Value{}, banana.Violationf("%v", err)
	}
	if err := d.finish(); err != nil {
		return reflect.Value{}, err
	}
	return fit(reflect.ValueOf(v), t, "a decimal")
}

// zero is None as a Go type: only what can be nil.
func zero(t reflect.Type) (reflect.Value, error) {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map:
		return reflect.Zero(t), nil
	}
	return reflect.Value{}, mismatch(t, "None")
}

// fit makes v, of a kind that what names, a value of type t.
func fit(v reflect.Value, t reflect.Type, what string) (reflect.Value, error) {
	switch {
	case v.Type().AssignableTo(t):
		return v, nil
	case t.Kind() == reflect.Pointer && t != bigType && v.Kind() != reflect.Pointer:
		elem, err := fit(v, t.Elem(), what)
		if err != nil {
			return v, err
		}
		return pointerTo(elem, t), nil
	case v.Kind() == t.Kind() && v.Kind() != reflect.Struct && v.Kind() != reflect.Pointer && v.CanConvert(t):
		return v.Convert(t), nil // a named string or bool
	}
	return v, mismatch(t, what)
}

func pointerTo(v reflect.Value, t reflect.Type) reflect.Value {
	p := reflect.New(t.Elem())
	p.Elem().Set(v)
	return p
}

// base follows pointers.
func base(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer && t != bigType {
		t = t.Elem()
	}
	return t
}

func mismatch(t reflect.Type, got string) error {
	return banana.Violationf("got %s, want %s", got, goName(t))
}

// goName is what a type is called in errors that people read.
func goName(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.String:
		return "text (" + t.String() + ")"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes (" + t.String() + ")"
	}
	return t.String()
}

// within adds to a Violation where in the value it was met. Other errors go
// through as they are.
func within(err error, format string, args ...any) error {
	if v, ok := err.(*banana.Violation); ok { //nolint:errorlint // wrapping starts here
		return banana.Violationf("%s: %s", fmt.Sprintf(format, args...), v.Reason)
	}
	return err
}
