package banana_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
)

func TestHeadersMayBePaddedOrEmpty(t *testing.T) {
	zeros := bytes.Repeat([]byte{0}, 63)
	wants(t, wire(0x81), 0, "INT 0")
	wants(t, wire(0x83), 0, "INT 0")
	wants(t, wire(0x82), 0, `STRING ""`)
	wants(t, wire(0x85), 0, "INT 0")
	wants(t, wire(0x86), 0, "INT 0")
	wants(t, wire(0x87), 1, `STRING "none"`)
	wants(t, wire(0x88, 0x89), 0, "OPEN 0", "CLOSE")
	wants(t, wire(5, zeros, 0x81), 0, "INT 5")
	wants(t, wire(3, zeros, 0x82, "abc"), 0, `STRING "abc"`)
	wants(t, wire(4, zeros, 0x87), 1, `STRING "list"`)
	wants(t, wire(7, 0x88, 7, zeros, 0x89), 0, "OPEN 0", "CLOSE")
	wants(t, wire(9, zeros, 0x8E), 0, "PING 9")
	wants(t, wire(1, 0x84, "\x3f\xf8\x00\x00\x00\x00\x00\x00"), 0, "FLOAT 1.5")
}

func TestHeaderOf64BytesIsReadAnd65AreFatal(t *testing.T) {
	full := bytes.Repeat([]byte{0x7f}, 64)
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 448), big.NewInt(1))
	wants(t, wire(full, 0x81), 0, "INT "+most.String())
	wants(t, wire(full, 0x83), 0, "INT -"+most.String())
	wantFatal(t, wire(full, 0x7f, 0x81), "token prefix is limited to 64 bytes")
	// The 65th byte decides, not the type byte that never comes.
	wantFatal(t, wire(full, 0), "token prefix is limited to 64 bytes")
	wantFatal(t, wire(full, 0x82), "more than")
	wantFatal(t, wire(full, 0x88), "number of an OPEN")
	wantFatal(t, wire(full, 0x8D), "ERROR token")
	wantFatal(t, wire(full, 0x87), "vocabulary")
	wantFatal(t, wire(openToken(0), full, 0x89), "lost sync")
}

func TestIntegersOfEachTokenFoldToTheirValue(t *testing.T) {
	two63 := new(big.Int).Lsh(big.NewInt(1), 63)
	for _, c := range []struct {
		stream []byte
		want   any
	}{
		{wire(header(1<<31-1), 0x81), int64(1<<31 - 1)},
		{wire(header(1<<31), 0x83), int64(-1 << 31)},
		{wire(header(1<<40), 0x81), int64(1 << 40)},
		{wire(header(math.MaxInt64), 0x81), int64(math.MaxInt64)},
		{wire(header(1<<63), 0x81), two63},
		{wire(header(1<<63), 0x83), int64(math.MinInt64)},
		{wire(header(math.MaxUint64), 0x81), new(big.Int).SetUint64(math.MaxUint64)},
		{wire(header(1<<63+1), 0x83), new(big.Int).Neg(new(big.Int).SetUint64(1<<63 + 1))},
		{wire(1, 0x85, 5), int64(5)},
		{wire(3, 0x85, 0, 0, 5), int64(5)},
		{wire(1, 0x86, 5), int64(-5)},
		{wire(8, 0x85, "\x80\x00\x00\x00\x00\x00\x00\x00"), two63},
		{wire(8, 0x86, "\x80\x00\x00\x00\x00\x00\x00\x00"), int64(math.MinInt64)},
		{wire(8, 0x85, "\x7f\xff\xff\xff\xff\xff\xff\xff"), int64(math.MaxInt64)},
	} {
		tok, err := decoder(c.stream, 0, banana.Limits{}).Next()
		if err != nil {
			t.Errorf("% x: %v", c.stream, err)
			continue
		}
		switch want := c.want.(type) {
		case int64:
			if tok.Kind != banana.Int || tok.Int != want {
				t.Errorf("% x: got %v %d %v, want %d", c.stream, tok.Kind, tok.Int, tok.Big, want)
			}
		case *big.Int:
			if tok.Kind != banana.Big || tok.Big.Cmp(want) != 0 {
				t.Errorf("% x: got %v %d %v, want %v", c.stream, tok.Kind, tok.Int, tok.Big, want)
			}
		}
	}
}

func TestUnknownTokensAreFatal(t *testing.T) {
	for typ := 0x80; typ <= 0xff; typ++ {
		if known := typ >= 0x81 && typ <= 0x8f && typ != 0x8b && typ != 0x8c; known {
			continue
		}
		text := fmt.Sprintf("unknown token type 0x%02x", typ)
		if typ == 0x80 {
			text = "LIST token"
		}
		wantFatal(t, wire(typ), text)
		wantFatal(t, wire(openToken(0), str("list"), 1, typ), text)
	}
}

