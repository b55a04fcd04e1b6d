package tub

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// A pendingCall waits for an answer. It ends once: when the answer has come,
// the connection is lost, or the caller stops waiting. An answer that comes
// after that is still read, for the references in it are counted by the peer.
type pendingCall struct {
	conn *connection
	want reflect.Type
	hold *hold // the caller's, which it has given up

	answer reflect.Value // belongs to the reader

	once   sync.Once
	result reflect.Value
	err    error
	done   chan struct{} // closed when it has ended and the hold's turn is there
}

// Answer is broker.Pending.
func (p *pendingCall) Answer(d *banana.Decoder) error {
	dec := newDecoder(d, p.conn)
	return dec.salvage(p.read(dec))
}

func (p *pendingCall) read(d *decoder) error {
	tok, err := d.Next()
	if err != nil {
		return err
	}
	if tok.Kind == banana.Close {
		return banana.Fatalf("answer without a value")
	}
	return d.value(tok, p.want, func(v reflect.Value) error {
		p.answer = v
		return nil
	})
}

// Done is broker.Pending.
func (p *pendingCall) Done(err error, fate broker.Fate) {
	var failure *broker.Failure
	switch {
	case err == nil:
		p.end(p.answer, nil)
	case errors.As(err, &failure):
		p.finish(remoteError(failure))
	case fate == broker.Answered:
		p.finish(fmt.Errorf("%w: in the answer: %w", ErrViolation, err))
	case fate == broker.NotSent:
		p.finish(fmt.Errorf("%w: connection to Tub %s is lost: %w", ErrNotSent, p.conn.peer, err))
	default:
		p.finish(fmt.Errorf("%w: connection to Tub %s is lost: %w", ErrNoAnswer, p.conn.peer, err))
	}
}

func (p *pendingCall) finish(err error) { p.end(reflect.Value{}, err) }

// end queues the caller for its turn now: that is the order in which methods
// go on.
func (p *pendingCall) end(result reflect.Value, err error) {
	p.once.Do(func() {
		p.result, p.err = result, err
		if p.hold == nil || p.hold.turn.enter(waiter{ready: p.done}) {
			close(p.done)
		}
	})
}
