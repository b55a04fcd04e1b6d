package tub

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// An Option changes what [New] makes.
type Option func(*options) error

type options struct {
	name      string
	certFile  string
	short     bool
	log       *slog.Logger
	dialers   map[string]DialFunc
	policy    func(Dial) error
	limits    Limits
	keepalive time.Duration
	silence   time.Duration
}

// CertFile keeps the identity in a PEM file, certificate and private key. If
// the file is missing New makes a new identity and the file, readable by its
// owner only. Foolscap's own files, with RSA keys, work too.
func CertFile(path string) Option {
	return func(o *options) error {
		if path == "" {
			return errors.New("tub: CertFile with an empty path")
		}
		o.certFile = path
		return nil
	}
}

// Name sets the name of the Tub in its service tree. The default is "tub".
func Name(name string) Option {
	return func(o *options) error { o.name = name; return nil }
}

// Logger sets where the Tub tells of its connections: one line an event, with
// nothing secret in it. The default is slog's default logger.
func Logger(l *slog.Logger) Option {
	return func(o *options) error {
		if l == nil {
			return errors.New("tub: Logger with nil")
		}
		o.log = l
		return nil
	}
}

// ShortFURLs leaves the SHA-256 of the certificate out of the Tub's FURLs, for
// programs that take FURLs apart themselves. Such a FURL is only as strong as
// Foolscap's SHA-1 TubID.
func ShortFURLs() Option {
	return func(o *options) error { o.short = true; return nil }
}

// HintDialer makes hints of a type dialable, or dials a type in another way.
// Hints come from strangers: f must never let one name a file, a program, a
// descriptor or a key. Without it a Tub dials "tcp" only.
func HintDialer(typ string, f DialFunc) Option {
	return func(o *options) error {
		if typ == "" || f == nil {
			return fmt.Errorf("tub: HintDialer needs a type and a function (type %q)", typ)
		}
		o.dialers[typ] = f
		return nil
	}
}

// DialPolicy is asked before each dial; an error forbids it. It is called from
// any goroutine.
func DialPolicy(f func(Dial) error) Option {
	return func(o *options) error { o.policy = f; return nil }
}

// Keepalive sets after how much silence a peer is asked for a sign of life,
// and after how much it is given up. The defaults are 4 and 10 minutes.
func Keepalive(ask, giveUp time.Duration) Option {
	return func(o *options) error {
		if ask <= 0 || giveUp <= ask {
			return fmt.Errorf("tub: Keepalive(%v, %v): want 0 < first < second", ask, giveUp)
		}
		o.keepalive, o.silence = ask, giveUp
		return nil
	}
}

// Limits bound what one connection may cost. A zero field means the default in
// brackets. What is refused because of a limit is answered with an error that
// names it.
type Limits struct {
	Calls       int // calls in each direction that wait for their answer, and one-way calls that came in [100000]
	Queue       int // bytes waiting to be written before callers wait [4 MiB]
	String      int // bytes of one string [64 MiB]
	Message     int // bytes of one message; each container counts as 64 at least [256 MiB]
	Depth       int // containers inside one another [1000]
	Negotiating int // connections to the whole Tub that are not negotiated yet; the oldest has to go [1000]
}

// WithLimits sets limits.
func WithLimits(l Limits) Option {
	return func(o *options) error {
		if min(l.Calls, l.Queue, l.String, l.Message, l.Depth, l.Negotiating) < 0 {
			return fmt.Errorf("tub: negative limit in %+v", l)
		}
		o.limits = l
		return nil
	}
}

func (l Limits) withDefaults() Limits {
	if l.Calls == 0 {
		l.Calls = 100_000
	}
	if l.Negotiating == 0 {
		l.Negotiating = 1000
	}
	return l
}

func (o *options) link() broker.Options {
	return broker.Options{
		Decode: banana.Limits{
			Depth:   o.limits.Depth,
			String:  uint64(o.limits.String),
			Message: uint64(o.limits.Message),
		},
		Calls:     o.limits.Calls,
		Queue:     o.limits.Queue,
		Keepalive: o.keepalive,
		Silence:   o.silence,
	}
}
