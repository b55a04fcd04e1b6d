package listener

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/octavo-go/octavo/endpoint"
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

	mu        sync.Mutex
	addr      net.Addr // of the last bind
	socket    net.Listener
	web       *webServer
	newcomers list.List // of *newcomer, the oldest first
	counts    [kinds]uint64

	deciding sync.WaitGroup
}

// New makes a Listener for an endpoint such as "tcp:8080" or
// "unix:/run/octavo.sock". Nothing is opened before it is started. The error
// is that of the endpoint string.
func New(ep string, opts ...Option) (*Listener, error) {
	o := newOptions(opts)
	server, err := o.registry.Server(ep)
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	l := &Listener{endpoint: ep, server: server, opts: o, log: o.log.With("listener", ep)}
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

func (l *Listener) bind(ctx context.Context) error {
	socket, err := l.server.Listen(ctx)
	if err != nil {
		if e := (*endpoint.Error)(nil); errors.As(err, &e) {
			return err // it names the endpoint
		}
		return fmt.Errorf("listening on %s: %w", l.endpoint, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socket, l.addr = socket, socket.Addr()
	l.web = newWebServer(l.addr, http.HandlerFunc(nothingHere), l.log)
	return nil
}

// close lets go of the socket and of all that is undecided. Connections that
// were handed to a Tub are the Tub's.
func (l *Listener) close(ctx context.Context) error {
	l.mu.Lock()
	socket, web := l.socket, l.web
	l.socket, l.web = nil, nil
	var cut []*newcomer
	for l.newcomers.Len() > 0 {
		n := l.newcomers.Front().Value.(*newcomer)
		l.dropLocked(n)
		cut = append(cut, n)
	}
	l.mu.Unlock()
	for _, n := range cut {
		n.Close()
	}
	err := closed(socket.Close())
	l.deciding.Wait()
	web.close(ctx)
	return err
}
