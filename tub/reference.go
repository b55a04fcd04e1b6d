package tub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// A Reference is somebody else's object. It lives as long as the connection it
// came over: when that is lost every call fails, and a new Reference has to be
// got. While it is reachable the peer keeps the object; what the garbage
// collector takes is released there too. Its methods may be called from any
// goroutine.
type Reference struct {
	conn *connection
	clid int64
	furl FURL // zero if the peer did not say
}

// Call calls a method of the object and returns its result: nil, bool, int64,
// *big.Int, float64, []byte, string, []any, [Tuple], *[Dict], *[Set],
// *[FrozenSet], [Decimal], *Reference, or an object of one's own. A last
// argument of type [Keywords] is sent as keyword arguments.
//
// The error is a [*RemoteError] if the method failed. Otherwise it is
// [ErrNotSent], where nothing has left this process, or [ErrNoAnswer], where
// nobody knows what became of the call; both come with the cause: the end of
// the connection, or ctx's. It is [ErrViolation] where a value cannot be sent
// or did not fit.
//
// Inside a method, Call with the method's ctx gives its object's turn to
// others while it waits, and has it back when it returns.
func (r *Reference) Call(ctx context.Context, method string, args ...any) (any, error) {
	v, err := r.call(ctx, anyType, method, args)
	if err != nil || !v.IsValid() {
		return nil, err
	}
	return v.Interface(), nil
}

// Call is [Reference.Call] with a result of type T. A result that does not fit
// T is refused as it arrives, with [ErrViolation].
func Call[T any](ctx context.Context, r *Reference, method string, args ...any) (T, error) {
	var result T
	v, err := r.call(ctx, reflect.TypeFor[T](), method, args)
	if err == nil && v.IsValid() {
		reflect.ValueOf(&result).Elem().Set(v)
	}
	return result, err
}

// Send calls a method without wanting an answer. Nothing is learned of what
// becomes of it. The error is [ErrNotSent], with the cause, or [ErrViolation]
// if an argument cannot be sent. While very much is queued for a slow peer,
// Send waits.
func (r *Reference) Send(method string, args ...any) error {
	defer runtime.KeepAlive(r)
	return r.conn.send(context.Background(), r.clid, method, args, nil)
}

// OnDisconnect calls f, once and on a goroutine of its own, when the
// connection of the reference is lost or if it is lost already; the error says
// why. cancel takes it back and may be called more than once. After a cancel f
// is not called any more, unless it is running already.
func (r *Reference) OnDisconnect(f func(error)) (cancel func()) {
	ctx := r.conn.link.Context()
	stop := context.AfterFunc(ctx, func() { f(context.Cause(ctx)) })
	return func() { stop() }
}

// TubID returns the id of the Tub where the object lives.
func (r *Reference) TubID() string { return r.conn.peer }

// FURL returns the object's FURL, as far as its Tub has told it; otherwise the
// zero FURL.
func (r *Reference) FURL() FURL { return r.furl }

// String says what r is without giving away its FURL.
func (r *Reference) String() string {
	return fmt.Sprintf("reference %d to Tub %s", r.clid, r.conn.peer)
}

func (r *Reference) call(ctx context.Context, want reflect.Type, method string, args []any) (reflect.Value, error) {
	defer runtime.KeepAlive(r)
	return r.conn.call(ctx, r.clid, want, method, args)
}

// send queues a call. If it returns an error, the pending was not queued.
func (c *connection) send(ctx context.Context, clid int64, method string, args []any, p broker.Pending) error {
	var enc *encoder
	err := c.link.Call(ctx, clid, method, func(e *banana.Encoder) error {
		enc = newEncoder(e, c)
		return enc.arguments(args)
	}, p)
	if enc != nil {
		enc.release()
	}
	var refused *encodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return fmt.Errorf("calling %s: %w: %w", method, ErrViolation, refused.err)
	}
	return fmt.Errorf("calling %s: %w: %w", method, ErrNotSent, err)
}

// An encodeError is a value that cannot be sent, as opposed to a connection
// that is gone.
type encodeError struct{ err error }

func (e *encodeError) Error() string { return e.err.Error() }
func (e *encodeError) Unwrap() error { return e.err }

// arguments writes positional arguments and, if the last is Keywords, keyword
// arguments in ascending order.
func (e *encoder) arguments(args []any) error {
	var kw Keywords
	if n := len(args); n > 0 {
		if k, ok := args[n-1].(Keywords); ok {
			kw, args = k, args[:n-1]
		}
	}
	e.Int(int64(len(args)))
	for i, a := range args {
		if err := e.value(a); err != nil {
			return &encodeError{fmt.Errorf("argument %d: %w", i, err)}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(kw)) {
		e.Text(k)
		if err := e.value(kw[k]); err != nil {
			return &encodeError{fmt.Errorf("argument %s: %w", k, err)}
		}
	}
	return nil
}

func (c *connection) call(ctx context.Context, clid int64, want reflect.Type, method string, args []any) (reflect.Value, error) {
	if ctx.Err() != nil {
		return reflect.Value{}, fmt.Errorf("calling %s: %w: %w", method, ErrNotSent, context.Cause(ctx))
	}
	p := &pendingCall{conn: c, want: want, hold: holdOf(ctx), done: make(chan struct{})}
	if !p.hold.giveUp() {
		p.hold = nil
	}
	err := c.send(ctx, clid, method, args, p)
	if err != nil {
		p.finish(err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.finish(fmt.Errorf("calling %s: %w: %w", method, ErrNoAnswer, context.Cause(ctx)))
		<-p.done
	}
	if p.hold != nil {
		p.hold.back()
	}
	if p.err != nil {
		return reflect.Value{}, p.err
	}
	return p.result, nil
}
