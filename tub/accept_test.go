package tub_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/tub"
)

// Strangers that ask for the Tub and then say nothing take all the places there
// are. Who is honest must still get one.
func TestSilentNegotiationsGiveWayToNewcomers(t *testing.T) {
	const places = 8
	tb := start(t, tub.WithLimits(tub.Limits{Negotiating: places}))
	furl := must(tb.Register(new(calculator), ""))
	var silent []net.Conn
	for range 3 * places {
		conn := dialTub(t, tb)
		if _, err := io.WriteString(conn, negotiate.Request(tb.ID(), "localhost")); err != nil {
			t.Fatal(err)
		}
		// The 101 tells that its place is taken.
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		silent = append(silent, conn)
	}
	ref, err := start(t).GetReference(within(t), furl)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := tub.Call[int](within(t), ref, "add", 1, 2); err != nil || v != 3 {
		t.Errorf("add(1, 2) = %v, %v", v, err)
	}
	// The oldest were closed, long before their time was over.
	silent[0].SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := silent[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest silent connection: read gave %v, want it closed", err)
	}
}

// A peer that has just started again is asked again, not only over the
// connection that it no longer has.
func TestGetReferenceOutlivesADyingConnection(t *testing.T) {
	server, client := start(t), start(t)
	furl := must(server.Register(new(calculator), "calc"))
	for range 20 {
		ref, err := client.GetReference(within(t), furl)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ref.Call(within(t), "add", 1, 2); err != nil {
			t.Fatal(err)
		}
		if err := server.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(within(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEndOfTheContextTellsWhatBecameOfTheHints(t *testing.T) {
	waiting := make(chan struct{})
	tb := start(t, tub.HintDialer("slow", func(ctx context.Context, _ string) (net.Conn, error) {
		close(waiting)
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	other := start(t)
	ctx, cancel := context.WithCancelCause(within(t))
	impatient := errors.New("no patience left")
	furl := must(tub.ParseFURL("pb://" + other.ID() + "@nosuch:x:y,slow:x:y/name"))
	go func() {
		<-waiting
		cancel(impatient)
	}()
	_, err := tb.GetReference(ctx, furl)
	var failed *tub.ConnectError
	if !errors.Is(err, impatient) || !errors.As(err, &failed) || !strings.Contains(err.Error(), "nosuch:x:y: skipped") {
		t.Errorf("got %v, want the cause and a line for the hint that was skipped", err)
	}
}
