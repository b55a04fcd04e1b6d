package service

import "time"

// Transitions is the state table.
var Transitions = transitions[:]

// SetJitter replaces the draw of the pauses, and returns what puts it back.
func SetJitter(f func(time.Duration) time.Duration) (restore func()) {
	old := jitter
	jitter = f
	return func() { jitter = old }
}
