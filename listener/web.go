package listener

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// A webServer serves the connections that turned out to be HTTP. What net/http
// gets is a plain net.Listener, so that everything in it works, HTTP/2
// included.
type webServer struct {
	server *http.Server
	queue  *connQueue
	ended  chan struct{}
}

func newWebServer(addr net.Addr, h http.Handler) *webServer {
	w := &webServer{queue: newConnQueue(addr), server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         new(http.Protocols),
	}}
	w.server.Protocols.SetHTTP1(true)
	w.server.Protocols.SetUnencryptedHTTP2(true)
	return w
}

// take serves a connection. The server runs from the first one on: most
// Listeners never see a browser.
func (w *webServer) take(conn net.Conn) {
	w.queue.mu.Lock()
	if w.ended == nil && !w.queue.isClosed() {
		w.ended = make(chan struct{})
		go func() {
			defer close(w.ended)
			w.server.Serve(w.queue)
		}()
	}
	w.queue.mu.Unlock()
	w.queue.put(conn)
}

// close ends the server: gracefully while ctx lasts.
func (w *webServer) close(ctx context.Context) error {
	w.queue.Close()
	w.queue.mu.Lock()
	ended := w.ended
	w.queue.mu.Unlock()
	if ended == nil {
		return nil
	}
	if err := w.server.Shutdown(ctx); err != nil {
		w.server.Close()
		if !errors.Is(err, context.Cause(ctx)) && !errors.Is(err, ctx.Err()) {
			return err
		}
	}
	<-ended
	return nil
}

// A connQueue is a net.Listener for connections that are there already.
type connQueue struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	mu    sync.Mutex
	once  sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (q *connQueue) put(conn net.Conn) {
	select {
	case q.conns <- conn:
	case <-q.done:
		conn.Close()
	}
}

// Accept is net.Listener.
func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close is net.Listener.
func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr is net.Listener.
func (q *connQueue) Addr() net.Addr { return q.addr }

func (q *connQueue) isClosed() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

// A replay is a connection whose first bytes have been read and are read
// again.
type replay struct {
	net.Conn
	first []byte
}

func (r *replay) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}
