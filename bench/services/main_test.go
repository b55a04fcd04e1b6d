package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-one" { // a figure of TestShort
		main()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// TestShort is a whole run: every row there is has its line, with what it was measured by.
func TestShort(t *testing.T) {
	var out bytes.Buffer
	if err := compare(t.Context(), []string{"-short"}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	rows := plan(measures, []int{1, 100, 1000}, everything)
	if len(lines) != len(rows)+2 {
		t.Fatalf("%d lines for %d rows:\n%s", len(lines), len(rows), &out)
	}
	for i, r := range rows {
		cells := split(lines[i+2])
		if got := strings.Join(cells[:3], "/"); got != r.id() {
			t.Errorf("line %d is of %s, not of %s", i, got, r.id())
		}
		for _, j := range []int{3, 4, 6, 7} {
			if cells[j] == "" {
				t.Errorf("%s: nothing in column %q", r.id(), heads[j])
			}
		}
		if r.subject.memory != nil && (cells[13] == "" || cells[14] == "") {
			t.Errorf("%s: nothing about memory", r.id())
		}
	}
}

// split is the cells of a line of the table.
func split(line string) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func TestBadArguments(t *testing.T) {
	for _, args := range []string{
		"-n 0", "-n -1", "-n x", "-n 1,,2", "-rounds 0", "-work 0", "-match (", "-match ^nothing$", "more", "-unknown",
		"-one run/1/octavo", "-one run/1/octavo/time/more", "-one run/0/octavo/time", "-one run/x/octavo/time",
		"-one walk/1/octavo/time", "-one run/1/octave/time", "-one run/1/octavo/smell",
	} {
		if err := compare(t.Context(), strings.Fields(args), io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	var out bytes.Buffer
	if err := compare(t.Context(), []string{"-h"}, io.Discard, &out); err != nil || !strings.Contains(out.String(), "-rounds") {
		t.Errorf("-h: %v, %s", err, &out)
	}
}
