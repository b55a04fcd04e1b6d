package endpoint

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// memBacklog is how many connections of a mem listener wait to be accepted before dialling waits
// too; it is Twisted's default for sockets.
const memBacklog = 50

// NewMem returns a transport "mem" with names of its own: listeners and connections inside this process, for
// tests and for programs whose parts talk to each other. The one of [Default] has one set of names for the
// whole process; a test that wants its own registers this in a registry of its own.
//
// Server, mem:NAME: an empty name, as in "mem:", takes a free one and keeps it for the Server's next listener;
// the listener's Addr says which. A name that is taken is [syscall.EADDRINUSE].
//
// Client, mem:NAME, with timeout=SECONDS, 30 by default: a name where nobody listens is [syscall.ECONNREFUSED].
// Dialling waits for nothing unless 50 connections wait to be accepted.
//
// Connections are full duplex with 64 KiB of buffer in each direction, have deadlines and
// a CloseWrite method. What was written before Close is still read by the peer. They use neither sockets nor
// goroutines, and block durably in the sense of [testing/synctest], where a listener and all its
// connections belong to one bubble.
func NewMem() Transport {
	return &memTransport{listeners: make(map[string]*memListener)}
}

type memTransport struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	autos     int // names given out; never again, since a Server keeps its own
}

func (t *memTransport) Server(d Description) (Server, error) {
	a := d.Arguments("name")
	name, ok := a.Lookup("name")
	if !ok {
		a.Fail("name", "missing: give one, or an empty one as in mem: to have it chosen")
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	return &memServer{d: d, t: t, name: name}, nil
}

func (t *memTransport) Client(d Description) (Client, error) {
	a := d.Arguments("name")
	c := &memClient{d: d, t: t}
	c.name = a.Required("name")
	c.timeout = a.Seconds("timeout", dialTimeout)
	if err := a.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// memAddr is the address of a listener, NAME, or of a client's end, NAME#7.
type memAddr string

func (memAddr) Network() string  { return "mem" }
func (a memAddr) String() string { return string(a) }

type memServer struct {
	d    Description
	t    *memTransport
	name string
	kept kept
}

func (s *memServer) Listen(ctx context.Context) (net.Listener, error) {
	name, err := s.kept.begin(ctx, s.d)
	if err != nil {
		return nil, err
	}
	again := s.name == "" && name != ""
	if s.name != "" {
		name = s.name
	}
	l, err := s.t.listen(name)
	if err != nil {
		s.kept.end()
		e := failed(s.d, err)
		e.Reason = fmt.Sprintf("the name %q is taken: close its listener, or choose another (%v)", name, err)
		if again {
			e.Reason = fmt.Sprintf("the name %q, which this endpoint had before, was taken meanwhile: "+
				"close its listener, or make a new endpoint to be given another (%v)", name, err)
		}
		return nil, e
	}
	s.kept.keep(string(l.addr))
	l.end = s.kept.end
	return l, nil
}

// listen takes a name; "" chooses one.
func (t *memTransport) listen(name string) (*memListener, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name == "" {
		t.autos++
		if auto := "auto-" + strconv.Itoa(t.autos); t.listeners[auto] == nil {
			name = auto
		}
	}
	l := &memListener{t: t, addr: memAddr(name), done: make(chan struct{}), queue: make(chan *memConn, memBacklog)}
	if t.listeners[name] != nil {
		return nil, l.opError("listen", os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	t.listeners[name] = l
	return l, nil
}

type memClient struct {
	d       Description
	t       *memTransport
	name    string
	timeout time.Duration
}

func (c *memClient) Dial(ctx context.Context) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, failed(c.d, ended(ctx))
	}
	c.t.mu.Lock()
	l := c.t.listeners[c.name]
	c.t.mu.Unlock()
	if l == nil {
		err := &net.OpError{Op: "dial", Net: "mem", Addr: memAddr(c.name), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		return nil, failed(c.d, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, os.ErrDeadlineExceeded)
	defer cancel()
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, failed(c.d, err)
	}
	return conn, nil
}
