package recorded_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/internal/recorded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A file that lost its vectors would let every test over it pass.
func TestNothingIsMissing(t *testing.T) {
	for name, want := range map[string]int{
		"tokens": 90, "call_values": 162, "calls": 30, "answers_errors": 44, "references": 28,
	} {
		vectors := recorded.Vectors(t, name)
		if len(vectors) != want {
			t.Errorf("%s has %d vectors, want %d", name, len(vectors), want)
		}
		for _, v := range vectors {
			if v.ID == "" || len(v.Bytes) == 0 || len(v.Tokens) == 0 {
				t.Errorf("%s: a vector is incomplete: %+v", name, v)
			}
		}
	}
	if n := len(recorded.Inbounds(t)); n != 21 {
		t.Errorf("inbound has %d vectors, want 21", n)
	}
	m := recorded.TheMisc(t)
	if len(m.TubIDs) != 5 || len(m.FURLs) != 22 || len(m.Hints) != 22 || len(m.Base32) != 5 || len(m.VocabHash) != 2 {
		t.Errorf("misc is incomplete: %+v", m)
	}
	for _, name := range recorded.Transcripts(t) {
		c := recorded.Transcript(t, name)
		if c.Title == "" || len(c.Tubs) < 2 || len(c.Events) == 0 {
			t.Errorf("%s is incomplete", name)
		}
	}
	if c := recorded.Transcript(t, "t01"); len(c.Sent("plain")) != 2 || len(c.Sent("block")) != 3 || len(c.Sent("banana")) != 4 {
		t.Error("t01 must have GET and 101, two hellos and a decision, two calls and two answers")
	}
}
