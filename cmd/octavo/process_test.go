package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A process is the real command, run by itself.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *bufio.Scanner
	lines []string
	errs  bytes.Buffer
}

// start runs `octavo serve` as a process of its own until it is ready.
func start(t *testing.T, how, dir string, flags ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(exe, append([]string{"serve", "--dir", dir}, flags...)...)}
	p.cmd.Env = append(os.Environ(), actAsCommand+"="+how)
	p.cmd.Stderr = &p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.signal(syscall.SIGKILL)
			p.status()
		}
	})
	p.out = bufio.NewScanner(out)
	if p.lines = until("ready", p.out); p.lines == nil {
		t.Fatalf("never ready: exit status %d, %s", p.status(), p.errs.String())
	}
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// status waits for the end of the process.
func (p *process) status() int {
	p.cmd.Wait() // it fails for each status but 0
	return p.cmd.ProcessState.ExitCode()
}

func TestASignalStopsTheNodeCleanly(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, "itself", t.TempDir())
			p.signal(s)
			if got := p.status(); got != 0 || p.errs.Len() > 0 {
				t.Errorf("exit status %d, stderr %q; want 0 and nothing", got, p.errs.String())
			}
		})
	}
}

func TestASecondSignalEndsTheNodeAtOnce(t *testing.T) {
	p := start(t, "stuck", t.TempDir())
	p.signal(syscall.SIGTERM)
	if until("stuck", p.out) == nil {
		t.Error("the node has ended by itself")
	}
	p.signal(syscall.SIGTERM)
	if got := p.status(); got != 4 || !strings.Contains(p.errs.String(), "/octavo/stuck") {
		t.Errorf("exit status %d, stderr %q; want 4 and the name of what would not stop", got, p.errs.String())
	}
}

func TestAKilledNodeLeavesTheDirectoryFree(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "itself", dir)
	p.signal(syscall.SIGKILL)
	p.status()
	again := start(t, "itself", dir)
	if again.lines[0] != p.lines[0] {
		t.Errorf("after a kill the node prints %q, before it %q", again.lines[0], p.lines[0])
	}
	again.signal(syscall.SIGTERM)
	if got := again.status(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

func TestASecondNodeOnTheDirectoryFails(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "itself", dir)
	octavo(t, "serve", "--dir", dir).want(t, 3, "another node runs in "+dir)
	p.signal(syscall.SIGTERM)
	p.status()
	if s := serve(t, dir); s.lines[0] != p.lines[0] {
		t.Errorf("the next node prints %q, the first printed %q", s.lines[0], p.lines[0])
	}
}
