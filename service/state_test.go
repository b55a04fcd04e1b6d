package service_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// Every state, how a service gets there, and what each request does to it.

var states = []service.State{service.Idle, service.Starting, service.Running, service.Stopping, service.Failed}

// in gives a service in the wanted state, below parent where there is one, and what lets it go on.
func in(t *testing.T, ctx context.Context, state service.State) (s *service.Base, release func()) {
	start, stop := newGate(), newGate()
	fail := false
	s = service.New("s", service.Hooks{
		Start: func(ctx context.Context) error {
			switch {
			case fail:
				return errBoom
			case state == service.Starting:
				return start.obeying(ctx)
			}
			return nil
		},
		Stop: func(ctx context.Context) error {
			if state == service.Stopping {
				stop.stubborn(ctx)
			}
			return nil
		},
	})
	release = func() {}
	switch state {
	case service.Starting:
		done := later(func() error { return s.Start(ctx) })
		<-start.begun
		release = func() { close(start.open); <-done }
	case service.Running:
		must(t, s.Start(ctx))
	case service.Stopping:
		must(t, s.Start(ctx))
		done := later(func() error { return s.Stop(ctx) })
		<-stop.begun
		release = func() { close(stop.open); <-done }
	case service.Failed:
		fail = true
		wantErr(t, s.Start(ctx), "/s", errBoom)
		fail = false
	}
	wantState(t, state, s)
	return s, release
}

func TestEveryRequestInEveryState(t *testing.T) {
	type end struct {
		err   error
		state service.State
	}
	table := map[string]map[service.State]end{
		"start": {
			service.Idle:     {nil, service.Running},
			service.Starting: {nil, service.Running}, // joined
			service.Running:  {nil, service.Running},
			service.Stopping: {service.ErrBusy, service.Idle},
			service.Failed:   {nil, service.Running},
		},
		"stop": {
			service.Idle:     {nil, service.Idle},
			service.Starting: {nil, service.Idle},
			service.Running:  {nil, service.Idle},
			service.Stopping: {nil, service.Idle}, // joined
			service.Failed:   {nil, service.Failed},
		},
		"set parent": {
			service.Idle:     {nil, service.Idle},
			service.Starting: {service.ErrBusy, service.Running},
			service.Running:  {service.ErrBusy, service.Running},
			service.Stopping: {service.ErrBusy, service.Idle},
			service.Failed:   {nil, service.Failed},
		},
		"set running parent": {
			service.Idle:     {nil, service.Running},
			service.Starting: {service.ErrBusy, service.Running},
			service.Running:  {service.ErrBusy, service.Running},
			service.Stopping: {service.ErrBusy, service.Idle},
			service.Failed:   {nil, service.Running},
		},
		"disown": {
			service.Idle:     {service.ErrNoParent, service.Idle},
			service.Starting: {service.ErrNoParent, service.Running},
			service.Running:  {service.ErrNoParent, service.Running},
			service.Stopping: {service.ErrNoParent, service.Idle},
			service.Failed:   {service.ErrNoParent, service.Failed},
		},
	}
	for request, ends := range table {
		for _, state := range states {
			t.Run(request+"/"+state.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					s, release := in(t, ctx, state)
					parent := service.NewMulti("p")
					do := map[string]func() error{
						"start":      func() error { return s.Start(ctx) },
						"stop":       func() error { return s.Stop(ctx) },
						"set parent": func() error { return s.SetParent(parent) },
						"set running parent": func() error {
							must(t, parent.Start(ctx))
							return s.SetParent(parent)
						},
						"disown": func() error { return s.DisownParent().Wait(ctx) },
					}[request]
					done := later(do)
					time.Sleep(time.Millisecond)
					release()
					err, want := <-done, ends[state]
					if want.err == nil {
						must(t, err)
					} else {
						wantErr(t, err, "/s", want.err)
					}
					wantState(t, want.state, s)
					must(t, s.Stop(ctx), parent.Stop(ctx))
				})
			})
		}
	}
}

func TestTransitionsAreThoseOfTheTable(t *testing.T) {
	want := map[service.State]string{
		service.Idle:     "[Starting]",
		service.Starting: "[Running Stopping Idle Failed]",
		service.Running:  "[Stopping]",
		service.Stopping: "[Idle Failed]",
		service.Failed:   "[Starting]",
	}
	for _, from := range states {
		wantEqual(t, fmt.Sprint(service.Transitions[from]), want[from])
		if slices.Contains(service.Transitions[from], from) {
			t.Errorf("%v leads to itself", from)
		}
	}
	wantEqual(t, len(service.Transitions), len(states))
	wantEqual(t, service.State(9).String(), "State(9)")
}
