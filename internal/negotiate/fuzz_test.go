package negotiate

import (
	"bufio"
	"bytes"
	"maps"
	"strings"
	"testing"
	"unicode"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/recorded"
)

func seed(f *testing.F, kinds ...string) {
	f.Helper()
	for _, name := range recorded.Transcripts(f) {
		for _, kind := range kinds {
			for _, b := range recorded.Transcript(f, name).Sent(kind) {
				f.Add(b)
			}
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	seed(f, "plain")
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		readAnswer(bufio.NewReader(bytes.NewReader(head)))
		id, ok := ParseRequest(head)
		if !ok {
			return
		}
		if strings.ContainsFunc(id, unicode.IsSpace) {
			t.Fatalf("TubID %q", id)
		}
		if again, ok := ParseRequest([]byte(Request(id, "h"))); !ok || again != id {
			t.Fatalf("asked for %q, read %q", id, again)
		}
		if n := strings.Count(Refusal(UnknownTub(id)), "\r\n"); n != 2 {
			t.Fatalf("a refusal of %d lines", n)
		}
	})
}

func FuzzParseBlock(f *testing.F) {
	seed(f, "block")
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := readHead(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		if len(head) > MaxHead {
			t.Fatalf("a head of %d bytes", len(head))
		}
		b, err := parseBlock(head)
		if err != nil {
			return
		}
		if again, err := parseBlock(b.String()); err != nil || !maps.Equal(again, b) {
			t.Fatalf("%q was written as %q and read as %q, %v", b, b.String(), again, err)
		}
		if h, err := parseHello(b); err == nil {
			vocab, err := decide(h)
			if vocab < 0 || vocab > maxVocab || err == nil && (vocab < h.vocabMin || vocab > h.vocabMax) {
				t.Fatalf("%q: vocabulary %d, %v", b, vocab, err)
			}
		}
		if current, vocab, err := parseDecision(b); err == nil {
			if vocab < 0 || vocab >= len(banana.Vocabs) || current != "" && len(strings.Fields(current)) != 2 {
				t.Fatalf("%q: %q, vocabulary %d", b, current, vocab)
			}
		}
	})
}
