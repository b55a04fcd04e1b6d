package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

func TestTreeDrawsEveryServiceWithItsState(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	dir := filepath.Join(state, "octavo")
	s := serve(t, dir, "--listen", "tcp:0:interface=127.0.0.1", "--listen", "tcp:0:127.0.0.1")
	const want = `octavo Running
  tub Running
    listener Running
    listener-2 Running
  node Running
`
	for _, args := range [][]string{{s.furl}, {"@" + filepath.Join(dir, nodeFile)}, {"--dir", dir}, {}} {
		if got := octavo(t, append([]string{"tree"}, args...)...); got.out != want || got.status != 0 {
			t.Errorf("tree %q: %+v, want\n%s", args, got, want)
		}
	}
}

func TestANodeAnswersTreeAsNestedDicts(t *testing.T) {
	s := serve(t, t.TempDir())
	const leaf = `"state":"Running","children":[]}`
	const want = `{"name":"octavo","state":"Running","children":[` +
		`{"name":"tub","state":"Running","children":[{"name":"listener",` + leaf + `]},{"name":"node",` + leaf + `]}`
	if got := octavo(t, "call", s.furl, "tree"); got.out != want+"\n" {
		t.Errorf("got %+v, want %s", got, want)
	}
}

func TestTreeOfWhatIsNoNode(t *testing.T) {
	octavo(t, "tree", "--dir", t.TempDir()).want(t, 1, "no node has run in")
	s := serve(t, t.TempDir())
	octavo(t, "tree", "--dir", s.dir, s.furl).want(t, 2, "not both")
	s.stop()
	octavo(t, "tree", "--dir", s.dir).want(t, 1, "dial after", "refused")
}

// A hydra answers tree() with what it is told.
type hydra struct{ head any }

func (h *hydra) Tree() any { return h.head }

// publish returns the FURL of an object in a Tub of the test's own.
func publish(t *testing.T, obj any) string {
	t.Helper()
	tb, err := tub.New(tub.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.ListenOn("tcp:0:interface=127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	if err := tb.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tb.Stop(context.Background()); err != nil {
			t.Errorf("%+v", err)
		}
	})
	furl, err := tb.Register(obj, "")
	if err != nil {
		t.Fatal(err)
	}
	return furl.String()
}

func TestWhatTreeDrawsIsNotTrusted(t *testing.T) {
	endless, err := tub.NewDict("name", "head", "state", "Running")
	if err != nil {
		t.Fatal(err)
	}
	if err := endless.Set("children", []any{endless, endless}); err != nil {
		t.Fatal(err)
	}
	octavo(t, "tree", publish(t, &hydra{endless})).want(t, 1, "too large")
	octavo(t, "tree", publish(t, &hydra{1})).want(t, 1, "no node")
	octavo(t, "tree", publish(t, &hydra{map[string]any{"name": 1}})).want(t, 1, "no node")

	ugly := map[string]any{"name": "a\x1b[2J\nb", "state": "Running", "children": []any{}, "more": true}
	got := octavo(t, "tree", publish(t, &hydra{ugly}))
	if want := `a\x1b[2J\nb Running` + "\n"; got.out != want {
		t.Errorf("drew %q, want %q", got.out, want)
	}
}

func TestACyclicResultIsAnError(t *testing.T) {
	loop := []any{1, nil}
	loop[1] = loop
	octavo(t, "call", publish(t, &hydra{loop}), "tree").want(t, 1, "contains itself")
}

func TestMessagesFromElsewhereAreOneCleanLine(t *testing.T) {
	got := octavo(t, "call", publish(t, &liar{}), "lie")
	got.want(t, 1, `lie failed: a.B: one; two\x1b[31m; see pb://aaaa@tcp:h:1/…`)
	if strings.Contains(got.err, "sesame") {
		t.Error("the message gives a FURL away: ", got.err)
	}
}

type liar struct{}

func (*liar) Lie() error {
	return &tub.RemoteError{Type: "a.B", Message: "one\n\n  two\x1b[31m\r\nsee pb://aaaa@tcp:h:1/sesame"}
}
