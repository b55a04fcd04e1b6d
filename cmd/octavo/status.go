package main

import (
	"errors"
	"fmt"

	"github.com/octavo-go/octavo/service"
)

// The exit status says what scripts need to know without reading the error.
const (
	statusDone       = 0 // or stopped cleanly
	statusFailed     = 1
	statusUsage      = 2
	statusNotStarted = 3
	statusForced     = 4 // services had to be left behind; a second signal gives it too, in service.Run
)

// A usageError is about what was typed. Nothing has been done.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// A startError is a node that did not come as far as its service tree.
type startError struct{ error }

func (e startError) Unwrap() error { return e.error }

// statusOf returns the exit status for how a command ended. What happened
// first counts: a node that failed and then could not be stopped has failed.
func statusOf(err error) int {
	var (
		mistyped   usageError
		before     startError
		notStarted *service.StartError
		failed     *service.FailureError
	)
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &mistyped):
		return statusUsage
	case errors.As(err, &before), errors.As(err, &notStarted):
		return statusNotStarted
	case errors.As(err, &failed):
		return statusFailed
	case errors.Is(err, service.ErrStopTimeout):
		return statusForced
	}
	return statusFailed
}
