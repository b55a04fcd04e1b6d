package tub

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/octavo-go/octavo/internal/negotiate"
)

// acceptTimeout is what a peer has for the negotiation; Foolscap gives 120 s.
const acceptTimeout = 60 * time.Second

// Why a negotiation that a peer began is given up.
var (
	errSlowPeer = fmt.Errorf("no negotiation within %v", acceptTimeout)
	errCrowd    = errors.New("too many others wanted to negotiate, and this one had taken longest")
)

// AcceptConn takes a connection over whose "GET /id/" with this Tub's id has
// been read, blank line included, and nothing behind it: the Tub answers it,
// negotiates, and keeps the connection until it ends or the Tub stops. It
// returns at once. Listeners call it; a program that accepts connections
// itself may, too.
func (t *Tub) AcceptConn(conn net.Conn) {
	r, ok := t.enter()
	if !ok {
		conn.Close()
		return
	}
	go func() {
		defer r.group.Done()
		ctx, cancel := context.WithCancelCause(r.ctx)
		defer cancel(nil)
		defer r.crowd.enter(cancel)()
		t.accept(ctx, r, conn)
	}()
}

func (t *Tub) accept(ctx context.Context, r *run, conn net.Conn) {
	ctx, cancel := context.WithTimeoutCause(ctx, acceptTimeout, errSlowPeer)
	defer cancel()
	rec := &records{tub: t, run: r}
	side := r.side
	side.Records = rec
	session, err := negotiate.Accept(ctx, conn, &side)
	if err != nil {
		rec.abandon()
		t.log.Info("connection refused", "from", conn.RemoteAddr(), "error", err)
		return
	}
	if t.adopt(r, session) == nil {
		rec.abandon()
	}
}

// A crowd is the connections that peers have begun to negotiate. When there are
// too many the one that has taken longest has to go: a number of strangers that
// say nothing must not keep everybody else out.
type crowd struct {
	mu    sync.Mutex
	limit int
	queue list.List // of context.CancelCauseFunc, oldest first
}

// enter adds a negotiation, which is given up by giveUp. It returns what to
// call at its end.
func (c *crowd) enter(giveUp context.CancelCauseFunc) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.Len() >= c.limit {
		c.queue.Remove(c.queue.Front()).(context.CancelCauseFunc)(errCrowd)
	}
	place := c.queue.PushBack(giveUp)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.queue.Remove(place) // does nothing where it has gone
	}
}
