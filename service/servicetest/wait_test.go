package servicetest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/service/servicetest"
)

func TestWaitStateReturnsOnceItIsThere(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		app, a := tree(t, service.Hooks{Run: func(context.Context) error {
			time.Sleep(20 * time.Millisecond)
			return nil
		}})
		servicetest.Start(t, app)
		began := time.Now()
		servicetest.WaitState(t, a, service.Running)
		servicetest.WaitState(t, a, service.Idle)
		if took := time.Since(began); took < 20*time.Millisecond || took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		servicetest.WaitState(t, app, service.Running)
	})
}

func TestWaitStateGivesUpAndShowsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := tree(t, service.Hooks{Run: func(context.Context) error { return errBoom }})
		f := outcome(func(f *fakeT) {
			servicetest.Start(f, app, servicetest.MayFail())
			began := time.Now()
			f.Cleanup(func() {
				if took := time.Since(began); took != time.Minute {
					t.Errorf("it gave up after %v", took)
				}
			})
			servicetest.WaitState(f, app, service.Running)
			servicetest.WaitState(f, app, service.Starting)
			t.Error("the test went on")
		})
		f.wantFailure(t, "/app is not", "after 1m0s",
			"/app Failed: run /app/a: boom\n/app/a Failed: run /app/a: boom\n")
	})
}
