package negotiate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/recorded"
)

func TestTubIDOfRecordedCertificates(t *testing.T) {
	for _, v := range recorded.TheMisc(t).TubIDs {
		block, _ := pem.Decode([]byte(v.PEM))
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Errorf("%s: Go cannot read Foolscap's certificate: %v", v.Name, err)
			continue
		}
		if got := TubID(cert); got != v.TubID {
			t.Errorf("%s: got %s, want %s", v.Name, got, v.TubID)
		}
	}
}

func TestGreaterTubIDDecidesWhoeverDials(t *testing.T) {
	for name, dialler := range map[string]int{"the slave dials": 0, "the master dials": 1} {
		t.Run(name, func(t *testing.T) {
			near, far := loopback(t)
			ours, theirs := identity(dialler), identity(1-dialler)
			ours.Records.(*records).last = "00000000000000bb 7"
			accepted := goAccept(t, far, theirs)
			connected := goConnect(t, near, ours, theirs.TubID)
			c, a := <-connected, <-accepted
			if c.err != nil || a.err != nil {
				t.Fatalf("connector: %v; acceptor: %v", c.err, a.err)
			}
			for _, end := range []struct {
				*Session
				other  *Side
				master bool
			}{{c.session, theirs, dialler == 1}, {a.session, ours, dialler == 0}} {
				if end.Peer != end.other.TubID || TubID(end.Cert) != end.Peer || end.Master != end.master ||
					end.Vocab != banana.Vocabs[1] || end.Current != "00000000000000aa 1" {
					t.Errorf("%+v", end.Session)
				}
			}
			// Only connectors tell of their last connection.
			want := Offer{Incarnation: identities()[0].Incarnation, LastConnection: "00000000000000bb 7"}
			master := a.session
			if dialler == 1 {
				master, want.LastConnection = c.session, ""
			}
			if master.Offer != want {
				t.Errorf("the master was offered %+v, want %+v", master.Offer, want)
			}
			if offers := identityRecords(ours, theirs); len(offers) != 1 || offers[0] != want {
				t.Errorf("the records were asked about %+v, want %+v once", offers, want)
			}
			exchange(t, c.session, a.session)
			exchange(t, a.session, c.session)
			c.session.Conn.Close()
			a.session.Conn.Close()
		})
	}
}

func identityRecords(sides ...*Side) (offers []Offer) {
	for _, s := range sides {
		offers = append(offers, s.Records.(*records).offers...)
	}
	return offers
}

func exchange(t *testing.T, from, to *Session) {
	t.Helper()
	const text = "\x00\x88 tokens"
	if _, err := io.WriteString(from.Conn, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to.Reader, got); err != nil || string(got) != text {
		t.Errorf("got %q, %v; want %q", got, err, text)
	}
}

// A sizes notes how long the writes to a connection were: each is one TLS record, or more.
type sizes struct {
	net.Conn
	mu  sync.Mutex
	all []int
}

func (s *sizes) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.all = append(s.all, len(p))
	s.mu.Unlock()
	return s.Conn.Write(p)
}

func TestDecisionHasATLSRecordOfItsOwn(t *testing.T) {
	near, far := loopback(t)
	master, slave := identity(1), identity(0)
	written := &sizes{Conn: far}
	accepted := goAccept(t, written, master)
	connected := goConnect(t, near, slave, master.TubID)
	c, a := <-connected, <-accepted
	if c.err != nil || a.err != nil {
		t.Fatalf("connector: %v; acceptor: %v", c.err, a.err)
	}
	// TLS 1.3: a header of 5 bytes, the type of the content, a tag of 16.
	want := len(decisionBlock(a.session.Current, 1).String()) + 5 + 1 + 16
	if got := written.all[len(written.all)-1]; got != want {
		t.Errorf("the last write was of %d bytes, want %d", got, want)
	}
	a.session.Conn.Close()
	c.session.Conn.Close()
}

func TestWhatComesWithTheDecisionIsKept(t *testing.T) {
	near, far := loopback(t)
	master, slave := identity(1), identity(0)
	connected := goConnect(t, near, slave, master.TubID)
	p := acceptor(t, far, master)
	tokens := bytes.Repeat([]byte{0x8E}, 10_000)
	p.say(p.block(nil).String() + decisionBlock("x 1", 0).String() + string(tokens))
	c := <-connected
	if c.err != nil {
		t.Fatal(c.err)
	}
	got := make([]byte, len(tokens))
	if _, err := io.ReadFull(c.session.Reader, got); err != nil || !bytes.Equal(got, tokens) {
		t.Errorf("what came behind the decision is not what was sent: %v", err)
	}
	if c.session.Vocab != banana.Vocabs[0] || c.session.Current != "x 1" || c.session.Master {
		t.Errorf("got %+v", c.session)
	}
	c.session.Conn.Close()
}

func TestDeadlinesOfTheNegotiationAreGoneAfterIt(t *testing.T) {
	near, far := loopback(t)
	master, slave := identity(1), identity(0)
	watched := &deadlines{Conn: near}
	accepted := goAccept(t, far, master)
	connected := goConnect(t, watched, slave, master.TubID)
	c, a := <-connected, <-accepted
	if c.err != nil || a.err != nil {
		t.Fatalf("connector: %v; acceptor: %v", c.err, a.err)
	}
	if watched.set {
		t.Error("a session begins with a deadline")
	}
	c.session.Conn.Close()
	a.session.Conn.Close()
}

