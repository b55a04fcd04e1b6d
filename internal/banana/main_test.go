package banana_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/internal/banana"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func decoder(stream []byte, vocab int, limits banana.Limits) *banana.Decoder {
	return banana.NewDecoder(bufio.NewReader(bytes.NewReader(stream)), banana.Vocabs[vocab], limits)
}

// wire puts a stream together: numbers and bytes are bytes, strings are hexadecimal-free text.
func wire(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case byte:
			b = append(b, p)
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("wire: %T", p))
		}
	}
	return b
}

// header is n in base 128, least significant digit first.
func header(n uint64) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		b = append(b, byte(n&0x7f))
	}
	return b
}

func openToken(n uint64) []byte { return append(header(n), 0x88) }

func closeToken(n uint64) []byte { return append(header(n), 0x89) }

func str(s string) []byte { return banana.AppendString(nil, s) }

// list is a message that holds the given tokens.
func list(n uint64, parts ...any) []byte {
	return wire(openToken(n), str("list"), wire(parts...), closeToken(n))
}

// render writes a token in the manner of the recordings, with what a Decoder folds folded.
func render(t testing.TB, d *banana.Decoder, tok banana.Token) string {
	t.Helper()
	switch tok.Kind {
	case banana.Int:
		return "INT " + strconv.FormatInt(tok.Int, 10)
	case banana.Big:
		return "INT " + tok.Big.String()
	case banana.Float:
		return "FLOAT " + strconv.FormatFloat(tok.Float, 'g', -1, 64)
	case banana.String:
		b, err := d.Bytes()
		if err != nil {
			t.Fatalf("body of a STRING: %v", err)
		}
		if uint64(len(b)) != tok.Size {
			t.Fatalf("STRING of %d bytes has a body of %d", tok.Size, len(b))
		}
		return "STRING " + strconv.Quote(string(b))
	case banana.Open:
		return fmt.Sprintf("OPEN %d", tok.Num)
	}
	return tok.Kind.String()
}

// tokenise reads to the end or to a fatal error. Pings are listed where they came.
func tokenise(t testing.TB, d *banana.Decoder) (got []string, err error) {
	t.Helper()
	d.Ping = func(n uint64) { got = append(got, fmt.Sprintf("PING %d", n)) }
	for {
		tok, err := d.Next()
		var v *banana.Violation
		switch {
		case errors.Is(err, io.EOF):
			return got, nil
		case errors.Is(err, banana.ErrAborted):
			got = append(got, "ABORT")
		case errors.As(err, &v):
			got = append(got, "VIOLATION "+v.Reason)
		case err != nil:
			return got, err
		default:
			got = append(got, render(t, d, tok))
		}
	}
}

// wants fails unless the stream reads as the tokens, one a line.
func wants(t *testing.T, stream []byte, vocab int, want ...string) {
	t.Helper()
	got, err := tokenise(t, decoder(stream, vocab, banana.Limits{}))
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("% .80x\ngot  %q, %v\nwant %q", stream, got, err, want)
	}
}

// wantFatal fails unless reading the stream ends in a ProtocolError with the text.
func wantFatal(t *testing.T, stream []byte, text string) {
	t.Helper()
	got, err := tokenise(t, decoder(stream, 1, banana.Limits{}))
	var fatal *banana.ProtocolError
	if !errors.As(err, &fatal) || !strings.Contains(err.Error(), text) || !banana.IsFatal(err) {
		t.Errorf("% .80x: got %q, %v; want a fatal error with %q", stream, got, err, text)
	}
}
