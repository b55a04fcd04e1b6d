package endpoint_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/octavo-go/octavo/endpoint"
)

const memBuffer = 64 << 10 // what a direction holds

// memPair connects two ends through a transport of its own.
func memPair(t interface{ Fatal(...any) }) (near, far net.Conn) {
	var r endpoint.Registry
	if err := r.Register("mem", endpoint.NewMem()); err != nil {
		t.Fatal(err)
	}
	srv, err := r.Server("mem:x")
	if err != nil {
		t.Fatal(err)
	}
	l, err := srv.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := r.Client("mem:x")
	if err != nil {
		t.Fatal(err)
	}
	if near, err = client.Dial(context.Background()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestAMemNameIsTakenOnce(t *testing.T) {
	l := listen(t, server(t, "mem:taken"))
	if _, err := endpoint.Listen(t.Context(), "MEM:taken"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen: %v", err)
	}
	listen(t, server(t, "mem:Taken"))
	l.Close()
	listen(t, server(t, "mem:taken"))
}

func TestMemNamesAreTheTransportsOwn(t *testing.T) {
	listen(t, server(t, "mem:own"))
	var r endpoint.Registry
	if err := r.Register("mem", endpoint.NewMem()); err != nil {
		t.Fatal(err)
	}
	client, err := r.Client("mem:own")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial: %v", err)
	}
	srv, err := r.Server("mem:own")
	if err != nil {
		t.Fatal(err)
	}
	listen(t, srv)
}

func TestChosenMemNamesDifferAndAvoidTakenOnes(t *testing.T) {
	first := listen(t, server(t, "mem:"))
	seen := map[string]bool{first.Addr().String(): true}
	first.Close() // and its Server keeps the name
	for range 10 {
		name := listen(t, server(t, "mem:")).Addr().String()
		if seen[name] {
			t.Errorf("%s was chosen before", name)
		}
		seen[name] = true
	}
}

func TestMemAddressesSayWhoIsWho(t *testing.T) {
	near, far := memPair(t)
	defer near.Close()
	defer far.Close()
	if far.LocalAddr().String() != "x" || near.RemoteAddr() != far.LocalAddr() || near.LocalAddr() != far.RemoteAddr() ||
		near.LocalAddr() == far.LocalAddr() || near.LocalAddr().Network() != "mem" {
		t.Errorf("%v-%v and %v-%v", near.LocalAddr(), near.RemoteAddr(), far.LocalAddr(), far.RemoteAddr())
	}
}

func TestDiallingMemWaitsOnlyWhereNobodyAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listen(t, server(t, "mem:backlog"))
		for range 50 {
			dial(t, "mem:backlog")
		}
		start := time.Now()
		_, err := endpoint.Dial(t.Context(), "mem:backlog:timeout=1.5")
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}

		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		results := make(chan error)
		for _, ctx := range []context.Context{ctx, t.Context(), t.Context()} {
			go func() {
				c, err := endpoint.Dial(ctx, "mem:backlog")
				if err == nil {
					c.Close()
				}
				results <- err
			}()
		}
		synctest.Wait()
		cancel(why)
		if err := <-results; !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("cancelled: %v", err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if err := <-results; err != nil {
			t.Errorf("when one is accepted: %v", err)
		}
		l.Close()
		if err := <-results; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("when the listener closes: %v", err)
		}
	})
}

func TestConnectionsNobodyAcceptedEndWithTheMemListener(t *testing.T) {
	l := listen(t, server(t, "mem:queued"))
	c := dial(t, "mem:queued")
	l.Close()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read: %d, %v", n, err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: %v", err)
	}
}

func TestNoMemConnectionIsLostBetweenDialAndClose(t *testing.T) {
	srv := server(t, "mem:race")
	for range 500 {
		l, err := srv.Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		})
		for range 3 {
			wg.Go(func() {
				c, err := endpoint.Dial(t.Context(), "mem:race")
				if err != nil {
					if !errors.Is(err, syscall.ECONNREFUSED) {
						t.Error(err)
					}
					return
				}
				if _, err := c.Read(make([]byte, 1)); err != io.EOF { // hangs if lost
					t.Error(err)
				}
				c.Close()
			})
		}
		wg.Go(func() { l.Close() })
		wg.Wait()
	}
}

