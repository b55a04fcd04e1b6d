package housetest

import (
	"bytes"
	"fmt"
	"go/format"
	"testing"
)

func unformatted(t tree) (problems []string) {
	for _, f := range t {
		if !f.isGo() {
			continue
		}
		switch want, err := format.Source(f.text); {
		case f.err != nil: // format.Source takes parts of files, too
			problems = append(problems, f.err.Error())
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s: %v", f.path, err))
		case !bytes.Equal(f.text, want):
			problems = append(problems, f.path+": not gofmt'd")
		}
	}
	return problems
}

func TestFormat(t *testing.T) {
	check(t, unformatted, []sample{
		{"good", map[string]string{"a.go": "package a\n\nvar x = 1\n", "a.txt": "x  =1"}, nil},
		{"spaces", map[string]string{"a.go": "package a\n\nvar x  =1\n"}, []string{"a.go: not gofmt'd"}},
		{"tests too", map[string]string{"a_test.go": "package a"}, []string{"a_test.go: not gofmt'd"}},
		{"broken", map[string]string{"a.go": "x := 1\n"},
			[]string{"a.go:1:1: expected 'package', found x"}},
	})
}
