package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

var errBoom = errors.New("boom")

// bubble runs a test with a clock of its own.
func bubble(t *testing.T, test func(t *testing.T, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, t.Context()) })
}

// A journal is what hooks have written, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) write(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// take returns the lines, and empties the journal.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := strings.Join(j.lines, " ")
	j.lines = nil
	return s
}

func (j *journal) count(line string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, l := range j.lines {
		if l == line {
			n++
		}
	}
	return n
}

// hook writes name.what and returns err.
func (j *journal) hook(line string, err error) func(context.Context) error {
	return func(context.Context) error {
		j.write(line)
		return err
	}
}

// hooks are all five, written down.
func (j *journal) hooks(name string) service.Hooks {
	return service.Hooks{
		Acquire: j.hook(name+".acquire", nil),
		Start:   j.hook(name+".start", nil),
		Run: func(ctx context.Context) error {
			<-ctx.Done()
			j.write(name + ".run-end")
			return ctx.Err()
		},
		Drain: j.hook(name+".drain", nil),
		Stop:  j.hook(name+".stop", nil),
	}
}

// brief are Start and Stop, written down.
func (j *journal) brief(name string) *service.Base {
	return service.New(name, service.Hooks{
		Start: j.hook("+"+name, nil),
		Stop:  j.hook("-"+name, nil),
	})
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func nothing(context.Context) error { return nil }

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%+v", err)
	}
}

// wantErr checks that err wraps every one of targets and names path.
func wantErr(t *testing.T, err error, path string, targets ...error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", targets)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %q is not %q", err, target)
		}
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("error %q does not name %s", err, path)
	}
}

func wantState(t *testing.T, want service.State, ss ...service.Service) {
	t.Helper()
	for _, s := range ss {
		if got := s.State(); got != want {
			t.Errorf("%s is %v (%v), want %v", s.Path(), got, s.Err(), want)
		}
	}
}

func wantEqual[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func names(m *service.MultiService) string {
	var all []string
	for c := range m.Children() {
		all = append(all, c.Name())
	}
	return strings.Join(all, " ")
}

// gate is a hook that says when it has begun and returns when it is opened.
type gate struct {
	begun, open chan struct{}
	once        sync.Once
}

func newGate() *gate { return &gate{begun: make(chan struct{}), open: make(chan struct{})} }

// obeying ends with its context too.
func (g *gate) obeying(ctx context.Context) error {
	close(g.begun)
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stubborn does not.
func (g *gate) stubborn(context.Context) error {
	g.once.Do(func() { close(g.begun) })
	<-g.open
	return nil
}

// later runs f beside the test.
func later[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

func collect(m *service.MultiService) []service.Service { return slices.Collect(m.Children()) }

// wantStack checks that %+v of err shows a goroutine in the function.
func wantStack(t *testing.T, err error, function string) {
	t.Helper()
	if text := fmt.Sprintf("%+v", err); !strings.Contains(text, function) {
		t.Errorf("%s is not in\n%s", function, text)
	}
}

// guard ends the process if the test hangs, with a picture of what it hangs on. It takes the time
// of the wall clock: call it outside of a bubble. The result calls it off.
func guard(t *testing.T, picture func() string) (stop func()) {
	const patience = 2 * time.Minute
	timer := time.AfterFunc(patience, func() {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(os.Stderr, "%s hangs\n%s\n%s\n", t.Name(), picture(), stacks)
		os.Exit(2)
	})
	return func() { timer.Stop() }
}

func dump(groups ...*service.MultiService) string {
	s := ""
	for _, g := range groups {
		s += service.Dump(g)
	}
	return s
}
