package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
)

// A Host is the Tub on our side of a Link, as far as the Link needs it.
type Host interface {
	// Call reads the arguments of c from d, which stands behind the method's
	// name, up to the CLOSE of the call, and takes the call over: it has to
	// be answered by [Link.Answer] or [Link.Fail] unless c.ReqID is 0. It
	// runs on the Link's reader and must not block. A Violation refuses the
	// call; the Link answers it then.
	Call(d *banana.Decoder, c Call) error
}

// A Call is the head of a call that came in.
type Call struct {
	ReqID  uint64 // 0: no answer is wanted
	Target Object // what the peer was given as a MyReference; nil: the Tub itself
	CLID   int64
	Method string
}

// Options bound a Link. A zero field means the default in brackets.
type Options struct {
	Decode    banana.Limits
	Calls     int           // calls in each direction that wait for their answer [100000]
	Queue     int           // bytes that wait to be written before senders have to wait [4 MiB]
	Keepalive time.Duration // silence after which the peer is asked for a sign of life [4 min]
	Silence   time.Duration // silence after which the connection is given up [10 min]
	Stall     time.Duration // a write that moves nothing for so long ends the connection [2 min]
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Keepalive, 4*time.Minute)
	def(&o.Silence, 10*time.Minute)
	def(&o.Stall, 2*time.Minute)
	if o.Calls == 0 {
		o.Calls = 100_000
	}
	if o.Queue == 0 {
		o.Queue = 4 << 20
	}
	return o
}

var (
	// ErrSilent ends a Link whose peer gave no sign of life.
	ErrSilent = errors.New("peer is silent: no answer to PING")
	// ErrClosed ends a Link that our side closed without another reason.
	ErrClosed = errors.New("connection closed")
	// ErrTooManyCalls refuses a call beyond [Options].Calls.
	ErrTooManyCalls = errors.New("too many calls wait for their answer on this connection")
)

// A Link is a live connection between two Tubs. Its methods may be called from
// any goroutine.
type Link struct {
	conn  net.Conn
	src   io.Reader // what is read of conn
	host  Host
	opts  Options
	vocab *banana.Vocab
	dec   *banana.Decoder

	ctx    context.Context
	cancel context.CancelCauseFunc
	closed sync.Once
	deaf   chan struct{} // closed when nothing more is read
	hung   chan struct{} // closed when the connection is

	out      writer
	exports  exports
	requests requests
	inbound  inbound
}

// New returns a Link over conn, whose bytes are read from r. Nothing happens
// before [Link.Serve].
func New(conn net.Conn, r io.Reader, vocab *banana.Vocab, host Host, opts Options) *Link {
	opts = opts.withDefaults()
	l := &Link{conn: conn, src: r, host: host, opts: opts, vocab: vocab}
	l.deaf, l.hung = make(chan struct{}), make(chan struct{})
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.out.init(conn, opts, l.resolve, l.Close)
	l.exports.init()
	l.requests.init(opts.Calls)
	l.inbound.init(opts.Calls)
	alive := &aliveReader{conn: conn, src: r, opts: opts, ping: func() { l.out.control(banana.AppendPing) }}
	l.dec = banana.NewDecoder(bufio.NewReaderSize(alive, 32<<10), vocab, opts.Decode)
	l.dec.Ping = func(n uint64) {
		l.out.control(func(dst []byte, _ uint64) []byte { return banana.AppendPong(dst, n) })
	}
	return l
}

// Context ends when the Link does; its cause says why.
func (l *Link) Context() context.Context { return l.ctx }

func (l *Link) read() error {
	for {
		err := l.dec.NextMessage()
		if l.ctx.Err() != nil {
			return context.Cause(l.ctx)
		}
		if err == nil {
			err = l.message()
		}
		if banana.IsFatal(err) {
			return err
		}
		if err := l.dec.Unwind(0); err != nil {
			return err
		}
	}
}

