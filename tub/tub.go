package tub

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"log/slog"
	"sync"

	crand "crypto/rand"

	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/service"
)

// A Tub is a cryptographic identity and a collection of object references. It
// is a service: its Listeners are its children, it can be started, stopped and
// started again. Its methods may be called from any goroutine.
type Tub struct {
	*service.MultiService

	id   string
	pin  string // SHA-256 of the certificate in base32
	cert tls.Certificate
	opts options
	log  *slog.Logger

	objects objects

	mu       sync.Mutex
	run      *run               // nil while stopped
	names    map[string]*object // what FURLs lead to
	location location
	peers    map[string]*peer
	seqnum   uint64 // of the last connection that we, as master, have named
}

// A run is the time between a start and a stop. Nothing of one is seen by the
// next.
type run struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	group  sync.WaitGroup // connections, their calls, negotiations
	side   negotiate.Side // without Records
	crowd  crowd
}

// New makes a Tub. Without [CertFile] it gets a new identity that ends with
// the process. The error is that of an option, or [ErrBadIdentity].
func New(opts ...Option) (*Tub, error) {
	o := options{name: "tub", dialers: map[string]DialFunc{"tcp": dialTCP}, log: slog.Default()}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	o.limits = o.limits.withDefaults()
	cert, err := o.identity()
	if err != nil {
		return nil, err
	}
	t := &Tub{
		id:    negotiate.TubID(cert.Leaf),
		pin:   pinOf(cert.Leaf),
		cert:  cert,
		opts:  o,
		names: make(map[string]*object),
		peers: make(map[string]*peer),
	}
	t.log = o.log.With("tub", t.id)
	t.objects = objects{byKey: make(map[any]*object), parent: t, gone: t.forgetNames}
	t.MultiService = service.NewMultiBase(t, o.name, service.Hooks{Start: t.start, Stop: t.stop})
	return t, nil
}

func (o *options) identity() (tls.Certificate, error) {
	if o.certFile != "" {
		return loadIdentity(o.certFile)
	}
	data, err := newIdentity()
	if err != nil {
		return tls.Certificate{}, err
	}
	return parseIdentity(data)
}

// ID returns the TubID: the SHA-1 of the certificate in 32 base32 characters.
func (t *Tub) ID() string { return t.id }

func (t *Tub) start(ctx context.Context) error {
	incarnation := make([]byte, 8)
	crand.Read(incarnation)
	r := &run{
		crowd: crowd{limit: t.opts.limits.Negotiating},
		side: negotiate.Side{
			TubID:       t.id,
			Incarnation: hex.EncodeToString(incarnation),
			Certificate: t.cert,
		},
	}
	// The start's context ends with the start; its values live on.
	r.ctx, r.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.run = r
	return nil
}

// stop ends all connections and waits for what runs on them. The Listeners
// have stopped before.
func (t *Tub) stop(context.Context) error {
	t.mu.Lock()
	r := t.run
	t.run = nil
	var live []*connection
	for _, p := range t.peers {
		if p.live != nil {
			live = append(live, p.live)
		}
	}
	t.mu.Unlock()
	r.cancel(ErrStopped)
	for _, c := range live {
		c.link.Close(ErrStopped)
	}
	r.group.Wait()
	return nil
}

// enter counts something that lives as long as the run, if there is one. It
// must call leave at its end.
func (t *Tub) enter() (r *run, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run == nil {
		return nil, false
	}
	t.run.group.Add(1)
	return t.run, true
}
