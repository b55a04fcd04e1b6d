package main

import (
	"context"

	"github.com/octavo-go/octavo/service"
)

// octavo is a group and its children.
type octavo struct {
	app  *service.MultiService
	make func(name string) *service.Base
	last *service.Base
}

func openOctavo(names []string, c *census) (tree, error) {
	return newOctavo(names, func(name string) *service.Base { return service.Func(name, c.run) })
}

func openOctavoSide(names []string, c *census) (tree, error) {
	return newOctavo(names, func(name string) *service.Base { return service.Func(name, c.run) },
		service.SideBySide())
}

func openOctavoHooks(names []string, c *census) (tree, error) {
	return newOctavo(names, func(name string) *service.Base {
		return service.New(name, service.Hooks{Start: c.up, Stop: c.down})
	})
}

func openOctavoHooksSide(names []string, c *census) (tree, error) {
	return newOctavo(names, func(name string) *service.Base {
		return service.New(name, service.Hooks{Start: c.up, Stop: c.down})
	}, service.SideBySide())
}

func newOctavo(names []string, make func(string) *service.Base, opts ...service.Option) (tree, error) {
	t := &octavo{app: service.NewMulti("app", opts...), make: make}
	for _, name := range names {
		if err := t.app.Add(make(name)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *octavo) start() error { return t.app.Start(context.Background()) }

func (t *octavo) stop() error { return t.app.Stop(context.Background()) }

func (t *octavo) add(name string) error {
	t.last = t.make(name)
	return t.app.Add(t.last)
}

func (t *octavo) remove() error {
	defer func() { t.last = nil }()
	return t.last.DisownParent().Wait(context.Background())
}
