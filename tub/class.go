package tub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// A class is what may be called on the objects of one Go type, under which
// names, and with which arguments.
type class struct {
	typ     reflect.Type
	methods map[string]*method // by every name that it answers to
	err     error              // the type cannot be an object, because
}

// A method is one callable method. Its Go signature is the schema of its
// arguments.
type method struct {
	name     string
	index    int // in the method set of the type
	hasCtx   bool
	params   []reflect.Type // without context, keywords and the variadic one
	variadic reflect.Type   // element type, or nil
	keywords bool           // the last parameter is Keywords
	results  int            // without error
	hasError bool
}

var (
	contextType  = reflect.TypeFor[context.Context]()
	errorType    = reflect.TypeFor[error]()
	keywordsType = reflect.TypeFor[Keywords]()
)

// hidden are methods that every Go type may have for local use. They are
// callable only where [Expose] lists them.
func hidden(name string) bool {
	switch name {
	case "String", "GoString", "Error", "Close", "Format":
		return true
	}
	return strings.HasPrefix(name, "Marshal") || strings.HasPrefix(name, "Unmarshal")
}

var classes sync.Map // reflect.Type -> *class, of types without Expose

func classOf(t reflect.Type) *class {
	if c, ok := classes.Load(t); ok {
		return c.(*class)
	}
	c, _ := classes.LoadOrStore(t, newClass(t, nil))
	return c.(*class)
}

// newClass looks at the type. exposed are names of methods that are callable
// although they would not be by themselves.
func newClass(t reflect.Type, exposed []string) *class {
	c := &class{typ: t, methods: make(map[string]*method)}
	promoted := promotedMethods(t)
	owner := make(map[string]string) // name on the wire -> Go name
	for i := range t.NumMethod() {
		m := t.Method(i)
		if listed := slices.Contains(exposed, m.Name); !listed && (hidden(m.Name) || promoted[m.Name]) {
			continue
		}
		compiled, err := compile(m, i)
		if err != nil {
			c.err = errors.Join(c.err, fmt.Errorf("method %s.%s: %w", t, m.Name, err))
			continue
		}
		for _, name := range wireNames(m.Name) {
			if other, taken := owner[name]; taken && other != m.Name {
				c.err = errors.Join(c.err, fmt.Errorf("methods %s and %s of %s both answer to %q", other, m.Name, t, name))
			}
			owner[name] = m.Name
			c.methods[name] = compiled
		}
	}
	for _, name := range exposed {
		if _, ok := t.MethodByName(name); !ok {
			c.err = errors.Join(c.err, fmt.Errorf("type %s has no method %s to expose", t, name))
		}
	}
	return c
}

// promotedMethods are the names that also come from an embedded field. To
// embed a mutex or a service must not publish it.
func promotedMethods(t reflect.Type) map[string]bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	names := make(map[string]bool)
	if t.Kind() != reflect.Struct {
		return names
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous {
			continue
		}
		for _, ft := range []reflect.Type{f.Type, reflect.PointerTo(f.Type)} {
			for j := range ft.NumMethod() {
				names[ft.Method(j).Name] = true
			}
		}
	}
	return names
}

func compile(m reflect.Method, index int) (*method, error) {
	c := &method{name: m.Name, index: index}
	ft := m.Type
	in := make([]reflect.Type, 0, ft.NumIn())
	for i := 1; i < ft.NumIn(); i++ { // 0 is the receiver
		in = append(in, ft.In(i))
	}
	if len(in) > 0 && in[0] == contextType {
		c.hasCtx, in = true, in[1:]
	}
	if n := len(in); n > 0 && ft.IsVariadic() {
		c.variadic, in = in[n-1].Elem(), in[:n-1]
	} else if n > 0 && in[n-1] == keywordsType {
		c.keywords, in = true, in[:n-1]
	}
	c.params = in
	c.results = ft.NumOut()
	if n := ft.NumOut(); n > 0 && ft.Out(n-1) == errorType {
		c.hasError, c.results = true, n-1
	}
	if c.variadic != nil {
		in = append(in, c.variadic)
	}
	for _, p := range in {
		if p == contextType || p.Kind() == reflect.Chan || p.Kind() == reflect.Func {
			return nil, fmt.Errorf("a parameter of type %s cannot be sent over a connection", p)
		}
	}
	return c, nil
}

// wireNames are the names that a method answers to: GetVersion, getVersion and
// get_version.
func wireNames(name string) []string {
	words := splitName(name)
	snake := strings.ToLower(strings.Join(words, "_"))
	camel := strings.ToLower(words[0]) + strings.Join(words[1:], "")
	names := map[string]bool{name: true, snake: true, camel: true}
	return slices.Sorted(maps.Keys(names))
}

// splitName cuts a Go name into words: GetHTTPPage is Get, HTTP, Page.
func splitName(name string) []string {
	runes := []rune(name)
	var words []string
	start := 0
	for i := 1; i < len(runes); i++ {
		lowerBefore := !unicode.IsUpper(runes[i-1])
		lowerAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (lowerBefore || lowerAfter) && runes[i-1] != '_' {
			words = append(words, strings.Trim(string(runes[start:i]), "_"))
			start = i
		}
	}
	return append(words, strings.Trim(string(runes[start:]), "_"))
}
