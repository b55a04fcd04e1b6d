package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A host does what a test wants with a call. Its link is set before anything arrives.
type host struct {
	link *broker.Link
	call func(h *host, d *banana.Decoder, c broker.Call) error
	wg   sync.WaitGroup // of the goroutines that answer
}

func (h *host) Call(d *banana.Decoder, c broker.Call) error { return h.call(h, d, c) }

// echo answers every call with its first argument, or with None, from a goroutine of its own.
func echo() *host {
	return &host{call: func(h *host, d *banana.Decoder, c broker.Call) error {
		args, err := arguments(d)
		if err != nil {
			return err
		}
		h.wg.Go(func() {
			h.link.Answer(c.ReqID, func(e *banana.Encoder) error {
				if len(args) == 0 {
					put(e, nil)
				} else {
					put(e, args[0])
				}
				return nil
			})
		})
		return nil
	}}
}

// silent reads calls and answers none.
func silent(got chan<- broker.Call) *host {
	return &host{call: func(_ *host, d *banana.Decoder, c broker.Call) error {
		_, err := arguments(d)
		if err == nil && got != nil {
			got <- c
		}
		return err
	}}
}

// arguments reads what follows a method's name, to the end of the call. Keywords come as pairs.
func arguments(d *banana.Decoder) ([]any, error) {
	tok, err := d.Next()
	if err != nil {
		return nil, err
	}
	if tok.Kind != banana.Open {
		return nil, banana.Fatalf("call without arguments")
	}
	v, err := sequence(d)
	if err != nil {
		return nil, err
	}
	if len(v) < 2 || v[0] != "arguments" {
		return nil, banana.Fatalf("call with %v", v)
	}
	if tok, err = d.Next(); err == nil && tok.Kind != banana.Close {
		err = banana.Fatalf("more than arguments in a call")
	}
	return v[2:], err
}

// value reads one value: a list is a []any that begins with "list".
func value(d *banana.Decoder, tok banana.Token) (any, error) {
	switch tok.Kind {
	case banana.Int:
		return tok.Int, nil
	case banana.String:
		b, err := d.Bytes()
		return string(b), err
	case banana.Open:
		return sequence(d)
	}
	return nil, banana.Violationf("cannot read %v", tok.Kind)
}

func sequence(d *banana.Decoder) (v []any, err error) {
	typ, err := d.Index()
	if err != nil {
		return nil, err
	}
	for v = append(v, typ); ; {
		tok, err := d.Next()
		if err != nil || tok.Kind == banana.Close {
			return v, err
		}
		item, err := value(d, tok)
		if err != nil {
			return nil, err
		}
		v = append(v, item)
	}
}

func put(e *banana.Encoder, v any) {
	switch v := v.(type) {
	case nil:
		e.Open("none")
		e.Close()
	case int64:
		e.Int(v)
	case int:
		e.Int(int64(v))
	case string:
		e.Text(v)
	case []any:
		e.Open(v[0].(string))
		for _, item := range v[1:] {
			put(e, item)
		}
		e.Close()
	default:
		panic(fmt.Sprintf("put: %T", v))
	}
}

// args writes positional arguments.
func args(values ...any) func(*banana.Encoder) error {
	return func(e *banana.Encoder) error {
		e.Int(int64(len(values)))
		for _, v := range values {
			put(e, v)
		}
		return nil
	}
}

// A pending keeps what became of a request. A second Done panics.
type pending struct {
	value any
	err   error
	fate  broker.Fate
	done  chan struct{}
}

func newPending() *pending { return &pending{done: make(chan struct{})} }

func (p *pending) Answer(d *banana.Decoder) error {
	tok, err := d.Next()
	if err == nil {
		p.value, err = value(d, tok)
	}
	return err
}

func (p *pending) Done(err error, fate broker.Fate) {
	p.err, p.fate = err, fate
	close(p.done)
}

func (p *pending) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wants fails unless the request has ended so.
func (p *pending) wants(t *testing.T, v any, err error, fate broker.Fate) {
	t.Helper()
	<-p.done
	if fmt.Sprint(p.value) != fmt.Sprint(v) || !errors.Is(p.err, err) || p.fate != fate {
		t.Errorf("got %v, %v, fate %d; want %v, %v, fate %d", p.value, p.err, p.fate, v, err, fate)
	}
}

// call makes a call that must be accepted.
func call(t *testing.T, l *broker.Link, target int64, method string, values ...any) *pending {
	t.Helper()
	p := newPending()
	if err := l.Call(t.Context(), target, method, args(values...), p); err != nil {
		t.Errorf("Call: %v", err)
	}
	return p
}

// serve runs a Link over conn until the test ends.
func serve(t *testing.T, conn net.Conn, h *host, opts broker.Options) (l *broker.Link, served <-chan error) {
	t.Helper()
	l = broker.New(conn, conn, banana.Vocabs[1], h, opts)
	h.link = l
	done := make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		done <- l.Serve()
	}()
	t.Cleanup(func() {
		l.Close(nil)
		<-over
		h.wg.Wait()
	})
	return l, done
}

