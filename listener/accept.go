package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// accept is the Listener's body. It ends when the socket is closed.
func (l *Listener) accept(ctx context.Context) (err error) {
	l.mu.Lock()
	socket, web := l.socket, l.web
	l.mu.Unlock()
	shut := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { shut <- socket.Close() })
	defer func() {
		// Accept fails, and a second Close returns, while the first has not
		// let go of the port yet. Who stops us must find it free.
		if !stop() {
			err = errors.Join(err, closed(<-shut))
		}
	}()
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

// closed is the error of a Close. That it was not the first is none: the socket
// was closed by accept, or has died, which accept has reported.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
