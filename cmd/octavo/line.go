package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/octavo-go/octavo/tub"
)

// secrets are names of objects that must not be printed.
type secrets []string

// guessable is the length of names that are no secret. To hide such a short
// word wherever it stands would garble messages.
const guessable = 8

func (s *secrets) add(f tub.FURL) {
	if len(f.Name()) > guessable {
		*s = append(*s, f.Name())
	}
}

// wholeFURL finds FURLs, also mistyped ones. It wants a small letter or digit,
// which pb://TUBID@HINTS/NAME in a help text has not.
var wholeFURL = regexp.MustCompile(`(pb://[^\s/]*[a-z0-9][^\s/]*)/[^\s"']+`)

// line makes a text fit to be printed as one line: without line breaks,
// without what could play with a terminal, without the secret of a FURL.
// Errors hold what strangers wrote: hints, messages of remote objects.
func (e *env) line(text string) string {
	var parts []string
	for part := range strings.Lines(text) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	text = strings.Join(parts, "; ")
	for _, name := range e.secrets {
		text = strings.ReplaceAll(text, name, "…")
	}
	return printable(wholeFURL.ReplaceAllString(text, "$1/…"))
}

// printable escapes what has no picture.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
