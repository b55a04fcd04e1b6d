package servicetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/service/servicetest"
)

func TestRecorderCallsTheHooksItWraps(t *testing.T) {
	var r servicetest.Recorder
	called := 0
	hook := func(context.Context) error { called++; return errBoom }
	h := r.Hooks("a", service.Hooks{Acquire: hook, Start: hook, Run: hook, Drain: hook, Stop: hook})
	for _, hook := range []func(context.Context) error{h.Acquire, h.Start, h.Run, h.Drain, h.Stop} {
		if err := hook(t.Context()); !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
	}
	if called != 5 {
		t.Errorf("%d hooks were called", called)
	}
	if got := r.Take(); !slices.Equal(got, []string{"start a", "drain a", "stop a"}) {
		t.Errorf("got %q", got)
	}
	if got := r.Take(); len(got) != 0 {
		t.Errorf("then %q", got)
	}
}
