package negotiate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
)

// deadlines notes whether a deadline is set.
type deadlines struct {
	net.Conn
	mu  sync.Mutex
	set bool
}

func (d *deadlines) SetDeadline(t time.Time) error {
	d.mu.Lock()
	d.set = !t.IsZero()
	d.mu.Unlock()
	return d.Conn.SetDeadline(t)
}

func TestAnswersOtherThan101EndTheAttempt(t *testing.T) {
	for name, c := range map[string]struct{ answer, text string }{
		"500":                   {Refusal(UnknownTub(anID)), "unknown TubID " + anID},
		"303":                   {"HTTP/1.1 303 See Other\r\nLocation: tcp:h:1\r\n\r\n", "303 See Other"},
		"101 without upgrade":   {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "without Upgrade"},
		"too much":              {"HTTP/1.1 101 " + strings.Repeat("x", 5000), "more than 4096 bytes"},
		"bare LF":               {strings.ReplaceAll(Switching, "\r\n", "\n"), "unexpected EOF"},
		"half an answer":        {Switching[:40], "unexpected EOF"},
		"nothing":               {"", "unexpected EOF"},
		"TLS before its time":   {Switching + "\x16\x03\x01", "before TLS"},
		"something else as TLS": {Switching, "TLS: "},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := loopback(t)
			connected := goConnect(t, near, identity(0), anID)
			head, err := takeHead(far)
			if err != nil || head != Request(anID, "example.com") {
				t.Fatalf("the request is %q, %v", head, err)
			}
			io.WriteString(far, c.answer)
			if name == "something else as TLS" {
				io.ReadFull(far, make([]byte, 5)) // the ClientHello begins
				io.WriteString(far, "HTTP/1.1 400 Bad Request\r\n\r\n")
			}
			far.(*net.TCPConn).CloseWrite()
			if got := <-connected; got.err == nil || !strings.Contains(got.err.Error(), c.text) {
				t.Errorf("got %v, want %q", got.err, c.text)
			}
			closed(t, far)
		})
	}
}

// What the peer of a failed negotiation hears depends on who it is and on how far they came.
func TestFailureIsReportedInTheFormThatIsDueNext(t *testing.T) {
	asBlock := func(text string) string { return block{keyDecision: "1", keyError: text}.String() }
	asToken := func(text string) string { return string(banana.AppendError(nil, text)) }
	for name, c := range map[string]struct {
		peer  int // 0: the side under test is the master; 2: it is the slave
		say   func(p *peer)
		hears string
		err   string
	}{
		"another TubID in the hello": {0, func(p *peer) { p.hello(block{keyTubID: anID}) }, asBlock(generic), "but its certificate is that of"},
		"the same, by a master":      {2, func(p *peer) { p.hello(block{keyTubID: anID}) }, asBlock(generic), "but its certificate is that of"},
		"no TubID":                   {0, func(p *peer) { p.hello(block{keyTubID: ""}) }, asBlock(generic), "but its certificate is that of"},
		"later versions":             {0, func(p *peer) { p.hello(block{keyRange: "4 5"}) }, asBlock("You can't handle banana version 3"), "You can't"},
		"earlier versions":           {2, func(p *peer) { p.hello(block{keyRange: "1 2"}) }, asBlock("I can't handle banana version 2"), "I can't"},
		"no versions":                {2, func(p *peer) { p.hello(block{keyRange: ""}) }, asBlock("No valid banana-negotiation sequence seen"), "No valid"},
		"a later vocabulary":         {0, func(p *peer) { p.hello(block{keyVocabRange: "2 3"}) }, asBlock("You can't handle initial vocab set 1"), "You can't"},
		"a long hello":               {0, func(p *peer) { p.say("a: " + strings.Repeat("x", 5000)) }, asBlock(generic), "more than 4096 bytes"},
		"no block":                   {0, func(p *peer) { p.say("hello\r\n\r\n") }, asBlock(generic), "without a colon"},
		"no UTF-8":                   {0, func(p *peer) { p.say("a: \xff\r\n\r\n") }, asBlock(generic), "not UTF-8"},
		"an error of the peer's":     {0, func(p *peer) { p.say(asBlock("go\taway")) }, "", `"go\taway"`},
		"a decision without version": {2, func(p *peer) { p.hello(nil); p.say("a: b\r\n\r\n") }, asToken("No banana-decision-version value"), "No banana"},
		"a decision of version 4": {2, func(p *peer) { p.hello(nil); p.say(keyDecision + ": 4\r\n\r\n") },
			asToken("I can't handle banana version 4"), "I can't"},
		"another vocabulary hash": {2, func(p *peer) { p.hello(nil); p.say(keyDecision + ": 3\r\n" + keyVocabIndex + ": 1 abcd\r\n\r\n") },
			asToken("Our hash for vocab-table-index 1 (bb33) does not match your hash (abcd)"), "Our hash"},
		"a long decision": {2, func(p *peer) { p.hello(nil); p.say(strings.Repeat("x", 4097)) }, asToken(generic), "more than 4096 bytes"},
		"refused by the master": {2, func(p *peer) { p.hello(nil); p.say(asBlock("Duplicate connection")) },
			"", `refused: "Duplicate connection"`},
		"the end instead of a hello":    {0, func(p *peer) { p.conn.CloseWrite() }, "", "reading the peer's hello: unexpected EOF"},
		"the end instead of a decision": {2, func(p *peer) { p.hello(nil); p.conn.CloseWrite() }, "", "reading the master's decision: unexpected EOF"},
	} {
		for _, dials := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, dialled %v", name, dials), func(t *testing.T) {
				near, far := loopback(t)
				ours, theirs := identity(1), identity(c.peer)
				var done <-chan result
				var p *peer
				if dials {
					done = goConnect(t, near, ours, theirs.TubID)
					p = acceptor(t, far, theirs)
				} else {
					done = goAccept(t, near, ours)
					io.WriteString(far, Request(ours.TubID, "h"))
					p = connector(t, far, theirs)
				}
				c.say(p)
				if got := p.hears(); got != c.hears {
					t.Errorf("the peer heard %q, want %q", got, c.hears)
				}
				if got := <-done; got.err == nil || !strings.Contains(got.err.Error(), c.err) || got.session != nil {
					t.Errorf("got %v, want %q", got.err, c.err)
				}
				closed(t, far)
			})
		}
	}
}

