package endpoint

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Transport makes servers and clients of one type of endpoint: it is what a plug-in implements.
// Both methods check the description's arguments, open nothing, and may be called from any
// goroutine. The description's type is that which the transport was registered as. A transport that
// works one way only returns an [*Error] that wraps [errors.ErrUnsupported] for the other.
type Transport interface {
	Server(d Description) (Server, error)
	Client(d Description) (Client, error)
}

// A Server listens. The context bounds the call of Listen only, never the listener. Closing the
// listener and listening again gives the same address (see the package's text on kept addresses);
// Accept of a closed listener returns an error that wraps [net.ErrClosed].
type Server interface {
	Listen(ctx context.Context) (net.Listener, error)
}

// A Client dials, as often as it is asked, from any goroutine. The context bounds the call of Dial
// only, never the connection.
type Client interface {
	Dial(ctx context.Context) (net.Conn, error)
}

// A Prefix is a Transport whose descriptions hold other descriptions. A [Registry] that finds one asks it for
// the transport that looks those up in that registry, so that the types which a program added to its
// clone can be nested as the built-in ones can.
type Prefix interface {
	Transport
	In(r *Registry) Transport
}

// A Registry maps types to transports. The zero Registry is empty and ready for use. Its methods
// may be called from any goroutine. It must not be copied; see [Registry.Clone].
type Registry struct {
	mu         sync.RWMutex
	transports map[string]Transport
}

var defaultRegistry = &Registry{transports: map[string]Transport{
	"tcp":  TCP(),
	"unix": Unix(),

	"mem": NewMem(),
}}

// Default returns the registry of [Listen] and [Dial], which has the built-in transports. It is one value for
// the whole process: a library that needs types of its own adds them to a [Registry.Clone].
func Default() *Registry { return defaultRegistry }

// Listen listens on an endpoint string, by the registry [Default].
func Listen(ctx context.Context, s string) (net.Listener, error) {
	server, err := Default().Server(s)
	if err != nil {
		return nil, err
	}
	return server.Listen(ctx)
}

// Dial connects to an endpoint string, by the registry [Default].
func Dial(ctx context.Context, s string) (net.Conn, error) {
	client, err := Default().Client(s)
	if err != nil {
		return nil, err
	}
	return client.Dial(ctx)
}

// Register adds a type. Types are ASCII letters, digits and the characters "+-._", and upper and
// lower case are the same. A type that is there already is [ErrTypeTaken] and stays what it is.
func (r *Registry) Register(typ string, t Transport) error {
	fail := func(err error, reason string) error {
		return &Error{Description: typ, Field: "type", Err: err, Reason: reason}
	}
	name := lower(typ)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789+-._") != "" {
		return fail(ErrSyntax, "a type consists of letters, digits and + - . _: choose such a name")
	}
	if t == nil {
		return fail(ErrArgument, "the transport is nil: give one")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.transports[name]; taken {
		return fail(ErrTypeTaken, "registered already: choose another name, or an empty Registry")
	}
	if r.transports == nil {
		r.transports = make(map[string]Transport)
	}
	r.transports[name] = t
	return nil
}

// Clone returns a registry with the same transports, to which more can be added. The transports
// themselves are shared: both registries have one namespace of mem names.
func (r *Registry) Clone() *Registry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &Registry{transports: maps.Clone(r.transports)}
}

// Types returns the registered types, sorted.
func (r *Registry) Types() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.transports))
}

// Server parses and checks an endpoint string to listen on. It opens nothing.
func (r *Registry) Server(s string) (Server, error) {
	d, t, err := r.lookup(s)
	if err != nil {
		return nil, err
	}
	return t.Server(d)
}

// Client parses and checks an endpoint string to dial. It opens nothing.
func (r *Registry) Client(s string) (Client, error) {
	d, t, err := r.lookup(s)
	if err != nil {
		return nil, err
	}
	return t.Client(d)
}

func (r *Registry) lookup(s string) (Description, Transport, error) {
	d, err := Parse(s)
	if err != nil {
		return d, nil, err
	}
	r.mu.RLock()
	t := r.transports[d.Type()]
	r.mu.RUnlock()
	if t == nil {
		known := "this registry has none"
		if types := r.Types(); len(types) > 0 {
			known = "use one of " + strings.Join(types, ", ")
		}
		return d, nil, &Error{Description: d.String(), Field: "type", Err: ErrUnknownType,
			Reason: strconv.Quote(shorten(d.Type())) + " is unknown: " + known}
	}
	if p, ok := t.(Prefix); ok {
		t = p.In(r)
	}
	return d, t, nil
}
