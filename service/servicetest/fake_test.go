package servicetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// A fakeT is a test of which only the outcome is wanted.
type fakeT struct {
	testing.TB // nil: what is not below is not called
	ctx        context.Context

	mu       sync.Mutex
	fatal    bool
	failures []string
	cleanups []func()
}

func (f *fakeT) Helper()                  {}
func (f *fakeT) Name() string             { return "TestFake" }
func (f *fakeT) Context() context.Context { return f.ctx }

func (f *fakeT) Cleanup(c func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanups = append(f.cleanups, c)
}

func (f *fakeT) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeT) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	f.mu.Lock()
	f.fatal = true
	f.mu.Unlock()
	runtime.Goexit()
}

// outcome runs a test to its end, cleanups included, and returns how it has failed.
func outcome(test func(t *fakeT)) *fakeT {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fakeT{ctx: ctx}
	alone := func(run func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			run()
		}()
		<-done
	}
	alone(func() { test(f) })
	cancel()
	for _, c := range slices.Backward(f.cleanups) {
		alone(c)
	}
	return f
}

// wantFailure checks that there was one failure, which mentions all of parts.
func (f *fakeT) wantFailure(t *testing.T, parts ...string) {
	t.Helper()
	if len(f.failures) != 1 {
		t.Fatalf("%d failures, want one: %q", len(f.failures), f.failures)
	}
	for _, part := range parts {
		if !strings.Contains(f.failures[0], part) {
			t.Errorf("no %q in:\n%s", part, f.failures[0])
		}
	}
}

func (f *fakeT) wantSuccess(t *testing.T) {
	t.Helper()
	for _, failure := range f.failures {
		t.Errorf("it failed: %s", failure)
	}
}

// everywhere runs a test in a bubble and outside.
func everywhere(t *testing.T, test func(t *testing.T)) {
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, test) })
	t.Run("outside", test)
}
