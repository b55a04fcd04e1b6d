package main

import (
	"context"

	"go.uber.org/fx"
)

// fxTree is an application with a hook a child. A body is a goroutine that the hook starts and stops.
type fxTree struct{ app *fx.App }

func openFx(names []string, c *census) (tree, error) {
	return newFx(names, func() fx.Hook {
		var t task
		return fx.Hook{
			OnStart: func(context.Context) error { t = begin(c.run); return nil },
			OnStop:  func(context.Context) error { t.cancel(); <-t.done; return nil },
		}
	})
}

func openFxHooks(names []string, c *census) (tree, error) {
	return newFx(names, func() fx.Hook { return fx.Hook{OnStart: c.up, OnStop: c.down} })
}

func newFx(names []string, hook func() fx.Hook) (tree, error) {
	app := fx.New(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) {
		for range names {
			lc.Append(hook())
		}
	}))
	return &fxTree{app}, app.Err()
}

func (t *fxTree) start() error { return t.app.Start(context.Background()) }

func (t *fxTree) stop() error { return t.app.Stop(context.Background()) }
