package examples

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// get returns the body of a page.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// address is the URL at the end of a line.
func address(line string) string { return line[strings.Index(line, "http://"):] }

func TestMovingKeepsItsAddress(t *testing.T) {
	p := run(t, "moving")
	url := address(p.await("/app/blue/site is on "))
	for _, path := range []string{"/app/blue/site", "/app/green/site", "/app/blue/site"} {
		if body := get(t, url); body != path+"\n" {
			t.Errorf("GET %s = %q, want %q", url, body, path)
		}
		p.cmd.Process.Signal(syscall.SIGHUP)
		if line := p.await("/site is on "); address(line) != url {
			t.Errorf("it moved from %s: %q", url, line)
		}
	}
	p.terminate()
}

func TestCustomCountsAndKeepsTheCount(t *testing.T) {
	p := run(t, "custom")
	url := address(p.await("web is on "))
	for _, want := range []string{"visit 1\n", "visit 2\n"} {
		if body := get(t, url); body != want {
			t.Errorf("GET %s = %q, want %q", url, body, want)
		}
	}
	p.terminate()
	kept, err := os.ReadFile(filepath.Join(p.dir, "visits.txt"))
	if err != nil || string(kept) != "2\n" {
		t.Errorf("visits.txt holds %q, %v", kept, err)
	}
}
