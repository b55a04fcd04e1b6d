package endpoint_test

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
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

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
		send(t, far, "x")
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
				send(t, c, "bye")
			})
		}
		wg.Wait()
		for _, c := range []*tls.Conn{client, server} {
			wg.Go(func() {
				// The later one cannot deliver its farewell any more, but must not wait to.
				if err := c.Close(); err != nil && !errors.Is(err, syscall.EPIPE) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}