func TestWhatWasWrittenBeforeCloseIsStillRead(t *testing.T) {
	near, far := memPair(t)
	if _, err := near.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(far); err != nil || string(got) != "last words" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write to a closed peer: %v", err)
	}
	for what, err := range map[string]error{
		"Read":       second(near.Read(make([]byte, 1))),
		"empty Read": second(near.Read(nil)),
		"Write":      second(near.Write([]byte("x"))),
		"deadline":   near.SetDeadline(time.Now()),
		"CloseWrite": near.(interface{ CloseWrite() error }).CloseWrite(),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if err := near.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAWriteThatFindsNoRoomWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memPair(t)
		defer near.Close()
		defer far.Close()
		long := bytes.Repeat([]byte("0123456789"), memBuffer/5)

		near.SetWriteDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		n, err := near.Write(long)
		if n != memBuffer || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%d bytes in %v, %v", n, time.Since(start), err)
		}
		if n, err := near.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %d, %v", n, err)
		}
		near.SetWriteDeadline(time.Time{})
		done := make(chan error)
		go func() { done <- second(near.Write(long[n:])) }()
		synctest.Wait() // it blocks, and durably
		got := make([]byte, len(long))
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, long) {
			t.Errorf("read: %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestADeadlineCanBeMovedUnderAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memPair(t)
		defer near.Close()
		defer far.Close()
		start := time.Now()
		near.SetReadDeadline(start.Add(time.Second))
		done := make(chan error)
		go func() { done <- second(near.Read(make([]byte, 1))) }()
		synctest.Wait()
		near.SetReadDeadline(start.Add(time.Hour))
		time.Sleep(time.Minute) // of the bubble's clock: the first deadline must not fire
		select {
		case err := <-done:
			t.Fatalf("after %v: %v", time.Since(start), err)
		default:
		}
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		far.Write([]byte("x"))
		if err := second(near.Read(make([]byte, 1))); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a passed deadline holds although there is data: %v", err)
		}
		near.SetReadDeadline(time.Time{})
		if err := second(near.Read(make([]byte, 1))); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, peer := range []bool{false, true} {
			near, far := memPair(t)
			errs := make(chan error, 2)
			for range 2 {
				go func() { errs <- second(near.Write(make([]byte, 2*memBuffer))) }()
			}
			read := make(chan error, 1)
			go func() { read <- second(near.Read(make([]byte, 1))) }()
			synctest.Wait()
			wantWrite, wantRead := net.ErrClosed, net.ErrClosed
			if peer {
				wantWrite, wantRead = syscall.EPIPE, io.EOF
				far.Close()
			} else {
				near.Close()
			}
			for range 2 {
				if err := <-errs; !errors.Is(err, wantWrite) {
					t.Errorf("Write: %v, want %v", err, wantWrite)
				}
			}
			if err := <-read; !errors.Is(err, wantRead) {
				t.Errorf("Read: %v, want %v", err, wantRead)
			}
			near.Close()
			far.Close()
		}
	})
}

func TestWritesAtOnceDoNotMix(t *testing.T) {
	near, far := memPair(t)
	const each = 3 * memBuffer
	var wg sync.WaitGroup
	for _, letter := range []byte("abcd") {
		wg.Go(func() {
			if n, err := near.Write(bytes.Repeat([]byte{letter}, each)); n != each || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	go func() {
		wg.Wait()
		near.Close()
	}()
	got, err := io.ReadAll(far)
	if err != nil || len(got) != 4*each {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for part := range 4 {
		if run := got[part*each : (part+1)*each]; bytes.Count(run, run[:1]) != each {
			t.Errorf("part %d is mixed", part)
		}
	}
}

func TestMemConnectionsCarryBytesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		near, far := memPair(t)
		defer near.Close()
		defer far.Close()
		var pending []byte
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				p := make([]byte, rapid.IntRange(0, memBuffer-len(pending)).Draw(t, "n"))
				for i := range p {
					p[i], next = next, next+1
				}
				if n, err := near.Write(p); n != len(p) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
				pending = append(pending, p...)
			},
			"read": func(t *rapid.T) {
				if len(pending) == 0 {
					t.Skip("nothing to read")
				}
				p := make([]byte, rapid.IntRange(1, memBuffer).Draw(t, "n"))
				n, err := far.Read(p)
				if err != nil || n != min(len(p), len(pending)) || !bytes.Equal(p[:n], pending[:n]) {
					t.Fatalf("Read: %d of %d, %v", n, len(pending), err)
				}
				pending = pending[n:]
			},
		})
	})
}

// Both ends of a TLS connection write when they close; over net.Pipe they wait for each other.
func TestTLSOverMemClosesFromBothEndsAtOnce(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"octavo"}, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, _ := x509.ParseCertificate(der)
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		near, far := memPair(t)
		client := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "octavo"})
		server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		var wg sync.WaitGroup
		for _, c := range []*tls.Conn{client, server} {
			wg.Go(func() {
				if err := c.Handshake(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, c := range []*tls.Conn{client, server} {
			wg.Go(func() {
				c.Write([]byte("bye"))
				// The later one cannot deliver its farewell any more, but must not wait to.
				if err := c.Close(); err != nil && !errors.Is(err, syscall.EPIPE) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}
