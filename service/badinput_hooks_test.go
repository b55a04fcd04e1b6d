package service_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Bad input: hooks that hang, and hooks that call back into the tree.

var hookNames = []string{"acquire", "start", "run", "drain", "stop"}

// withHook is h with the one of that name.
func withHook(name string, hook func(context.Context) error, h service.Hooks) service.Hooks {
	switch name {
	case "acquire":
		h.Acquire = hook
	case "start":
		h.Start = hook
	case "run":
		h.Run = hook
	case "drain":
		h.Drain = hook
	case "stop":
		h.Stop = hook
	}
	return h
}

// A hook that hangs whatever its context says is left behind, by whatever request; the others are
// not, and it cannot be started again before it has returned.
func TestHookThatHangs(t *testing.T) {
	requests := map[string]func(context.Context, *service.Base, *service.MultiService) error{
		"stop":           func(ctx context.Context, s *service.Base, _ *service.MultiService) error { return s.Stop(ctx) },
		"stop of parent": func(ctx context.Context, s *service.Base, _ *service.MultiService) error { return s.Parent().Stop(ctx) },
		"disown": func(ctx context.Context, s *service.Base, _ *service.MultiService) error {
			return s.DisownParent().Wait(ctx)
		},
		"move": func(ctx context.Context, s *service.Base, to *service.MultiService) error {
			return service.Move(ctx, s, to)
		},
	}
	for _, hook := range hookNames {
		for request, ask := range requests {
			t.Run(hook+"/"+request, func(t *testing.T) {
				watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
					var j journal
					g := newGate()
					app, sub, other := service.NewMulti("app"), service.NewMulti("sub"), service.NewMulti("other")
					h := service.Hooks{Start: nothing, Stop: nothing}
					a := service.New("a", withHook(hook, g.stubborn, h))
					must(t, sub.Add(j.brief("first"), a, j.brief("last")), app.Add(sub), other.Start(ctx))
					w.see(app, other)
					started := later(func() error { return app.Start(ctx) })
					synctest.Wait()

					began := time.Now()
					err := ask(ctx, a, other)
					wantErr(t, err, "/app/sub/a", service.ErrStopTimeout)
					if took := time.Since(began); took == 0 || took > 25*time.Second {
						t.Errorf("it took %v", took)
					}
					<-started // that ends, too
					<-g.begun
					wantState(t, service.Stopping, a)
					wantErr(t, a.Start(ctx), "/a", service.ErrBusy)
					if a.Parent() == nil {
						wantErr(t, a.SetParent(other), "/a", service.ErrBusy)
					} else {
						wantErr(t, a.SetParent(other), "/a", service.ErrHasParent)
					}
					wantErr(t, a.Stop(ctx), "/a", service.ErrStopTimeout)
					app.Stop(ctx) // whose result depends on whether a is still there
					if j.count("+first") != j.count("-first") || j.count("+last") != j.count("-last") {
						t.Error("the others were not stopped:", j.take())
					}

					close(g.open)
					synctest.Wait()
					wantState(t, service.Failed, a)
					wantErr(t, a.Err(), "/a", service.ErrStopTimeout)
					must(t, a.Stop(ctx))
					if a.Parent() != nil {
						must(t, a.DisownParent().Wait(ctx))
					}
					must(t, other.Add(a), app.Start(ctx)) // the hook returns at once now
					wantState(t, service.Running, app, sub, other)
					must(t, other.Stop(ctx), app.Stop(ctx))
				})
			})
		}
	}
}

// A hook of the start that hangs is left behind, too, when the context of the start ends or its own
// bound has passed.
func TestHookOfTheStartThatHangsEndsWithItsTime(t *testing.T) {
	for _, hook := range []string{"acquire", "start"} {
		for _, bound := range []string{"context", "StartWithin"} {
			t.Run(hook+"/"+bound, func(t *testing.T) {
				watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
					g := newGate()
					app := service.NewMulti("app")
					var opts []service.Option
					starting, cancel := ctx, context.CancelFunc(func() {})
					if bound == "context" {
						starting, cancel = context.WithTimeout(ctx, time.Second)
					} else {
						opts = append(opts, service.StartWithin(time.Second))
					}
					defer cancel()
					a := service.New("a", withHook(hook, g.stubborn, service.Hooks{}), opts...)
					must(t, app.Add(a))
					w.see(app)
					began := time.Now()
					err := app.Start(starting)
					wantErr(t, err, "/app/a", context.DeadlineExceeded, service.ErrStopTimeout)
					if took := time.Since(began); took > 26*time.Second {
						t.Errorf("it took %v", took)
					}
					close(g.open)
					synctest.Wait()
					wantState(t, service.Failed, app, a)
					must(t, app.Start(ctx), app.Stop(ctx))
				})
			})
		}
	}
}

