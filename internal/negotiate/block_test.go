package negotiate

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/recorded"
)

func TestBlockIsReadAsFoolscapReadsIt(t *testing.T) {
	for head, want := range map[string]block{
		"a: b\r\n\r\n":                 {"a": "b"},
		"a:b\r\n\r\n":                  {"a": "b"},
		"a:  \t b \r\n\r\n":            {"a": "b "},
		"a: b:c\r\n\r\n":               {"a": "b:c"},
		"A-Key: b\r\n\r\n":             {"a-key": "b"},
		"a: 1\r\nA: 2\r\n\r\n":         {"a": "2"},
		"z: 1\r\na: 2\r\n\r\n":         {"z": "1", "a": "2"},
		"a:\r\n\r\n":                   {"a": ""},
		"a: b\nc: d\r\n\r\n":           {"a": "b\nc: d"},
		"a: caf\u00e9\r\n\r\n":         {"a": "café"},
		"unknown: x\r\na: \r\n\r\n":    {"unknown": "x", "a": ""},
		"a: \u00a0\u2003\v\fb\r\n\r\n": {"a": "b"}, // any white space, as Python's lstrip
		"\r\n":                         {},
	} {
		if got, err := parseBlock(head); err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: got %q, %v; want %q", head, got, err, want)
		}
	}
	for _, head := range []string{"no colon\r\n\r\n", "a: b\r\nno colon\r\n\r\n", "a: \xff\r\n\r\n", "\xff: a\r\n\r\n"} {
		if got, err := parseBlock(head); err == nil {
			t.Errorf("%q: got %q, want an error", head, got)
		}
	}
}

