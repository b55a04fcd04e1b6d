package octavo_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

// childEnv makes the test's program run a tree of its own, and says which.
const childEnv = "OCTAVO_TEST_CHILD"

// child runs a whole tree under service.Run. It writes its events on stdout,
// one a line, until it is stopped by a signal.
func child() int {
	err := runTree(os.Getenv(childEnv))
	fmt.Println("run:", err)
	if err != nil {
		return 1
	}
	return 0
}

func runTree(blocked string) error {
	app := service.NewMulti("app")
	tb, err := tub.New()
	if err != nil {
		return err
	}
	front, err := tb.ListenOn(loopback)
	if err != nil {
		return err
	}
	door, err := listener.New(loopback, listener.Name("door"))
	if err != nil {
		return err
	}
	// tell writes down an event with the states of all as the hook sees them.
	tell := func(event string) func(context.Context) error {
		return func(context.Context) error {
			fmt.Println(event, "tub", tb.State(), "listener", front.State(), reachable(front), "door", door.State(), reachable(door))
			return nil
		}
	}
	worker := service.New("worker", service.Hooks{
		Acquire: tell("worker.acquire"),
		Start:   tell("worker.start"),
		Run: func(ctx context.Context) error {
			<-ctx.Done()
			fmt.Println("worker.run", context.Cause(ctx))
			return ctx.Err()
		},
		Stop: tell("worker.stop"),
	})
	last := service.New("last", service.Hooks{
		Start: func(context.Context) error {
			furl, err := tb.Register(&greeter{"child"}, "")
			fmt.Println("ready", furl, door.Addr())
			return err
		},
		Stop: tell("last.stop"),
	})
	if err := app.Add(tb, worker, door, last); err != nil {
		return err
	}
	if blocked != "tree" { // a port that somebody has
		taken, err := listener.New(blocked, listener.Name("taken"))
		if err == nil {
			err = app.Add(taken)
		}
		if err != nil {
			return err
		}
	}
	return service.Run(context.Background(), app)
}

// reachable says whether a Listener's port takes connections.
func reachable(l *listener.Listener) string {
	if l.Addr() == nil {
		return "nowhere"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := endpoint.Dial(ctx, "tcp:127.0.0.1:"+portOf(l))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "closed"
	case err != nil:
		return err.Error()
	}
	conn.Close()
	return "open"
}

// A tree in a process of its own.
type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startChild(t *testing.T, which string) *process {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	p := &process{cmd: exec.CommandContext(within(t), exe)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+which)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	must(t, err, p.cmd.Start())
	p.out = bufio.NewReader(out)
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	must(t, err)
	return strings.TrimSuffix(line, "\n")
}

// end reads what is left and waits for the process.
func (p *process) end(t *testing.T) (lines []string, err error) {
	t.Helper()
	rest, err := io.ReadAll(p.out)
	must(t, err)
	return strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n"), p.cmd.Wait()
}

func TestAWholeTreeStartsAndStopsInOrderUnderASignal(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			p := startChild(t, "tree")
			for _, want := range []string{
				// Sockets are bound before anything starts, in the order of the tree.
				"worker.acquire tub Starting listener Starting open door Idle nowhere",
				"worker.start tub Running listener Running open door Starting open",
			} {
				if got := p.line(t); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
			ready := strings.Fields(p.line(t))
			if len(ready) != 3 || ready[0] != "ready" {
				t.Fatalf("got %q", ready)
			}
			furl, err := tub.ParseFURL(ready[1])
			must(t, err)
			client := startedTub(t, "client")
			wantGreeting(t, client, furl, "child")
			wantRefused(t, ready[2], furl.TubID())

			must(t, p.cmd.Process.Signal(sig))
			got, err := p.end(t)
			want := []string{
				"last.stop tub Running listener Running open door Running open",
				"worker.run signal: " + sig.String(),
				"worker.stop tub Running listener Running open door Idle closed",
				"run: <nil>",
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("it ended with %v, and\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if _, err := greet(within(t), client, furl); err == nil {
				t.Error("a call to the ended process was answered")
			}
		})
	}
}

func TestAWholeTreeWithATakenPortEndsWithWhyAndWhich(t *testing.T) {
	ep := fixedEndpoint(t)
	defer occupy(t, ep)()
	lines, err := startChild(t, ep).end(t)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	// What was acquired is released; nothing has started.
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "worker.acquire ") || !strings.HasPrefix(lines[1], "worker.stop ") {
		t.Fatalf("got %q", lines)
	}
	result := lines[2]
	for _, want := range []string{"run: start /app/taken: ", ep, "address already in use"} {
		if !strings.Contains(result, want) {
			t.Errorf("%s\ndoes not say %q", result, want)
		}
	}
}

// wantRefused asks a Listener without a Tub for one.
func wantRefused(t *testing.T, addr, id string) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(within(t), "tcp", addr)
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /id/"+id+" HTTP/1.1\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n")
	must(t, err)
	got, err := io.ReadAll(conn)
	if want := "HTTP/1.1 500 Internal Server Error: unknown TubID " + id + "\r\n\r\n"; string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
