package examples

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A program is an example, built and running in a folder of its own.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
	dir string
}

func run(t *testing.T, name string) *program {
	t.Helper()
	p := &program{t: t, dir: t.TempDir()}
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	p.cmd = exec.Command(binary)
	p.cmd.Dir = p.dir
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(time.Minute, func() { p.cmd.Process.Kill() })
	t.Cleanup(func() {
		patience.Stop()
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	return p
}

// await reads lines up to the first that contains text.
func (p *program) await(text string) string {
	p.t.Helper()
	var seen []string
	for p.out.Scan() {
		if strings.Contains(p.out.Text(), text) {
			return p.out.Text()
		}
		seen = append(seen, p.out.Text())
	}
	p.t.Fatalf("the program ended without %q; it printed %q", text, seen)
	return ""
}

// terminate asks the program to stop and wants a clean end.
func (p *program) terminate() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.finish()
}

func (p *program) finish() {
	p.t.Helper()
	for p.out.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v", err)
	}
}

func TestTreeServesAndClosesTheDatabaseLast(t *testing.T) {
	p := run(t, "tree")
	line := p.await("web is on ")
	url := line[strings.Index(line, "http://"):]
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(body) != "hello\n" {
		t.Errorf("GET %s = %q, %v", url, body, err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.await("database is closed")
	p.finish()
}

func TestGreeterAnswersItsPythonClient(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import foolscap").CombinedOutput(); err != nil {
		if os.Getenv("OCTAVO_REQUIRE_INTEROP") != "" {
			t.Fatalf("Python Foolscap is not installed (Debian: python3-foolscap): %v\n%s", err, out)
		}
		t.Skip("Python Foolscap is not installed (Debian: python3-foolscap): the greeter's client is not run")
	}
	p := run(t, "greeter")
	furl := p.await("pb://")
	kept, err := os.ReadFile(filepath.Join(p.dir, "greeter.furl"))
	if err != nil || string(kept) != furl+"\n" {
		t.Errorf("greeter.furl holds %q, %v; printed was %q", kept, err, furl)
	}
	out, err := exec.Command(python, "greeter/client.py", furl).CombinedOutput()
	if err != nil || string(out) != "hello, world\n" {
		t.Errorf("the client printed %q, %v", out, err)
	}
	p.terminate()
}
