package tub_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/tub"
)

// A stranger is a peer that writes what it likes: it negotiates properly, and
// then speaks tokens.
type stranger struct {
	t     testing.TB
	conn  *tls.Conn
	dec   *banana.Decoder
	vocab *banana.Vocab
	opens uint64
	reqs  int64
	self  string // its TubID
	*negotiate.Session
}

// A boot is one process of a stranger: what it shows in its hello, and what it
// decides where it is the master.
type boot struct {
	negotiate.Side
	last, current string
	decisions     int
}

func (b *boot) LastConnection(string) string { return b.last }

func (b *boot) Decide(string, negotiate.Offer) (string, error) {
	b.decisions++
	return fmt.Sprintf("%s %d", b.Incarnation, b.decisions), nil
}

// newBoot returns a process with an identity that is, or is not, the master
// towards another Tub.
func newBoot(t *testing.T, other string, master bool) *boot {
	t.Helper()
	for {
		file := filepath.Join(t.TempDir(), "stranger.pem")
		if _, err := tub.New(tub.CertFile(file)); err != nil {
			t.Fatal(err)
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := tls.X509KeyPair(pem, pem)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if id := negotiate.TubID(leaf); (id > other) == master {
			b := &boot{last: "none 0"}
			b.Side = negotiate.Side{TubID: id, Incarnation: "0123456789abcdef", Certificate: cert, Records: b}
			return b
		}
	}
}

// address is where a Tub listens.
func address(t testing.TB, tb *tub.Tub) net.Addr {
	t.Helper()
	for s := range tb.Children() {
		if l, ok := s.(*listener.Listener); ok {
			return l.Addr()
		}
	}
	t.Fatal("the Tub has no Listener")
	return nil
}

// dialTub opens a connection to a Tub on which nothing has been said.
func dialTub(t testing.TB, tb *tub.Tub) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address(t, tb).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connect negotiates as b with a Tub.
func (b *boot) connect(t testing.TB, tb *tub.Tub) (*stranger, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := negotiate.Connect(ctx, dialTub(t, tb), &b.Side, tb.ID(), "127.0.0.1", nil)
	if err != nil {
		return nil, err
	}
	b.current = s.Current
	t.Cleanup(func() { s.Conn.Close() })
	s.Conn.SetDeadline(time.Now().Add(30 * time.Second))
	dec := banana.NewDecoder(s.Reader, s.Vocab, banana.Limits{})
	return &stranger{t: t, conn: s.Conn, dec: dec, vocab: s.Vocab, self: b.TubID, Session: s}, nil
}

// meet connects a new stranger to a Tub.
func meet(t *testing.T, tb *tub.Tub) *stranger {
	t.Helper()
	s, err := newBoot(t, tb.ID(), false).connect(t, tb)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write sends bytes as they are.
func (s *stranger) write(b []byte) {
	s.t.Helper()
	if _, err := s.conn.Write(b); err != nil {
		s.t.Fatalf("writing to the Tub: %v", err)
	}
}

// bytesOf are the bytes of messages at this place in the stream.
func (s *stranger) bytesOf(message func(e *banana.Encoder)) []byte {
	e := banana.NewEncoder(s.vocab)
	message(e)
	b := e.AppendTo(nil, s.opens, nil)
	s.opens += e.Opens()
	return b
}

// send calls a method of the object with a number and returns the number of
// the request. args writes what is in "arguments".
func (s *stranger) send(clid int64, method string, args func(e *banana.Encoder)) int64 {
	s.t.Helper()
	s.reqs++
	s.write(s.bytesOf(func(e *banana.Encoder) { writeCall(e, s.reqs, clid, method, args) }))
	return s.reqs
}

func writeCall(e *banana.Encoder, req, clid int64, method string, args func(e *banana.Encoder)) {
	e.Open("call")
	e.Int(req)
	e.Int(clid)
	e.Text(method)
	e.Open("arguments")
	args(e)
	e.Close()
	e.Close()
}

// get looks an object up by its name, and expects its number.
func (s *stranger) get(name string, clid int64) {
	s.t.Helper()
	s.send(0, "getReferenceByName", func(e *banana.Encoder) {
		e.Int(0)
		e.Text("name")
		e.Bytes([]byte(name))
	})
	want := fmt.Sprintf("(answer %d (my-reference %d", s.reqs, clid)
	if got := s.read(); !strings.HasPrefix(got, want) {
		s.t.Fatalf("looking up an object: got %s, want %s", got, want)
	}
}

// read returns the next message as text, or how the connection ended.
func (s *stranger) read() string {
	if err := s.dec.NextMessage(); err != nil {
		return "end: " + err.Error()
	}
	words := []string{"("}
	for s.dec.Depth() > 0 {
		tok, err := s.dec.Next()
		if err != nil {
			return "end: " + err.Error()
		}
		switch tok.Kind {
		case banana.Open:
			words = append(words, " (")
		case banana.Close:
			words = append(words, ")")
		case banana.String:
			b, err := s.dec.Bytes()
			if err != nil {
				return "end: " + err.Error()
			}
			words = append(words, " ", string(b))
		case banana.Int:
			words = append(words, fmt.Sprintf(" %d", tok.Int))
		case banana.Big:
			words = append(words, fmt.Sprintf(" %d", tok.Big))
		case banana.Float:
			words = append(words, fmt.Sprintf(" %g", tok.Float))
		}
	}
	return strings.ReplaceAll(strings.Join(words, ""), "( ", "(")
}

// ask calls a method and returns the next message.
func (s *stranger) ask(clid int64, method string, args func(e *banana.Encoder)) string {
	s.t.Helper()
	s.send(clid, method, args)
	return s.read()
}

// one wraps the writer of a single argument.
func one(value func(e *banana.Encoder)) func(e *banana.Encoder) {
	return func(e *banana.Encoder) {
		e.Int(1)
		value(e)
	}
}

func textOf(e *banana.Encoder, s string) {
	e.Open("unicode")
	e.Text(s)
	e.Close()
}
