package banana_test

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
)

func TestWordsAreReplacedEverywhere(t *testing.T) {
	for vocab, want := range [][]byte{
		wire(0, 0x88, str("list"), str("dict"), str("call"), str("listed"), 0, 0x89),
		wire(0, 0x88, 4, 0x87, 3, 0x87, 11, 0x87, str("listed"), 0, 0x89),
	} {
		e := banana.NewEncoder(banana.Vocabs[vocab])
		e.Open("list")
		e.Text("dict")
		e.Bytes([]byte("call"))
		e.Text("listed")
		e.Close()
		if got := e.AppendTo(nil, 0, nil); !bytes.Equal(got, want) {
			t.Errorf("table %d: got %x, want %x", vocab, got, want)
		}
	}
}

func TestNumbersCountFromThePlaceInTheStream(t *testing.T) {
	e := banana.NewEncoder(banana.Vocabs[1])
	e.Open("list")
	inner := e.Open("list")
	e.Close()
	e.Reference(inner)
	e.Close()
	if e.Opens() != 3 || e.Depth() != 0 {
		t.Fatalf("%d OPENs, depth %d", e.Opens(), e.Depth())
	}
	for _, base := range []uint64{0, 1, 127, 128, 1 << 20, 1<<31 - 1} {
		want := wire("before", openToken(base), 4, 0x87, openToken(base+1), 4, 0x87, closeToken(base+1),
			openToken(base+2), 2, 0x87, header(base+1), 0x81, closeToken(base+2), closeToken(base))
		if got := e.AppendTo([]byte("before"), base, nil); !bytes.Equal(got, want) {
			t.Errorf("base %d: got %x, want %x", base, got, want)
		}
	}
}

func TestLateTokensAreAskedForInOrder(t *testing.T) {
	e := banana.NewEncoder(banana.Vocabs[1])
	e.Open("list")
	e.Late("a")
	e.Int(1)
	e.Late("b")
	e.Close()
	e.Late("c")
	got := e.AppendTo(nil, 0, func(dst []byte, late any) []byte { return banana.AppendString(dst, late.(string)) })
	want := wire(0, 0x88, 4, 0x87, str("a"), 1, 0x81, str("b"), 0, 0x89, str("c"))
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestAnUnclosedMessageCannotBeSent(t *testing.T) {
	e := banana.NewEncoder(nil)
	e.Open("list")
	defer func() {
		if recover() == nil {
			t.Error("AppendTo took a message with an open sequence")
		}
	}()
	e.AppendTo(nil, 0, nil)
}

func TestResetForgetsEverything(t *testing.T) {
	e := banana.NewEncoder(banana.Vocabs[1])
	e.Open("list")
	e.Late("gone")
	e.Reset(nil)
	e.Text("list")
	if got := e.AppendTo(nil, 0, nil); !bytes.Equal(got, str("list")) || e.Opens() != 0 || e.Depth() != 0 {
		t.Errorf("got %x, %d OPENs, depth %d", got, e.Opens(), e.Depth())
	}
}

// The form is the least that Foolscap's readers take: INT and NEG to 31 bits, then no leading zeros.
func TestIntegersTakeTheShortestForm(t *testing.T) {
	for v, want := range map[int64][]byte{
		0: {0, 0x81}, 127: {127, 0x81}, 128: {0, 1, 0x81}, -1: {1, 0x83},
		1<<31 - 1:     wire(header(1<<31-1), 0x81),
		1 << 31:       wire(4, 0x85, "\x80\x00\x00\x00"),
		-1 << 31:      wire(header(1<<31), 0x83),
		-1<<31 - 1:    wire(4, 0x86, "\x80\x00\x00\x01"),
		math.MaxInt64: wire(8, 0x85, "\x7f\xff\xff\xff\xff\xff\xff\xff"),
		math.MinInt64: wire(8, 0x86, "\x80\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if got := banana.AppendInt(nil, v); !bytes.Equal(got, want) {
			t.Errorf("%d: got %x, want %x", v, got, want)
		}
		e := banana.NewEncoder(nil)
		e.Big(big.NewInt(v))
		if got := e.AppendTo(nil, 0, nil); !bytes.Equal(got, want) {
			t.Errorf("Big %d: got %x, want %x", v, got, want)
		}
	}
	e := banana.NewEncoder(nil)
	e.Uint(math.MaxUint64)
	if got, want := e.AppendTo(nil, 0, nil), wire(8, 0x85, strings.Repeat("\xff", 8)); !bytes.Equal(got, want) {
		t.Errorf("Uint: got %x, want %x", got, want)
	}
}

func TestErrorTextIsCutTo1000Bytes(t *testing.T) {
	got := banana.AppendError(nil, strings.Repeat("x", 2000))
	if want := wire(header(1000), 0x8D, strings.Repeat("x", 1000)); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	got = banana.AppendError(nil, "x"+strings.Repeat("é", 1000))
	if want := wire(header(999), 0x8D, "x"+strings.Repeat("é", 499)); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes that end in % x, want %d", len(got), got[len(got)-4:], len(want))
	}
	if got := banana.AppendError(nil, strings.Repeat("\x80", 2000)); len(got) > 1004 {
		t.Errorf("text without a character to cut at: %d bytes", len(got))
	}
}
