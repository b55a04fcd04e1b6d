package negotiate

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // TubIDs are SHA-1 by protocol; SHA-256 is pinned beside it
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/base32"
)

// A Side is what one Tub brings to all its negotiations.
type Side struct {
	TubID       string
	Incarnation string // 16 hexadecimal digits, new each time the Tub starts
	Certificate tls.Certificate
	Records     Records
}

// Records is what a Tub remembers about its peers. Its methods are called from
// any goroutine and must not block.
type Records interface {
	// LastConnection returns the last decision that peer, as master, sent
	// us, or "none 0".
	LastConnection(peer string) string
	// Decide is asked where we are the master and peer wants a connection.
	// It returns the name of the new connection, "INCARNATION SEQNUM", or
	// ErrDuplicate.
	Decide(peer string, offer Offer) (current string, err error)
}

// A Session is a connection between two Tubs that both sides agreed on.
type Session struct {
	Conn    *tls.Conn
	Reader  *bufio.Reader // holds what came behind the decision: read from it, not from Conn
	Peer    string        // TubID
	Cert    *x509.Certificate
	Master  bool
	Vocab   *banana.Vocab
	Offer   Offer  // master only: what the slave told of itself
	Current string // the master's name for this connection
}

// TubID returns the TubID of a certificate.
func TubID(cert *x509.Certificate) string {
	sum := sha1.Sum(cert.Raw) //nolint:gosec // see the import
	return base32.Encode(sum[:])
}

// Connect negotiates over conn, which has just been dialled by a hint whose
// host part is host, and insists on the Tub target. verify, if not nil, may
// refuse the certificate. Connect closes conn unless it returns a Session;
// when ctx ends first it returns ctx's cause.
//
// Both sides say hello before they listen, so conn must take some hundred bytes
// without a reader, as sockets do and [net.Pipe] does not.
func Connect(ctx context.Context, conn net.Conn, s *Side, target, host string, verify func(*x509.Certificate) error) (*Session, error) {
	return bounded(ctx, conn, func() (*Session, error) {
		if target == s.TubID {
			return nil, errSelf
		}
		if _, err := io.WriteString(conn, Request(target, host)); err != nil {
			return nil, fmt.Errorf("asking for the TubID: %w", err)
		}
		// A reader that takes one byte too many would swallow the start of
		// TLS, so what it holds afterwards must be nothing.
		plain := bufio.NewReaderSize(conn, MaxHead)
		if err := readAnswer(plain); err != nil {
			return nil, err
		}
		if plain.Buffered() > 0 {
			return nil, errors.New("peer speaks before TLS has started")
		}
		cfg := s.tlsConfig()
		cfg.InsecureSkipVerify = true //nolint:gosec // VerifyConnection pins the certificate
		cfg.VerifyConnection = func(cs tls.ConnectionState) error {
			if id := TubID(cs.PeerCertificates[0]); id != target {
				return fmt.Errorf("%w: it is %s", ErrWrongTub, id)
			}
			if verify != nil {
				return verify(cs.PeerCertificates[0])
			}
			return nil
		}
		t := &talk{side: s, conn: tls.Client(conn, cfg)}
		return t.run(ctx, s.Records.LastConnection(target))
	})
}

// Accept negotiates over conn, whose GET asked for our TubID and has been read
// whole. Accept closes conn unless it returns a Session; when ctx ends first
// it returns ctx's cause.
func Accept(ctx context.Context, conn net.Conn, s *Side) (*Session, error) {
	return bounded(ctx, conn, func() (*Session, error) {
		if _, err := io.WriteString(conn, Switching); err != nil {
			return nil, fmt.Errorf("answering the GET: %w", err)
		}
		cfg := s.tlsConfig()
		cfg.ClientAuth = tls.RequireAnyClientCert
		t := &talk{side: s, conn: tls.Server(conn, cfg)}
		return t.run(ctx, "")
	})
}

var errSelf = said("both sides have the same TubID")

func (s *Side) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{s.Certificate},
		SessionTicketsDisabled: true,
		// Foolscap names no authorities that a certificate would have to
		// come from; ours goes to every server that asks.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &s.Certificate, nil
		},
	}
}

// bounded runs f while ctx lasts and closes conn if it fails. The end of ctx
// closes conn, too: a deadline could be set again by f.
func bounded(ctx context.Context, conn net.Conn, f func() (*Session, error)) (*Session, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	session, err := f()
	if !stop() {
		session, err = nil, context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return session, nil
}

// A talk is the encrypted part of a negotiation.
type talk struct {
	side  *Side
	conn  *tls.Conn
	slave bool // our errors are due as Banana ERROR tokens
}

func (t *talk) run(ctx context.Context, last string) (*Session, error) {
	if err := t.conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	session, err := t.exchange(last)
	if err != nil {
		t.report(err)
	}
	return session, err
}

func (t *talk) exchange(last string) (*Session, error) {
	cert := t.conn.ConnectionState().PeerCertificates[0]
	if err := t.write(t.side.helloBlock(last)); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(t.conn, 16<<10)
	b, err := readBlock(r)
	if err != nil {
		return nil, fmt.Errorf("reading the peer's hello: %w", err)
	}
	h, err := parseHello(b)
	if err != nil {
		return nil, err
	}
	s := &Session{Conn: t.conn, Reader: r, Peer: TubID(cert), Cert: cert, Offer: h.offer}
	if h.tubID != s.Peer {
		return nil, fmt.Errorf("peer says it is %.40q but its certificate is that of %s", h.tubID, s.Peer)
	}
	switch strings.Compare(t.side.TubID, s.Peer) {
	case 0:
		return nil, errSelf
	case 1:
		s.Master = true
		return s, t.lead(s, h)
	}
	t.slave = true
	return s, t.follow(s)
}

// lead is the master's part: it decides.
func (t *talk) lead(s *Session, h *hello) error {
	vocab, err := decide(h)
	if err != nil {
		return err
	}
	if s.Current, err = t.side.Records.Decide(s.Peer, h.offer); err != nil {
		return err
	}
	s.Vocab = banana.Vocabs[vocab]
	// The decision goes out in a TLS record of its own: a Foolscap slave
	// counts Banana bytes that arrive with it against its 4096.
	return t.write(decisionBlock(s.Current, vocab))
}

// follow is the slave's part: it waits for the decision.
func (t *talk) follow(s *Session) error {
	b, err := readBlock(s.Reader)
	if err != nil {
		return fmt.Errorf("reading the master's decision: %w", err)
	}
	current, vocab, err := parseDecision(b)
	if err != nil {
		return err
	}
	s.Current, s.Vocab = current, banana.Vocabs[vocab]
	return nil
}

func (t *talk) write(b block) error {
	if _, err := io.WriteString(t.conn, b.String()); err != nil {
		return fmt.Errorf("writing to the peer: %w", err)
	}
	return nil
}

// report tells the peer why we hang up, in the form that it expects next. A
// peer that refused us knows already.
func (t *talk) report(err error) {
	var refused *RefusedError
	var netErr net.Error
	if errors.As(err, &refused) || errors.As(err, &netErr) || errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	text := oneLine(textFor(err))
	if t.slave {
		_, _ = t.conn.Write(banana.AppendError(nil, text))
	} else {
		io.WriteString(t.conn, block{keyDecision: "1", keyError: text}.String())
	}
	Linger(t.conn)
}

// Linger ends our side of a conversation and reads, within bounds, what the
// peer still had to say: closing with unread bytes would reset the connection
// and could destroy our last words before they are read.
func Linger(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, conn, 64<<10)
	conn.Close()
}
