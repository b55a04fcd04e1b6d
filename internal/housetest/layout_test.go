package housetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
)

const longest = 99 // lines of an example, without its tests

// notTests finds what else stands in service_test: code there would escape the import rules.
func notTests(t tree) (problems []string) {
	for _, f := range t {
		if below(f.dir(), "service_test") && !f.isTest() {
			problems = append(problems, f.path+": only _test.go files and testdata belong here")
		}
	}
	return problems
}

func TestServiceTestHoldsOnlyTests(t *testing.T) {
	check(t, notTests, []sample{
		{"tests", map[string]string{"service_test/a_test.go": "", "service_test/testdata/peer.py": ""}, nil},
		{"a helper", map[string]string{"service_test/helper.go": ""},
			[]string{"service_test/helper.go: only _test.go files and testdata belong here"}},
		{"a note", map[string]string{"service_test/deep/README": ""},
			[]string{"service_test/deep/README: only _test.go files and testdata belong here"}},
		{"elsewhere", map[string]string{"service/service.go": ""}, nil},
	})
}

// tooLong finds the example programs that no longer fit on a page.
func tooLong(t tree) (problems []string) {
	lines := map[string]int{}
	for _, f := range t {
		if below(f.dir(), "examples") && f.isGo() && !f.isTest() {
			lines[f.dir()] += bytes.Count(f.text, []byte("\n"))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(lines)) {
		if n := lines[dir]; n > longest {
			problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d", dir, n, longest))
		}
	}
	return problems
}

func TestExamplesAreShort(t *testing.T) {
	lines := func(n int) string { return string(bytes.Repeat([]byte("\n"), n)) }
	check(t, tooLong, []sample{
		{"short", map[string]string{"examples/a/main.go": lines(99), "examples/a/main_test.go": lines(300)}, nil},
		{"long", map[string]string{"examples/a/main.go": lines(100)}, []string{"examples/a: 100 lines, at most 99"}},
		{"long in two files", map[string]string{"examples/a/main.go": lines(60), "examples/a/b.go": lines(60)},
			[]string{"examples/a: 120 lines, at most 99"}},
		{"two programs", map[string]string{"examples/a/main.go": lines(60), "examples/b/main.go": lines(60)}, nil},
		{"elsewhere", map[string]string{"tub/tub.go": lines(300)}, nil},
	})
}
