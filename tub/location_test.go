package tub_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/tub"
)

func TestALocationIsRefusedWhole(t *testing.T) {
	tb := must(tub.New())
	if err := tb.SetLocation("tcp:a:1,b:2", "tor:x.onion:80"); err != nil {
		t.Fatal(err)
	}
	want := []string{"tcp:a:1", "b:2", "tor:x.onion:80"}
	for _, bad := range []string{
		"", ",", "tcp:a:1,", "a", "tcp:a", "tcp:a_b:1", "tcp:a:70000", "a:123456", "tcp:a:0", "x:a/b", "x:a b", "x:a\r\nb", "x:a\x00",
		strings.TrimSuffix(strings.Repeat("tcp:a:1,", 17), ","),
	} {
		if err := tb.SetLocation("tcp:good:1", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
		if f, err := tb.Register(new(calculator), ""); err != nil || !slices.Equal(f.Hints(), want) {
			t.Fatalf("after %q: %q, %v", bad, f.Hints(), err)
		}
	}
}

func TestWithoutALocationNothingIsPublished(t *testing.T) {
	tb := must(tub.New())
	if _, err := tb.Register(new(calculator), ""); !errors.Is(err, tub.ErrNoLocation) {
		t.Errorf("got %v, want ErrNoLocation", err)
	}
	l := must(tb.ListenOn("tcp:0:interface=127.0.0.1"))
	if _, err := tb.Register(new(calculator), ""); !errors.Is(err, tub.ErrNoLocation) {
		t.Errorf("before the start: got %v, want ErrNoLocation", err)
	}
	begin(t, tb)
	f := must(tb.Register(new(calculator), ""))
	if want := "tcp:" + l.Addr().String(); !slices.Equal(f.Hints(), []string{want}) {
		t.Errorf("hints %q, want %q", f.Hints(), want)
	}
	second := must(tb.ListenOn("tcp:0:interface=127.0.0.1"))
	if f = must(tb.Register(new(calculator), "")); len(f.Hints()) != 2 {
		t.Errorf("with two Listeners: %q", f.Hints())
	}
	if err := tb.StopListeningOn(second).Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	tb.SetLocation("tcp:elsewhere:1")
	if f = must(tb.Register(new(calculator), "")); !slices.Equal(f.Hints(), []string{"tcp:elsewhere:1"}) {
		t.Errorf("with SetLocation: %q", f.Hints())
	}
	tb.SetLocation()
	if f = must(tb.Register(new(calculator), "")); !slices.Equal(f.Hints(), []string{"tcp:" + l.Addr().String()}) {
		t.Errorf("after StopListeningOn and SetLocation without hints: %q", f.Hints())
	}
}

func TestNames(t *testing.T) {
	tb := start(t)
	c, d := new(calculator), new(calculator)
	f := must(tb.Register(c, "calc"))
	if f.Name() != "calc" || must(tb.Register(c, "")) != f || must(tb.Register(c, "calc")) != f {
		t.Errorf("registered again: %v, want %v", must(tb.Register(c, "")), f)
	}
	if _, err := tb.Register(d, "calc"); !errors.Is(err, tub.ErrNameTaken) {
		t.Errorf("another object: got %v, want ErrNameTaken", err)
	}
	second := must(tb.Register(c, "with/slash?and=ä"))
	random := must(tb.Register(d, ""))
	if len(random.Name()) != 32 {
		t.Errorf("an unguessable name: %q", random.Name())
	}
	client := start(t)
	for _, f := range []tub.FURL{f, second, random} {
		if _, err := client.GetReference(within(t), f); err != nil {
			t.Errorf("%v: %v", f, err)
		}
	}
	for _, bad := range []string{"a\nb", "a\rb", "\xff", strings.Repeat("x", 1001)} {
		if _, err := tb.Register(new(calculator), bad); err == nil {
			t.Errorf("the name %.10q was taken", bad)
		}
	}
	for _, bad := range []any{nil, 1, "text", []any{}, struct{}{}, (*calculator)(nil), tub.Expose(nil), tub.Expose(c, "Nope")} {
		if _, err := tb.Register(bad, ""); err == nil {
			t.Errorf("%T was registered", bad)
		}
		if tb.Unregister(bad) {
			t.Errorf("%T was unregistered", bad)
		}
	}
	ref := must(client.GetReference(within(t), f))
	if !tb.Unregister(c) || tb.Unregister(c) || tb.Unregister(new(calculator)) {
		t.Error("Unregister does not say whether there was a name")
	}
	for _, f := range []tub.FURL{f, second} {
		var remote *tub.RemoteError
		if _, err := client.GetReference(within(t), f); !errors.As(err, &remote) || !remote.IsA("builtins.KeyError") {
			t.Errorf("after Unregister: got %v, want a KeyError", err)
		}
	}
	if _, err := ref.Call(within(t), "add", 1, 2); err != nil {
		t.Errorf("a reference that was got before: %v", err)
	}
	if must(tb.Register(d, "calc")).Name() != "calc" {
		t.Error("a name is not free again")
	}
}

func TestAFURLFileOutlivesItsProcess(t *testing.T) {
	dir := t.TempDir()
	cert, file := filepath.Join(dir, "tub.pem"), filepath.Join(dir, "calc.furl")
	life := func() (*tub.Tub, tub.FURL) {
		tb := start(t, tub.CertFile(cert))
		return tb, must(tb.RegisterInFile(new(calculator), file))
	}
	check := func(want tub.FURL) {
		t.Helper()
		content, err := os.ReadFile(file)
		info, _ := os.Stat(file)
		if err != nil || string(content) != want.String()+"\n" || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %q, %v; want mode 0600 and %q", info.Mode(), content, err, want)
		}
	}
	_, first := life()
	check(first)
	tb, again := life() // on another port
	if !again.Same(first) || again.String() == first.String() {
		t.Errorf("the FURL was %v and is %v", first, again)
	}
	check(again)
	if _, err := tb.RegisterInFile(new(calculator), file); !errors.Is(err, tub.ErrNameTaken) {
		t.Errorf("another object: got %v, want ErrNameTaken", err)
	}
	if err := os.Chmod(file, 0o644); err != nil { // somebody has restored it
		t.Fatal(err)
	}
	other := start(t)
	if _, err := other.RegisterInFile(new(calculator), file); !errors.Is(err, tub.ErrWrongTub) {
		t.Errorf("another Tub's file: got %v, want ErrWrongTub", err)
	}
	c := new(calculator)
	tb.Unregister(c)
	third := must(start(t, tub.CertFile(cert)).RegisterInFile(c, file))
	check(third)
	for name, content := range map[string]string{"empty": "", "garbage": "x\n", "two lines": first.String() + "\n" + first.String() + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tb.RegisterInFile(new(calculator), file); !errors.Is(err, tub.ErrBadFURL) || strings.Contains(err.Error(), first.Name()) {
			t.Errorf("%s: got %v, want ErrBadFURL without the name", name, err)
		}
	}
	if _, err := tb.RegisterInFile(new(calculator), dir); err == nil {
		t.Error("a directory was taken for a file")
	}
}

// A FURL file that others can read is replaced, also where its content is right.
func TestAFURLFileIsMadePrivateAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calc.furl")
	tb, c := start(t), new(calculator)
	for range 2 {
		first := must(tb.RegisterInFile(c, file))
		if info := must(os.Stat(file)); info.Mode().Perm() != 0o600 || must(tb.RegisterInFile(c, file)) != first {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
