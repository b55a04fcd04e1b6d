package tub_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/recorded"
	"github.com/octavo-go/octavo/tub"
)

const (
	tubID = "4kstcuupp6vhd5s5sjbylgmt6qw5yh3y"
	pin   = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
)

// stricter are FURLs that Foolscap reads and we do not: junk around the FURL, a
// TubID that no Tub can have.
var stricter = []string{
	"pb://short@h:1/n", "pb://UPPER234@h:1/n", "pb://a@b@h:1/n",
	"  pb://" + tubID + "@h:1/n\n", "xxpb://" + tubID + "@h:1/n", "pb://" + tubID + "@h:1/n\n",
}

func TestRecordedFURLsAreReadAsFoolscapReadsThem(t *testing.T) {
	for _, v := range recorded.TheMisc(t).FURLs {
		f, err := tub.ParseFURL(v.FURL)
		if v.Error != "" || slices.Contains(stricter, v.FURL) {
			if !errors.Is(err, tub.ErrBadFURL) || !f.IsZero() {
				t.Errorf("%q: got %v, %v; want ErrBadFURL (Foolscap: %q)", v.FURL, f, err, v.Error)
			}
			continue
		}
		if err != nil || f.TubID() != v.TubID || f.Name() != v.Name || !slices.Equal(f.Hints(), v.Hints) {
			t.Errorf("%q: got %q %q %q, %v; want %q %q %q", v.FURL, f.TubID(), f.Hints(), f.Name(), err, v.TubID, v.Hints, v.Name)
		}
		if f.String() != v.FURL {
			t.Errorf("%q became %q", v.FURL, f)
		}
	}
}

func TestFURLsAreTheSameByTubAndName(t *testing.T) {
	f := must(tub.ParseFURL("pb://" + tubID + "@tcp:a:1/name"))
	for s, same := range map[string]bool{
		"pb://" + tubID + "@tcp:b:2/name":           true,
		"pb://" + tubID + pin + "@/name":            true,
		"pb://" + tubID + "@tcp:a:1/nam":            false,
		"pb://5" + tubID[1:] + "@tcp:a:1/name":      false,
		"pb://" + tubID + "more@tcp:a:1,b:2/name":   true,
		"pb://" + tubID + "@tcp:a:1/name?and=more&": false,
	} {
		g := must(tub.ParseFURL(s))
		if f.Same(g) != same || g.Same(f) != same {
			t.Errorf("%s is the same as %s: want %v", s, f, same)
		}
	}
	if (tub.FURL{}).String() != "" || (tub.FURL{}).Redacted() != "" || !(tub.FURL{}).IsZero() || f.IsZero() {
		t.Error("the zero FURL is not empty")
	}
}

// The name is the secret. Nothing but String may show it.
func TestASecretNameIsInNoLogAndNoError(t *testing.T) {
	const secret = "s3cretn4me"
	f := must(tub.ParseFURL("pb://" + tubID + pin + "@tcp:h:1/" + secret))
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "furl", f, slog.Group("g", "f", f), slog.Any("any", f))
	}
	if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "tcp:h:1") {
		t.Errorf("log: %s", &log)
	}
	if r := f.Redacted(); strings.Contains(r, secret) || strings.Contains(r, pin) {
		t.Errorf("redacted: %s", r)
	}
	for _, s := range []string{
		"pb://" + tubID + "@a,,b/" + secret, "pb://" + tubID + "/" + secret, "pb://" + tubID[1:] + "/" + secret + "@x",
		"pb://x/" + secret + "@y/z", "pb:/" + secret, secret, "pb://" + tubID + "@/" + secret + "\n", "pb://" + secret + "@h:1/n",
		strings.Repeat(secret, 3000),
	} {
		if _, err := tub.ParseFURL(s); err == nil || strings.Contains(err.Error(), secret) && !strings.HasPrefix(s, "pb://"+secret) {
			t.Errorf("%q: error %v", s, err)
		}
	}
	tb := start(t)
	if _, err := tb.GetReference(within(t), f); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("GetReference: %v", err)
	}
	peer := start(t)
	furl := must(peer.Register(new(calculator), secret))
	ref := must(tb.GetReference(within(t), furl))
	if text := fmt.Sprint(ref); strings.Contains(text, secret) {
		t.Errorf("a Reference is shown as %s", text)
	}
	if b, err := json.Marshal([]any{furl}); err == nil && strings.Contains(string(b), secret) {
		t.Errorf("as JSON: %s", b)
	}
	peer.Unregister(nil)
	_, err := tb.GetReference(within(t), must(tub.ParseFURL(furl.String()+"x")))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("an unknown name: %v", err)
	}
}

// wrongPin returns a FURL whose pin is that of another certificate.
func wrongPin(f tub.FURL) string {
	s := f.String()
	at := strings.Index(s, "@") - 52
	other := "a"
	if s[at] == 'a' {
		other = "b"
	}
	return s[:at] + other + s[at+1:]
}

func TestOnlyASuffixOfAPinsFormIsChecked(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(calculator), ""))
	client := start(t)
	s := furl.String()
	at := strings.Index(s, "@")
	id, own, rest := s[:at-52], s[at-52:at], s[at:]
	for suffix, want := range map[string]error{
		own: nil, "": nil, own[1:]: nil, own + "a": nil, "extra!": nil, strings.ToUpper(own): nil, "1" + own[1:]: nil,
		pin: tub.ErrWrongTub, own[1:] + own[:1]: tub.ErrWrongTub,
	} {
		f, err := tub.ParseFURL(id + suffix + rest)
		if err == nil {
			_, err = client.GetReference(within(t), f)
		}
		if !errors.Is(err, want) {
			t.Errorf("suffix %q: got %v, want %v", suffix, err, want)
		}
	}
	short := start(t, tub.ShortFURLs())
	if f := must(short.Register(new(calculator), "")); !strings.HasPrefix(f.String(), "pb://"+short.ID()+"@") {
		t.Errorf("ShortFURLs: got %s", f)
	}
	if !strings.HasPrefix(s, "pb://"+tb.ID()+own+"@") || len(own) != 52 {
		t.Errorf("a FURL of ours: %s", s)
	}
}

func FuzzParseFURL(f *testing.F) {
	for _, v := range recorded.TheMisc(f).FURLs {
		f.Add(v.FURL)
	}
	f.Add("pb://" + tubID + pin + "@tcp:[::1]:80,tor:x.onion:80,h:1\r\n/n@/?x")
	f.Fuzz(func(t *testing.T, s string) {
		furl, err := tub.ParseFURL(s)
		if err != nil {
			if !errors.Is(err, tub.ErrBadFURL) || !furl.IsZero() {
				t.Fatalf("%q: %v, %v", s, furl, err)
			}
			return
		}
		again, err := tub.ParseFURL(furl.String())
		if err != nil || again != furl || furl.String() != s || !furl.Same(again) {
			t.Fatalf("%q became %q, %v", s, furl, err)
		}
		if len(furl.TubID()) != 32 || furl.Name() == "" || slices.Contains(furl.Hints(), "") {
			t.Fatalf("%q: %q %q %q", s, furl.TubID(), furl.Hints(), furl.Name())
		}
		if strings.Contains(furl.Redacted(), "/"+furl.Name()) && furl.Name() != "…" && !strings.Contains(furl.TubID(), furl.Name()) && len(furl.Name()) > 3 {
			t.Fatalf("%q is redacted to %q", s, furl.Redacted())
		}
	})
}
