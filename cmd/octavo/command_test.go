package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/service"
)

func TestVersion(t *testing.T) {
	got := octavo(t, "version")
	if got.status != 0 || !strings.HasPrefix(got.out, "octavo "+version()+" go") || strings.Count(got.out, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
	s := serve(t, t.TempDir())
	if got := octavo(t, "call", s.furl, "version"); got.out != `"`+version()+"\"\n" {
		t.Errorf("the node says %+v", got)
	}
}

func TestHelpIsForPeople(t *testing.T) {
	for command, parts := range map[string][]string{
		"":        {"Usage: octavo <command>", "serve", "call", "tree", "doctor", "version", "Exit status"},
		"serve":   {"--dir", "--listen", "--location", "--furl-file", "--log-level", "tcp:0:interface=127.0.0.1", "$XDG_STATE_HOME"},
		"call":    {"Usage: octavo call [flags] <FURL> <METHOD> [<ARG> ...]\n", "Examples:", "octavo call @node.furl echo", "--timeout", "$frozenset"},
		"tree":    {"Usage: octavo tree [<FURL>] [flags]\n", "--dir"},
		"doctor":  {"Usage: octavo doctor <FURL> [flags]\n", "negotiate"},
		"version": {"Usage: octavo version"},
	} {
		got := octavo(t, append(strings.Fields(command), "--help")...)
		got.want(t, 0)
		if got.err != "" {
			t.Errorf("%s --help wrote to stderr: %s", command, got.err)
		}
		for _, part := range parts {
			if !strings.Contains(got.out, part) {
				t.Errorf("%s --help lacks %q:\n%s", command, part, got.out)
			}
		}
	}
}

func TestWhatIsNoCommandIsAUsageError(t *testing.T) {
	octavo(t).want(t, 2, "serve", "--help")
	octavo(t, "dance").want(t, 2, "dance")
	octavo(t, "version", "now").want(t, 2, "now")
	octavo(t, "doctor", "nonsense").want(t, 2, "not a FURL")
	octavo(t, "tree", "nonsense").want(t, 2, "not a FURL")
}

func TestTheExitStatusTellsWhatHappenedFirst(t *testing.T) {
	var (
		start  = &service.StartError{Path: "/octavo", Err: errors.New("no")}
		failed = &service.FailureError{Path: "/octavo/tub", Err: errors.New("no")}
		late   = fmt.Errorf("stop /octavo/tub: %w", service.ErrStopTimeout)
	)
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("no"), 1},
		{failed, 1},
		{errors.Join(failed, late), 1},
		{usage("no"), 2},
		{startError{errors.New("no")}, 3},
		{start, 3},
		{errors.Join(start, late), 3},
		{late, 4},
	} {
		if got := statusOf(test.err); got != test.want {
			t.Errorf("%v: exit status %d, want %d", test.err, got, test.want)
		}
	}
}
