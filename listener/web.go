package listener

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxWeb is how many connections the web server serves at a time:
	// strangers must not be able to use up what the Tub needs.
	maxWeb = 1000
	// webPatience is what a request may take to be read, and its page to be
	// written.
	webPatience = 10 * time.Second
	// webGrace is what requests in flight have when the Listener stops.
	webGrace = time.Second
)

// A webServer serves the connections that turned out to be HTTP. What net/http
// gets is a plain net.Listener, so that everything in it works, HTTP/2
// included.
type webServer struct {
	server *http.Server
	queue  *connQueue

	mu    sync.Mutex
	open  int
	ended chan struct{} // closed when Serve has returned; nil before the first connection
}

func newWebServer(addr net.Addr, h http.Handler, log *slog.Logger) *webServer {
	w := &webServer{queue: newConnQueue(addr), server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: webPatience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         new(http.Protocols),
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: webPatience},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelInfo),
	}}
	w.server.Protocols.SetHTTP1(true)
	w.server.Protocols.SetUnencryptedHTTP2(true)
	return w
}

// nothingHere answers every request with the 404 page. It does not wait long
// for a body that nobody wants, nor for a client that does not read.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	until := time.Now().Add(webPatience)
	c := http.NewResponseController(w)
	c.SetReadDeadline(until)  //nolint:errcheck // a connection without deadlines is served nevertheless
	c.SetWriteDeadline(until) //nolint:errcheck // as above
	http.NotFound(w, r)
}

// reserve makes a place for a connection, of which first has been read, or
// returns nil if there is none. Closing the webConn closes conn.
func (w *webServer) reserve(conn net.Conn, first []byte) *webConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == maxWeb {
		return nil
	}
	w.open++
	return &webConn{Conn: conn, first: first, leave: sync.OnceFunc(w.leave)}
}

func (w *webServer) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
}

// take serves a connection. The server runs from the first one on: most
// Listeners never see a browser. It must not be called after close.
func (w *webServer) take(conn *webConn) {
	w.mu.Lock()
	if w.ended == nil {
		w.ended = make(chan struct{})
		go func() {
			defer close(w.ended)
			w.server.Serve(w.queue) //nolint:errcheck // it ends with close
		}()
	}
	w.mu.Unlock()
	w.queue.put(conn)
}

// close ends the server. What is in flight has a moment: net/http waits up to
// 5 seconds even for a connection that never said anything.
func (w *webServer) close(ctx context.Context) {
	w.mu.Lock()
	ended := w.ended
	w.mu.Unlock()
	if ended == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, webGrace)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		w.server.Close()
	}
	<-ended
}

// A webConn is a connection whose first bytes have been read and are read
// again.
type webConn struct {
	net.Conn
	first []byte
	leave func()
}

func (c *webConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		if c.first = c.first[n:]; len(c.first) == 0 {
			c.first = nil // lets the buffer go
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Close gives the place back.
func (c *webConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite is what net/http needs to refuse a request that it has not read
// to its end: else the answer would be lost to a reset.
func (c *webConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
