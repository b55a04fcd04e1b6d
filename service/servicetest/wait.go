package servicetest

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// patience is how long WaitState waits.
const patience = time.Minute

// WaitState waits until s is in the wanted state, for a minute at most: then it ends the test and
// shows the states of s and of all below it. It is for what a service does by itself, such as to
// fail or to end; Start, Stop and the others return when what they ask for is done. It looks again
// and again, so a state that s only passes through may be missed.
func WaitState(t testing.TB, s service.Service, want service.State) {
	t.Helper()
	if !poll(patience, func() bool { return s.State() == want }) {
		t.Fatalf("servicetest: %s is not %v after %v:\n%s", s.Path(), want, patience, states(s))
	}
}

// states is a line for s and each service below it.
func states(s service.Service) string {
	text := fmt.Sprintf("%s %v", s.Path(), s.State())
	if err := s.Err(); err != nil {
		text += ": " + err.Error()
	}
	text += "\n"
	if group, ok := s.(interface {
		Children() iter.Seq[service.Service]
	}); ok {
		for child := range group.Children() {
			text += states(child)
		}
	}
	return text
}