// A yard is a tree in which one hook of one service calls back.
//
//	app ── sub ── sib, a, kid
//	   └── z                     and beside it: other, which runs, and fresh
type yard struct {
	app, sub, kid, other *service.MultiService
	sib, a, z, fresh     *service.Base
	owner                service.Service // of the hook that calls back
}

// newYard gives the service called owner, a or sub, the hook that calls act, once.
func newYard(owner, hook string, act func(context.Context) error) *yard {
	called := false
	once := func(ctx context.Context) (err error) {
		if !called {
			called = true
			err = act(ctx)
		}
		if hook == "run" {
			<-ctx.Done()
		}
		return err
	}
	hooks := func(name string) service.Hooks {
		h := service.Hooks{Start: nothing, Stop: nothing}
		if name == owner {
			h = withHook(hook, once, h)
		}
		return h
	}
	y := &yard{
		app:   service.NewMulti("app"),
		sub:   service.NewMultiBase(nil, "sub", hooks("sub")),
		kid:   service.NewMulti("kid"),
		other: service.NewMulti("other"),
		sib:   service.New("sib", hooks("sib")),
		a:     service.New("a", hooks("a")),
		z:     service.New("z", hooks("z")),
		fresh: service.New("fresh", hooks("fresh")),
	}
	y.owner = y.all()[owner]
	return y
}

func (y *yard) all() map[string]service.Service {
	return map[string]service.Service{
		"app": y.app, "sub": y.sub, "kid": y.kid, "sib": y.sib, "a": y.a, "z": y.z, "fresh": y.fresh,
	}
}

// plant builds the tree.
func (y *yard) plant(t *testing.T, ctx context.Context, w *watchdog) {
	t.Helper()
	must(t, y.sub.Add(y.sib, y.a, y.kid), y.app.Add(y.sub, y.z), y.other.Start(ctx))
	w.see(y.app, y.other, y.fresh)
}

// look asks for all there is to see.
func (y *yard) look(t *testing.T) {
	for _, s := range y.all() {
		_, _, _, _, _ = s.Name(), s.Path(), s.Parent(), s.State(), s.Err()
		_ = fmt.Sprint(s)
	}
	for _, g := range []*service.MultiService{y.app, y.sub, y.other} {
		for c := range g.Children() {
			if g.Child(c.Name()) == nil && c.Parent() == g {
				t.Errorf("%s is not found", c.Path())
			}
		}
	}
	if _, err := service.Lookup[*service.MultiService](y.app, "sub"); err != nil && y.sub.Parent() != nil {
		t.Error(err)
	}
}

// settle checks that the tree can be stopped, and used again afterwards.
func (y *yard) settle(t *testing.T, ctx context.Context) {
	t.Helper()
	y.app.Stop(ctx)
	y.other.Stop(ctx)
	for _, s := range y.all() {
		s.Stop(ctx)
	}
	synctest.Wait()
	for _, s := range y.all() {
		if st := s.State(); st != service.Idle && st != service.Failed {
			t.Errorf("%s is %v in the end", s.Path(), st)
		}
		if s.Parent() == nil {
			must(t, s.Start(ctx), s.Stop(ctx))
		}
	}
	must(t, y.other.Start(ctx), y.other.Stop(ctx))
}

