package octavo_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

// storm runs f on several goroutines.
func storm(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func TestAStormOfListenersOnOneTub(t *testing.T) {
	tb, client := startedTub(t, "a"), startedTub(t, "client")
	steady := listenOn(t, tb, loopback)
	furl := publish(t, tb)
	ctx := within(t)
	storm(8, func(int) {
		var mine []*listener.Listener
		for range 60 {
			if len(mine) < 4 && rand.IntN(2) == 0 {
				l, err := tb.ListenOn(loopback)
				if err != nil {
					t.Errorf("ListenOn: %v", err)
					return
				}
				if l.State() != service.Running || l.Addr() == nil {
					t.Errorf("it is %v at %v", l.State(), l.Addr())
				}
				mine = append(mine, l)
			} else if len(mine) > 0 {
				l := mine[0]
				mine = mine[1:]
				// Two at once: one ends it, and both are told how.
				storm(2, func(int) {
					if err := tb.StopListeningOn(l).Wait(ctx); err != nil && !errors.Is(err, service.ErrNoParent) {
						t.Errorf("StopListeningOn: %v", err)
					}
				})
				if l.Parent() != nil || l.State() != service.Idle {
					t.Errorf("it is %v below %v", l.State(), l.Parent())
				}
			}
			if _, err := tb.Register(&greeter{"x"}, ""); err != nil {
				t.Errorf("Register: %v", err)
			}
		}
		for _, l := range mine {
			if err := tb.StopListeningOn(l).Wait(ctx); err != nil {
				t.Errorf("StopListeningOn: %v", err)
			}
		}
	})
	if got := childNames(tb.MultiService); got != steady.Name() {
		t.Errorf("left are %s", got)
	}
	wantGreeting(t, client, furl, "a")
}

// At any time one of them has the port, and the others are told so and change
// nothing.
func TestAStormOfTubsForOnePort(t *testing.T) {
	ep := fixedEndpoint(t)
	var tubs []*tub.Tub
	for _, name := range []string{"a", "b", "c"} {
		tubs = append(tubs, startedTub(t, name))
	}
	ctx := within(t)
	var mu sync.Mutex
	owners, got, refused := 0, 0, 0
	storm(6, func(i int) {
		tb := tubs[i%len(tubs)]
		for range 100 {
			l, err := tb.ListenOn(ep)
			if err != nil {
				if !errors.Is(err, syscall.EADDRINUSE) {
					t.Errorf("ListenOn: %v", err)
				}
				mu.Lock()
				refused++
				mu.Unlock()
				continue
			}
			mu.Lock()
			got++
			owners++
			if owners != 1 {
				t.Errorf("%d have the port", owners)
			}
			mu.Unlock()
			runtime.Gosched() // whoever else believes to have it shall say so
			mu.Lock()
			owners--
			mu.Unlock()
			if err := tb.StopListeningOn(l).Wait(ctx); err != nil {
				t.Errorf("StopListeningOn: %v", err)
			}
		}
	})
	for _, tb := range tubs {
		if left := childNames(tb.MultiService); left != "" {
			t.Errorf("Tub %s has %s", tb.Name(), left)
		}
	}
	t.Logf("the port was had %d times and refused %d times", got, refused)
	if got == 0 {
		t.Error("nobody ever got the port")
	}
}

// Moves, stops and starts of the Tubs at the same time. What may be refused is
// refused; in the end the Listener is in one place and serves its Tub.
func TestAStormOfMovesStopsAndStarts(t *testing.T) {
	a, b, client := startedTub(t, "a"), startedTub(t, "b"), startedTub(t, "client")
	l := listenOn(t, a, loopback)
	addr := l.Addr().String()
	ctx := within(t)
	storm(6, func(i int) {
		for range 50 {
			tb := a
			if rand.IntN(2) == 0 {
				tb = b
			}
			var err error
			switch rand.IntN(5) {
			case 0:
				err = service.Move(ctx, l, tb.MultiService)
			case 1:
				err = l.SetParent(tb.MultiService)
			case 2:
				err = tb.StopListeningOn(l).Wait(ctx)
			case 3:
				err = tb.Stop(ctx)
			case 4:
				err = tb.Start(ctx)
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("got %v", err)
			}
			if ctx.Err() != nil {
				t.Errorf("out of time")
				return
			}
		}
	})
	must(t, a.Start(ctx), b.Start(ctx))
	if l.Parent() != nil {
		must(t, l.DisownParent().Wait(ctx))
	}
	for _, tb := range []*tub.Tub{a, b} {
		must(t, l.SetParent(tb.MultiService))
		wantState(t, service.Running, l)
		if got := l.Addr().String(); got != addr {
			t.Errorf("%s has become %s", addr, got)
		}
		wantGreeting(t, client, publish(t, tb), tb.Name())
		must(t, tb.StopListeningOn(l).Wait(context.Background()))
	}
}