// message reads one message behind its OPEN. A refused one may be left half
// read.
func (l *Link) message() error {
	typ, err := l.dec.Index()
	if err != nil {
		return err
	}
	switch typ {
	case "call":
		return l.readCall()
	case "answer":
		return l.readAnswer()
	case "error":
		return l.readError()
	}
	return banana.Violationf("unknown message type %q", typ)
}

func (l *Link) readCall() error {
	id, err := l.reqID()
	if err != nil {
		return err
	}
	err = l.readCallOf(id)
	var v *banana.Violation
	if errors.As(err, &v) && id != 0 {
		_ = l.out.message(context.Background(), l.failure(id, ViolationFailure(v.Reason)), always)
	}
	if errors.Is(err, banana.ErrAborted) {
		l.inbound.answered(id) // the peer gave it up itself: no answer
	}
	return err
}

func (l *Link) readCallOf(id uint64) error {
	if id != 0 {
		if err := l.inbound.begin(id); err != nil {
			return err
		}
	}
	c := Call{ReqID: id}
	tok, err := l.dec.Next()
	if err != nil {
		return err
	}
	if tok.Kind != banana.Int {
		return banana.Fatalf("target of a call must be INT, not %v", tok.Kind)
	}
	c.CLID = tok.Int
	if tok, err = l.dec.Next(); err != nil {
		return err
	}
	if tok.Kind != banana.String {
		return banana.Fatalf("method name must be STRING, not %v", tok.Kind)
	}
	if tok.Size > maxMethod {
		return banana.Violationf("method name of %d bytes, at most %d are allowed", tok.Size, maxMethod)
	}
	if c.Method, err = l.dec.Text(); err != nil {
		return err
	}
	if c.CLID != 0 {
		var ok bool
		if c.Target, ok = l.exports.lookup(c.CLID); !ok {
			return banana.Violationf("unknown CLID %d", c.CLID)
		}
	}
	return l.host.Call(l.dec, c)
}

const maxMethod = 1000

func (l *Link) readAnswer() error {
	id, err := l.reqID()
	if err != nil {
		return err
	}
	r := l.requests.take(id)
	if r == nil {
		return banana.Violationf("answer to the unknown request %d", id)
	}
	err = r.pending.Answer(l.dec)
	if err == nil {
		err = l.closing("answer")
	}
	l.finish(r, err)
	return err
}

func (l *Link) readError() error {
	id, err := l.reqID()
	if err != nil {
		return err
	}
	r := l.requests.take(id)
	if r == nil {
		return banana.Violationf("error for the unknown request %d", id)
	}
	f, err := readFailure(l.dec)
	if err == nil {
		err = l.closing("error")
	}
	if err != nil {
		l.finish(r, err)
		return err
	}
	r.pending.Done(f, Answered)
	return nil
}

// finish tells a request how its answer read. A broken stream is told to all
// requests alike when the Link ends.
func (l *Link) finish(r *request, err error) {
	if err != nil && banana.IsFatal(err) {
		l.requests.putBack(r)
		return
	}
	r.pending.Done(err, Answered)
}

func (l *Link) closing(what string) error {
	tok, err := l.dec.Next()
	if err != nil {
		return err
	}
	if tok.Kind != banana.Close {
		return banana.Violationf("%s with more than one value", what)
	}
	return nil
}

func (l *Link) reqID() (uint64, error) {
	tok, err := l.dec.Next()
	if err != nil {
		return 0, err
	}
	if tok.Kind != banana.Int || tok.Int < 0 || tok.Int > maxID {
		return 0, banana.Fatalf("request number must be INT below 2^31")
	}
	return uint64(tok.Int), nil
}

// maxID is the greatest request number and object number that Foolscap reads.
const maxID = 1<<31 - 1

func (l *Link) String() string { return fmt.Sprintf("link to %v", l.conn.RemoteAddr()) }
