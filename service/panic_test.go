package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/service"
)

// Invariant 7: under Restart a panic is an error that keeps the stack, and Goexit a failure.

func explode(v any) { panic(v) }

func TestPanicUnderRestartIsAnErrorWithItsStack(t *testing.T) {
	for _, v := range []any{errBoom, "boom", nil} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			n := 0
			s := service.Func("s", func(ctx context.Context) error {
				if n++; n == 1 {
					explode(v)
				}
				return untilDone(ctx)
			}, restart(service.Backoff{}))
			must(t, s.Start(ctx))
			synctest.Wait()
			wantState(t, service.Failed, s)
			wantErr(t, s.Err(), "run /s: panic: ")
			var p *service.PanicError
			if !errors.As(s.Err(), &p) {
				t.Fatal(s.Err())
			}
			if v == errBoom && !errors.Is(p, errBoom) || v == "boom" && (p.Value != "boom" || p.Unwrap() != nil) {
				t.Errorf("the value is %v", p.Value)
			}
			if v == nil && !errors.As(p, new(*runtime.PanicNilError)) {
				t.Errorf("the value is %v", p.Value)
			}
			stack := p.Stack()
			for _, want := range []string{"service_test.explode\n", "TestPanicUnderRestart", "panic_test.go:"} {
				if !strings.Contains(stack, want) {
					t.Errorf("%q is not in the stack:\n%s", want, stack)
				}
			}
			if strings.Contains(stack, "service.job") || strings.Contains(stack, "recovered") {
				t.Errorf("what is ours is in the stack:\n%s", stack)
			}
			if text := fmt.Sprintf("%+v", p); !strings.Contains(text, stack) || strings.Contains(p.Error(), "\n") {
				t.Errorf("%%+v gives %s", text)
			}
			must(t, s.Stop(ctx))
		})
	}
}

func TestPanicsInAllHooksUnderRestart(t *testing.T) {
	boom := func(context.Context) error { panic(errBoom) }
	for hook, h := range map[string]service.Hooks{"acquire": {Acquire: boom}, "start": {Start: boom}, "drain": {Drain: boom}, "stop": {Stop: boom}} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			s := service.New("s", h, restart(service.Backoff{}))
			err := s.Start(ctx)
			if err == nil {
				err = s.Stop(ctx)
			}
			wantErr(t, err, "/s", errBoom)
			if !strings.Contains(err.Error(), hook) || !strings.Contains(err.Error(), "panic: boom") {
				t.Error(err)
			}
		})
	}
}

func TestGoexitUnderRestartIsAFailureAndNoLoop(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		n := 0
		s := service.Func("s", func(context.Context) error { n++; runtime.Goexit(); return nil }, restart(service.Backoff{}))
		app := service.NewMulti("app")
		must(t, app.Add(s))
		wantErr(t, service.Run(ctx, app, service.WithSignals()), "more than 5 failures")
		wantEqual(t, n, 6)
	})
}
