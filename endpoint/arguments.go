package endpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Arguments reads the arguments of a [Description] for a [Transport], by name: positional fields are given
// the names in their order, as a Python call does. Each method records what is wrong; [Arguments.Err], called last,
// returns the first complaint, and also refuses what was given and not asked for:
//
//	a := d.Arguments("port", "interface")
//	port := a.Int("port", 0, 0, 65535)
//	iface := a.Text("interface", "")
//	if err := a.Err(); err != nil {
//
// It is used by one goroutine.
type Arguments struct {
	d      Description
	order  []string // of the positional ones
	asked  []string
	values map[string]argument

	surplus, twice, wrong *Error // the first of each kind
}

// colons is what those should know who did not escape theirs.
const colons = `; write a colon inside an argument as \:, an IPv6 address as [::1]`

type argument struct {
	value string
	pos   int
}

// Arguments begins to read d's arguments. positional names the positional ones in their order.
func (d Description) Arguments(positional ...string) *Arguments {
	a := &Arguments{d: d, order: positional, values: make(map[string]argument)}
	n := 0
	for _, f := range d.fields()[1:] {
		name := f.key
		if !f.keyed {
			n++
			if n > len(positional) {
				if a.surplus == nil {
					a.surplus = &Error{Description: d.s, Field: f.name(n), Pos: f.pos, Err: ErrArgument}
				}
				continue
			}
			name = positional[n-1]
		}
		if _, twice := a.values[name]; twice {
			if a.twice == nil {
				a.twice = &Error{Description: d.s, Field: name, Pos: f.pos, Err: ErrArgument,
					Reason: "given twice, by position and by name: leave one out" + colons}
			}
			continue
		}
		a.values[name] = argument{f.value, f.pos}
	}
	return a
}

// Lookup returns an argument and whether it was given.
func (a *Arguments) Lookup(name string) (string, bool) {
	a.asked = append(a.asked, name)
	arg, ok := a.values[name]
	return arg.value, ok
}

// Text returns an argument, or def if it was not given.
func (a *Arguments) Text(name, def string) string {
	if s, ok := a.Lookup(name); ok {
		return s
	}
	return def
}

// Required returns an argument that must be given and not be empty.
func (a *Arguments) Required(name string) string {
	s, ok := a.Lookup(name)
	switch {
	case !ok:
		a.Fail(name, "missing: %s", a.usage())
	case s == "":
		a.Fail(name, "must not be empty: %s", a.usage())
	}
	return s
}

// Int returns a decimal number from least to most. It must be given if def is not among them.
func (a *Arguments) Int(name string, def, least, most int) int {
	s, ok := a.Lookup(name)
	if !ok {
		if def < least || def > most {
			a.Fail(name, "missing: give a number from %d to %d", least, most)
		}
		return def
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil && strings.Trim(s, "0123456789") != "" || s == "":
		a.Fail(name, "%q is not a number: give one from %d to %d", s, least, most)
	case err != nil || n < least || n > most:
		a.Fail(name, "%s is out of range: give a number from %d to %d", s, least, most)
	}
	return n
}

// Seconds returns a time given in seconds, with or without decimals, more than zero and up to a year.
func (a *Arguments) Seconds(name string, def time.Duration) time.Duration {
	s, ok := a.Lookup(name)
	if !ok {
		return def
	}
	const year = 365 * 24 * 3600
	f, err := strconv.ParseFloat(s, 64)
	d := time.Duration(f * float64(time.Second))
	if err != nil || strings.Trim(s, "0123456789.") != "" || d <= 0 || f > year {
		a.Fail(name, "%q is not a time: give seconds, more than 0 and up to %d, as in 30 or 1.5", s, year)
		return def
	}
	return d
}

// Fail records what is wrong with an argument, unless something was recorded before.
func (a *Arguments) Fail(name, format string, args ...any) {
	if a.wrong != nil {
		return
	}
	arg, ok := a.values[name]
	if !ok {
		arg.pos = len(a.d.s)
	}
	a.wrong = &Error{Description: a.d.s, Field: name, Pos: arg.pos, Err: ErrArgument, Reason: fmt.Sprintf(format, args...)}
}

// Err returns the first thing that is wrong, as an [*Error], or nil. An unknown option comes before a missing
// argument, because a misspelt name is both.
func (a *Arguments) Err() error {
	for _, f := range a.d.fields() {
		if f.keyed && !slices.Contains(a.asked, f.key) {
			return &Error{Description: a.d.s, Field: f.name(0), Pos: f.pos, Err: ErrArgument,
				Reason: "unknown option: " + a.usage()}
		}
	}
	switch {
	case a.surplus != nil:
		a.surplus.Reason = "one too many: " + a.usage() + colons
		return a.surplus
	case a.twice != nil:
		return a.twice
	case a.wrong != nil:
		return a.wrong
	}
	return nil
}

// usage says what may be given.
func (a *Arguments) usage() string {
	s := "no positional arguments are taken"
	if len(a.order) > 0 {
		s = "the positional arguments are " + strings.Join(a.order, ", ")
	}
	var named []string
	for _, n := range a.asked {
		if !slices.Contains(a.order, n) && !slices.Contains(named, n) {
			named = append(named, n)
		}
	}
	if len(named) > 0 {
		s += "; the options are " + strings.Join(named, ", ")
	}
	return s
}