func TestVocabularyOutsideOfTheTableIsFatal(t *testing.T) {
	wantFatal(t, wire(25, 0x87), "no word number 25")
	if _, err := tokenise(t, decoder(wire(0x87), 0, banana.Limits{})); !banana.IsFatal(err) {
		t.Errorf("VOCAB with the empty table: %v, want fatal", err)
	}
}

func TestCloseMustCarryTheNumberOfItsOpen(t *testing.T) {
	wants(t, wire(openToken(99), str("list"), openToken(7), str("list"), closeToken(7), closeToken(99)), 0,
		"OPEN 0", `STRING "list"`, "OPEN 1", `STRING "list"`, "CLOSE", "CLOSE")
	wantFatal(t, wire(openToken(1), str("list"), closeToken(0)), "lost sync: CLOSE(0) where OPEN(1)")
	wantFatal(t, closeToken(0), "top-level must be OPEN, not CLOSE")
	wantFatal(t, wire(0, 0x8A), "ABORT outside of a message")
}

func TestAMessageBeginsWithOpen(t *testing.T) {
	big := wire(header(1<<20), 0x82) // a string larger than the limit below, whose body never comes
	for name, stream := range map[string][]byte{
		"INT": wire(1, 0x81), "STRING": str("x"), "VOCAB": wire(4, 0x87), "FLOAT": wire(0x84, "12345678"),
		"CLOSE": closeToken(0), "ABORT": wire(0, 0x8A),
		"a string beyond the limit": big, "an integer beyond the limit": wire(header(1<<20), 0x85),
	} {
		err := decoder(stream, 1, banana.Limits{String: 1000, LongInt: 1000}).NextMessage()
		var fatal *banana.ProtocolError
		if !errors.As(err, &fatal) {
			t.Errorf("%s: got %v, want a ProtocolError", name, err)
		}
	}
	d := decoder(wire(0x8E, 0x8F, list(0)), 1, banana.Limits{})
	if err := d.NextMessage(); err != nil || d.Depth() != 1 {
		t.Errorf("PING and PONG before a message: %v", err)
	}
}

