package banana_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/big"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/recorded"
)

// FuzzDecoder reads whatever comes as a Link would: never a panic, never more memory than arrived.
func FuzzDecoder(f *testing.F) {
	for _, s := range recorded.Streams(f) {
		f.Add(s, byte(0))
		f.Add(s, byte(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, vocab byte) {
		const room = 256 << 10
		limits := banana.Limits{Depth: 50, String: 1 << 20, LongInt: 1 << 10, Message: 2 << 20}
		d := decoder(stream, int(vocab&1), limits)
		tokens := 0
		d.Ping = func(uint64) { tokens++ }
		took := allocated(func() {
			for {
				err := d.NextMessage()
				for err == nil && d.Depth() > 0 {
					tokens++
					var tok banana.Token
					if tok, err = d.Next(); err == nil && tok.Kind == banana.String && tokens%3 > 0 {
						_, err = d.Bytes()
					}
					if d.Depth() > limits.Depth+1 {
						t.Fatalf("depth %d", d.Depth())
					}
				}
				if !banana.IsFatal(err) {
					err = d.Unwind(0)
				}
				if err != nil {
					checkEnd(t, d, stream, err)
					return
				}
			}
		})
		if tokens > len(stream) {
			t.Fatalf("%d tokens in %d bytes", tokens, len(stream))
		}
		if most := uint64(room + 128*len(stream)); took > most {
			t.Fatalf("%d bytes took %d bytes of memory", len(stream), took)
		}
	})
}

func checkEnd(t *testing.T, d *banana.Decoder, stream []byte, err error) {
	t.Helper()
	var fatal *banana.ProtocolError
	var peer *banana.PeerError
	switch {
	case errors.Is(err, io.EOF):
		if d.Depth() != 0 {
			t.Fatalf("io.EOF with %d sequences open", d.Depth())
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		if len(stream) == 0 {
			t.Fatal("nothing cannot end unexpectedly")
		}
	case errors.As(err, &fatal), errors.As(err, &peer):
	default:
		t.Fatalf("an error of no known kind: %v", err)
	}
}

// FuzzRoundTrip writes a message that its input describes and reads it back.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range recorded.Streams(f) {
		f.Add(s, uint32(len(s)))
	}
	f.Fuzz(func(t *testing.T, recipe []byte, base uint32) {
		vocab := int(base & 1)
		e := banana.NewEncoder(banana.Vocabs[vocab])
		var want []func(*testing.T, *banana.Decoder, banana.Token)
		expect := func(kind banana.Kind, check func(banana.Token) bool) {
			want = append(want, func(t *testing.T, _ *banana.Decoder, tok banana.Token) {
				if tok.Kind != kind || check != nil && !check(tok) {
					t.Fatalf("token %d: got %+v, want %v", len(want), tok, kind)
				}
			})
		}
		expectText := func(s string) {
			want = append(want, func(t *testing.T, d *banana.Decoder, tok banana.Token) {
				b, err := d.Bytes()
				if tok.Kind != banana.String || err != nil || string(b) != s || tok.Size != uint64(len(s)) {
					t.Fatalf("got %+v %q %v, want %q", tok, b, err, s)
				}
			})
		}
		open := func(typ string) {
			n := e.Open(typ)
			expect(banana.Open, func(tok banana.Token) bool { return tok.Num == n })
			expectText(typ)
		}
		open("list")
		r := bytes.NewReader(recipe)
		word := func() uint64 {
			var b [8]byte
			r.Read(b[:])
			return binary.LittleEndian.Uint64(b[:])
		}
		for r.Len() > 0 {
			what, _ := r.ReadByte()
			switch what % 7 {
			case 0:
				v := int64(word()) >> (what / 4)
				e.Int(v)
				expect(banana.Int, func(tok banana.Token) bool { return tok.Int == v })
			case 1:
				v := new(big.Int).Lsh(new(big.Int).SetUint64(word()|1), 63+uint(what))
				if what&64 != 0 {
					v.Neg(v)
				}
				e.Big(v)
				expect(banana.Big, func(tok banana.Token) bool { return tok.Big.Cmp(v) == 0 })
			case 2:
				v := math.Float64frombits(word())
				e.Float(v)
				expect(banana.Float, func(tok banana.Token) bool {
					return math.Float64bits(tok.Float) == math.Float64bits(v)
				})
			case 3:
				b := make([]byte, what)
				n, _ := r.Read(b)
				e.Bytes(b[:n])
				expectText(string(b[:n]))
			case 4:
				open([]string{"list", "copyable", "a"}[int(what)%3])
			case 5:
				if e.Depth() > 1 {
					e.Close()
					expect(banana.Close, nil)
				}
			case 6:
				n := uint64(what) % e.Opens()
				own := e.Opens()
				e.Reference(n)
				expect(banana.Open, func(tok banana.Token) bool { return tok.Num == own })
				expectText("reference")
				expect(banana.Int, func(tok banana.Token) bool { return tok.Int == int64(uint64(base)+n) })
				expect(banana.Close, nil)
			}
		}
		for e.Depth() > 0 {
			e.Close()
			expect(banana.Close, nil)
		}
		stream := e.AppendTo(nil, uint64(base), nil)
		d := banana.NewDecoder(bufio.NewReader(bytes.NewReader(stream)), banana.Vocabs[vocab], banana.Limits{Depth: 1 << 20})
		for _, check := range want {
			tok, err := d.Next()
			if err != nil {
				t.Fatal(err)
			}
			check(t, d, tok)
		}
		if _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the message: %v", err)
		}
		if d.Depth() != 0 {
			t.Fatalf("%d sequences open", d.Depth())
		}
	})
}
