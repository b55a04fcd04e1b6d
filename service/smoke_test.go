package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		var log []string
		mk := func(name string) *service.Base {
			h := func(what string) func(context.Context) error {
				return func(context.Context) error { log = append(log, name+"."+what); return nil }
			}
			return service.New(name, service.Hooks{Acquire: h("acquire"), Start: h("start"), Drain: h("drain"), Stop: h("stop"),
				Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		}
		app := service.NewMulti("app")
		sub := service.NewMulti("sub")
		a, b, c := mk("a"), mk("b"), mk("c")
		if err := errors.Join(app.Add(a, sub), sub.Add(b)); err != nil {
			t.Fatal(err)
		}
		if err := app.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := sub.Add(c); err != nil {
			t.Fatal(err)
		}
		t.Log(app.State(), a.State(), sub.State(), b.State(), c.State(), c.Path())
		if err := a.DisownParent().Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if err := app.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		t.Log(log, app.State(), a.State(), sub.State(), b.State(), c.State())

		stuck := make(chan struct{})
		app.Add(service.New("stuck", service.Hooks{Stop: func(context.Context) error { <-stuck; return nil }}))
		if err := app.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t0 := time.Now()
		err := app.Stop(ctx)
		t.Logf("%v %+v %v", time.Since(t0), err, app.State())
		close(stuck)
		synctest.Wait()
		t.Log(app.State(), app.Err())

		f := service.NewMulti("f")
		f.Add(mk("a"), service.Func("bad", func(context.Context) error { return errors.New("boom") }))
		t.Log(f.Start(ctx))
		synctest.Wait()
		t.Log(f.State(), f.Err())
		t.Log(service.Run(ctx, f, service.WithSignals()))
	})
}
