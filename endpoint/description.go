package endpoint

import (
	"iter"
	"slices"
	"strings"
)

// A Description is a parsed endpoint string: a type, positional arguments and options.
//
// It is a plain value that may be copied, compared with == and used as a key of a map: two
// are equal when they have the same type and the same arguments and options in the same order.
// The zero Description has no type and is refused by every [Registry].
type Description struct {
	// s is the canonical text, and all there is. Keeping one string rather than slices is what
	// makes == mean equality; the fields are scanned again where they are asked for, which
	// costs nothing beside opening a socket.
	s string
}

// Parse reads an endpoint string. It does no I/O and knows no types: whether the arguments make
// sense is asked of a [Registry]. Its errors are an [*Error] that wraps [ErrSyntax].
func Parse(s string) (Description, error) {
	fields, err := scan(s)
	if err != nil {
		return Description{}, err
	}
	if typ := firstPlain(fields); typ < 0 || fields[typ].value == "" {
		return Description{}, &Error{Description: s, Field: "type", Pos: fields[max(typ, 0)].pos, Err: errNoType,
			Reason: "missing: begin with a type, as in tcp:8080"}
	}
	seen := make(map[string]bool)
	for _, f := range fields {
		if f.keyed && seen[f.key] {
			return Description{}, &Error{Description: s, Field: f.name(0), Pos: f.pos, Err: ErrSyntax,
				Reason: "given twice: give each option once"}
		}
		seen[f.key] = seen[f.key] || f.keyed
	}
	return join(fields), nil
}

// New makes the Description of a type and its positional arguments, which are taken literally:
// New("tcp", "::1", "80").String() is "tcp:[::1]:80". Options are added with [Description.With].
// The type is lower-cased; it must not be empty.
func New(typ string, args ...string) Description {
	fields := []field{{value: typ}}
	for _, a := range args {
		fields = append(fields, field{value: a})
	}
	return join(fields)
}

// With returns d with the option key set to value, which is taken literally. An option that is
// there already keeps its place.
func (d Description) With(key, value string) Description {
	fields := d.fields()
	for i, f := range fields {
		if f.keyed && f.key == key {
			fields[i].value = value
			return join(fields)
		}
	}
	return join(append(fields, field{key: key, keyed: true, value: value}))
}

// Without returns d with the named options left out. A prefix transport with options of its own
// takes them away before it hands on [Description.Rest].
func (d Description) Without(keys ...string) Description {
	var kept []field
	for _, f := range d.fields() {
		drop := false
		for _, k := range keys {
			drop = drop || f.keyed && f.key == k
		}
		if !drop {
			kept = append(kept, f)
		}
	}
	return join(kept)
}

// String returns the canonical form. Parse(d.String()) equals d.
func (d Description) String() string { return d.s }

// Type returns the type in lower case.
func (d Description) Type() string { return d.fields()[0].value }

// Args returns the positional arguments after the type, unescaped. The slice is the caller's.
func (d Description) Args() []string {
	var args []string
	for _, f := range d.fields()[1:] {
		if !f.keyed {
			args = append(args, f.value)
		}
	}
	return args
}

// Option returns the value of an option, unescaped, and whether it was given. Keys are compared
// exactly, as Twisted does: bindAddress is not bindaddress.
func (d Description) Option(key string) (string, bool) {
	for k, v := range d.Options() {
		if k == key {
			return v, true
		}
	}
	return "", false
}

// Options yields keys and values, unescaped, in the order they were given.
func (d Description) Options() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range d.fields() {
			if f.keyed && !yield(f.key, f.value) {
				return
			}
		}
	}
}

// Rest returns what follows the type, as a description of its own: that of haproxy:tcp:8080 is
// tcp:8080. It is for transports that are written as a prefix of another. What was escaped stays
// escaped; options belong to the rest unless [Description.Without] takes them away first. It is an
// error if nothing follows.
func (d Description) Rest() (Description, error) {
	fields := d.fields()[1:]
	if typ := firstPlain(fields); typ < 0 || fields[typ].value == "" {
		pos := len(d.s)
		if typ >= 0 {
			pos = fields[typ].pos
		}
		return Description{}, &Error{Description: d.s, Field: "argument 1", Pos: pos, Err: ErrArgument,
			Reason: "missing: after " + d.Type() + ": another endpoint follows, as in " + d.Type() + ":tcp:8080"}
	}
	return join(fields), nil
}

// fields scans d's own text. It is canonical, so that it cannot fail and the type comes first.
func (d Description) fields() []field {
	fields, _ := scan(d.s)
	return fields
}

// firstPlain returns the index of the first positional field, which is the type, or -1.
func firstPlain(fields []field) int {
	return slices.IndexFunc(fields, func(f field) bool { return !f.keyed })
}

// join makes the canonical text of fields that have a type.
func join(fields []field) Description {
	var b strings.Builder
	typ := firstPlain(fields)
	writeText(&b, lower(fields[typ].value), `\:=`)
	for i, f := range fields {
		switch {
		case i == typ:
		case f.keyed:
			b.WriteString(":" + escape(f.key, `\:=`) + "=")
			writeText(&b, f.value, `\:`)
		default:
			b.WriteByte(':')
			writeText(&b, f.value, `\:=`)
		}
	}
	return Description{b.String()}
}

// lower folds ASCII only: types are ASCII words, and what else stands there must survive as it is,
// invalid UTF-8 included, for the round trip to be exact.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
