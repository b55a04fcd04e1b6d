package main

import (
	"context"

	"github.com/grafana/dskit/services"
)

// dskitTree is a manager and its services.
type dskitTree struct{ manager *services.Manager }

func openDskit(names []string, c *census) (tree, error) {
	return newDskit(names, func() *services.BasicService { return services.NewBasicService(nil, c.run, nil) })
}

func openDskitIdle(names []string, c *census) (tree, error) {
	down := func(error) error { return c.down(context.Background()) }
	return newDskit(names, func() *services.BasicService { return services.NewIdleService(c.up, down) })
}

func newDskit(names []string, make func() *services.BasicService) (tree, error) {
	var all []services.Service
	for _, name := range names {
		all = append(all, make().WithName(name))
	}
	m, err := services.NewManager(all...)
	return &dskitTree{m}, err
}

func (t *dskitTree) start() error {
	return services.StartManagerAndAwaitHealthy(context.Background(), t.manager)
}

func (t *dskitTree) stop() error {
	return services.StopManagerAndAwaitStopped(context.Background(), t.manager)
}
