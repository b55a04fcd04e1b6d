package broker

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/octavo-go/octavo/internal/banana"
)

// FailureClass is the copyable name of every error on the wire: the class in
// which Twisted keeps exceptions.
const FailureClass = "twisted.python.failure.Failure"

// What Foolscap reads of a Failure, in bytes. Longer ones it refuses.
const (
	maxValue     = 1000
	maxType      = 200
	maxTraceback = 2000
	maxParents   = 100 // ours: Foolscap has no limit
)

// A Failure is an error as it travels: Python's exception by its names.
type Failure struct {
	Type      string   // qualified class name, such as builtins.ValueError
	Value     string   // the message
	Traceback string   // text
	Parents   []string // the class itself, then its bases, by qualified name
}

func (f *Failure) Error() string {
	if f.Value == "" {
		return f.Type
	}
	return f.Type + ": " + f.Value
}

// ViolationFailure is what a caller gets whose call broke a rule.
func ViolationFailure(reason string) *Failure {
	return &Failure{
		Type:  "foolscap.tokens.Violation",
		Value: reason,
		Parents: []string{"foolscap.tokens.Violation", "builtins.Exception",
			"builtins.BaseException", "builtins.object"},
	}
}

func (f *Failure) encode(e *banana.Encoder) {
	traceback := f.Traceback
	if traceback == "" {
		traceback = "Traceback unavailable\n"
	}
	e.Open("copyable")
	e.Text(FailureClass)
	e.Text("value")
	e.Text(cut(f.Value, maxValue))
	e.Text("type")
	e.Text(cut(f.Type, maxType))
	e.Text("traceback")
	e.Text(cut(traceback, maxTraceback))
	e.Text("parents")
	e.Open("list")
	for _, p := range f.Parents[:min(len(f.Parents), maxParents)] {
		e.Text(cut(p, maxType))
	}
	e.Close()
	e.Close()
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	const dots = ".."
	n -= len(dots)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + dots
}

// readFailure reads a Failure: the only value that an error message may hold.
func readFailure(d *banana.Decoder) (*Failure, error) {
	tok, err := d.Next()
	if err != nil {
		return nil, err
	}
	if tok.Kind != banana.Open {
		return nil, banana.Violationf("error without a Failure")
	}
	for i, want := range []string{"copyable", FailureClass} {
		if tok, err = d.Next(); err != nil {
			return nil, err
		}
		if got, err := text(d, tok, maxType); err != nil || got != want {
			return nil, firstError(err, banana.Violationf("error must hold a %s, word %d is %q", FailureClass, i, got))
		}
	}
	return ReadFailureBody(d)
}

// ReadFailureBody reads what follows the class name, CLOSE included. Failures
// may also arrive as plain values.
func ReadFailureBody(d *banana.Decoder) (*Failure, error) {
	f := new(Failure)
	fields := map[string]func(banana.Token) error{
		"value":     func(t banana.Token) (err error) { f.Value, err = text(d, t, maxValue); return },
		"type":      func(t banana.Token) (err error) { f.Type, err = text(d, t, maxType); return },
		"traceback": func(t banana.Token) (err error) { f.Traceback, err = text(d, t, maxTraceback); return },
		"parents":   func(t banana.Token) (err error) { f.Parents, err = readParents(d, t); return },
	}
	for {
		tok, err := d.Next()
		if err != nil {
			return nil, err
		}
		if tok.Kind == banana.Close {
			break
		}
		key, err := text(d, tok, maxType)
		if err != nil {
			return nil, err
		}
		read, ok := fields[key]
		if !ok {
			return nil, banana.Violationf("Failure with an unknown or repeated attribute %q", key)
		}
		delete(fields, key)
		if tok, err = d.Next(); err != nil {
			return nil, err
		}
		if err := read(tok); err != nil {
			return nil, err
		}
	}
	for key := range fields {
		return nil, banana.Violationf("Failure without %q", key)
	}
	return f, nil
}

func readParents(d *banana.Decoder, tok banana.Token) ([]string, error) {
	if tok.Kind != banana.Open {
		return nil, banana.Violationf("parents of a Failure must be a list")
	}
	if typ, err := d.Index(); err != nil || typ != "list" {
		return nil, firstError(err, banana.Violationf("parents of a Failure must be a list, not %q", typ))
	}
	var parents []string
	for {
		tok, err := d.Next()
		if err != nil {
			return nil, err
		}
		if tok.Kind == banana.Close {
			return parents, nil
		}
		if len(parents) == maxParents {
			return nil, banana.Violationf("Failure with more than %d parents", maxParents)
		}
		p, err := text(d, tok, maxType)
		if err != nil {
			return nil, err
		}
		parents = append(parents, p)
	}
}

// text reads a string token of bounded length. Text that is no UTF-8 is
// repaired: an error that cannot be shown helps nobody.
func text(d *banana.Decoder, tok banana.Token, limit uint64) (string, error) {
	if tok.Kind != banana.String {
		return "", banana.Violationf("want STRING in a Failure, got %v", tok.Kind)
	}
	if tok.Size > limit {
		return "", banana.Violationf("text of %d bytes in a Failure, at most %d are allowed", tok.Size, limit)
	}
	b, err := d.Bytes()
	if err != nil {
		return "", fmt.Errorf("reading a Failure: %w", err)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
