package servicetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/service/servicetest"
)

// example runs what would be the body of a test, and prints how each failure begins.
func example(test func(t *fakeT)) {
	for _, failure := range outcome(test).failures {
		line, _, _ := strings.Cut(failure, "\n")
		line, _, _ = strings.Cut(line, " after ")
		fmt.Println("FAIL:", line)
	}
}

func ExampleStart() {
	web := service.Func("web", func(ctx context.Context) error { <-ctx.Done(); return nil })
	app := service.NewMulti("app")

	example(func(t *fakeT) { // in a test file: func TestWeb(t *testing.T) {
		if err := app.Add(web); err != nil {
			t.Fatalf("%v", err)
		}
		servicetest.Start(t, app)
		fmt.Println(web) // and whatever else there is to test
	})
	fmt.Println(web)
	// Output:
	// /app/web (Running)
	// /app/web (Idle)
}

// A service that does not end within its budget fails the test. What follows, here cut off, is how long
// it was waited for, and the stacks of its goroutines.
func ExampleStart_late() {
	open := make(chan struct{})
	deaf := service.Func("deaf", func(context.Context) error { <-open; return nil },
		service.StopWithin(100*time.Millisecond))

	example(func(t *fakeT) {
		servicetest.Start(t, deaf)
	})
	close(open)
	// Output:
	// FAIL: servicetest: stop /deaf: not ended
}

// Hooks that begin goroutines end them, or the test fails.
func ExampleStart_leak() {
	open := make(chan struct{})
	leaky := service.New("leaky", service.Hooks{Start: func(context.Context) error {
		go func() { <-open }()
		return nil
	}})

	example(func(t *fakeT) {
		servicetest.Start(t, leaky)
	})
	close(open)
	// Output:
	// FAIL: servicetest: goroutines of /leaky outlive its stop:
}

// A test of what happens when a service fails.
func ExampleMayFail() {
	errDisk := errors.New("disk full")
	app := service.NewMulti("app")
	writer := service.Func("writer", func(context.Context) error { return errDisk })

	example(func(t *fakeT) {
		if err := app.Add(writer); err != nil {
			t.Fatalf("%v", err)
		}
		servicetest.Start(t, app, servicetest.MayFail())
		servicetest.WaitState(t, app, service.Failed)
		fmt.Println(app.Err())
	})
	// Output:
	// run /app/writer: disk full
}

func ExampleRecorder() {
	var r servicetest.Recorder
	app := service.NewMulti("app")

	example(func(t *fakeT) {
		if err := app.Add(r.New("db"), r.New("web")); err != nil {
			t.Fatalf("%v", err)
		}
		servicetest.Start(t, app)
		fmt.Printf("%q\n", r.Take())
	})
	fmt.Printf("%q\n", r.Take())
	// Output:
	// ["start db" "start web"]
	// ["drain web" "drain db" "stop web" "stop db"]
}
