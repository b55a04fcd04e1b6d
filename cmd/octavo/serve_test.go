package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestServePrintsItsLinesInOrder(t *testing.T) {
	s := serve(t, t.TempDir(), "--listen", "tcp:0:interface=127.0.0.1", "--listen", "tcp:0:interface=127.0.0.1")
	want := []string{
		`^furl: pb://[a-z2-7]{84}@tcp:127\.0\.0\.1:(\d+),tcp:127\.0\.0\.1:(\d+)/[a-z2-7]{32}$`,
		`^listening: tcp:127\.0\.0\.1:\d+$`,
		`^listening: tcp:127\.0\.0\.1:\d+$`,
		`^ready$`,
	}
	if len(s.lines) != len(want) {
		t.Fatalf("printed %q, want %d lines", s.lines, len(want))
	}
	for i, pattern := range want {
		if !regexp.MustCompile(pattern).MatchString(s.lines[i]) {
			t.Errorf("line %d is %q, want %s", i, s.lines[i], pattern)
		}
	}
	ports := regexp.MustCompile(want[0]).FindStringSubmatch(s.lines[0])
	for i := 1; i < len(ports); i++ {
		if got, want := s.lines[i], "listening: tcp:127.0.0.1:"+ports[i]; got != want {
			t.Errorf("line %d is %q, but the FURL names the port %s", i, got, ports[i])
		}
	}
	if status := s.stop(); status != 0 || s.errs.Len() > 0 {
		t.Errorf("exit status %d, stderr %q", status, s.errs.String())
	}
}

func TestServeNeedsNoFlags(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	dir := filepath.Join(state, "octavo")
	s := serve(t, dir) // holds what the default is to be, so that this cannot touch a real one
	octavo(t, "serve").want(t, 3, "another node runs in "+dir)
	s.stop()

	t.Setenv("XDG_STATE_HOME", "relative") // is to be ignored
	t.Setenv("HOME", state)
	if got, err := defaultDir(); err != nil || got != filepath.Join(state, ".local/state/octavo") {
		t.Errorf("the default directory is %s (%v)", got, err)
	}
	t.Setenv("HOME", "")
	octavo(t, "serve").want(t, 2, "--dir")
}

func TestWhatANodeKeepsIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	furlFile := filepath.Join(t.TempDir(), "furl")
	if err := os.WriteFile(furlFile, []byte("of an earlier time"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir, "--furl-file", furlFile)
	for _, path := range []string{furlFile, filepath.Join(dir, nodeFile)} {
		if got, err := os.ReadFile(path); err != nil || string(got) != s.furl+"\n" {
			t.Errorf("%s holds %q (%v), want %q", path, got, err, s.furl)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Errorf("the directory holds %v (%v), want 4 files", files, err)
	}
	paths := map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, furlFile: 0o600}
	for _, f := range files {
		paths[filepath.Join(dir, f.Name())] = 0o600
	}
	for path, want := range paths {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestAFURLFileNeverReplacesADevice(t *testing.T) {
	octavo(t, "serve", "--dir", t.TempDir(), "--furl-file", os.DevNull).want(t, 3, os.DevNull, "is no file")
}

func TestALocationIsPublishedInsteadOfTheListeners(t *testing.T) {
	s := serve(t, t.TempDir(), "--location", "tcp:example.org:7000", "--location", "tcp:example.net:7001")
	if !strings.Contains(s.furl, "@tcp:example.org:7000,tcp:example.net:7001/") {
		t.Errorf("the FURL is %s", s.furl)
	}
	if len(s.lines) != 3 {
		t.Errorf("printed %q", s.lines)
	}
}

func TestANodeWithoutAListener(t *testing.T) {
	dir := t.TempDir()
	octavo(t, "serve", "--dir", dir, "--listen", "none").want(t, 2, "--location", "nothing to publish")
	octavo(t, "serve", "--dir", dir, "--listen", "none", "--listen", "tcp:0").want(t, 2, "stands alone")
	s := serve(t, dir, "--listen", "none", "--location", "tcp:example.org:7000")
	if len(s.lines) != 2 || s.lines[1] != "ready" {
		t.Errorf("printed %q, want the FURL and ready", s.lines)
	}
}

func TestANodeThatNobodyCanDialFailsToStart(t *testing.T) {
	dir := t.TempDir()
	socket := "unix:" + filepath.Join(dir, "s")
	octavo(t, "serve", "--dir", dir, "--listen", socket).want(t, 3, "give --location")
	s := serve(t, dir, "--listen", socket, "--location", "tcp:example.org:7000")
	if got, want := s.lines[1], "listening: "+socket; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestFlagsThatCannotWorkAreUsageErrors(t *testing.T) {
	dir := t.TempDir()
	for what, args := range map[string][]string{
		"out of range": {"--listen", "tcp:99999"},
		"is unknown":   {"--listen", "carrier-pigeon:1"},
		"--location":   {"--location", "no hint"},
		"--log-level":  {"--log-level", "loud"},
		"--nonsense":   {"--nonsense"},
	} {
		octavo(t, append([]string{"serve", "--dir", dir}, args...)...).want(t, 2, what)
	}
}

func TestAPortThatIsTakenFailsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	octavo(t, "serve", "--dir", t.TempDir(), "--listen", "tcp:"+port+":interface=127.0.0.1").want(t, 3, "port "+port+" is taken")
}

func TestADamagedDirectoryFailsTheStart(t *testing.T) {
	for name, part := range map[string]string{
		identityFile: "no usable identity",
		portsFile:    "delete the file",
		nodeFile:     "not a FURL",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("rubbish"), 0o600); err != nil {
			t.Fatal(err)
		}
		octavo(t, "serve", "--dir", dir).want(t, 3, part, filepath.Join(dir, name))
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	octavo(t, "serve", "--dir", file).want(t, 3, file)
}
