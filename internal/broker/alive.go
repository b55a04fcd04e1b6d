package broker

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// An aliveReader reads from a connection and notices its silence: after
// Keepalive it asks for a sign of life, after Silence it gives up. It needs no
// timer and no goroutine of its own. Any byte counts as life.
type aliveReader struct {
	conn  net.Conn
	src   io.Reader
	opts  Options
	ping  func()
	quiet time.Duration // since the last byte
}

func (a *aliveReader) Read(p []byte) (int, error) {
	for {
		wait := min(a.opts.Keepalive, a.opts.Silence-a.quiet)
		a.conn.SetReadDeadline(time.Now().Add(wait))
		n, err := a.src.Read(p)
		if n > 0 {
			a.quiet = 0
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if a.quiet += wait; a.quiet >= a.opts.Silence {
			return 0, ErrSilent
		}
		a.ping()
	}
}