// callbacks are the requests that a hook can make, and their results for a hook of owner that calls
// with its own context.
var callbacks = map[string]struct {
	call func(ctx context.Context, y *yard, s service.Service) error
	want func(owner, hook, target string) error
}{
	"stop": {
		func(ctx context.Context, y *yard, s service.Service) error { return s.Stop(ctx) },
		func(owner, hook, target string) error { return ownEnd(owner, target) },
	},
	"disown": {
		func(ctx context.Context, y *yard, s service.Service) error { return s.DisownParent().Wait(ctx) },
		func(owner, hook, target string) error {
			if target == "app" || target == "fresh" {
				return service.ErrNoParent
			}
			return ownEnd(owner, target)
		},
	},
	"attach elsewhere": {
		func(ctx context.Context, y *yard, s service.Service) error { return s.SetParent(y.other) },
		func(owner, hook, target string) error {
			switch target {
			case "fresh":
				return nil
			case "app":
				return service.ErrBusy
			}
			return service.ErrHasParent
		},
	},
	"attach here": {
		func(ctx context.Context, y *yard, s service.Service) error { return y.sub.Add(s) },
		func(owner, hook, target string) error {
			switch {
			case target == "app":
				return service.ErrCycle
			case target != "fresh":
				return service.ErrHasParent
			case hook == "drain" || hook == "stop":
				return service.ErrBusy
			}
			return nil
		},
	},
	"move elsewhere": {
		func(ctx context.Context, y *yard, s service.Service) error { return service.Move(ctx, s, y.other) },
		func(owner, hook, target string) error {
			if target == "app" {
				return service.ErrBusy
			}
			return ownEnd(owner, target)
		},
	},
	"move up": {
		func(ctx context.Context, y *yard, s service.Service) error { return service.Move(ctx, s, y.app) },
		func(owner, hook, target string) error {
			switch {
			case target == "app":
				return service.ErrCycle
			case ownEnd(owner, target) != nil:
				return service.ErrOwnHook
			case hook == "drain" || hook == "stop":
				return service.ErrBusy
			}
			return nil
		},
	},
	"start": {
		func(ctx context.Context, y *yard, s service.Service) error { return s.Start(ctx) },
		func(owner, hook, target string) error {
			switch {
			case target == "fresh":
				return nil
			case hook == "drain" || hook == "stop":
				return service.ErrBusy
			case hook == "run":
				return nil
			case ownEnd(owner, target) != nil:
				return service.ErrOwnHook
			case hook == "acquire" && !(owner == "a" && target == "sib"):
				return service.ErrBusy // its parent is Starting, and has not come by yet
			case hook == "start" && owner == "a" && target == "sib":
				return nil
			}
			return service.ErrOwnHook // it holds that start up
		},
	},
}

// ownEnd is what a hook of owner gets that waits for the end of target.
func ownEnd(owner, target string) error {
	if target == owner || target == "app" || target == "sub" {
		return service.ErrOwnHook
	}
	return nil
}

// foreignEnd is what such a hook gets if its context does not say whose it is.
func foreignEnd(hook, request string) error {
	if request == "move up" && (hook == "drain" || hook == "stop") {
		return service.ErrBusy // refused before it comes to waiting
	}
	return service.ErrStopTimeout
}

// eachCallback tries all requests on all targets from all hooks of a leaf and of a group.
func eachCallback(t *testing.T, test func(t *testing.T, owner, hook, request, target string, want error)) {
	for _, owner := range []string{"a", "sub"} {
		for _, hook := range hookNames {
			for request, c := range callbacks {
				for target := range new(yard).all() {
					want := c.want(owner, hook, target)
					if request == "start" && hook == "run" && ownEnd(owner, target) != nil {
						continue // those may be Starting still, or run already
					}
					t.Run(fmt.Sprintf("%s.%s/%s/%s", owner, hook, request, target), func(t *testing.T) {
						test(t, owner, hook, request, target, want)
					})
				}
			}
		}
	}
}

// With its own context no hook waits for itself: what it gets it gets at once, and so do the start and
// the stop around it.
func TestHookThatCallsBackWithItsContext(t *testing.T) {
	eachCallback(t, func(t *testing.T, owner, hook, request, target string, want error) {
		watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
			called := false
			var y *yard
			y = newYard(owner, hook, func(ctx context.Context) error {
				called = true
				y.look(t)
				err := callbacks[request].call(ctx, y, y.all()[target])
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				y.look(t)
				return nil
			})
			y.plant(t, ctx, w)
			began := time.Now()
			err := y.app.Start(ctx)
			switch {
			case request == "stop" && target == "app" && hook != "drain" && hook != "stop":
				if err != nil { // where it came before the end of the start
					wantErr(t, err, "/app", context.Canceled)
				}
			case err != nil:
				t.Error(err)
			}
			synctest.Wait()
			must(t, y.app.Stop(ctx))
			wantEqual(t, time.Since(began), 0)
			if !called {
				t.Error("the hook was not called")
			}
			y.settle(t, ctx)
		})
	})
}

