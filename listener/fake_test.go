package listener_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/listener"
)

// A fakeSocket is an endpoint whose Accept and Close do what a test says.
type fakeSocket struct {
	accept  chan any      // net.Conn or error
	closing chan struct{} // closed by the first Close
	letGo   chan struct{} // the first Close returns when this is closed
	closed  chan struct{} // it has
	bind    error         // of Listen
	once    sync.Once
}

func newFakeSocket() *fakeSocket {
	f := &fakeSocket{
		accept:  make(chan any),
		closing: make(chan struct{}),
		letGo:   make(chan struct{}),
		closed:  make(chan struct{}),
	}
	close(f.letGo)
	return f
}

// listener makes a Listener on it, at the endpoint fake:x.
func (f *fakeSocket) listener(t *testing.T, opts ...listener.Option) *listener.Listener {
	t.Helper()
	r := new(endpoint.Registry)
	must(t, r.Register("fake", f))
	return makeListener(t, "fake:x", append(opts, listener.Registry(r))...)
}

func (f *fakeSocket) Server(endpoint.Description) (endpoint.Server, error) { return f, nil }
func (f *fakeSocket) Client(endpoint.Description) (endpoint.Client, error) {
	return nil, errors.ErrUnsupported
}

func (f *fakeSocket) Listen(context.Context) (net.Listener, error) {
	if f.bind != nil {
		return nil, f.bind
	}
	return f, nil
}

func (f *fakeSocket) Accept() (net.Conn, error) {
	select {
	case v := <-f.accept:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	case <-f.closing:
		return nil, net.ErrClosed
	}
}

// Close is like that of the net package: a second one does not wait for the
// first.
func (f *fakeSocket) Close() error {
	err := net.ErrClosed
	f.once.Do(func() {
		close(f.closing)
		err = nil
	})
	if err == nil {
		<-f.letGo
		close(f.closed)
	}
	return err
}

func (f *fakeSocket) Addr() net.Addr { return &net.UnixAddr{Net: "fake", Name: "x"} }
