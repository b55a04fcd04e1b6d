package valuejson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"

	"github.com/octavo-go/octavo/tub"
)

// ErrCycle is what [Encode] returns for a value that contains itself.
var ErrCycle = errors.New("the value contains itself, which JSON cannot say")

// A Referrer knows the FURL of the object that it refers to. A *tub.Reference
// is one; [Parse] gets others from its resolve function.
type Referrer interface{ FURL() tub.FURL }

// Encode returns v as compact JSON, on one line. The error is [ErrCycle], or
// says which type has no form here, or that the text would be too long. A
// reference whose Tub has not told its FURL is {"$furl":null}, which can be
// shown but not read again.
func Encode(v any) ([]byte, error) {
	e := encoder{open: make(map[container]bool)}
	if err := e.value(v); err != nil {
		return nil, err
	}
	return e.text, nil
}

type encoder struct {
	text  []byte
	open  map[container]bool // those that the value being written is inside of
	depth int
}

// A container is the identity of a list, dict or set. Slices are the same if
// they begin at the same place and have one length.
type container struct {
	at     uintptr
	length int
}

func (e *encoder) value(v any) error {
	if len(e.text) > maxText {
		return fmt.Errorf("the value has more than %d MiB as JSON", maxText>>20)
	}
	switch v := v.(type) {
	case nil:
		e.raw("null")
	case bool:
		e.raw(fmt.Sprint(v))
	case int:
		e.raw(fmt.Sprint(v))
	case int64:
		e.raw(fmt.Sprint(v))
	case *big.Int:
		e.raw(v.String())
	case float64:
		e.float(v)
	case string:
		e.string(v)
	case []byte:
		e.raw(`{"$bytes":"`)
		e.text = base64.StdEncoding.AppendEncode(e.text, v)
		e.raw(`"}`)
	case tub.Decimal:
		e.raw(`{"$decimal":"` + v.String() + `"}`)
	case []any:
		return e.list(v)
	case tub.Tuple:
		return e.tagged("$tuple", func() error { return e.list(v) })
	case *tub.Set:
		return e.tagged("$set", func() error { return e.members(v, v.Len(), v.All()) })
	case *tub.FrozenSet:
		return e.tagged("$frozenset", func() error { return e.members(v, v.Len(), v.All()) })
	case *tub.Dict:
		return e.dict(v)
	case Referrer:
		e.raw(`{"$furl":`)
		e.furl(v.FURL())
		e.raw("}")
	default:
		return fmt.Errorf("a value of type %T has no form in JSON", v)
	}
	return nil
}

func (e *encoder) raw(s string) { e.text = append(e.text, s...) }

// string writes a text. Beyond what JSON wants, it escapes DEL and the control
// characters behind ASCII, which could play with a terminal.
func (e *encoder) string(s string) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s)           //nolint:errcheck // a string always has a form, and a Buffer does not fail
	b.Truncate(b.Len() - 1) // a line break
	for {
		i := bytes.IndexFunc(b.Bytes(), isControl)
		if i < 0 {
			break
		}
		e.text = append(e.text, b.Next(i)...)
		r, _, _ := b.ReadRune()
		e.raw(fmt.Sprintf(`\u%04x`, r))
	}
	e.text = append(e.text, b.Bytes()...)
}

func isControl(r rune) bool { return r >= 0x7f && r < 0xa0 }

func (e *encoder) furl(f tub.FURL) {
	if f.IsZero() {
		e.raw("null")
	} else {
		e.string(f.String())
	}
}

// tagged writes an object with one key, around contents that can fail.
func (e *encoder) tagged(tag string, contents func() error) error {
	e.raw(`{"` + tag + `":`)
	if err := contents(); err != nil {
		return err
	}
	e.raw("}")
	return nil
}

func (e *encoder) list(items []any) error {
	at := container{reflect.ValueOf(items).Pointer(), len(items)}
	return e.inside(at, func() error {
		e.raw("[")
		for i, item := range items {
			if i > 0 {
				e.raw(",")
			}
			if err := e.value(item); err != nil {
				return err
			}
		}
		e.raw("]")
		return nil
	})
}

// inside writes a container. An empty one cannot contain itself, and all empty
// slices may share one address.
func (e *encoder) inside(c container, contents func() error) error {
	if c.length == 0 {
		return contents()
	}
	if e.open[c] {
		return ErrCycle
	}
	if e.depth == maxDepth {
		return fmt.Errorf("the value is nested more than %d deep", maxDepth)
	}
	e.open[c] = true
	e.depth++
	err := contents()
	e.depth--
	delete(e.open, c)
	return err
}
