package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/service"
)

// In a child process of the tests this says to be the command itself; with the
// value "stuck", with a service that does not stop.
const actAsCommand = "OCTAVO_TEST_ACT_AS_COMMAND"

func TestMain(m *testing.M) {
	if how := os.Getenv(actAsCommand); how != "" {
		if how == "stuck" {
			testServices = func() []service.Service {
				return []service.Service{service.New("stuck", service.Hooks{
					Start: func(context.Context) error { return nil },
					Stop:  func(context.Context) error { fmt.Println("stuck"); select {} },
				})}
			}
		}
		main()
	}
	goleak.VerifyTestMain(m)
}

// A result is what a command printed, and its exit status.
type result struct {
	status   int
	out, err string
}

// octavo runs a command inside the test.
func octavo(t *testing.T, args ...string) result {
	t.Helper()
	return octavoWith(t, "", args...)
}

func octavoWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return result{status, out.String(), errs.String()}
}

// want checks the status, and that what was printed for people is nothing or
// one line with all the given parts.
func (r result) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d; stderr: %s", r.status, status, r.err)
	}
	if len(parts) > 0 && (!strings.HasPrefix(r.err, "octavo: ") || strings.Count(r.err, "\n") != 1) {
		t.Errorf("stderr %q, want one line that begins with octavo:", r.err)
	}
	for _, part := range parts {
		if !strings.Contains(r.err, part) {
			t.Errorf("stderr %q, want %q in it", r.err, part)
		}
	}
}

// A served node runs inside the test.
type served struct {
	t     *testing.T
	dir   string
	furl  string
	lines []string // all that it printed up to ready
	end   context.CancelFunc
	ended chan int
	errs  bytes.Buffer // to be read when it has ended
}

// serve runs a node in dir until stop, or the end of the test.
func serve(t *testing.T, dir string, flags ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	s := &served{t: t, dir: dir, end: cancel, ended: make(chan int, 1)}
	go func() {
		s.ended <- run(ctx, append([]string{"serve", "--dir", dir}, flags...), nil, in, &s.errs)
		in.Close()
	}()
	t.Cleanup(func() { s.stop() })
	s.lines = until("ready", bufio.NewScanner(out))
	if len(s.lines) == 0 {
		t.Fatalf("the node was never ready: exit status %d, %s", s.stop(), s.errs.String())
	}
	s.furl = strings.TrimPrefix(s.lines[0], "furl: ")
	go io.Copy(io.Discard, out) // until the node has ended
	return s
}

// stop ends the node and returns its exit status. Later calls return 0.
func (s *served) stop() int {
	s.end()
	status, running := <-s.ended
	if running {
		close(s.ended)
	}
	return status
}

// until returns the lines up to the last one, or nil if that never comes.
func until(last string, r *bufio.Scanner) []string {
	var lines []string
	for r.Scan() {
		lines = append(lines, r.Text())
		if r.Text() == last {
			return lines
		}
	}
	return nil
}
