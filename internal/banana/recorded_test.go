package banana_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/recorded"
)

var (
	numbered = regexp.MustCompile(`^(OPEN|CLOSE|ABORT|PING|PONG|INT|NEG)\((-?\d+)\)$`)
	long     = regexp.MustCompile(`^LONG(?:INT|NEG)\(\d+ bytes\) (\S+)$`)
	word     = regexp.MustCompile(`^VOCAB\(\d+\)=(.*)$`)
	float    = regexp.MustCompile(`^FLOAT\((.*)\)$`)
	text     = regexp.MustCompile(`(?s)^(STRING|ERROR)\(\d+\) (.*)$`)
)

// expected is a recorded token as render writes it: "" is one that a Decoder swallows. The recordings
// leave out the end of long bodies; then whole is false.
func expected(t testing.TB, tok string) (want string, whole bool) {
	t.Helper()
	if m := numbered.FindStringSubmatch(tok); m != nil {
		switch m[1] {
		case "INT", "NEG":
			return "INT " + m[2], true
		case "PONG":
			return "", true
		case "CLOSE", "ABORT":
			return m[1], true
		}
		return m[1] + " " + m[2], true
	}
	if m := long.FindStringSubmatch(tok); m != nil {
		return "INT " + m[1], !strings.HasPrefix(m[1], "0x")
	}
	if m := word.FindStringSubmatch(tok); m != nil {
		return "STRING " + strconv.Quote(m[1]), true
	}
	if m := float.FindStringSubmatch(tok); m != nil {
		f, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return "FLOAT " + strconv.FormatFloat(f, 'g', -1, 64), true
	}
	if m := text.FindStringSubmatch(tok); m != nil {
		body := m[2]
		if cut := strings.TrimSuffix(body, "...'"); cut != body {
			return m[1] + " " + strings.TrimSuffix(strconv.Quote(pythonBytes(t, cut+"'")), `"`), false
		}
		return m[1] + " " + strconv.Quote(pythonBytes(t, body)), true
	}
	t.Fatalf("recorded token %q", tok)
	return "", false
}

// pythonBytes is the value of a bytes literal as Python's repr writes it.
func pythonBytes(t testing.TB, literal string) string {
	t.Helper()
	var out []byte
	for s := literal[2 : len(literal)-1]; s != ""; s = s[1:] {
		if s[0] != '\\' {
			out = append(out, s[0])
			continue
		}
		s = s[1:]
		switch s[0] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'x':
			n, err := strconv.ParseUint(s[1:3], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			out, s = append(out, byte(n)), s[2:]
		default:
			out = append(out, s[0])
		}
	}
	return string(out)
}

func matches(t testing.TB, got, recorded string) bool {
	t.Helper()
	want, whole := expected(t, recorded)
	if whole {
		return got == want
	}
	if hex, ok := strings.CutPrefix(want, "INT 0x"); ok {
		n, _ := new(big.Int).SetString(strings.TrimPrefix(got, "INT "), 10)
		return n != nil && strings.HasPrefix(fmt.Sprintf("%x", n.Bytes()), strings.TrimRight(hex, "."))
	}
	return strings.HasPrefix(got, want)
}

func compare(t *testing.T, v recorded.Vector, got []string) {
	t.Helper()
	for _, tok := range v.Tokens {
		if want, _ := expected(t, tok); want == "" {
			continue
		}
		if len(got) == 0 || !matches(t, got[0], tok) {
			t.Errorf("%s: got %.200q, want %.200q", v.ID, got, tok)
			return
		}
		got = got[1:]
	}
	if len(got) != 0 {
		t.Errorf("%s: %q too many", v.ID, got)
	}
}

// base is the number that the peer's first OPEN has on the wire.
func base(t testing.TB, v recorded.Vector) uint64 {
	t.Helper()
	m := numbered.FindStringSubmatch(v.Tokens[0])
	if m == nil {
		t.Fatalf("%s begins with %s", v.ID, v.Tokens[0])
	}
	n, _ := strconv.ParseUint(m[2], 10, 64)
	return n
}

// after is what the stream must have brought before, so that a Decoder counts as the recording did.
func after(n uint64) (stream []byte, tokens int) {
	for i := range n {
		stream = append(stream, list(i)...)
	}
	return stream, int(n) * 3 // OPEN, its type, CLOSE
}

