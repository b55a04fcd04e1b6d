package broker

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
)

// parting is what a closing Link has to write its last words, and its peer to
// take leave.
const parting = 2 * time.Second

// Serve reads until the connection ends and returns why. On return every
// request has been told, every exported object released, and the connection
// is closed.
func (l *Link) Serve() error {
	err := l.read()
	var protocol *banana.ProtocolError
	if errors.As(err, &protocol) {
		l.out.farewell(protocol.Reason)
	}
	talks := protocol != nil || l.ctx.Err() != nil // the peer, as far as we know
	l.Close(err)
	if talks {
		_, _ = io.Copy(io.Discard, l.src) // ends with the connection, whatever is said
	}
	close(l.deaf)
	<-l.hung
	err = context.Cause(l.ctx)
	l.requests.fail(err, l.out.handed()) // what was put back meanwhile
	for _, obj := range l.exports.drop() {
		obj.Release()
	}
	return err
}

// Close ends the Link: what is queued is still written within a short time,
// nothing new is accepted. It does not wait. The first reason counts.
func (l *Link) Close(reason error) {
	l.closed.Do(func() {
		if reason == nil || errors.Is(reason, io.EOF) {
			reason = ErrClosed
		}
		l.cancel(reason)
		l.out.close(reason)
		go l.hangUp()
	})
}

// hangUp closes the connection when what was queued has been written and the
// peer has ended, too, or their time is up. A connection that is closed while
// the peer still talks throws away what is on its way to it.
func (l *Link) hangUp() {
	defer close(l.hung)
	defer l.conn.Close()
	late := time.NewTimer(parting)
	defer late.Stop()
	inTime := true
	select {
	case <-l.out.idle:
	case <-late.C:
		inTime = false
		l.conn.Close()
		<-l.out.idle
	}
	l.requests.fail(context.Cause(l.ctx), l.out.handed())
	half, ok := l.conn.(interface{ CloseWrite() error })
	if ok && inTime && l.out.healthy() && half.CloseWrite() == nil {
		select {
		case <-l.deaf:
		case <-late.C:
		}
	}
}
