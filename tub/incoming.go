package tub

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// Call is broker.Host: it reads a call that comes in and queues it.
func (c *connection) Call(d *banana.Decoder, call broker.Call) error {
	// Nobody is told how a one-way call went, so it cannot be refused; and it
	// must not be lost in silence.
	if limit := c.tub.opts.limits.Calls; call.ReqID == 0 && c.calls.oneWay.Load() >= int64(limit) {
		return banana.Fatalf("more than %d one-way calls wait", limit)
	}
	dec := newDecoder(d, c)
	return dec.salvage(c.understand(dec, call))
}

func (c *connection) understand(dec *decoder, call broker.Call) error {
	if call.Target == nil {
		return c.tubCall(dec, call)
	}
	o := call.Target.(*object)
	if o.remote != nil {
		return c.freeCall(dec, call, o)
	}
	m, ok := o.class.methods[call.Method]
	if !ok {
		// Not told by the reader, which must not wait for the writer.
		c.calls.add(&task{work: func(*hold) {
			c.calls.answering(1)
			defer c.calls.answering(-1)
			c.fail(call, noSuchMethod(o.class.typ.String(), call.Method))
		}})
		return errNotRead
	}
	in, kw, err := dec.methodArguments(m)
	if err != nil {
		return err
	}
	c.queue(call, o, func(ctx context.Context) (any, error) {
		return m.invoke(ctx, o.recv, in, kw)
	})
	return nil
}

// freeCall is a call to an object that decides itself.
func (c *connection) freeCall(dec *decoder, call broker.Call, o *object) error {
	var args Args
	if err := dec.freeArguments(&args); err != nil {
		return err
	}
	c.queue(call, o, func(ctx context.Context) (any, error) {
		return o.remote.CallRemote(ctx, call.Method, args)
	})
	return nil
}

// queue hands a call to the dispatcher, which runs it when it is its turn.
func (c *connection) queue(call broker.Call, o *object, run func(context.Context) (any, error)) {
	o.Retain() // the peer may give it back before its turn comes
	c.calls.add(&task{object: o, oneWay: call.ReqID == 0, work: func(h *hold) {
		defer o.Release()
		ctx := c.callContext(call, h)
		if ctx.Err() != nil {
			return // it has not begun, and nobody waits for it any more
		}
		c.answer(call, h, func() (any, error) {
			for _, gate := range o.gates {
				if gate.revoked.Load() {
					return nil, ErrRevoked
				}
			}
			return run(ctx)
		})
	}})
}

type connectionKey struct{}

// callContext is the context of a method: it ends when nobody waits for the
// answer any more.
func (c *connection) callContext(call broker.Call, h *hold) context.Context {
	ctx := c.link.Context()
	if call.ReqID == 0 {
		ctx = c.run.ctx // a one-way call is done also when its caller is gone
	}
	return context.WithValue(context.WithValue(ctx, connectionKey{}, c), holdKey{}, h)
}

// CallerID returns the TubID of the Tub whose call a method is answering, or
// an empty string for any other context.
func CallerID(ctx context.Context) string {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		return c.peer
	}
	return ""
}