func TestPingMayStandBetweenAnyTwoTokens(t *testing.T) {
	parts := [][]byte{openToken(0), str("list"), wire(5, 0x81), str("abc"), openToken(1), wire(4, 0x87),
		wire(0x84, "12345678"), wire(1, 0x85, 9), closeToken(1), closeToken(0)}
	plain, err := tokenise(t, decoder(bytes.Join(parts, nil), 1, banana.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(parts) + 1 {
		stream := bytes.Join(append(append([][]byte{}, parts[:i]...),
			append([][]byte{wire(header(300), 0x8E), {0x8F}, {0x8E}}, parts[i:]...)...), nil)
		got, err := tokenise(t, decoder(stream, 1, banana.Limits{}))
		want := append(append(append([]string{}, plain[:i]...), "PING 300", "PING 0"), plain[i:]...)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("PING before token %d:\ngot  %q, %v\nwant %q", i, got, err, want)
		}
	}
	// Between OPEN and its index token, as Index sees it.
	d := decoder(wire(openToken(0), 0x8E, str("list"), closeToken(0)), 1, banana.Limits{})
	pings := 0
	d.Ping = func(uint64) { pings++ }
	if err := d.NextMessage(); err != nil {
		t.Fatal(err)
	}
	if typ, err := d.Index(); typ != "list" || err != nil || pings != 1 {
		t.Errorf("Index gave %q, %v with %d pings", typ, err, pings)
	}
	wantFatal(t, wire(bytes.Repeat([]byte{0x7f}, 10), 0x8E), "number of a PING")
}

func TestIndexTokenIsAShortString(t *testing.T) {
	for _, c := range []struct {
		name   string
		index  []byte
		fatal  bool
		reason string
	}{
		{"INT", wire(1, 0x81), false, "must be a STRING, not INT"},
		{"CLOSE", closeToken(0), false, "must be a STRING, not CLOSE"},
		{"16 bytes", str("their-references"), false, "index token of 16 bytes, at most 15"},
		{"no UTF-8", str("\xff"), false, "UTF-8"},
		{"OPEN", openToken(1), true, "OPEN where the type of a sequence is due"},
	} {
		d := decoder(wire(openToken(0), c.index), 1, banana.Limits{})
		if err := d.NextMessage(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Index(); err == nil || banana.IsFatal(err) != c.fatal || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q, fatal %v", c.name, err, c.reason, c.fatal)
		}
	}
	for _, index := range [][]byte{str("their-reference"), wire(17, 0x87)} {
		d := decoder(wire(openToken(0), index), 1, banana.Limits{})
		d.NextMessage()
		if typ, err := d.Index(); typ != "their-reference" || err != nil {
			t.Errorf("% x: got %q, %v", index, typ, err)
		}
	}
}

func TestErrorTokenIsTheLastWordOfThePeer(t *testing.T) {
	for _, n := range []int{0, 1, 1000} {
		_, err := tokenise(t, decoder(wire(openToken(0), header(uint64(n)), 0x8D, strings.Repeat("e", n)), 0, banana.Limits{}))
		var peer *banana.PeerError
		if !errors.As(err, &peer) || len(peer.Text) != n || !banana.IsFatal(err) {
			t.Errorf("ERROR of %d bytes: got %v", n, err)
		}
	}
	wantFatal(t, wire(header(1001), 0x8D, strings.Repeat("e", 1001)), "more than 1000 bytes")
	_, err := tokenise(t, decoder(wire(4, 0x8D, "a\xffb\xfe"), 0, banana.Limits{}))
	var peer *banana.PeerError
	if !errors.As(err, &peer) || peer.Text != "a\uFFFDb\uFFFD" {
		t.Errorf("ERROR that is no UTF-8: got %v", err)
	}
}

// A peer that refuses the hello while we are through with the negotiation says so in plain text.
func TestRefusalInPlainTextIsNoLostSync(t *testing.T) {
	const long = "banana-decision-version: 1\r\nerror: internal server error, see logs\r\n\r\n"
	const short = "banana-decision-version: 1\r\nerror: Duplicate connection\r\n\r\n"
	for name, stream := range map[string][]byte{
		"longer than a header":         []byte(long),
		"shorter, then the end":        []byte(short),
		"shorter, then an ERROR token": wire(short, 3, 0x8D, "bad"),
		"twice":                        wire(short, long),
	} {
		err := decoder(stream, 1, banana.Limits{}).NextMessage()
		var peer *banana.PeerError
		if !errors.As(err, &peer) {
			t.Errorf("%s: got %v, want a PeerError", name, err)
		}
	}
	wantFatal(t, bytes.Repeat([]byte("x"), 70), "token prefix")
}

func TestEndOfTheStreamIsCleanOnlyBetweenMessages(t *testing.T) {
	whole := list(0, 5, 0x81, str("abc"), list(1, 2, 0x85, 1, 2), 0x84, "12345678", 0x8E, 4, 0x87)
	for n := range len(whole) + 1 {
		d := decoder(whole[:n], 1, banana.Limits{})
		err := d.NextMessage()
		for err == nil && d.Depth() > 0 {
			var tok banana.Token
			if tok, err = d.Next(); err == nil && tok.Kind == banana.String {
				_, err = d.Bytes()
			}
		}
		if err == nil {
			err = d.NextMessage()
		}
		want := io.ErrUnexpectedEOF
		if n == 0 || n == len(whole) {
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Errorf("the first %d of %d bytes: got %v, want %v", n, len(whole), err, want)
		}
	}
	// The end within a header, and within a body that nobody asked for.
	for _, stream := range [][]byte{{5}, wire(openToken(0), 9, 0x82, "abc"), wire(9, 0x8D, "abc")} {
		d := decoder(stream, 1, banana.Limits{})
		var err error
		for err == nil {
			_, err = d.Next()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("% x: got %v, want io.ErrUnexpectedEOF", stream, err)
		}
	}
}

func TestABodyThatIsNotReadIsSkipped(t *testing.T) {
	d := decoder(list(0, str("abcdef"), 7, 0x81), 0, banana.Limits{})
	for _, want := range []banana.Kind{banana.Open, banana.String, banana.String, banana.Int, banana.Close} {
		if tok, err := d.Next(); err != nil || tok.Kind != want {
			t.Fatalf("got %v, %v; want %v", tok.Kind, err, want)
		}
	}
}

func TestTextMustBeUTF8(t *testing.T) {
	d := decoder(list(0, str("caf\xe9"), str("café")), 0, banana.Limits{})
	d.NextMessage()
	d.Index()
	d.Next()
	var v *banana.Violation
	if _, err := d.Text(); !errors.As(err, &v) {
		t.Errorf("got %v, want a Violation", err)
	}
	d.Next()
	if s, err := d.Text(); s != "café" || err != nil {
		t.Errorf("behind it: %q, %v", s, err)
	}
}