func TestBlockIsWrittenWithItsKeysAscending(t *testing.T) {
	got := block{"b": "2", "a": "1", "c-d": "x y"}.String()
	if want := "a: 1\r\nb: 2\r\nc-d: x y\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

const anID = "4kstcuupp6vhd5s5sjbylgmt6qw5yh3y"

func TestHelloIsCheckedInTheOrderOfTheProtocol(t *testing.T) {
	with := func(change block) block {
		b := block{keyRange: "3 3", keyVocabRange: "0 1", keyTubID: anID, keyIncarnation: "0123456789abcdef"}
		for k, v := range change {
			b[k] = v
			if v == "-" {
				delete(b, k)
			}
		}
		return b
	}
	for name, c := range map[string]struct {
		change block
		said   string // what the peer is told; empty: it is fine
	}{
		"ours":                    {nil, ""},
		"up to a later version":   {block{keyRange: "1 99"}, ""},
		"from this version":       {block{keyRange: "3 4"}, ""},
		"only later versions":     {block{keyRange: "4 9"}, "You can't handle banana version 3"},
		"only earlier versions":   {block{keyRange: "1 2"}, "I can't handle banana version 2"},
		"a range backwards":       {block{keyRange: "5 2"}, "I can't handle banana version 2"},
		"no range":                {block{keyRange: "-"}, "No valid banana-negotiation sequence seen"},
		"the version of 0.0.5":    {block{keyRange: "-", keyOldVersion: "1"}, "Peer is speaking foolscap-0.0.5 or earlier, which is not compatible with this version"},
		"one number":              {block{keyRange: "3"}, generic},
		"three numbers":           {block{keyRange: "3 3 3"}, generic},
		"no numbers":              {block{keyRange: "a b"}, generic},
		"an empty range":          {block{keyRange: ""}, generic},
		"a number without end":    {block{keyRange: "3 " + strings.Repeat("9", 400)}, generic},
		"bad vocabulary":          {block{keyVocabRange: "0"}, generic},
		"no vocabulary":           {block{keyVocabRange: "-"}, ""},
		"forced":                  {block{keyForced: "True"}, generic},
		"not forced":              {block{keyForced: "False"}, ""},
		"unknown keys":            {block{"zzz": "1"}, ""},
		"no incarnation, no last": {block{keyIncarnation: "-"}, ""},
		"no TubID":                {block{keyTubID: "-"}, ""}, // found later: it differs from the certificate's
	} {
		h, err := parseHello(with(c.change))
		if (err == nil) != (c.said == "") || err != nil && textFor(err) != c.said {
			t.Errorf("%s: got %v, the peer is told %q; want %q", name, err, textFor(err), c.said)
		}
		if err == nil && c.change == nil && (h.tubID != anID || h.offer.Incarnation != "0123456789abcdef" || h.vocabMax != 1) {
			t.Errorf("%s: got %+v", name, h)
		}
	}
	var refused *RefusedError
	if _, err := parseHello(with(block{keyError: "go away", keyRange: "-"})); !errors.As(err, &refused) || refused.Text != "go away" {
		t.Errorf("an error instead of a hello: got %v", err)
	}
}

func TestDecisionTakesTheGreatestCommonVocabulary(t *testing.T) {
	for _, c := range []struct {
		min, max, want int
		said           string
	}{
		{0, 0, 0, ""}, {0, 1, 1, ""}, {1, 1, 1, ""}, {0, 9, 1, ""}, {1, 9, 1, ""},
		{2, 9, 0, "You can't handle initial vocab set 1"},
		{-5, -2, 0, "I can't handle initial vocab set -2"},
		{1, 0, 0, "You can't handle initial vocab set 0"},
	} {
		got, err := decide(&hello{vocabMin: c.min, vocabMax: c.max})
		if got != c.want || (err == nil) != (c.said == "") || err != nil && textFor(err) != c.said {
			t.Errorf("%d to %d: got %d, %v; want %d, %q", c.min, c.max, got, err, c.want, c.said)
		}
	}
}

func TestDecisionIsChecked(t *testing.T) {
	const name = "dbdb5375855786de 1"
	for name, c := range map[string]struct {
		b       block
		current string
		vocab   int
		said    string
	}{
		"ours":               {decisionBlock(name, 1), name, 1, ""},
		"no vocabulary":      {block{keyDecision: "3", keyCurrent: name}, name, 0, ""},
		"hash of table 0":    {block{keyDecision: "3", keyVocabIndex: "0 ffff"}, "", 0, ""},
		"table 0, no hash":   {block{keyDecision: "3", keyVocabIndex: "0"}, "", 0, ""},
		"no name":            {block{keyDecision: "3", keyVocabIndex: "1 bb33"}, "", 1, ""},
		"white space":        {block{keyDecision: "3 ", keyVocabIndex: " 1  bb33 "}, "", 1, ""},
		"no version":         {block{keyCurrent: name}, "", 0, "No banana-decision-version value"},
		"version 4":          {block{keyDecision: "4"}, "", 0, "I can't handle banana version 4"},
		"a version we lack":  {block{keyDecision: "2"}, "", 0, "I can't handle banana version 2"}, // we offered 3 alone
		"no number":          {block{keyDecision: "x"}, "", 0, "I can't handle banana version x"},
		"table 2":            {block{keyDecision: "3", keyVocabIndex: "2 abcd"}, "", 0, "I can't handle initial vocab table index 2"},
		"table -1":           {block{keyDecision: "3", keyVocabIndex: "-1 abcd"}, "", 0, "I can't handle initial vocab table index -1"},
		"table x":            {block{keyDecision: "3", keyVocabIndex: "x"}, "", 0, "I can't handle initial vocab table index x"},
		"another hash":       {block{keyDecision: "3", keyVocabIndex: "1 abcd"}, "", 0, "Our hash for vocab-table-index 1 (bb33) does not match your hash (abcd)"},
		"no hash":            {block{keyDecision: "3", keyVocabIndex: "1"}, "", 0, "Our hash for vocab-table-index 1 (bb33) does not match your hash ()"},
		"a name of one word": {block{keyDecision: "3", keyCurrent: "one"}, "", 0, generic},
		"a name of three":    {block{keyDecision: "3", keyCurrent: "a b c"}, "", 0, generic},
	} {
		current, vocab, err := parseDecision(c.b)
		if c.said != "" {
			if err == nil || textFor(err) != c.said {
				t.Errorf("%s: got %v, the peer is told %q; want %q", name, err, textFor(err), c.said)
			}
			continue
		}
		if err != nil || current != c.current || vocab != c.vocab {
			t.Errorf("%s: got %q, %d, %v; want %q, %d", name, current, vocab, err, c.current, c.vocab)
		}
	}
	var refused *RefusedError
	_, _, err := parseDecision(block{keyDecision: "1", keyError: "Duplicate connection"})
	if !errors.As(err, &refused) || refused.Text != "Duplicate connection" {
		t.Errorf("an error instead of a decision: got %v", err)
	}
}

func TestOnlyReasonsOfOurOwnAreTold(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("open /home/x/key.pem"):         generic,
		fmt.Errorf("x: %w", ErrWrongTub):           generic,
		errHeadTooLong:                             generic,
		fmt.Errorf("storing: %w", ErrDuplicate):    "Duplicate connection",
		errSelf:                                    "both sides have the same TubID",
		saidf("I can't handle x\r\nerror: %d", 12): "I can't handle x  error: 12",
	} {
		if got := oneLine(textFor(err)); got != want {
			t.Errorf("%v: the peer is told %q, want %q", err, got, want)
		}
	}
}

