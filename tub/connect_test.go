package tub_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/tub"
)

// withHints returns furl with other hints.
func withHints(furl tub.FURL, hints ...string) tub.FURL {
	s := furl.String()
	at, slash := strings.Index(s, "@"), strings.LastIndex(s, "/")
	return must(tub.ParseFURL(s[:at+1] + strings.Join(hints, ",") + s[slash:]))
}

// deadHint is where nobody listens.
func deadHint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp:" + l.Addr().String()
}

// hangingHint is where somebody accepts and says nothing.
func hangingHint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
	return "tcp:" + l.Addr().String()
}

func TestOneGoodHintIsEnough(t *testing.T) {
	server := start(t)
	furl := must(server.Register(new(calculator), ""))
	good := furl.Hints()[0]
	other := start(t) // another Tub listens there
	wrong := must(other.Register(new(calculator), "")).Hints()[0]
	all := []string{"unknown:a:b", "no hint", deadHint(t), hangingHint(t), wrong, "tcp:127.0.0.1:99999", good}
	for range 3 {
		slices.Reverse(all)
		ref, err := start(t).GetReference(within(t), withHints(furl, all...))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tub.Call[int](within(t), ref, "add", 1, 2); got != 3 {
			t.Errorf("add = %v, %v", got, err)
		}
	}
}

func TestAFailureHasALineForEachHint(t *testing.T) {
	server := start(t)
	furl := must(server.Register(new(calculator), ""))
	other := must(start(t).Register(new(calculator), "")).Hints()[0]
	client := start(t, tub.DialPolicy(func(d tub.Dial) error {
		if d.TubID != server.ID() || d.Reason != tub.ReasonOwn {
			t.Errorf("asked about %+v", d)
		}
		if strings.Contains(d.Hint, "forbidden") {
			return errWhy
		}
		return nil
	}))
	dead := deadHint(t)
	want := map[string]string{
		dead: "dial", other: "negotiate", "tcp:forbidden:1": "policy", "strange:\x1b[2J\n\tx:1": "skipped", "tcp:h:0": "dial",
	}
	var hints []string
	for h := range want {
		hints = append(hints, h)
	}
	_, err := client.GetReference(within(t), withHints(furl, hints...))
	var failed *tub.ConnectError
	if !errors.As(err, &failed) || !errors.Is(err, errWhy) || errors.Is(err, tub.ErrNoHints) || failed.TubID != server.ID() {
		t.Fatalf("got %v, want a ConnectError", err)
	}
	for _, a := range failed.Attempts {
		if want[a.Hint] != a.Stage || a.Err == nil {
			t.Errorf("%q failed at %q: %v; want %q", a.Hint, a.Stage, a.Err, want[a.Hint])
		}
		delete(want, a.Hint)
	}
	if len(want) > 0 || strings.Count(err.Error(), "\n") != 5 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("without a line: %q in %q", want, err)
	}
}

func TestWithoutAUsableHintNothingIsTried(t *testing.T) {
	furl := must(start(t).Register(new(calculator), ""))
	client := start(t)
	for _, hints := range [][]string{nil, {"unknown:a:b"}, {"nonsense", "unix:/tmp/x:1", "fd:3:x"}} {
		f := must(tub.ParseFURL(strings.Replace(furl.String(), furl.Hints()[0], strings.ReplaceAll(strings.Join(hints, ","), "/", "%2F"), 1)))
		if _, err := client.GetReference(within(t), f); !errors.Is(err, tub.ErrNoHints) {
			t.Errorf("%q: got %v, want ErrNoHints", hints, err)
		}
	}
	if _, err := client.GetReference(within(t), tub.FURL{}); !errors.Is(err, tub.ErrBadFURL) {
		t.Errorf("the zero FURL: got %v", err)
	}
	if _, err := must(tub.New()).GetReference(within(t), furl); !errors.Is(err, tub.ErrNotRunning) {
		t.Errorf("not started: got %v, want ErrNotRunning", err)
	}
	many := make([]string, 20)
	for i := range many {
		many[i] = "tcp:127.0.0.1:0"
		many[i] = strings.Replace(many[i], "127", string(rune('a'+i)), 1)
	}
	_, err := client.GetReference(within(t), withHints(furl, many...))
	var failed *tub.ConnectError
	if !errors.As(err, &failed) || len(failed.Attempts) != 17 {
		t.Errorf("20 hints: got %v, want 16 tries and a word about the rest", err)
	}
}

