package tub_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/tub"
)

// beside returns a check that the Tub still serves others while strangers
// misbehave, both over an old connection and over a new one.
func beside(t *testing.T, tb *tub.Tub) (check func(what string)) {
	t.Helper()
	furl := must(tb.Register(new(calculator), ""))
	old := must(start(t).GetReference(within(t), furl))
	return func(what string) {
		t.Helper()
		if got, err := tub.Call[int](within(t), old, "add", 1, 2); err != nil || got != 3 {
			t.Errorf("%s: an old connection: %v, %v", what, got, err)
		}
		fresh, err := start(t).GetReference(within(t), furl)
		if err != nil {
			t.Errorf("%s: a new connection: %v", what, err)
			return
		}
		if got, err := tub.Call[int](within(t), fresh, "add", 1, 2); err != nil || got != 3 {
			t.Errorf("%s: a new connection: %v, %v", what, got, err)
		}
	}
}

func TestStrangersDisturbNobody(t *testing.T) {
	tb := start(t)
	check := beside(t, tb)
	for name, first := range map[string]string{
		"says nothing":       "",
		"sends garbage":      "\x16\x03garbage\x00\xff\r\n\r\n",
		"asks for another":   negotiate.Request("nrbnw54cex5bnrldlcaxnvzuvodiy4wn", "h"),
		"asks for none":      negotiate.Request("", "h"),
		"asks and stays":     negotiate.Request(tb.ID(), "h"),
		"asks and hurries":   negotiate.Request(tb.ID(), "h") + "\x16\x03\x01",
		"never ends its GET": "GET /id/" + tb.ID() + " HTTP/1.1\r\nX: " + strings.Repeat("x", 5000),
	} {
		conn := dialTub(t, tb)
		io.WriteString(conn, first)
		check(name)
		conn.Close()
	}
	for range 50 { // and many at once
		io.WriteString(dialTub(t, tb), negotiate.Request(tb.ID(), "h"))
	}
	check("many who say nothing")
}

func TestBrokenPeersAreCutOffAlone(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(taker), ""))
	check := beside(t, tb)
	for name, c := range map[string]struct {
		bytes []byte
		end   string
	}{
		"2^60 bytes of text":  {append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x10}, 0x82), "claims a body"},
		"garbage":             {[]byte("\x05\xfe\xff garbage"), "unknown token"},
		"old Banana":          {[]byte{1, 0x80}, "LIST"},
		"a number":            {[]byte{1, 0x81}, "top-level"},
		"a CLOSE":             {[]byte{0, 0x89}, "top-level"},
		"an endless header":   {[]byte(strings.Repeat("\x01", 100)), "prefix"},
		"a word that is none": {append([]byte{0, 0x88}, 0x7f, 0x87), "vocabulary"},
		"an error":            {banana.AppendError(nil, "oh"), "EOF"},
	} {
		s := meet(t, tb)
		s.get(furl.Name(), 1)
		s.write(c.bytes)
		if got := s.read(); !strings.HasPrefix(got, "end: ") || !strings.Contains(got, c.end) {
			t.Errorf("%s: got %s, want the end with %q", name, got, c.end)
		}
	}
	check("afterwards")
}

func TestAStringOfAnyLengthIsRefused(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(taker), ""))
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	b := s.bytesOf(func(e *banana.Encoder) { writeCall(e, 5, 1, "octets", one(func(e *banana.Encoder) { e.Text("") })) })
	i := strings.LastIndex(string(b), "\x00\x82")
	s.write(append(append([]byte{}, b[:i]...), 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x82))
	if got := s.read(); !strings.HasPrefix(got, "end: ") || !strings.Contains(got, "claims a body") {
		t.Errorf("got %s, want the end", got)
	}
}

func TestManyPingsAreAnsweredAndDisturbNothing(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(calculator), ""))
	check := beside(t, tb)
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	var pings []byte
	for n := range uint64(10_000) {
		pings = banana.AppendPing(pings, n)
	}
	s.write(pings)
	if got := s.ask(1, "add", func(e *banana.Encoder) { e.Int(2); e.Int(1); e.Int(2) }); got != "(answer 2 3)" {
		t.Errorf("after the pings: %s", got)
	}
	check("afterwards")
}