var talks = []string{"t01", "t02", "t07", "t08", "t09", "t10", "t11", "t12_hello_lies", "t12_wrong_cert_client_master",
	"t12_wrong_cert_client_slave", "t13_redirect_client_302", "t13_redirect_client_303", "t13_redirect_server"}

// What Foolscap said with some values is, byte for byte, what we say with them.
func TestWeSpeakAsRecorded(t *testing.T) {
	hellos, decisions, errs, requests := 0, 0, 0, 0
	for _, name := range talks {
		c := recorded.Transcript(t, name)
		for _, sent := range append(c.Sent("block"), c.Sent("plain")...) {
			head := string(sent)
			var ours string
			switch b, _ := parseBlock(head); {
			case strings.HasPrefix(head, "GET "):
				requests++
				id, ok := ParseRequest(sent)
				_, host, _ := strings.Cut(head, "Host: ")
				host, _, _ = strings.Cut(host, "\r\n")
				if _, err := netip.ParseAddr(host); !ok || err != nil {
					t.Errorf("%s: cannot read %q", name, head)
				}
				ours = Request(id, host)
			case strings.HasPrefix(head, "HTTP/1.1 101"):
				ours = Switching
			case strings.HasPrefix(head, "HTTP/1.1 500"):
				_, text, _ := strings.Cut(head, "Error: ")
				text = strings.TrimSuffix(text, "\r\n\r\n")
				if id, ok := strings.CutPrefix(text, "unknown TubID "); ok {
					text = UnknownTub(id)
				} else if text != generic {
					t.Errorf("%s: unknown refusal %q", name, text)
				}
				ours = Refusal(text)
			case strings.HasPrefix(head, "HTTP/"):
				continue // a web server's
			case b[keyError] != "":
				errs++
				ours = block{keyDecision: "1", keyError: b[keyError]}.String()
				if text := b[keyError]; text != generic && text != ErrDuplicate.Error() &&
					text != textFor(first(parseHello(block{}))) {
					t.Errorf("%s: unknown error %q", name, text)
				}
			case b[keyRange] != "":
				hellos++
				h, err := parseHello(b)
				if err != nil {
					t.Errorf("%s: %q: %v", name, head, err)
					continue
				}
				side := &Side{TubID: h.tubID, Incarnation: h.offer.Incarnation}
				ours = side.helloBlock(h.offer.LastConnection).String()
			default:
				decisions++
				current, vocab, err := parseDecision(b)
				if err != nil || vocab != 1 {
					t.Errorf("%s: %q: vocabulary %d, %v", name, head, vocab, err)
				}
				ours = decisionBlock(current, vocab).String()
			}
			if ours != head {
				t.Errorf("%s:\nwe say       %q\nFoolscap has %q", name, ours, head)
			}
		}
	}
	if hellos < 20 || decisions < 8 || errs < 6 || requests < 10 {
		t.Errorf("only %d hellos, %d decisions, %d errors, %d requests were seen", hellos, decisions, errs, requests)
	}
}

func first(_ *hello, err error) error { return err }

func TestVocabularyOfADecisionExists(t *testing.T) {
	for i, v := range banana.Vocabs {
		if got := decisionBlock("a 1", i)[keyVocabIndex]; got != fmt.Sprintf("%d %s", i, v.Hash()) {
			t.Errorf("table %d is announced as %q", i, got)
		}
	}
}
