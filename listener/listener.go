package listener

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/service"
)

// A Tub is the parent of a Listener that serves one. *tub.Tub is one.
type Tub interface {
	// ID returns the TubID that clients ask for.
	ID() string
	// AcceptConn takes over a connection whose GET for ID has been read. It
	// must not block.
	AcceptConn(net.Conn)
}

// A Listener accepts connections on one endpoint. It can be stopped and
// started again, under the same parent or another one, and keeps its address.
// Its methods may be called from any goroutine.
type Listener struct {
	*service.Base
	endpoint string
	server   endpoint.Server
	opts     options
	log      *slog.Logger
	counts   [kinds]atomic.Uint64

	mu        sync.Mutex
	addr      net.Addr // of the last bind
	socket    net.Listener
	undecided map[net.Conn]bool
	web       *webServer
	deciding  sync.WaitGroup
}

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

// Registry sets the transports that the endpoint string may name. The default
// is endpoint.Default.
func Registry(r *endpoint.Registry) Option { return func(o *options) { o.registry = r } }

// Logger sets where the Listener tells of trouble. The default is slog's
// default logger.
func Logger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

// DecideWithin sets how long a connection may take to say what it wants. The
// default is 5 seconds.
func DecideWithin(d time.Duration) Option { return func(o *options) { o.decideWithin = d } }

// MaxUndecided sets how many connections may be undecided at a time. One more
// is closed at once. The default is 1000.
func MaxUndecided(n int) Option { return func(o *options) { o.maxUndecided = n } }

// New makes a Listener for an endpoint such as "tcp:8080" or
// "unix:/run/octavo.sock". Nothing is opened before it is started. The error
// is that of the endpoint string.
func New(ep string, opts ...Option) (*Listener, error) {
	o := options{
		name:         "listener",
		registry:     endpoint.Default(),
		log:          slog.Default(),
		decideWithin: 5 * time.Second,
		maxUndecided: 1000,
	}
	for _, opt := range opts {
		opt(&o)
	}
	server, err := o.registry.Server(ep)
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	l := &Listener{endpoint: ep, server: server, opts: o, undecided: make(map[net.Conn]bool)}
	l.log = o.log.With("listener", ep)
	l.Base = service.NewBase(l, o.name, service.Hooks{Acquire: l.bind, Run: l.accept, Stop: l.close})
	return l, nil
}

// Endpoint returns the string that the Listener was made with.
func (l *Listener) Endpoint() string { return l.endpoint }

// Addr returns the address that the Listener is bound to, or was when it last
// ran. It is nil until it first listens.
func (l *Listener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr
}

// Stats returns what the connections so far were decided as.
func (l *Listener) Stats() Stats {
	return Stats{
		Tub:     l.counts[toTub].Load(),
		HTTP:    l.counts[toWeb].Load(),
		Refused: l.counts[refused].Load(),
		Garbage: l.counts[garbage].Load(),
		Silent:  l.counts[silent].Load(),
		Excess:  l.counts[excess].Load(),
	}
}

// Stats counts connections by what became of them.
type Stats struct {
	Tub     uint64 // handed to the Tub
	HTTP    uint64 // handed to the web server
	Refused uint64 // asked for a TubID that is not served here
	Garbage uint64 // neither HTTP nor a request for a Tub
	Silent  uint64 // said too little in time, or hung up
	Excess  uint64 // came while too many were undecided
}

// tub returns the Tub that the Listener serves now, or nil.
func (l *Listener) tub() Tub {
	parent := l.Parent()
	if parent == nil {
		return nil
	}
	t, _ := parent.Self().(Tub)
	return t
}

func (l *Listener) bind(ctx context.Context) error {
	socket, err := l.server.Listen(ctx)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", l.endpoint, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socket, l.addr = socket, socket.Addr()
	l.web = newWebServer(l.addr, http.NotFoundHandler())
	return nil
}

// accept is the Listener's body. It ends when the socket is closed.
func (l *Listener) accept(ctx context.Context) error {
	l.mu.Lock()
	socket, web := l.socket, l.web
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	var pause time.Duration
	for {
		conn, err := socket.Accept()
		switch {
		case err == nil:
			pause = 0
			l.admit(conn, web)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("listener %s: %w", l.endpoint, err)
		default: // out of descriptors, for one: it may pass
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			l.log.Warn("accept failed", "error", err, "again in", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

// admit starts to decide about a connection if not too many are undecided.
func (l *Listener) admit(conn net.Conn, web *webServer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.undecided) >= l.opts.maxUndecided {
		l.counts[excess].Add(1)
		conn.Close()
		return
	}
	l.undecided[conn] = true
	l.deciding.Go(func() { l.decide(conn, web) })
}

// decide finds out what a connection wants and hands it over.
func (l *Listener) decide(conn net.Conn, web *webServer) {
	conn.SetReadDeadline(time.Now().Add(l.opts.decideWithin))
	v := sniff(conn)
	l.mu.Lock()
	delete(l.undecided, conn)
	l.mu.Unlock()
	conn.SetReadDeadline(time.Time{})
	if v.kind == toTub {
		if t := l.tub(); t != nil && t.ID() == v.tubID {
			l.counts[toTub].Add(1)
			t.AcceptConn(conn)
			return
		}
		v = verdict{kind: refused, text: negotiate.UnknownTub(v.tubID)}
	}
	l.counts[v.kind].Add(1)
	switch v.kind {
	case toWeb:
		web.take(&replay{Conn: conn, first: v.read})
	case refused:
		conn.SetWriteDeadline(time.Now().Add(l.opts.decideWithin))
		conn.Write([]byte(negotiate.Refusal(v.text)))
		negotiate.Linger(conn) // Foolscap's clients answer a refusal
	default:
		conn.Close()
	}
}

// close lets go of the socket and of what is undecided. Connections that were
// handed to a Tub are the Tub's.
func (l *Listener) close(ctx context.Context) error {
	l.mu.Lock()
	socket, web := l.socket, l.web
	l.socket, l.web = nil, nil
	for conn := range l.undecided {
		conn.Close()
	}
	l.mu.Unlock()
	err := socket.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil // accept has closed it
	}
	l.deciding.Wait()
	return errors.Join(err, web.close(ctx))
}
