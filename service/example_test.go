package service_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/octavo-go/octavo/service"
)

func openDB(context.Context) error  { fmt.Println("database opened"); return nil }
func closeDB(context.Context) error { fmt.Println("database closed"); return nil }

func listen(context.Context) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// A whole program in ten lines.
func Example() {
	program := func(ctx context.Context) error {
		app := service.NewMulti("app")
		db := service.New("db", service.Hooks{Start: openDB, Stop: closeDB})
		web := service.Serving("web", listen, &http.Server{Handler: http.NotFoundHandler()})
		if err := app.Add(db, web); err != nil {
			return err
		}
		return service.Run(ctx, app) // until a signal, or the end of ctx
	}

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(program(ctx))
	// Output:
	// database opened
	// database closed
	// <nil>
}

// A service has one parent. Another one is an error; Move is how it changes hands.
func ExampleMove() {
	ctx := context.Background()
	blue, green := service.NewMulti("blue"), service.NewMulti("green")
	worker := service.New("worker", service.Hooks{
		Start: func(context.Context) error { fmt.Println("started"); return nil },
		Stop:  func(context.Context) error { fmt.Println("stopped"); return nil },
	})
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(blue.Start(ctx))
	must(green.Start(ctx))
	must(blue.Add(worker))

	fmt.Println(errors.Is(green.Add(worker), service.ErrHasParent))
	must(service.Move(ctx, worker, green))
	fmt.Println(worker.Path(), worker.State())

	must(green.Stop(ctx))
	must(blue.Stop(ctx))
	// Output:
	// started
	// true
	// stopped
	// started
	// /green/worker Running
	// stopped
}

// A running service changes hands without noticing.
func ExampleKeepRunning() {
	ctx := context.Background()
	blue, green := service.NewMulti("blue"), service.NewMulti("green")
	worker := service.New("worker", service.Hooks{
		Start: func(context.Context) error { fmt.Println("started"); return nil },
		Stop:  func(context.Context) error { fmt.Println("stopped"); return nil },
	})
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(blue.Start(ctx))
	must(green.Start(ctx))
	must(blue.Add(worker))

	must(service.Move(ctx, worker, green, service.KeepRunning()))
	must(blue.Stop(ctx)) // no longer an affair of the worker
	fmt.Println(worker.Path(), worker.State())
	must(green.Stop(ctx))
	// Output:
	// started
	// /green/worker Running
	// stopped
}

// A worker that fails is started again; one that cannot work ends the program, which says why.
func ExampleRestart() {
	tries, jobs := 0, []string{}
	work := func(ctx context.Context) error {
		if tries++; tries == 2 {
			fmt.Println(jobs[0]) // panics
		}
		return errors.New("no work")
	}
	policy := service.Restart(service.Backoff{Initial: time.Millisecond, Limit: 2})
	app := service.NewMulti("app")
	if err := app.Add(service.Func("worker", work, service.OnFailure(policy))); err != nil {
		fmt.Println(err)
	}
	err := service.Run(context.Background(), app)

	var failure *service.FailureError
	var panicked *service.PanicError
	fmt.Println("tries:", tries)
	fmt.Println("failed:", errors.As(err, &failure), failure.Path)
	fmt.Println("in between:", errors.As(err, &panicked), panicked)
	// Output:
	// tries: 3
	// failed: true /app/worker
	// in between: true panic: runtime error: index out of range [0] with length 0
}

// A Clock is a service of a type of its own.
type Clock struct {
	*service.Base
	ticks chan time.Time
}

func NewClock() *Clock {
	c := &Clock{ticks: make(chan time.Time)}
	c.Base = service.NewBase(c, "clock", service.Hooks{Run: c.run})
	return c
}

func (c *Clock) run(ctx context.Context) error {
	for {
		select {
		case c.ticks <- time.Now():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A type becomes a service by embedding a Base. The tree gives it back as what it is.
func ExampleNewBase() {
	ctx := context.Background()
	app := service.NewMulti("app")
	if err := app.Add(NewClock()); err != nil {
		fmt.Println(err)
	}
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
	}
	clock, err := service.Lookup[*Clock](app, "clock")
	fmt.Println(clock.Path(), clock.State(), err)
	<-clock.ticks
	fmt.Println(app.Stop(ctx))
	// Output:
	// /app/clock Running <nil>
	// <nil>
}

// A stop ends, whatever a hook does, and says who was late.
func ExampleStopWithin() {
	ctx := context.Background()
	open := make(chan struct{})
	app := service.NewMulti("app", service.StopWithin(100*time.Millisecond))
	stuck := service.New("stuck", service.Hooks{Stop: func(context.Context) error { <-open; return nil }})
	if err := app.Add(stuck); err != nil {
		fmt.Println(err)
	}
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
	}
	err := app.Stop(ctx)
	fmt.Println(errors.Is(err, service.ErrStopTimeout), stuck.State())
	close(open)
	// Output:
	// true Stopping
}
