package listener

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/internal/recorded"
)

// A cutConn gives its bytes away in pieces of the given sizes, over and over.
type cutConn struct {
	net.Conn
	data  []byte
	sizes []byte
	reads int
	eof   bool // comes with the last bytes, not behind them
}

func (c *cutConn) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	size := 1
	if len(c.sizes) > 0 {
		size = max(1, int(c.sizes[c.reads%len(c.sizes)])*16)
	}
	c.reads++
	n := copy(p, c.data[:min(size, len(c.data))])
	c.data = c.data[n:]
	if c.eof && len(c.data) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// requests are the GETs that Foolscap sent.
func requests(t testing.TB) (all [][]byte) {
	t.Helper()
	for _, name := range recorded.Transcripts(t) {
		for _, text := range recorded.Transcript(t, name).Sent("plain") {
			if bytes.HasPrefix(text, []byte("GET ")) {
				all = append(all, text)
			}
		}
	}
	return all
}

func TestWhatFoolscapSendsAsksForATub(t *testing.T) {
	all := requests(t)
	if len(all) < 10 {
		t.Fatalf("only %d requests are recorded", len(all))
	}
	for _, text := range all {
		v := sniff(&cutConn{data: text})
		want := string(text[len("GET /id/"):][:32])
		if v.kind != toTub || v.tubID != want || !bytes.Equal(v.read, text) {
			t.Errorf("%q: kind %d, TubID %q, after %d bytes", text, v.kind, v.tubID, len(v.read))
		}
	}
}

// FuzzSniff cuts the same bytes into reads in two ways.
func FuzzSniff(f *testing.F) {
	const tail = "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
	for _, text := range requests(f) {
		f.Add(text, []byte{1, 2, 3}, false)
		f.Add(append(bytes.Clone(text), 0x16, 3, 1), []byte{255}, true)
	}
	for _, text := range []string{
		"",
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /id/ HTTP/1.1\r\n" + tail,
		"GET /id/a b HTTP/1.1\r\n" + tail,
		"GET /id/a HTTP/1.1\r\nHost: h\r\n\r\nGET /id/a HTTP/1.1\r\n" + tail,
		"GET /id/" + strings.Repeat("a", 5000),
		"GET /id/a HTTP/1.1\n" + tail,
		"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"SSH-2.0-x\r\n",
		"banana-decision-version: 1\r\n\r\n",
	} {
		f.Add([]byte(text), []byte{1, 0, 3}, true)
	}
	f.Fuzz(func(t *testing.T, data, sizes []byte, eof bool) {
		want := sniff(&cutConn{data: data}) // byte by byte
		got := sniff(&cutConn{data: data, sizes: sizes, eof: eof})
		for _, v := range []verdict{want, got} {
			checkVerdict(t, v, data)
		}
		if got.kind == want.kind && got.tubID == want.tubID && got.text == want.text {
			return
		}
		// The one thing that cannot be known without reading too much.
		if want.kind == toTub && got.kind == refused && len(got.read) > len(want.read) {
			return
		}
		t.Errorf("in pieces of %v: %d %q %q\nbyte by byte: %d %q %q", sizes,
			got.kind, got.tubID, got.text, want.kind, want.tubID, want.text)
	})
}

// checkVerdict holds a verdict against what must be true of it.
func checkVerdict(t *testing.T, v verdict, data []byte) {
	t.Helper()
	if len(v.read) > negotiate.MaxHead || !bytes.HasPrefix(data, v.read) {
		t.Errorf("it read %d bytes, of %d, or others", len(v.read), len(data))
	}
	ask := []byte("GET /id/")
	switch v.kind {
	case toTub:
		if !bytes.HasPrefix(data, append(ask, v.tubID...)) || v.tubID == "" ||
			bytes.Index(v.read, []byte("\r\n\r\n")) != len(v.read)-4 {
			t.Errorf("for Tub %q after %q", v.tubID, v.read)
		}
	case toWeb:
		if method, _, ok := bytes.Cut(v.read, []byte(" ")); !ok || len(method) < 3 || len(method) > 20 {
			t.Errorf("for the web after %q", v.read)
		}
	case refused:
		if !bytes.HasPrefix(data, ask) || v.text == "" {
			t.Errorf("refused with %q after %q", v.text, v.read)
		}
	case silent, garbage:
	default:
		t.Errorf("kind %d", v.kind)
	}
}