// pair joins two Links.
func pair(t *testing.T, a, b *host, opts broker.Options) (la, lb *broker.Link) {
	t.Helper()
	ca, cb := net.Pipe()
	la, _ = serve(t, ca, a, opts)
	lb, _ = serve(t, cb, b, opts)
	return la, lb
}

// A raw is the far end of a Link's connection, played by hand within a bubble: it collects what the
// Link writes.
type raw struct {
	t      *testing.T
	conn   net.Conn
	link   *broker.Link
	served <-chan error

	mu  sync.Mutex
	all []byte
	err error // what ended the stream
}

func newRaw(t *testing.T, h *host, opts broker.Options) *raw {
	t.Helper()
	r := newDeaf(t, h, opts)
	r.listen()
	return r
}

// newDeaf returns one that reads nothing before it is told to listen.
func newDeaf(t *testing.T, h *host, opts broker.Options) *raw {
	t.Helper()
	near, far := net.Pipe()
	r := &raw{t: t, conn: far}
	r.link, r.served = serve(t, near, h, opts)
	t.Cleanup(func() { far.Close() })
	return r
}

func (r *raw) listen() {
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.collect()
	}()
	r.t.Cleanup(func() {
		r.conn.Close()
		<-over
	})
}

func (r *raw) collect() {
	b := make([]byte, 4096)
	for {
		n, err := r.conn.Read(b)
		r.mu.Lock()
		r.all = append(r.all, b[:n]...)
		if err != nil {
			r.err = err
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
	}
}

// say writes to the Link and waits until it has done what there is to do.
func (r *raw) say(b []byte) {
	r.t.Helper()
	if _, err := r.conn.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		r.t.Errorf("writing to the Link: %v", err)
	}
	synctest.Wait()
}

// heard returns what the Link has written since the last time.
func (r *raw) heard() []byte {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.all
	r.all = nil
	return b
}

// lives fails unless the Link still answers.
func (r *raw) lives() {
	r.t.Helper()
	r.heard()
	r.say([]byte{42, 0x8E})
	if got := r.heard(); string(got) != "\x2a\x8F" {
		r.t.Errorf("the Link does not answer a PING but writes %x", got)
	}
}

// dies fails unless the Link has ended, and returns why.
func (r *raw) dies() error {
	r.t.Helper()
	synctest.Wait()
	select {
	case err := <-r.served:
		if cause := context.Cause(r.link.Context()); !errors.Is(cause, err) {
			r.t.Errorf("Serve returned %v but the context ended with %v", err, cause)
		}
		return err
	default:
		r.t.Error("the Link lives on")
		return nil
	}
}

// message writes a message with the table of words that a Link has; body writes what follows its type.
func message(base uint64, typ string, body func(e *banana.Encoder)) []byte {
	e := banana.NewEncoder(banana.Vocabs[1])
	e.Open(typ)
	if body != nil {
		body(e)
	}
	for e.Depth() > 0 {
		e.Close()
	}
	return e.AppendTo(nil, base, nil)
}

func callMessage(base uint64, reqID, clid int64, method string, values ...any) []byte {
	return message(base, "call", func(e *banana.Encoder) {
		e.Int(reqID)
		e.Int(clid)
		e.Text(method)
		e.Open("arguments")
		args(values...)(e)
	})
}

// reactions lists what is in a stream of messages: their types with their request numbers, PONGs, and
// ERROR.
func reactions(t *testing.T, stream []byte) (list []string) {
	t.Helper()
	depth, kind, began := 0, "", false
	for len(stream) > 0 {
		i := slices.IndexFunc(stream, func(b byte) bool { return b >= 0x80 })
		if i < 0 {
			t.Fatalf("no type in %x", stream)
		}
		n := 0
		for j := i - 1; j >= 0; j-- {
			n = n<<7 | int(stream[j])
		}
		typ := stream[i]
		stream = stream[i+1:]
		body := ""
		switch typ {
		case 0x82, 0x85, 0x86, 0x8D:
			body, stream = string(stream[:n]), stream[n:]
		case 0x84:
			stream = stream[8:]
		}
		switch {
		case typ == 0x8E:
			list = append(list, fmt.Sprintf("PING %d", n))
		case typ == 0x8F:
			list = append(list, fmt.Sprintf("PONG %d", n))
		case typ == 0x8D:
			list = append(list, "ERROR")
		case typ == 0x88:
			depth++
			began = depth == 1
		case typ == 0x89:
			depth--
		case began && typ == 0x87:
			kind, began = map[int]string{11: "call", 13: "answer", 14: "error"}[n], false
		case began && typ == 0x82:
			kind, began = body, false
		case kind != "":
			list = append(list, fmt.Sprintf("%s %d", kind, n))
			kind = ""
		}
	}
	return list
}