func TestTheCallersContextEndsItsWaitAlone(t *testing.T) {
	server := start(t)
	furl := must(server.Register(new(calculator), ""))
	goOn := make(chan struct{})
	dialling := make(chan struct{}, 10)
	client := start(t, tub.HintDialer("slow", func(ctx context.Context, hint string) (net.Conn, error) {
		dialling <- struct{}{}
		select {
		case <-goOn:
			return new(net.Dialer).DialContext(ctx, "tcp", address(t, server).String())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}))
	slow := withHints(furl, "slow:a:b")
	patient := make(chan error, 1)
	go func() { _, err := client.GetReference(within(t), slow); patient <- err }()
	<-dialling
	ctx, cancel := context.WithCancelCause(t.Context())
	impatient := make(chan error, 1)
	go func() { _, err := client.GetReference(ctx, slow); impatient <- err }()
	cancel(errWhy)
	if err := <-impatient; !errors.Is(err, errWhy) {
		t.Errorf("the one that was cancelled: %v", err)
	}
	close(goOn)
	if err := <-patient; err != nil {
		t.Errorf("the other: %v", err)
	}
}

// A search that nobody waits for is given up.
func TestTheLastCallerEndsTheSearch(t *testing.T) {
	furl := must(start(t).Register(new(calculator), ""))
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	client := start(t, tub.HintDialer("slow", func(ctx context.Context, hint string) (net.Conn, error) {
		cancel()
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}))
	if _, err := client.GetReference(ctx, withHints(furl, "slow:a:b")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the dial was not ended")
	}
}

func TestTubsMeetInMemory(t *testing.T) {
	transports := new(endpoint.Registry)
	transports.Register("mem", endpoint.NewMem())
	server := must(tub.New())
	if _, err := server.ListenOn("mem:server", listener.Registry(transports)); err != nil {
		t.Fatal(err)
	}
	begin(t, server)
	furl := must(server.Register(new(calculator), ""))
	if !slices.Equal(furl.Hints(), []string{"mem:server"}) {
		t.Fatalf("hints %q", furl.Hints())
	}
	if _, err := start(t).GetReference(within(t), furl); !errors.Is(err, tub.ErrNoHints) {
		t.Errorf("without a dialer: got %v, want ErrNoHints", err)
	}
	client := start(t, tub.HintDialer("mem", func(ctx context.Context, hint string) (net.Conn, error) {
		return must(transports.Client(hint)).Dial(ctx)
	}))
	ref := must(client.GetReference(within(t), furl))
	if got, err := tub.Call[int](within(t), ref, "add", 1, 2); got != 3 {
		t.Errorf("add = %v, %v", got, err)
	}
}

// restartable is what a peer sees of the duplicate table, over the network.
func TestDuplicatesAreDecidedAsFoolscapDoes(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(calculator), ""))
	b := newBoot(t, tb.ID(), false) // the Tub is the master
	live, err := b.connect(t, tb)
	if err != nil {
		t.Fatal(err)
	}
	live.get(furl.Name(), 1)
	first := b.current
	refused := func(name, last string) {
		t.Helper()
		b.last = last
		if s, err := b.connect(t, tb); err == nil || !strings.Contains(err.Error(), "Duplicate connection") {
			t.Errorf("%s: got %v, %v; want it refused", name, s, err)
		}
		if got := live.ask(1, "add", func(e *banana.Encoder) { e.Int(2); e.Int(1); e.Int(2) }); !strings.Contains(got, "3)") {
			t.Errorf("%s: the living connection: %s", name, got)
		}
	}
	accepted := func(name, last string) {
		t.Helper()
		b.last = last
		s, err := b.connect(t, tb)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := live.read(); !strings.HasPrefix(got, "end: ") {
			t.Errorf("%s: the old connection lives: %s", name, got)
		}
		live = s
		live.get(furl.Name(), 1)
	}
	refused("a parallel attempt", "none 0")
	accepted("gave the living one up", first)
	refused("an older one", first)
	accepted("an earlier life of ours", "ffffffffffffffff 1")
	b.Incarnation = "fedcba9876543210"
	accepted("restarted", "none 0")
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if s, err := b.connect(t, tb); err == nil {
				t.Errorf("a parallel attempt: got %v", s)
			}
		})
	}
	group.Wait()
}

// A Tub as slave takes what the master decides: the newest.
func TestTheSlaveTakesTheNewestConnection(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(calculator), ""))
	b := newBoot(t, tb.ID(), true)
	var last *stranger
	for range 3 {
		s, err := b.connect(t, tb)
		if err != nil {
			t.Fatal(err)
		}
		s.get(furl.Name(), 1)
		if last != nil {
			if got := last.read(); !strings.HasPrefix(got, "end: ") {
				t.Errorf("the old connection lives: %s", got)
			}
		}
		last = s
	}
}
