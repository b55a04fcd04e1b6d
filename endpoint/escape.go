package endpoint

import (
	"fmt"
	"net/netip"
	"strings"
)

// Escape returns s with the characters that mean something in an endpoint string escaped, so
// that it can be written into one anywhere: as a positional field, as a value, or as a part of either.
// Twisted's helper leaves "=" alone and is safe in values only. A whole description is
// more easily built with [New].
func Escape(s string) string { return escape(s, `\:=[`) }

func escape(s, special string) string {
	if !strings.ContainsAny(s, special) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// writeText writes a positional field or a value in canonical form.
func writeText(b *strings.Builder, s, special string) {
	if isIPv6(s) {
		b.WriteString("[" + s + "]")
		return
	}
	if strings.HasPrefix(s, "[") && !strings.Contains(s, "]") {
		// The bracket could be closed by a later field: those of "[", "" and "]" are "[::]" when joined.
		b.WriteByte('\\')
	}
	b.WriteString(escape(s, special))
}

// field is one field of a description, unescaped.
type field struct {
	key   string
	keyed bool
	value string
	pos   int // where the field begins
}

// scan splits s at its unescaped colons. There is always at least one field.
func scan(s string) ([]field, error) {
	var fields []field
	positional := 0
	for i := 0; ; i++ {
		f := field{pos: i}
		var ok bool
		f.value, i, ok = text(s, i, true)
		if ok && i < len(s) && s[i] == '=' {
			f.key, f.keyed = f.value, true
			f.value, i, ok = text(s, i+1, false)
		}
		if !ok {
			return nil, &Error{Description: s, Field: f.name(positional), Pos: len(s) - 1, Err: ErrSyntax,
				Reason: `a \ at the end protects nothing: remove it, or write \\ for a backslash`}
		}
		if !f.keyed {
			positional++
		}
		fields = append(fields, f)
		if i == len(s) {
			return fields, nil
		}
	}
}

// name is what errors call the field; n is how many positional ones come before it.
func (f field) name(n int) string {
	switch {
	case f.keyed && f.key == "":
		return `""`
	case f.keyed:
		return f.key
	case n == 0:
		return "type"
	}
	return fmt.Sprintf("argument %d", n)
}

// text unescapes s from i to the end of the field, or to "=" where that ends it, and returns
// where it stopped. It fails if s ends with a backslash that protects nothing.
func text(s string, i int, equals bool) (string, int, bool) {
	if addr, ok := bracketed(s[i:]); ok {
		return addr, i + len(addr) + 2, true
	}
	var b []byte
	for ; i < len(s) && s[i] != ':' && (s[i] != '=' || !equals); i++ {
		if s[i] == '\\' {
			i++
			if i == len(s) {
				return "", i, false
			}
		}
		b = append(b, s[i])
	}
	return string(b), i, true
}

// maxBracket bounds the text between brackets. The longest address has 45 bytes and an interface name
// 15; without a bound, text full of brackets would be searched to its end for each of them.
const maxBracket = 128

// bracketed reports whether s begins with a field or value that is an IPv6 address in brackets.
func bracketed(s string) (string, bool) {
	if s == "" || s[0] != '[' {
		return "", false
	}
	end := strings.IndexByte(s[:min(len(s), maxBracket+2)], ']')
	if end < 0 || end+1 < len(s) && s[end+1] != ':' || !isIPv6(s[1:end]) {
		return "", false
	}
	return s[1:end], true
}

// isIPv6 reports whether s is an address that brackets protect. A zone may be any text, hence the
// characters that would be taken for something else.
func isIPv6(s string) bool {
	if len(s) > maxBracket || strings.ContainsAny(s, `[]\`) {
		return false
	}
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}
