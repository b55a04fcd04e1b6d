package broker

import (
	"sync"

	"github.com/octavo-go/octavo/internal/banana"
)

// Answer sends the value of a call that came in. If value fails, the caller
// gets its error as a Violation and Answer returns it. While too much is
// queued Answer waits; it returns the reason if the Link ends.
func (l *Link) Answer(reqID uint64, value func(*banana.Encoder) error) error {
	if reqID == 0 {
		return nil
	}
	e := newEncoder(l.vocab)
	e.Open("answer")
	e.Late(replyTo(reqID))
	if err := value(e); err != nil {
		recycle(e)
		_ = l.Fail(reqID, ViolationFailure("in the return value: "+err.Error()))
		return err
	}
	e.Close()
	return l.out.message(l.ctx, e, waits)
}

// Fail answers a call that came in with an error.
func (l *Link) Fail(reqID uint64, f *Failure) error {
	if reqID == 0 {
		return nil
	}
	return l.out.message(l.ctx, l.failure(reqID, f), waits)
}

func (l *Link) failure(reqID uint64, f *Failure) *banana.Encoder {
	e := newEncoder(l.vocab)
	e.Open("error")
	e.Late(replyTo(reqID))
	f.encode(e)
	e.Close()
	return e
}

// A replyTo is the late number of the call that a message answers. When it is
// asked for, the answer takes its place in the stream: from then on the peer
// may use the number again, and not before then is the call out of work. So
// answers that wait for room count against the peer that does not read them.
type replyTo uint64

// inbound knows which calls of the peer are still being worked on.
type inbound struct {
	mu    sync.Mutex
	limit int
	open  map[uint64]struct{}
}

func (in *inbound) init(limit int) {
	in.limit, in.open = limit, make(map[uint64]struct{})
}

// begin refuses a number that is in use: its answer would be ambiguous. It
// also bounds what a peer can make us work on at once.
func (in *inbound) begin(id uint64) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, used := in.open[id]; used {
		return banana.Fatalf("request number %d is still in use", id)
	}
	if len(in.open) >= in.limit {
		return banana.Violationf("too many calls at once: %d of this connection are being worked on", in.limit)
	}
	in.open[id] = struct{}{}
	return nil
}

func (in *inbound) answered(id uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.open, id)
}