func TestAPeerThatClaimsAnothersObjectIsCutOff(t *testing.T) {
	tb := start(t)
	furl := must(tb.Register(new(calculator), ""))
	claim := func(claimed string) string {
		s := meet(t, tb)
		s.get(furl.Name(), 1)
		return s.ask(1, "echo", one(func(e *banana.Encoder) {
			e.Open("my-reference")
			e.Int(7)
			e.Text("")
			e.Text(strings.ReplaceAll(claimed, "SELF", s.self))
			e.Close()
		}))
	}
	for name, c := range map[string]struct{ furl, want string }{
		"its own":           {"pb://SELF@tcp:h:1/name", "(answer 2 (your-reference 7))"},
		"another Tub's":     {"pb://" + tubID + "@tcp:h:1/name", "end: "},
		"ours":              {furl.String(), "end: "},
		"no FURL at all":    {"nonsense", "(error 2 "},
		"its own, extended": {"pb://SELFextra@/name", "(answer 2 (your-reference 7))"},
	} {
		if got := claim(c.furl); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestAPeersBoundMethodsAreNotKept(t *testing.T) {
	ref, s := takerBesides(t)
	for n := range int64(50) {
		got := s.ask(1, "named", one(func(e *banana.Encoder) {
			e.Open("my-reference")
			e.Int(-n - 1)
			e.Text("")
			e.Close()
		}))
		if !strings.Contains(got, "cannot be sent home") {
			t.Fatalf("got %s", got)
		}
	}
	if _, err := ref.Call(within(t), "text", "fine"); err != nil {
		t.Error(err)
	}
}

func takerBesides(t *testing.T) (*tub.Reference, *stranger) {
	t.Helper()
	tb := start(t)
	furl := must(tb.Register(new(taker), ""))
	s := meet(t, tb)
	s.get(furl.Name(), 1)
	return must(start(t).GetReference(within(t), furl)), s
}

// A tuple that is part of itself can never be complete. It must be refused,
// and what comes after it answered.
func TestATupleInsideItselfBlocksNothing(t *testing.T) {
	_, s := takerBesides(t)
	for name, value := range map[string]func(e *banana.Encoder){
		"directly": func(e *banana.Encoder) { n := e.Open("tuple"); e.Reference(n); e.Close() },
		"through a tuple": func(e *banana.Encoder) {
			n := e.Open("tuple")
			e.Open("tuple")
			e.Reference(n)
			e.Close()
			e.Close()
		},
		"through a frozenset": func(e *banana.Encoder) {
			n := e.Open("tuple")
			e.Open("immutable-set")
			e.Reference(n)
			e.Close()
			e.Close()
		},
		"as a key inside": func(e *banana.Encoder) {
			n := e.Open("tuple")
			e.Open("dict")
			e.Reference(n)
			e.Int(1)
			e.Close()
			e.Close()
		},
		"nowhere": func(e *banana.Encoder) { e.Reference(12345) },
	} {
		if got := s.ask(1, "named", one(value)); !strings.HasPrefix(got, "(error ") || !strings.Contains(got, "foolscap.tokens.Violation") {
			t.Errorf("%s: got %s, want a Violation", name, got)
		}
	}
	if got := s.ask(1, "named", one(func(e *banana.Encoder) {
		n := e.Open("tuple")
		e.Open("list")
		e.Reference(n)
		e.Close()
		e.Close()
	})); !strings.Contains(got, "(tuple (list (reference ") {
		t.Errorf("through a list: got %s, want it back", got)
	}
}

func TestBadCallsAreRefusedOneByOne(t *testing.T) {
	_, s := takerBesides(t)
	value := func(f func(e *banana.Encoder)) func(e *banana.Encoder) { return one(f) }
	for name, args := range map[string]func(e *banana.Encoder){
		"key twice": value(func(e *banana.Encoder) {
			e.Open("dict")
			e.Int(1)
			e.Int(1)
			e.Open("boolean")
			e.Int(1)
			e.Close()
			e.Int(2)
			e.Close()
		}),
		"key alone":     value(func(e *banana.Encoder) { e.Open("dict"); e.Int(1); e.Close() }),
		"unhashable":    value(func(e *banana.Encoder) { e.Open("set"); e.Open("list"); e.Close(); e.Close() }),
		"unknown type":  value(func(e *banana.Encoder) { e.Open("gibberish"); e.Close() }),
		"long type":     value(func(e *banana.Encoder) { e.Open(strings.Repeat("x", 16)); e.Close() }),
		"gift":          value(func(e *banana.Encoder) { e.Open("their-reference"); e.Int(1); e.Text(""); e.Close() }),
		"copyable":      value(func(e *banana.Encoder) { e.Open("copyable"); e.Text("some.class"); e.Close() }),
		"stored":        value(func(e *banana.Encoder) { e.Open("your-reference"); e.Int(99); e.Close() }),
		"empty text":    value(func(e *banana.Encoder) { e.Open("unicode"); e.Close() }),
		"bad text":      value(func(e *banana.Encoder) { e.Open("unicode"); e.Text("\xff"); e.Close() }),
		"two texts":     value(func(e *banana.Encoder) { e.Open("unicode"); e.Text("a"); e.Text("b"); e.Close() }),
		"bad decimal":   value(func(e *banana.Encoder) { e.Open("decimal"); e.Text("1e"); e.Close() }),
		"full none":     value(func(e *banana.Encoder) { e.Open("none"); e.Int(1); e.Close() }),
		"empty boolean": value(func(e *banana.Encoder) { e.Open("boolean"); e.Close() }),
		"number 0":      value(func(e *banana.Encoder) { e.Open("my-reference"); e.Int(0); e.Close() }),
		"long reference": value(func(e *banana.Encoder) {
			e.Open("my-reference")
			e.Int(1)
			e.Text("")
			e.Text("")
			e.Text("")
			e.Close()
		}),
		"keyword twice": func(e *banana.Encoder) {
			e.Int(1)
			e.Int(1)
			e.Text("k")
			e.Int(1)
			e.Text("k")
			e.Int(2)
		},
		"keyword, no end":  func(e *banana.Encoder) { e.Int(1); e.Int(1); e.Text("k") },
		"unknown keyword":  func(e *banana.Encoder) { e.Int(1); e.Int(1); e.Text("k"); e.Int(1) },
		"too many":         func(e *banana.Encoder) { e.Int(2); e.Int(1); e.Int(1) },
		"far too many":     func(e *banana.Encoder) { e.Int(1 << 40) },
		"a negative count": func(e *banana.Encoder) { e.Int(-1) },
		"two deep": value(func(e *banana.Encoder) {
			for range 1100 {
				e.Open("list")
			}
			for range 1100 {
				e.Close()
			}
		}),
	} {
		if got := s.ask(1, "named", args); !strings.HasPrefix(got, "(error ") || !strings.Contains(got, "foolscap.tokens.Violation") {
			t.Errorf("%s: got %s, want a Violation", name, got)
		}
	}
	if got := s.ask(1, "text", one(func(e *banana.Encoder) { textOf(e, "fine") })); !strings.Contains(got, "(unicode fine)") {
		t.Errorf("after all that: %s", got)
	}
	for _, method := range []string{"nope", "getReferenceByName", "decref"} {
		if got := s.ask(0, method, func(e *banana.Encoder) { e.Int(0) }); !strings.Contains(got, "foolscap.tokens.Violation") {
			t.Errorf("%s without arguments: got %s", method, got)
		}
	}
	if got := s.ask(77, "text", func(e *banana.Encoder) { e.Int(0) }); !strings.Contains(got, "unknown CLID 77") {
		t.Errorf("an unknown object: got %s", got)
	}
}

func TestAPeerOfOurOwnIDIsRefused(t *testing.T) {
	tb := start(t)
	b := newBoot(t, "", true)
	b.TubID = tb.ID() // a lie: its certificate says otherwise
	if _, err := b.connect(t, tb); err == nil {
		t.Error("a peer with our TubID was accepted")
	}
	b = newBoot(t, tb.ID(), false)
	b.TubID = newBoot(t, tb.ID(), false).TubID
	var refused *negotiate.RefusedError
	if _, err := b.connect(t, tb); !errors.As(err, &refused) && err == nil {
		t.Errorf("a peer that lies about its TubID: %v", err)
	}
}
