package broker

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
)

const (
	chunk    = 256 << 10 // bytes a single write deadline is for
	keepBuf  = 256 << 10 // a larger buffer is let go when it has been written
	hopeless = 16        // times Options.Queue: so much waits for no peer that reads
)

// errUnread ends a Link whose peer makes us say things and does not listen:
// what never waits for room would otherwise fill our memory.
var errUnread = errors.New("peer does not read what it is told")

// A writer collects messages and writes them in order. The goroutine that
// writes is started by the first message and ends with the last.
type writer struct {
	conn    net.Conn
	opts    Options
	resolve func(dst []byte, late any, at uint64) []byte
	fail    func(error)

	mu      sync.Mutex
	buf     []byte // waits to be written
	pushed  int    // bytes of buf that did not wait for room
	spare   []byte // the buffer before, to be used again
	opens   uint64 // OPENs in all messages so far
	total   uint64 // bytes of all messages so far
	given   uint64 // of those, bytes that were handed to the connection
	writing bool
	broken  bool          // a write has failed
	err     error         // nothing more is accepted, because
	room    chan struct{} // closed when senders that wait may try again
	idle    chan struct{} // closed when a closed writer has nothing more to do
}

func (w *writer) init(conn net.Conn, opts Options, resolve func([]byte, any, uint64) []byte, fail func(error)) {
	w.conn, w.opts, w.resolve, w.fail = conn, opts, resolve, fail
	w.idle = make(chan struct{})
}

// patience says whether a message waits while too much is queued.
type patience bool

const (
	always patience = false // what the reader says must never wait for the writer
	waits  patience = true
)

// message queues a whole message. It returns ctx's cause if there is no room
// until ctx ends, or the reason for which the Link was closed. Either way
// nothing of the message was sent.
func (w *writer) message(ctx context.Context, e *banana.Encoder, p patience) error {
	defer recycle(e)
	err := w.queue(ctx, e, p)
	if errors.Is(err, errUnread) {
		w.fail(err)
	}
	return err
}

func (w *writer) queue(ctx context.Context, e *banana.Encoder, p patience) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for bool(p) && w.err == nil && len(w.buf) >= w.opts.Queue {
		if err := w.awaitRoom(ctx); err != nil {
			return err
		}
	}
	if w.err != nil {
		return w.err
	}
	if !bool(p) && w.pushed >= hopeless*w.opts.Queue {
		return errUnread
	}
	at, before := w.total, len(w.buf)
	w.buf = e.AppendTo(w.buf, w.opens, func(dst []byte, late any) []byte {
		return w.resolve(dst, late, at)
	})
	w.opens += e.Opens()
	w.total += uint64(len(w.buf) - before)
	if !bool(p) {
		w.pushed += len(w.buf) - before
	}
	w.wake()
	return nil
}

// awaitRoom gives the lock up until something was written.
func (w *writer) awaitRoom(ctx context.Context) error {
	if w.room == nil {
		w.room = make(chan struct{})
	}
	room := w.room
	w.mu.Unlock()
	defer w.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// control queues a PING or PONG. It never waits; where far too much is queued
// already the peer does not read, and gets none.
func (w *writer) control(appendTo func(dst []byte, n uint64) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || len(w.buf) >= 2*w.opts.Queue {
		return
	}
	before := len(w.buf)
	w.buf = appendTo(w.buf, 0)
	w.total += uint64(len(w.buf) - before)
	w.wake()
}

// farewell queues an ERROR token, the last thing that is said.
func (w *writer) farewell(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.buf = banana.AppendError(w.buf, text)
		w.wake()
	}
}

// wake starts the goroutine that writes. The lock is held.
func (w *writer) wake() {
	if !w.writing {
		w.writing = true
		go w.run()
	}
}

func (w *writer) run() {
	w.mu.Lock()
	for len(w.buf) > 0 {
		b := w.buf
		w.buf, w.spare, w.pushed = w.spare[:0], nil, 0
		w.given = w.total
		if w.room != nil {
			close(w.room)
			w.room = nil
		}
		w.mu.Unlock()

		err := w.write(b)
		if err != nil {
			w.fail(err)
		}

		w.mu.Lock()
		if err != nil {
			w.buf, w.broken = nil, true
		}
		if cap(b) <= keepBuf {
			w.spare = b
		}
	}
	w.writing = false
	if w.err != nil {
		w.finished()
	}
	w.mu.Unlock()
}

// write hands b to the connection in pieces that each get the time of a
// stall, so that a large message over a slow line is no stall. It leaves no
// deadline behind: TLS also writes while it reads, and a late deadline would
// break it.
func (w *writer) write(b []byte) error {
	for len(b) > 0 {
		w.conn.SetWriteDeadline(time.Now().Add(w.opts.Stall))
		n := min(len(b), chunk)
		if _, err := w.conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	w.conn.SetWriteDeadline(time.Time{})
	return nil
}

// close refuses everything new. What was queued is still written; then idle is
// closed.
func (w *writer) close(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	w.err = reason
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
	if !w.writing {
		w.finished()
	}
}

// finished is called once, with the lock held.
func (w *writer) finished() { close(w.idle) }

// handed returns how many bytes were handed to the connection: a message that
// begins behind them was never sent.
func (w *writer) handed() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.given
}

// healthy reports whether everything could be written so far.
func (w *writer) healthy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.broken
}

var encoders = sync.Pool{New: func() any { return new(banana.Encoder) }}

func newEncoder(v *banana.Vocab) *banana.Encoder {
	e := encoders.Get().(*banana.Encoder)
	e.Reset(v)
	return e
}

func recycle(e *banana.Encoder) {
	if e.Len() <= keepBuf {
		e.Reset(nil)
		encoders.Put(e)
	}
}
