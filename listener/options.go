package listener

import (
	"log/slog"
	"time"

	"github.com/octavo-go/octavo/endpoint"
)

// An Option changes what [New] makes.
type Option func(*options)

type options struct {
	name         string
	registry     *endpoint.Registry
	log          *slog.Logger
	decideWithin time.Duration
	maxUndecided int
}

// Name sets the name in the service tree. The default is "listener".
func Name(name string) Option { return func(o *options) { o.name = name } }

// Registry sets the transports that the endpoint string may name. nil means
// the default, endpoint.Default.
func Registry(r *endpoint.Registry) Option { return func(o *options) { o.registry = r } }

// Logger sets where the Listener tells of trouble. nil means the default,
// slog's default logger.
func Logger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

// DecideWithin sets how long a connection may take to say what it wants. Zero
// and less mean the default of 5 seconds.
func DecideWithin(d time.Duration) Option { return func(o *options) { o.decideWithin = d } }

// MaxUndecided sets how many connections may be undecided at a time, those
// that are being refused included. One more and the oldest of them is closed:
// who is honest says at once what it wants, so that is hardly ever an honest
// one. Zero and less mean the default of 1000.
func MaxUndecided(n int) Option { return func(o *options) { o.maxUndecided = n } }

func newOptions(opts []Option) options {
	o := options{name: "listener"}
	for _, opt := range opts {
		opt(&o)
	}
	if o.registry == nil {
		o.registry = endpoint.Default()
	}
	if o.log == nil {
		o.log = slog.Default()
	}
	if o.decideWithin <= 0 {
		o.decideWithin = 5 * time.Second
	}
	if o.maxUndecided <= 0 {
		o.maxUndecided = 1000
	}
	return o
}
