package tub_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/internal/recorded"
	"github.com/octavo-go/octavo/tub"
)

func TestAnIdentityIsKeptInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tub.pem")
	a := must(tub.New(tub.CertFile(file)))
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("identity file: %v, %v; want mode 0600", info.Mode(), err)
	}
	b := must(tub.New(tub.CertFile(file)))
	if a.ID() != b.ID() {
		t.Errorf("the id was %s and is %s", a.ID(), b.ID())
	}
	c := must(tub.New())
	if c.ID() == a.ID() || must(tub.New()).ID() == c.ID() {
		t.Error("Tubs without a file share an id")
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("%d files are left, want the identity alone", len(entries))
	}
}

func TestConcurrentNewMakesOneIdentity(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tub.pem")
	var all sync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		all.Go(func() {
			tb, err := tub.New(tub.CertFile(file))
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = tb.ID()
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("got %q, want one id", ids)
		}
	}
}

func TestFoolscapsIdentityFilesWork(t *testing.T) {
	for _, v := range recorded.TheMisc(t).TubIDs {
		first, rest := pem.Decode([]byte(v.PEM))
		second, _ := pem.Decode(rest)
		for name, blocks := range map[string][]*pem.Block{"as written": {first, second}, "key first": {second, first}} {
			var b bytes.Buffer
			for _, block := range blocks {
				pem.Encode(&b, block)
			}
			tb, err := tub.New(tub.CertFile(write(t, b.String())))
			if err != nil || tb.ID() != v.TubID {
				t.Errorf("%s, %s: got %v, %v; want %s", v.Name, name, tb, err, v.TubID)
			}
		}
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tub.pem")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestABadIdentityFileIsNamed(t *testing.T) {
	vectors := recorded.TheMisc(t).TubIDs
	cert, key, _ := strings.Cut(vectors[0].PEM, "-----END CERTIFICATE-----\n")
	cert += "-----END CERTIFICATE-----\n"
	_, foreign, _ := strings.Cut(vectors[1].PEM, "-----END CERTIFICATE-----\n")
	nowhere := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(nowhere+"-missing", nowhere); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"empty": write(t, ""), "garbage": write(t, "garbage\n"), "no key": write(t, cert), "no certificate": write(t, key),
		"foreign key": write(t, cert+foreign), "a directory": t.TempDir(), "a link to nowhere": nowhere,
		"broken": write(t, strings.Replace(vectors[0].PEM, "M", "N", 40)), "no folder": filepath.Join(nowhere, "tub.pem"),
	} {
		_, err := tub.New(tub.CertFile(file))
		if !errors.Is(err, tub.ErrBadIdentity) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want ErrBadIdentity with the file's name", name, err)
		}
	}
	if _, err := os.Lstat(nowhere + "-missing"); err == nil {
		t.Error("a link to nowhere was followed")
	}
	unreadable := write(t, vectors[0].PEM)
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 { // root reads everything
		if _, err := tub.New(tub.CertFile(unreadable)); !errors.Is(err, tub.ErrBadIdentity) {
			t.Errorf("unreadable: got %v", err)
		}
	}
}

func TestBadOptionsAreErrorsOfNew(t *testing.T) {
	for name, opt := range map[string]tub.Option{
		"empty path": tub.CertFile(""), "no dialer": tub.HintDialer("x", nil), "no type": tub.HintDialer("", nil),
		"keepalive": tub.Keepalive(2, 1), "keepalive of 0": tub.Keepalive(0, 1), "nil logger": tub.Logger(nil),
		"limit": tub.WithLimits(tub.Limits{Negotiating: -1}),
	} {
		if _, err := tub.New(opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