// answer runs a method and sends what it returns. A method that panics, or
// ends its goroutine, fails its own call and nothing else: a peer must not be
// able to take the program down.
//
// What the method returned is written down while its object's turn is held.
// The turn is not held while the answer waits for a peer that reads slowly.
func (c *connection) answer(call broker.Call, h *hold, run func() (any, error)) {
	failure := panicked
	left := false
	leave := func() {
		if !left {
			left = true
			c.calls.answering(1)
			h.end()
		}
	}
	defer func() {
		if r := recover(); failure == panicked {
			c.log.Error("method panicked", "method", call.Method, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
		leave()
		if failure != nil {
			c.fail(call, failure)
		}
		c.calls.answering(-1)
	}()
	result, err := run()
	if err != nil {
		failure = failureOf(err) // calls Error, which may panic too
		return
	}
	c.succeed(call, result, leave)
	failure = nil
}

var panicked = &broker.Failure{
	Type:    "builtins.RuntimeError",
	Value:   "the method panicked",
	Parents: append([]string{"builtins.RuntimeError"}, pythonBases...),
}

// succeed sends a result. written is called when it has been encoded.
func (c *connection) succeed(call broker.Call, result any, written func()) {
	var enc *encoder
	defer func() {
		if enc != nil {
			enc.release()
		}
	}()
	err := c.link.Answer(call.ReqID, func(e *banana.Encoder) error {
		enc = newEncoder(e, c)
		if err := enc.value(result); err != nil {
			written()
			return &encodeError{err}
		}
		written()
		return nil
	})
	var refused *encodeError
	if errors.As(err, &refused) {
		c.log.Warn("result cannot be sent", "method", call.Method, "error", refused.err)
	}
}

func (c *connection) fail(call broker.Call, f *broker.Failure) {
	c.link.Fail(call.ReqID, f) //nolint:errcheck // the Link is gone, and so is the caller
}

// A place is where an argument goes: its type, and what takes its value.
type place struct {
	typ reflect.Type
	set slot
}

// arguments reads the arguments of a call up to the CLOSE of the call. pos is
// asked for the place of each positional argument, after it is known how many
// there are; kw for that of each keyword.
func (d *decoder) arguments(count func(n int) error, pos func(i int) place, kw func(name string) (place, error)) error {
	tok, err := d.Next()
	if err != nil {
		return err
	}
	if tok.Kind != banana.Open {
		return banana.Fatalf("call without arguments")
	}
	typ, err := d.Index()
	if err != nil {
		return err
	}
	if typ != "arguments" {
		return banana.Fatalf("call with %q where its arguments are due", typ)
	}
	if tok, err = d.Next(); err != nil {
		return err
	}
	if tok.Kind != banana.Int || tok.Int < 0 || tok.Int > maxArguments {
		return banana.Violationf("bad number of positional arguments")
	}
	n := int(tok.Int)
	if err := count(n); err != nil {
		return err
	}
	for i := range n {
		if tok, err = d.Next(); err != nil {
			return err
		}
		if tok.Kind == banana.Close {
			return banana.Fatalf("call with %d positional arguments instead of %d", i, n)
		}
		p := pos(i)
		if err := d.value(tok, p.typ, p.set); err != nil {
			return within(err, "argument %d", i)
		}
	}
	if err := d.keywordArguments(kw); err != nil {
		return err
	}
	return d.finish() // of the call
}

const maxArguments = 10_000

func (d *decoder) keywordArguments(kw func(name string) (place, error)) error {
	seen := make(map[string]bool)
	for {
		tok, err := d.Next()
		if err != nil {
			return err
		}
		if tok.Kind == banana.Close {
			return nil
		}
		if tok.Kind != banana.String {
			return banana.Fatalf("name of a keyword argument must be STRING, not %v", tok.Kind)
		}
		if tok.Size > 1000 {
			return banana.Violationf("name of a keyword argument has %d bytes", tok.Size)
		}
		name, err := d.Text()
		if err != nil {
			return err
		}
		if seen[name] {
			return banana.Violationf("argument %q comes twice", name)
		}
		seen[name] = true
		p, err := kw(name)
		if err != nil {
			return err
		}
		if tok, err = d.Next(); err != nil {
			return err
		}
		if tok.Kind == banana.Close {
			return banana.Violationf("argument %q has no value", name)
		}
		if err := d.value(tok, p.typ, p.set); err != nil {
			return within(err, "argument %s", name)
		}
	}
}

// freeArguments reads arguments of any type.
func (d *decoder) freeArguments(args *Args) error {
	count := func(n int) error { return nil }
	pos := func(i int) place {
		args.Positional = append(args.Positional, nil)
		return place{anyType, func(v reflect.Value) error {
			args.Positional[i] = v.Interface()
			return nil
		}}
	}
	return d.arguments(count, pos, func(name string) (place, error) {
		if args.Keywords == nil {
			args.Keywords = make(Keywords)
		}
		return place{anyType, func(v reflect.Value) error {
			args.Keywords[name] = v.Interface()
			return nil
		}}, nil
	})
}

// methodArguments reads arguments into the types of a method's parameters.
func (d *decoder) methodArguments(m *method) (in []reflect.Value, kw Keywords, err error) {
	count := func(n int) error {
		if n < len(m.params) {
			return banana.Violationf("%s wants %d arguments, got %d", m.name, len(m.params), n)
		}
		if n > len(m.params) && m.variadic == nil {
			return banana.Violationf("too many positional arguments: %s wants %d, got %d", m.name, len(m.params), n)
		}
		return nil
	}
	pos := func(i int) place {
		t := m.variadic
		if i < len(m.params) {
			t = m.params[i]
		}
		in = append(in, reflect.Zero(t))
		return place{t, func(v reflect.Value) error {
			if v.Type() != t { // an interface value, or assignable to one
				converted := reflect.New(t).Elem()
				converted.Set(v)
				v = converted
			}
			in[i] = v
			return nil
		}}
	}
	err = d.arguments(count, pos, func(name string) (place, error) {
		if !m.keywords {
			return place{}, banana.Violationf("unknown argument %q: %s takes no keyword arguments", name, m.name)
		}
		if kw == nil {
			kw = make(Keywords)
		}
		return place{anyType, func(v reflect.Value) error {
			kw[name] = v.Interface()
			return nil
		}}, nil
	})
	return in, kw, err
}

// invoke calls the Go method. Several results travel as a tuple.
func (m *method) invoke(ctx context.Context, recv reflect.Value, args []reflect.Value, kw Keywords) (any, error) {
	in := make([]reflect.Value, 0, len(args)+2)
	if m.hasCtx {
		in = append(in, reflect.ValueOf(ctx))
	}
	in = append(in, args...)
	if m.keywords {
		in = append(in, reflect.ValueOf(kw))
	}
	out := recv.Method(m.index).Call(in)
	if m.hasError {
		if err, _ := out[len(out)-1].Interface().(error); err != nil {
			return nil, err
		}
	}
	switch m.results {
	case 0:
		return nil, nil
	case 1:
		return out[0].Interface(), nil
	}
	results := make(Tuple, m.results)
	for i := range results {
		results[i] = out[i].Interface()
	}
	return results, nil
}
