package tub

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// A plan is how a Go struct travels: as a dict with text keys, one for each
// exported field. The tag `octavo:"name"` names the key, `octavo:"-"` leaves a
// field out; without a tag the key is the field's name.
type plan struct {
	fields []planField
	byKey  map[string]int
	err    error // two fields have one key
}

type planField struct {
	key   string
	index []int
}

var plans sync.Map // reflect.Type -> *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{byKey: make(map[string]int)}
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("octavo"), ",")
		if !f.IsExported() || f.Anonymous || len(f.Index) > 1 || key == "-" {
			continue
		}
		if key == "" {
			key = f.Name
		}
		if _, taken := p.byKey[key]; taken {
			p.err = fmt.Errorf("two fields of %s have the key %q", t, key)
		}
		p.byKey[key] = len(p.fields)
		p.fields = append(p.fields, planField{key: key, index: f.Index})
	}
	actual, _ := plans.LoadOrStore(t, p)
	return actual.(*plan)
}

// field returns the index of the field with a key.
func (p *plan) field(key string) ([]int, bool) {
	i, ok := p.byKey[key]
	if !ok {
		return nil, false
	}
	return p.fields[i].index, true
}
