package service_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// A watchdog ends the process when a test hangs. It says in which states the trees of the test are;
// the stacks of all goroutines follow.
type watchdog struct {
	mu    sync.Mutex
	roots []service.Service // guarded by mu
}

// watch gives the test a minute. It is called outside of bubbles, whose time passes at once.
func watch(t *testing.T) *watchdog { return watchFor(t, time.Minute) }

func watchFor(t *testing.T, patience time.Duration) *watchdog {
	w := &watchdog{}
	bark := time.AfterFunc(patience, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s hangs after %v; its trees:\n%s", t.Name(), patience, w.trees()))
	})
	t.Cleanup(func() { bark.Stop() })
	return w
}

// see makes the watchdog know trees, as they are when it barks.
func (w *watchdog) see(roots ...service.Service) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roots = append(w.roots, roots...)
}

func (w *watchdog) trees() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, root := range w.roots {
		printTree(&b, root)
	}
	return b.String()
}

// printTree writes a line for s and for each service below it. It does not hang where they do.
func printTree(b *strings.Builder, s service.Service) {
	state, ok := answer(func() string { return s.State().String() })
	if !ok {
		state = "does not answer"
	}
	fmt.Fprintf(b, "%s %s\n", s.Path(), state)
	group, isGroup := s.(interface {
		Children() iter.Seq[service.Service]
	})
	if !isGroup || !ok {
		return
	}
	children, _ := answer(func() []service.Service { return slices.Collect(group.Children()) })
	for _, c := range children {
		printTree(b, c)
	}
}

// answer is what f returns, if it does within a second.
func answer[T any](f func() T) (v T, ok bool) {
	select {
	case v = <-later(f):
		return v, true
	case <-time.After(time.Second):
		return v, false
	}
}

// watched is a bubble with a watchdog.
func watched(t *testing.T, test func(t *testing.T, ctx context.Context, w *watchdog)) {
	t.Helper()
	w := watch(t)
	synctest.Test(t, func(t *testing.T) { test(t, t.Context(), w) })
}

// mute is a service whose lock seems to be held for ever.
type mute struct{ *service.Base }

func (*mute) State() service.State { select {} }

func TestWatchdogPrintsTheTreeOfATestThatHangs(t *testing.T) {
	if os.Getenv(inChild) != "" {
		w := watchFor(t, 100*time.Millisecond)
		synctest.Test(t, func(t *testing.T) {
			app, sub := service.NewMulti("app"), service.NewMulti("sub")
			busy := func(context.Context) error {
				for { // not blocked for good, as a bubble would notice by itself
					time.Sleep(time.Hour)
				}
			}
			must(t, sub.Add(service.Func("ok", nil), service.New("stuck", service.Hooks{Start: busy})))
			m := &mute{}
			m.Base = service.NewBase(m, "mute", service.Hooks{})
			must(t, app.Add(sub, m))
			w.see(app, service.NewMulti("other"))
			app.Start(t.Context())
		})
		return
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), inChild+"=yes")
	out, err := again.CombinedOutput()
	want := t.Name() + " hangs after 100ms; its trees:\n" +
		"\t/app Starting\n\t/app/sub Starting\n\t/app/sub/ok Running\n\t/app/sub/stuck Starting\n" +
		"\t/app/mute does not answer\n\t/other Idle\n"
	if err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "time.Sleep(") {
		t.Errorf("%v; want %s and stacks in:\n%s", err, want, out)
	}
}
