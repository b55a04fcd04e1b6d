package negotiate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// records is a Tub's memory in a test. The zero value knows no one and takes every peer.
type records struct {
	last   string
	refuse error

	mu     sync.Mutex
	offers []Offer
}

func (r *records) LastConnection(string) string {
	if r.last == "" {
		return "none 0"
	}
	return r.last
}

func (r *records) Decide(_ string, offer Offer) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offers = append(r.offers, offer)
	return "00000000000000aa 1", r.refuse
}

// identities are four certificates with their TubIDs ascending.
var identities = sync.OnceValue(func() []*Side {
	var sides []*Side
	for range 4 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			panic(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		sides = append(sides, &Side{
			TubID:       TubID(leaf),
			Incarnation: strings.Repeat("0", 15) + string(rune('a'+len(sides))),
			Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		})
	}
	slices.SortFunc(sides, func(a, b *Side) int { return strings.Compare(a.TubID, b.TubID) })
	return sides
})

// identity returns one with records of its own. A greater number is a greater TubID.
func identity(n int) *Side {
	s := *identities()[n]
	s.Records = new(records)
	return &s
}

// loopback returns the two ends of a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// takeHead reads a request or an answer and not a byte more.
func takeHead(conn net.Conn) (string, error) {
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b[0]) {
		if _, err := io.ReadFull(conn, b); err != nil {
			return string(head), err
		}
	}
	return string(head), nil
}

// A result is what one side came to.
type result struct {
	session *Session
	err     error
}

func goConnect(t *testing.T, conn net.Conn, s *Side, target string) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	ctx := t.Context()
	go func() {
		session, err := Connect(ctx, conn, s, target, "example.com", nil)
		done <- result{session, err}
	}()
	return done
}

func goAccept(t *testing.T, conn net.Conn, s *Side) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	ctx := t.Context()
	go func() {
		if _, err := takeHead(conn); err != nil {
			done <- result{nil, err}
			return
		}
		session, err := Accept(ctx, conn, s)
		done <- result{session, err}
	}()
	return done
}

// A peer is the other side of a test, played by hand over TLS. Its methods end the test on errors of
// its own; what the side under test does to it is for the test to see.
type peer struct {
	t    *testing.T
	raw  net.Conn
	conn *tls.Conn
	side *Side
}

// acceptor plays the side that is dialled, up to TLS.
func acceptor(t *testing.T, raw net.Conn, s *Side) *peer {
	t.Helper()
	if _, err := takeHead(raw); err != nil {
		t.Fatalf("no GET: %v", err)
	}
	io.WriteString(raw, Switching)
	cfg := s.tlsConfig()
	cfg.ClientAuth = tls.RequestClientCert
	p := &peer{t, raw, tls.Server(raw, cfg), s}
	if err := p.conn.HandshakeContext(t.Context()); err != nil {
		t.Fatalf("TLS as acceptor: %v", err)
	}
	return p
}

// connector plays the side that dials, up to TLS. The GET is as read already.
func connector(t *testing.T, raw net.Conn, s *Side) *peer {
	t.Helper()
	if _, err := takeHead(raw); err != nil {
		t.Fatalf("no answer to GET: %v", err)
	}
	cfg := s.tlsConfig()
	cfg.InsecureSkipVerify = true
	p := &peer{t, raw, tls.Client(raw, cfg), s}
	if err := p.conn.HandshakeContext(t.Context()); err != nil {
		t.Fatalf("TLS as connector: %v", err)
	}
	return p
}

func (p *peer) say(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatalf("writing to the side under test: %v", err)
	}
}

// hello says what its side would say, with some keys changed; an empty value leaves one out.
func (p *peer) hello(change block) {
	p.t.Helper()
	p.say(p.block(change).String())
}

func (p *peer) block(change block) block {
	b := p.side.helloBlock("")
	for k, v := range change {
		b[k] = v
		if v == "" {
			delete(b, k)
		}
	}
	return b
}

// hears reads to the end and returns what came behind the hello.
func (p *peer) hears() string {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	all, err := io.ReadAll(p.conn)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		p.t.Logf("end of the stream: %v", err)
	}
	p.conn.Close()
	_, rest, found := strings.Cut(string(all), "\r\n\r\n")
	if !found {
		p.t.Errorf("heard no hello: %q", all)
	}
	return rest
}

// closed fails unless the side under test has closed the connection.
func closed(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var ne net.Error
	if _, err := io.Copy(io.Discard, conn); errors.As(err, &ne) && ne.Timeout() {
		t.Error("the connection is still open")
	}
}
