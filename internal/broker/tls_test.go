package broker_test

import (
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
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/internal/broker"
)

// encrypted returns two ends of a connection under TLS.
func encrypted(t *testing.T, near, far net.Conn) (client, server *tls.Conn) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	client = tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	server = tls.Server(far, &tls.Config{SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(t.Context()) }()
	if err := errors.Join(client.HandshakeContext(t.Context()), <-done); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// A read that runs out of time must lose nothing, of a TLS record neither.
func TestLinksOverTLSOutliveSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, server := encrypted(t, near, far)
		opts := broker.Options{Keepalive: time.Second, Silence: 5 * time.Second}
		a, _ := serve(t, client, echo(), opts)
		b, _ := serve(t, server, echo(), opts)
		text := strings.Repeat("x", 100_000)
		for range 5 {
			time.Sleep(time.Minute)
			call(t, a, 0, "x", text).wants(t, text, nil, broker.Answered)
			call(t, b, 0, "x", text).wants(t, text, nil, broker.Answered)
		}
	})
}

func TestHalfATLSRecordOutlivesAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		held := &halved{Conn: near}
		client, server := encrypted(t, held, far)
		l, _ := serve(t, server, echo(), broker.Options{Keepalive: time.Second, Silence: time.Minute})
		heard := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(client)
			heard <- all
		}()
		held.pause = 3 * time.Second
		if _, err := client.Write(callMessage(0, 1, 0, "echo", "x")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l.Close(nil)
		got := reactions(t, <-heard)
		if n := len(got); n < 3 || got[n-1] != "answer 1" || !slices.Contains(got, "PING 0") {
			t.Errorf("wrote %q", got)
		}
		client.Close()
	})
}

// halved makes a pause in the middle of each write.
type halved struct {
	net.Conn
	pause time.Duration
}

func (h *halved) Write(p []byte) (int, error) {
	if h.pause == 0 {
		return h.Conn.Write(p)
	}
	n, err := h.Conn.Write(p[:len(p)/2])
	if err != nil {
		return n, err
	}
	time.Sleep(h.pause)
	m, err := h.Conn.Write(p[len(p)/2:])
	return n + m, err
}

// sockets returns the two ends of a TCP connection.
func sockets(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// Over real sockets: what was queued at Close arrives, the ERROR of a breach too.
func TestLastWordsArrive(t *testing.T) {
	for name, end := range map[string]func(l *broker.Link, peer net.Conn){
		"Close":                   func(l *broker.Link, _ net.Conn) { l.Close(nil) },
		"breach":                  func(_ *broker.Link, peer net.Conn) { peer.Write([]byte{0x80}) },
		"breach with more behind": func(_ *broker.Link, peer net.Conn) { peer.Write(make([]byte, 50_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			near, far := sockets(t)
			client, server := encrypted(t, near, far)
			l, served := serve(t, server, echo(), broker.Options{})
			for range 200 {
				call(t, l, 1, "x", strings.Repeat("x", 10_000))
			}
			end(l, client)
			out, err := io.ReadAll(client)
			client.Close()
			got := reactions(t, out)
			want := 200
			if name != "Close" {
				want++
			}
			if err != nil || len(got) != want {
				t.Errorf("%d of %d messages arrived: %v", len(got), want, err)
			}
			<-served
		})
	}
}

// A socket that is closed before the peer has stopped talking throws away what it still had to send.
func TestLastWordsArriveThoughThePeerTalksOn(t *testing.T) {
	for name, tls := range map[string]bool{"TCP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			near, far := sockets(t)
			if tls {
				far, near = encrypted(t, far, near)
			}
			l, served := serve(t, near, echo(), broker.Options{})
			const n = 100
			for range n {
				call(t, l, 1, "x", strings.Repeat("x", 10_000))
			}
			l.Close(nil)
			var out []byte
			for b := make([]byte, 10_000); ; {
				k, err := far.Read(b)
				out = append(out, b[:k]...)
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Errorf("the stream ended with %v", err)
					}
					break
				}
				far.Write(callMessage(0, 0, 0, "more"))
			}
			far.Close()
			<-served
			if len(out) < n*10_000 {
				t.Errorf("%d bytes of more than %d arrived", len(out), n*10_000)
			} else if got := reactions(t, out); len(got) != n {
				t.Errorf("%d calls of %d arrived", len(got), n)
			}
		})
	}
}

func TestTwoLinksOverSocketsEndTogether(t *testing.T) {
	for name, tls := range map[string]bool{"TCP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			near, far := sockets(t)
			if tls {
				far, near = encrypted(t, far, near)
			}
			a, served := serve(t, near, echo(), broker.Options{})
			b, peer := serve(t, far, echo(), broker.Options{})
			p := call(t, b, 0, "x", "y")
			p.wants(t, "y", nil, broker.Answered)
			began := time.Now()
			why := errors.New("enough")
			a.Close(why)
			if err := <-served; !errors.Is(err, why) {
				t.Errorf("ended by %v", err)
			}
			if err := <-peer; !errors.Is(err, broker.ErrClosed) {
				t.Errorf("the peer ended by %v", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// halfway can end one direction, and notes that it was asked to.
type halfway struct {
	net.Conn
	ended chan struct{}
}

func (h *halfway) CloseWrite() error {
	close(h.ended)
	return nil
}

func TestPeerHasBoundedTimeToTakeLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		conn := &halfway{near, make(chan struct{})}
		calls := make(chan broker.Call, 10)
		l, served := serve(t, conn, silent(calls), broker.Options{})
		p := call(t, l, 1, "x")
		far.Read(make([]byte, 1000))
		began := time.Now()
		l.Close(nil)
		<-conn.ended
		<-p.done // its end does not wait for the peer
		if took := time.Since(began); took != 0 {
			t.Errorf("the request was told after %v", took)
		}
		// What the peer still says is read, to no effect.
		for i := range uint64(5) {
			far.Write(callMessage(2*i, int64(i+1), 0, "late"))
			time.Sleep(100 * time.Millisecond)
		}
		<-served
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %v, want 2s", took)
		}
		if len(calls) > 0 {
			t.Error("a call was begun after Close")
		}
	})
}
