package endpoint

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// memPipe returns the two ends of a connection. [net.Pipe] would not do: it has no buffer, so that
// two ends that write at once, as both sides of a closing TLS connection do, wait for each other.
func memPipe(a, b memAddr) (*memConn, *memConn) {
	ab, ba := newMemBuffer(), newMemBuffer()
	return &memConn{in: ba, out: ab, local: a, remote: b}, &memConn{in: ab, out: ba, local: b, remote: a}
}

// memConn is one end: it reads what the other has written into in, and writes into out.
type memConn struct {
	in, out       *memBuffer
	local, remote memAddr
	closed        atomic.Bool
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

func (c *memConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, c.opError("read", err)
}

func (c *memConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

// Close ends both directions. The peer reads what is in its buffer and then io.EOF; its writes fail
// with EPIPE. A second Close does nothing.
func (c *memConn) Close() error {
	c.closed.Store(true)
	c.out.closeWrite()
	c.in.closeRead()
	return nil
}

// CloseWrite ends one direction, as that of [net.TCPConn] does: the peer reads io.EOF and can still write.
func (c *memConn) CloseWrite() error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.closeWrite()
	return nil
}

func (c *memConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(c.in, &c.in.readDeadline, t)
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(c.out, &c.out.writeDeadline, t)
}

func (c *memConn) setDeadline(b *memBuffer, d *memDeadline, t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	d.setLocked(b, t)
	return nil
}

func (c *memConn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "mem", Source: c.local, Addr: c.remote, Err: err}
}
