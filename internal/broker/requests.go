package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/octavo-go/octavo/internal/banana"
)

// A Fate is what is known about a request that has ended.
type Fate int

// The fates of a request.
const (
	NotSent    Fate = iota // not one byte of it left this process
	Unanswered             // it was handed to the network; nobody knows what became of it
	Answered               // the peer answered, with a value or with an error
)

// A Pending waits for the answer to a request.
type Pending interface {
	// Answer reads the value. It runs on the Link's reader and must not block.
	Answer(d *banana.Decoder) error
	// Done is called exactly once, and must not block. err is nil after an
	// Answer that was read whole; a *Failure is the peer's own error.
	Done(err error, fate Fate)
}

type request struct {
	id      uint64
	at      uint64 // where in the stream its first byte stands
	pending Pending
}

// requests are the calls that we wait for.
type requests struct {
	mu    sync.Mutex
	limit int
	next  uint64
	open  map[uint64]*request
}

func (r *requests) init(limit int) {
	r.limit, r.open = limit, make(map[uint64]*request)
}

// full reports whether another request would be one too many. Two callers may
// be told no at once; the limit is not that sharp.
func (r *requests) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open) >= r.limit
}

func (r *requests) add(p Pending, at uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		r.next = r.next%maxID + 1
		if _, used := r.open[r.next]; !used {
			break
		}
	}
	r.open[r.next] = &request{id: r.next, at: at, pending: p}
	return r.next
}

func (r *requests) take(id uint64) *request {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.open[id]
	delete(r.open, id)
	return q
}

func (r *requests) putBack(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[q.id] = q
}

// fail ends all requests. Those that begin behind the byte given never left.
func (r *requests) fail(err error, given uint64) {
	r.mu.Lock()
	open := r.open
	r.open = make(map[uint64]*request)
	r.mu.Unlock()
	for _, q := range open {
		fate := Unanswered
		if q.at >= given {
			fate = NotSent
		}
		q.pending.Done(err, fate)
	}
}

// Call sends a call. target is the peer's number for the object, 0 its Tub.
// args appends "arguments" without the sequence around it. p gets the answer;
// it may be nil: then none is wanted. If Call returns an error, nothing was
// sent and p will not hear of it.
//
// While too much is queued Call waits for room until ctx ends.
func (l *Link) Call(ctx context.Context, target int64, method string, args func(*banana.Encoder) error, p Pending) error {
	return l.call(ctx, target, method, args, p, waits)
}

// Notify is Call for what the machinery itself has to say: it never waits and
// is under no limit.
func (l *Link) Notify(target int64, method string, args func(*banana.Encoder) error, p Pending) error {
	return l.call(context.Background(), target, method, args, p, always)
}

func (l *Link) call(ctx context.Context, target int64, method string, args func(*banana.Encoder) error, p Pending, wait patience) error {
	if p != nil && bool(wait) && l.requests.full() {
		return fmt.Errorf("%w (the limit is %d)", ErrTooManyCalls, l.opts.Calls)
	}
	e := newEncoder(l.vocab)
	e.Open("call")
	if p == nil {
		e.Int(0)
	} else {
		e.Late(p)
	}
	e.Int(target)
	e.Text(method)
	e.Open("arguments")
	if err := args(e); err != nil {
		recycle(e)
		return err
	}
	e.Close()
	e.Close()
	return l.out.message(ctx, e, wait)
}

// resolve puts in what depends on the place of a message in the stream. It is
// called with the writer's lock held.
func (l *Link) resolve(dst []byte, late any, at uint64) []byte {
	switch v := late.(type) {
	case Pending:
		return banana.AppendInt(dst, int64(l.requests.add(v, at)))
	case replyTo:
		l.inbound.answered(uint64(v))
		return banana.AppendInt(dst, int64(v))
	case *MyReference:
		return l.exports.announce(dst, l.vocab, v)
	}
	panic(fmt.Sprintf("broker: no late token for %T", late))
}
