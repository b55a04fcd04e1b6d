package endpoint_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
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
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // hangs if lost
					t.Error(err)
				}
				c.Close()
			})
		}
		wg.Go(func() { l.Close() })
		wg.Wait()
	}
}
