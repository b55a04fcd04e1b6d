package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

func TestTheFURLIsTheSameAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first := serve(t, dir)
	first.stop()
	second := serve(t, dir)
	if first.furl != second.furl {
		t.Errorf("first  %s\nsecond %s", first.furl, second.furl)
	}
	octavo(t, "call", first.furl, "echo", "1").want(t, 0)
}

func TestAKeptPortThatIsTakenIsAnErrorThatNamesIt(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	s.stop()
	addr := strings.TrimPrefix(s.lines[1], "listening: tcp:")
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	octavo(t, "serve", "--dir", dir).want(t, 3,
		"port "+port, "tcp:0:interface=127.0.0.1", "free it, or delete "+filepath.Join(dir, portsFile))
	l.Close()
	if again := serve(t, dir); again.furl != s.furl {
		t.Errorf("with the port free again the FURL is %s, it was %s", again.furl, s.furl)
	}
}

func TestWithoutTheKeptPortsTheNodeGetsOthers(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	s.stop()
	l, err := net.Listen("tcp", strings.TrimPrefix(s.lines[1], "listening: tcp:"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Remove(filepath.Join(dir, portsFile)); err != nil {
		t.Fatal(err)
	}
	again := serve(t, dir)
	if again.lines[1] == s.lines[1] {
		t.Errorf("twice %s", s.lines[1])
	}
	name := func(furl string) string { return furl[strings.LastIndex(furl, "/"):] }
	if name(s.furl) != name(again.furl) {
		t.Error("the name of the node object has changed with the port")
	}
}

func TestPortsOfOtherStringsDoNoHarm(t *testing.T) {
	dir := t.TempDir()
	const one, other = "tcp:0:interface=127.0.0.1", "tcp:port=0:interface=127.0.0.1"
	first := serve(t, dir, "--listen", one)
	first.stop()
	second := serve(t, dir, "--listen", other, "--listen", one, "--listen", one)
	if first.lines[1] != second.lines[2] {
		t.Errorf("%s was at %q and is at %q", one, first.lines[1], second.lines[2])
	}
	second.stop()
	third := serve(t, dir, "--listen", other)
	if third.lines[1] != second.lines[1] {
		t.Errorf("%s was at %q and is at %q", other, second.lines[1], third.lines[1])
	}
	third.stop()
	fourth := serve(t, dir, "--listen", one, "--listen", one)
	if fourth.lines[1] != second.lines[2] || fourth.lines[2] != second.lines[3] {
		t.Errorf("%q, want the ports of %q", fourth.lines[1:3], second.lines[2:4])
	}
}

func TestOnlyAPortThatIsOpenIsKept(t *testing.T) {
	for in, want := range map[string]string{
		"tcp:0":                             "tcp:7",
		"TCP:00:backlog=5":                  "tcp:7:backlog=5",
		"tcp:0:interface=[::1]":             "tcp:7:interface=[::1]",
		"tcp:0:127.0.0.1:5":                 "tcp:7:127.0.0.1:5",
		"tcp:interface=127.0.0.1:port=0":    "tcp:interface=127.0.0.1:port=7",
		"tcp:8080":                          "",
		"tcp:port=8080":                     "",
		"unix:/0":                           "",
		"unix:0":                            "",
		"systemd:domain=INET:index=0":       "",
		"tcp:interface=127.0.0.1:backlog=0": "",
	} {
		d, err := endpoint.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := withPort(d, 7)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s with port 7 is %s, %v; want %q", in, got, ok, want)
		}
	}
}
