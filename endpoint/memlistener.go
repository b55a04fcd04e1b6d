package endpoint

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

type memListener struct {
	t     *memTransport
	addr  memAddr
	end   func() // tells the server
	queue chan *memConn
	once  sync.Once
	done  chan struct{} // closed by Close

	mu      sync.Mutex
	clients int
}

func (l *memListener) Addr() net.Addr { return l.addr }

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	default:
	}
	select {
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	case c := <-l.queue:
		return c, nil
	}
}

// Close frees the name and closes the connections nobody has accepted, as a kernel does.
func (l *memListener) Close() error {
	err := l.opError("close", net.ErrClosed)
	l.once.Do(func() {
		err = nil
		l.t.mu.Lock()
		delete(l.t.listeners, string(l.addr))
		l.t.mu.Unlock()
		close(l.done)
		for len(l.queue) > 0 {
			select {
			case c := <-l.queue:
				c.Close()
			default: // Accept was faster
			}
		}
		l.end()
	})
	return err
}

func (l *memListener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "mem", Addr: l.addr, Err: err}
}

// connect queues one end of a new connection and returns the other.
func (l *memListener) connect(ctx context.Context) (net.Conn, error) {
	l.mu.Lock()
	l.clients++
	client := memAddr(fmt.Sprintf("%s#%d", l.addr, l.clients))
	l.mu.Unlock()
	near, far := memPipe(client, l.addr)
	refused := func() (net.Conn, error) {
		near.Close()
		far.Close()
		return nil, l.opError("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	select {
	case l.queue <- far:
	case <-l.done:
		return refused()
	case <-ctx.Done():
		return nil, l.opError("dial", ended(ctx))
	}
	select {
	case <-l.done:
		// Close may have emptied the queue before far was in it.
		return refused()
	default:
		return near, nil
	}
}