// A peer may stop at any point. The context is what ends the wait, at once and with its cause.
func TestContextEndsTheNegotiationAtEveryStage(t *testing.T) {
	for name, stage := range map[string]func(t *testing.T, far net.Conn){
		"before the answer": func(t *testing.T, far net.Conn) { takeHead(far) },
		"within the answer": func(t *testing.T, far net.Conn) { takeHead(far); io.WriteString(far, Switching[:20]) },
		"before TLS":        func(t *testing.T, far net.Conn) { takeHead(far); io.WriteString(far, Switching) },
		"within TLS": func(t *testing.T, far net.Conn) {
			takeHead(far)
			io.WriteString(far, Switching)
			io.ReadFull(far, make([]byte, 5)) // the ClientHello begins
			io.WriteString(far, "\x16\x03\x03\x00\x7a")
		},
		"before the hello":    func(t *testing.T, far net.Conn) { acceptor(t, far, identity(2)) },
		"within the hello":    func(t *testing.T, far net.Conn) { acceptor(t, far, identity(2)).say("banana-") },
		"before the decision": func(t *testing.T, far net.Conn) { acceptor(t, far, identity(2)).hello(nil) },
		// A peer that is refused but holds on has two seconds, yet no more than the context.
		"after a bad hello": func(t *testing.T, far net.Conn) { acceptor(t, far, identity(2)).say("bad\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			near, far := loopback(t)
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			done := make(chan result, 1)
			go func() {
				session, err := Connect(ctx, near, identity(1), identity(2).TubID, "h", nil)
				done <- result{session, err}
			}()
			stage(t, far)
			began := time.Now()
			cancel(why)
			got := <-done
			if took := time.Since(began); took > time.Second {
				t.Errorf("the end of the context was noticed after %v", took)
			}
			if !errors.Is(got.err, why) || got.session != nil {
				t.Errorf("got %v, want the cause of the context", got.err)
			}
			closed(t, far)
		})
	}
}

func TestContextEndsAcceptWithItsCause(t *testing.T) {
	near, far := loopback(t)
	why := errors.New("too slow")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
	defer cancel()
	if _, err := Accept(ctx, near, identity(0)); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
	closed(t, far)
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	near, far := loopback(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, near, identity(0), anID, "h", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	closed(t, far)
}

func TestLingerReadsTheLastWordsWithinBounds(t *testing.T) {
	near, far := loopback(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.WriteString(near, "last words")
		Linger(near)
	}()
	if got, err := io.ReadAll(far); string(got) != "last words" || err != nil {
		t.Errorf("heard %q, %v", got, err)
	}
	// More than it will read: it hangs up on its own, well before its two seconds.
	began := time.Now()
	io.Copy(far, endless{})
	<-done
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to hang up on a peer that never ends", took)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