func TestEverySingleTokenReadsAsRecorded(t *testing.T) {
	for _, v := range recorded.Vectors(t, "tokens") {
		stream, skip := []byte(v.Bytes), 0
		kind, _, _ := strings.Cut(v.Tokens[0], "(")
		switch kind {
		case "CLOSE", "ABORT": // need what they end
			stream, skip = wire(openToken(base(t, v)), stream), 1
		case "OPEN":
			// A Decoder returns its own count, here 0; that it read the number shows at CLOSE.
			stream = wire(stream, closeToken(base(t, v)))
			v.Tokens = []string{"OPEN(0)", "CLOSE(0)"}
		}
		got, err := tokenise(t, decoder(wire(stream), v.Vocab, banana.Limits{}))
		switch kind {
		case "ERROR":
			var peer *banana.PeerError
			if !errors.As(err, &peer) || peer.Text != "you lose" {
				t.Errorf("%s: got %v", v.ID, err)
			}
			continue
		case "ABORT":
			if len(got) != 2 || got[1] != "ABORT" {
				t.Errorf("%s: got %q, %v", v.ID, got, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		compare(t, v, got[skip:])
	}
}

func TestEverySingleTokenIsWrittenAsRecorded(t *testing.T) {
	for _, v := range recorded.Vectors(t, "tokens") {
		var got []byte
		tok := v.Tokens[0]
		want, whole := expected(t, tok)
		kind, _, _ := strings.Cut(tok, "(")
		e := banana.NewEncoder(banana.Vocabs[v.Vocab])
		switch kind {
		case "ABORT": // never sent: a message that cannot be encoded has not touched the wire
			continue
		case "OPEN", "CLOSE":
			n := base(t, v)
			e.Open("list")
			e.Close()
			all := e.AppendTo(nil, n, nil)
			if kind == "OPEN" {
				got = all[:len(v.Bytes)]
			} else {
				got = all[len(all)-len(v.Bytes):]
			}
		case "PING":
			got = banana.AppendPing(nil, base(t, v))
		case "PONG":
			got = banana.AppendPong(nil, base(t, v))
		case "ERROR":
			got = banana.AppendError(nil, "you lose")
		case "VOCAB":
			e.Text(strings.Trim(strings.TrimPrefix(want, "STRING "), `"`))
			got = e.AppendTo(nil, 0, nil)
		default:
			d := decoder(v.Bytes, v.Vocab, banana.Limits{})
			read, err := d.Next()
			if err != nil {
				t.Fatal(err)
			}
			write(t, e, d, read)
			got = e.AppendTo(nil, 0, nil)
			if number, ok := strings.CutPrefix(want, "INT "); ok && whole {
				// Also from the value itself, not only from what was read.
				n, _ := new(big.Int).SetString(number, 10)
				e.Reset(banana.Vocabs[v.Vocab])
				e.Big(n)
				if !bytes.Equal(e.AppendTo(nil, 0, nil), v.Bytes) {
					t.Errorf("%s: Big writes %x, want %x", v.ID, e.AppendTo(nil, 0, nil), v.Bytes)
				}
			}
		}
		if !bytes.Equal(got, v.Bytes) {
			t.Errorf("%s: wrote %.80x, want %.80x", v.ID, got, v.Bytes)
		}
	}
}

// write puts a token that is no OPEN and no CLOSE into e.
func write(t testing.TB, e *banana.Encoder, d *banana.Decoder, tok banana.Token) {
	t.Helper()
	switch tok.Kind {
	case banana.Int:
		e.Int(tok.Int)
	case banana.Big:
		e.Big(tok.Big)
	case banana.Float:
		e.Float(tok.Float)
	case banana.String:
		b, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		e.Bytes(b)
	default:
		t.Fatalf("cannot write %v", tok.Kind)
	}
}

var messages = []string{"call_values", "calls", "answers_errors", "references"}

func TestEveryMessageReadsAsRecorded(t *testing.T) {
	for _, name := range messages {
		for _, v := range recorded.Vectors(t, name) {
			before, skip := after(base(t, v))
			got, err := tokenise(t, decoder(wire(before, []byte(v.Bytes)), v.Vocab, banana.Limits{}))
			if err != nil {
				t.Errorf("%s: %v", v.ID, err)
				continue
			}
			compare(t, v, got[skip:])
		}
	}
}

// The numbers of OPENs and the targets of references come from the place of the message in the stream.
func TestEveryMessageIsWrittenAsRecorded(t *testing.T) {
	for _, name := range messages {
		for _, v := range recorded.Vectors(t, name) {
			for _, b := range []recorded.Bytes{v.Bytes, v.Answer, v.Request} {
				if len(b) == 0 || strings.Contains(strings.Join(v.Tokens, " "), "ABORT") {
					continue // an Encoder has no ABORT
				}
				from := base(t, v)
				if &b[0] != &v.Bytes[0] {
					from = 0
				}
				if got := again(t, b, v.Vocab, from); !bytes.Equal(got, b) {
					t.Errorf("%s:\nwrote %x\nwant  %x", v.ID, got, b)
				}
			}
		}
	}
}

// again reads a message and writes it token for token.
func again(t testing.TB, stream []byte, vocab int, base uint64) []byte {
	t.Helper()
	d := decoder(stream, vocab, banana.Limits{})
	e := banana.NewEncoder(banana.Vocabs[vocab])
	if err := d.NextMessage(); err != nil {
		t.Fatal(err)
	}
	for tok := (banana.Token{Kind: banana.Open}); ; {
		switch tok.Kind {
		case banana.Open:
			typ, err := d.Index()
			if err != nil {
				t.Fatal(err)
			}
			if typ == "reference" {
				target, err := d.Next()
				if err != nil {
					t.Fatal(err)
				}
				e.Reference(uint64(target.Int) - base)
				if tok, err = d.Next(); err != nil || tok.Kind != banana.Close {
					t.Fatalf("%v, %v behind a reference", tok, err)
				}
				break
			}
			e.Open(typ)
		case banana.Close:
			e.Close()
			if d.Depth() == 0 {
				return e.AppendTo(nil, base, nil)
			}
		default:
			write(t, e, d, tok)
		}
		var err error
		if tok, err = d.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVocabularyHashesAreTheRecordedOnes(t *testing.T) {
	for i, v := range banana.Vocabs {
		if got, want := v.Hash(), recorded.TheMisc(t).VocabHash[strconv.Itoa(i)]; got != want {
			t.Errorf("table %d has the hash %s, want %s", i, got, want)
		}
	}
}