// With a foreign context it is the budget of the stop that ends such a wait.
func TestHookThatCallsBackWithAForeignContext(t *testing.T) {
	eachCallback(t, func(t *testing.T, owner, hook, request, target string, want error) {
		if request == "start" && want == service.ErrOwnHook {
			return // see TestHookThatHoldsUpTheStartItWaitsFor
		}
		if want == service.ErrOwnHook {
			want = foreignEnd(hook, request)
		}
		watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
			returned := make(chan struct{})
			var y *yard
			y = newYard(owner, hook, func(context.Context) error {
				defer close(returned)
				began := time.Now()
				err := callbacks[request].call(context.Background(), y, y.all()[target])
				if took := time.Since(began); took > 25*time.Second || took > 0 && want != service.ErrStopTimeout {
					t.Errorf("it took %v", took)
				}
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if want == service.ErrStopTimeout {
					wantErr(t, err, y.owner.Name()) // that is who is late
				}
				return nil
			})
			y.plant(t, ctx, w)
			y.app.Start(ctx)
			synctest.Wait()
			y.app.Stop(ctx)
			<-returned
			synctest.Wait()
			if want == service.ErrStopTimeout {
				wantState(t, service.Failed, y.owner)
				wantErr(t, y.owner.Err(), y.owner.Name(), service.ErrStopTimeout)
			}
			y.settle(t, ctx)
		})
	})
}

// With a context that is done it waits for nothing at all.
func TestHookThatCallsBackWithAContextThatIsDone(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	eachCallback(t, func(t *testing.T, owner, hook, request, target string, want error) {
		watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
			var y *yard
			y = newYard(owner, hook, func(context.Context) error {
				err := callbacks[request].call(done, y, y.all()[target])
				if want == service.ErrOwnHook && request != "start" {
					want = foreignEnd(hook, request)
				}
				if !errors.Is(err, context.Canceled) && !errors.Is(err, want) {
					t.Errorf("got %v, want %v or the end of the context", err, want)
				}
				return nil
			})
			y.plant(t, ctx, w)
			began := time.Now()
			y.app.Start(ctx)
			synctest.Wait()
			must(t, y.app.Stop(ctx))
			wantEqual(t, time.Since(began), 0)
			y.settle(t, ctx)
		})
	})
}

// A hook of the start that waits, with a foreign context, for a part of that start that comes after it
// holds up both. A stop ends that, and leaves the hook behind when its time is over.
func TestHookThatHoldsUpTheStartItWaitsFor(t *testing.T) {
	eachCallback(t, func(t *testing.T, owner, hook, request, target string, want error) {
		if request != "start" || want != service.ErrOwnHook {
			return
		}
		watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
			var y *yard
			got := make(chan error, 1)
			y = newYard(owner, hook, func(context.Context) error {
				err := y.all()[target].Start(context.Background())
				got <- err
				return err
			})
			y.plant(t, ctx, w)
			began := time.Now()
			started := later(func() error { return y.app.Start(ctx) })
			synctest.Wait()
			wantState(t, service.Starting, y.app)
			wantErr(t, y.app.Stop(ctx), y.owner.Path(), service.ErrStopTimeout)
			wantErr(t, <-started, "/app", context.Canceled)
			if took := time.Since(began); took > 25*time.Second {
				t.Errorf("it took %v", took)
			}
			if <-got == nil {
				t.Error("the hook was told that it had started")
			}
			synctest.Wait()
			wantState(t, service.Failed, y.owner)
			y.settle(t, ctx)
		})
	})
}

// Hooks that stop themselves or their parent: the states that this leads to.
func TestHookThatStopsItselfOrItsParent(t *testing.T) {
	for _, hook := range hookNames {
		for _, target := range []string{"a", "sub", "app"} {
			t.Run(hook+"/"+target, func(t *testing.T) {
				watched(t, func(t *testing.T, ctx context.Context, w *watchdog) {
					var y *yard
					y = newYard("a", hook, func(ctx context.Context) error {
						if hook == "run" {
							time.Sleep(time.Second) // until all have started
						}
						wantErr(t, y.all()[target].Stop(ctx), "/app", service.ErrOwnHook)
						return nil
					})
					y.plant(t, ctx, w)
					err := y.app.Start(ctx)
					time.Sleep(2 * time.Second)
					synctest.Wait()
					early := hook == "acquire" || hook == "start"
					if early && target == "app" {
						wantErr(t, err, "/app", context.Canceled)
					} else {
						must(t, err)
					}
					for name, s := range y.all() {
						want := service.Running
						switch {
						case name == "fresh":
							want = service.Idle
						case hook == "drain" || hook == "stop": // not called yet
						case s == y.all()[target], target == "app", target == "sub" && name != "z" && name != "app":
							want = service.Idle
						}
						wantState(t, want, s)
					}
					must(t, y.app.Stop(ctx))
					for _, s := range y.all() {
						wantState(t, service.Idle, s)
					}
					wantEqual(t, names(y.app), "sub z") // stopped by hand it stays attached
					wantEqual(t, names(y.sub), "sib a kid")
					must(t, y.app.Start(ctx))
					wantState(t, service.Running, y.app, y.sub, y.a)
					must(t, y.app.Stop(ctx))
				})
			})
		}
	}
}
