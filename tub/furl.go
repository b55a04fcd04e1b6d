package tub

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/octavo-go/octavo/internal/base32"
)

// A FURL names an object of a Tub: pb://TubID@hint1,hint2/name. Whoever has it
// may use the object: it is a secret. Two FURLs name the same object if TubID
// and name are equal; see [FURL.Same]. The zero value names nothing.
//
// [FURL.String] is whole. In logs (slog) the name is hidden, and the errors and
// logs of this package show [FURL.Redacted].
type FURL struct {
	id     string // 32 characters
	suffix string // what follows them
	hints  string // joined with commas
	name   string
}

// ErrBadFURL is what [ParseFURL] returns for a text that is no FURL.
var ErrBadFURL = errors.New("not a FURL")

const (
	furlScheme = "pb://"
	pinLen     = 52 // base32 characters of a SHA-256
	maxHints   = 16
	maxFURL    = 16 << 10
)

// ParseFURL reads a FURL. It returns an error that is [ErrBadFURL] for
// anything else; the text of the error does not give the name away.
func ParseFURL(s string) (FURL, error) {
	f, reason := parseFURL(s)
	if reason != "" {
		return FURL{}, fmt.Errorf("tub: %w: %s (want pb://TUBID@HINTS/NAME)", ErrBadFURL, reason)
	}
	return f, nil
}

func parseFURL(s string) (f FURL, reason string) {
	if len(s) > maxFURL {
		return f, fmt.Sprintf("it has %d characters, at most %d are read", len(s), maxFURL)
	}
	rest, ok := strings.CutPrefix(s, furlScheme)
	if !ok {
		return f, "it does not begin with pb://"
	}
	field, rest, ok := strings.Cut(rest, "@")
	if !ok {
		return f, "there is no @ behind the TubID"
	}
	// The first 32 characters are the TubID, the rest belongs to extensions
	// that a reader must accept.
	if len(field) < base32.TubIDLen || !base32.IsTubID(field[:base32.TubIDLen]) {
		field, _, _ = strings.Cut(field, "/") // what is behind it may be the name
		return f, fmt.Sprintf("%.40q is no TubID (32 characters of a-z and 2-7)", field)
	}
	f.id, f.suffix = field[:base32.TubIDLen], field[base32.TubIDLen:]
	f.hints, f.name, ok = strings.Cut(rest, "/")
	if !ok || f.name == "" {
		return f, "there is no name behind the hints"
	}
	if strings.ContainsAny(f.name, "\r\n") {
		return f, "there is a line break in the name"
	}
	if f.hints != "" {
		for hint := range strings.SplitSeq(f.hints, ",") {
			if hint == "" {
				return f, "there is an empty hint"
			}
		}
	}
	return f, ""
}

// TubID returns the 32 characters that name the Tub on the wire.
func (f FURL) TubID() string { return f.id }

// Hints returns the connection hints, as they are written.
func (f FURL) Hints() []string {
	if f.hints == "" {
		return nil
	}
	return strings.Split(f.hints, ",")
}

// Name returns the name of the object in its Tub: the secret part.
func (f FURL) Name() string { return f.name }

// IsZero reports whether f names nothing.
func (f FURL) IsZero() bool { return f == FURL{} }

// Same reports whether f and g name the same object. Hints do not matter.
func (f FURL) Same(g FURL) bool { return f.id == g.id && f.name == g.name }

// String returns the whole FURL, secret included. [ParseFURL] reads it.
func (f FURL) String() string {
	if f.IsZero() {
		return ""
	}
	return furlScheme + f.id + f.suffix + "@" + f.hints + "/" + f.name
}

// Redacted returns the FURL without its name: what may stand in a log.
func (f FURL) Redacted() string {
	if f.IsZero() {
		return ""
	}
	return furlScheme + f.id + "@" + f.hints + "/…"
}

// LogValue hides the name from logs.
func (f FURL) LogValue() slog.Value { return slog.StringValue(f.Redacted()) }

// pin returns the SHA-256 of the certificate in base32, where the FURL carries
// one: a suffix of exactly 52 base32 characters. Any other suffix is somebody
// else's extension.
func (f FURL) pin() string {
	if len(f.suffix) == pinLen && base32.Valid(f.suffix) {
		return f.suffix
	}
	return ""
}
