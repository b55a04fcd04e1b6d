package servicetest

import (
	"context"
	"sync"

	"github.com/octavo-go/octavo/service"
)

// A Recorder writes down which hooks are called, in order. Its zero value is ready to use, by any
// number of services.
type Recorder struct {
	mu    sync.Mutex
	calls []string // guarded by mu
}

// New makes a service that does nothing but have its Start, Drain and Stop written down.
func (r *Recorder) New(name string, opts ...service.Option) *service.Base {
	return service.New(name, r.Hooks(name, service.Hooks{}), opts...)
}

// Hooks is h with Start, Drain and Stop written down, as "start name" and so on, just before they are
// called, and also where h has none. Acquire and Run stay as they are.
func (r *Recorder) Hooks(name string, h service.Hooks) service.Hooks {
	h.Start = r.hook("start "+name, h.Start)
	h.Drain = r.hook("drain "+name, h.Drain)
	h.Stop = r.hook("stop "+name, h.Stop)
	return h
}

func (r *Recorder) hook(call string, hook func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		r.mu.Lock()
		r.calls = append(r.calls, call)
		r.mu.Unlock()
		if hook == nil {
			return nil
		}
		return hook(ctx)
	}
}

// Take returns what has been written down since the last Take.
func (r *Recorder) Take() (calls []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls, r.calls = r.calls, nil
	return calls
}
