package main

import (
	"context"
	"errors"
	"time"

	"github.com/thejerf/suture/v4"
)

// sutureTree is a supervisor and its services.
type sutureTree struct {
	sup   *suture.Supervisor
	c     *census
	last  suture.ServiceToken
	end   context.CancelFunc
	ended <-chan error
}

type sutureService struct {
	c    *census
	name string
}

func (s *sutureService) Serve(ctx context.Context) error { return s.c.run(ctx) }

// String keeps the supervisor from printing the whole value as a name.
func (s *sutureService) String() string { return s.name }

func openSuture(names []string, c *census) (tree, error) {
	t := &sutureTree{c: c, sup: suture.New("app", suture.Spec{
		EventHook: func(suture.Event) {},
		Timeout:   time.Minute,
	})}
	for _, name := range names {
		t.sup.Add(&sutureService{c, name})
	}
	return t, nil
}

func (t *sutureTree) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	t.end = cancel
	t.ended = t.sup.ServeBackground(ctx)
	return nil
}

func (t *sutureTree) stop() error {
	t.end()
	if err := <-t.ended; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (t *sutureTree) add(name string) error {
	t.last = t.sup.Add(&sutureService{t.c, name})
	return nil
}

func (t *sutureTree) remove() error { return t.sup.RemoveAndWait(t.last, 0) }
