package valuejson

import (
	"iter"
	"reflect"
	"strings"

	"github.com/octavo-go/octavo/tub"
)

// members writes what a set holds. set is a pointer.
func (e *encoder) members(set any, length int, all iter.Seq[any]) error {
	return e.inside(identity(set, length), func() error {
		e.raw("[")
		sep := ""
		for m := range all {
			e.raw(sep)
			sep = ","
			if err := e.value(m); err != nil {
				return err
			}
		}
		e.raw("]")
		return nil
	})
}

func identity(pointer any, length int) container {
	return container{reflect.ValueOf(pointer).Pointer(), length}
}

func (e *encoder) dict(d *tub.Dict) error {
	return e.inside(identity(d, d.Len()), func() error {
		if isPlain(d) {
			return e.object(d)
		}
		return e.tagged("$dict", func() error { return e.pairs(d) })
	})
}

// isPlain reports whether d can be an object: its keys are text, and it does
// not look like one of the forms with a dollar.
func isPlain(d *tub.Dict) bool {
	for k := range d.All() {
		text, ok := k.(string)
		if !ok || d.Len() == 1 && strings.HasPrefix(text, "$") {
			return false
		}
	}
	return true
}

func (e *encoder) object(d *tub.Dict) error {
	e.raw("{")
	sep := ""
	for k, v := range d.All() {
		e.raw(sep)
		sep = ","
		e.string(k.(string))
		e.raw(":")
		if err := e.value(v); err != nil {
			return err
		}
	}
	e.raw("}")
	return nil
}

func (e *encoder) pairs(d *tub.Dict) error {
	e.raw("[")
	sep := "["
	for k, v := range d.All() {
		e.raw(sep)
		sep = ",["
		if err := e.value(k); err != nil {
			return err
		}
		e.raw(",")
		if err := e.value(v); err != nil {
			return err
		}
		e.raw("]")
	}
	e.raw("]")
	return nil
}