func TestWrongCertificateIsRefusedByTheConnector(t *testing.T) {
	for name, dialler := range map[string]int{"as slave": 0, "as master": 3} {
		t.Run(name, func(t *testing.T) {
			near, far := loopback(t)
			impostor, wanted := identity(1), identity(2)
			accepted := goAccept(t, far, impostor)
			connected := goConnect(t, near, identity(dialler), wanted.TubID)
			if c := <-connected; !errors.Is(c.err, ErrWrongTub) || !strings.Contains(c.err.Error(), impostor.TubID) || c.session != nil {
				t.Errorf("connector: %v, want ErrWrongTub", c.err)
			}
			if a := <-accepted; a.err == nil || a.session != nil {
				t.Errorf("acceptor: %v, want an error", a.err)
			}
		})
	}
}

func TestConnectorMayRefuseACertificate(t *testing.T) {
	near, far := loopback(t)
	theirs := identity(0)
	accepted := goAccept(t, far, theirs)
	no := errors.New("pinned to another")
	var seen string
	_, err := Connect(t.Context(), near, identity(1), theirs.TubID, "h", func(c *x509.Certificate) error {
		seen = TubID(c)
		return no
	})
	if !errors.Is(err, no) || seen != theirs.TubID {
		t.Errorf("got %v after seeing %s", err, seen)
	}
	if a := <-accepted; a.err == nil {
		t.Error("the acceptor has a session")
	}
}

func TestBothSidesTheSameIsRefusedAtOnce(t *testing.T) {
	near, far := loopback(t)
	self := identity(0)
	if _, err := Connect(t.Context(), near, self, self.TubID, "h", nil); !errors.Is(err, errSelf) {
		t.Errorf("dialling oneself: %v", err)
	}
	if said, err := io.ReadAll(far); err != nil || len(said) > 0 {
		t.Errorf("said %q, %v", said, err)
	}
	// Two processes with one certificate would both wait for the other to decide.
	near, far = loopback(t)
	accepted := goAccept(t, far, self)
	io.WriteString(near, Request(self.TubID, "h"))
	p := connector(t, near, self)
	p.hello(nil)
	want := block{keyDecision: "1", keyError: "both sides have the same TubID"}.String()
	if got := p.hears(); got != want {
		t.Errorf("the peer heard %q, want %q", got, want)
	}
	if a := <-accepted; !errors.Is(a.err, errSelf) {
		t.Errorf("acceptor: %v", a.err)
	}
}

func TestDuplicateIsRefusedInTheWordsOfTheProtocol(t *testing.T) {
	for name, dialler := range map[string]int{"the slave dials": 0, "the master dials": 1} {
		t.Run(name, func(t *testing.T) {
			near, far := loopback(t)
			ours, theirs := identity(dialler), identity(1-dialler)
			ours.Records.(*records).refuse, theirs.Records.(*records).refuse = ErrDuplicate, ErrDuplicate
			accepted := goAccept(t, far, theirs)
			connected := goConnect(t, near, ours, theirs.TubID)
			master, slave := <-accepted, <-connected
			if dialler == 1 {
				master, slave = slave, master
			}
			var refused *RefusedError
			if !errors.Is(master.err, ErrDuplicate) || !errors.As(slave.err, &refused) || refused.Text != "Duplicate connection" {
				t.Errorf("master: %v; slave: %v", master.err, slave.err)
			}
		})
	}
}

func TestAcceptorWantsACertificate(t *testing.T) {
	near, far := loopback(t)
	accepted := goAccept(t, far, identity(0))
	io.WriteString(near, Request(identity(0).TubID, "h"))
	if _, err := takeHead(near); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	conn.HandshakeContext(t.Context())
	io.Copy(io.Discard, conn)
	if a := <-accepted; a.err == nil || !strings.Contains(a.err.Error(), "TLS: ") {
		t.Errorf("acceptor: %v, want an error of TLS", a.err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	near, far := loopback(t)
	accepted := goAccept(t, far, identity(0))
	io.WriteString(near, Request(identity(0).TubID, "h"))
	if _, err := takeHead(near); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := conn.HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.1 works")
	}
	if a := <-accepted; a.err == nil {
		t.Error("the acceptor has a session")
	}
}

func TestTLS12Works(t *testing.T) {
	near, far := loopback(t)
	master, slave := identity(1), identity(0)
	connected := goConnect(t, near, slave, master.TubID)
	if _, err := takeHead(far); err != nil {
		t.Fatal(err)
	}
	io.WriteString(far, Switching)
	cfg := master.tlsConfig()
	cfg.MaxVersion, cfg.ClientAuth = tls.VersionTLS12, tls.RequestClientCert
	p := &peer{t, far, tls.Server(far, cfg), master}
	p.hello(nil)
	p.say(decisionBlock("x 1", 1).String())
	c := <-connected
	if c.err != nil {
		t.Fatal(c.err)
	}
	certs := p.conn.ConnectionState().PeerCertificates
	if len(certs) != 1 || TubID(certs[0]) != slave.TubID {
		t.Errorf("the acceptor saw %d certificates", len(certs))
	}
	c.session.Conn.Close()
}
