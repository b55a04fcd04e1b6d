package banana_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
)

// refused reads a message up to the Violation and on to its end, and then the next message.
func refused(t *testing.T, d *banana.Decoder, text string) {
	t.Helper()
	err := d.NextMessage()
	for err == nil && d.Depth() > 0 {
		var tok banana.Token
		if tok, err = d.Next(); err == nil && tok.Kind == banana.String {
			_, err = d.Bytes()
		}
	}
	var v *banana.Violation
	if !errors.As(err, &v) || !strings.Contains(v.Reason, text) || banana.IsFatal(err) {
		t.Fatalf("got %v, want a Violation with %q", err, text)
	}
	if err := d.Unwind(0); err != nil || d.Depth() != 0 {
		t.Fatalf("Unwind left %d sequences open: %v", d.Depth(), err)
	}
	if err := d.NextMessage(); err != nil {
		t.Fatalf("the next message: %v", err)
	}
	if typ, err := d.Index(); typ != "list" || err != nil {
		t.Fatalf("the next message: %q, %v", typ, err)
	}
}

func TestEachLimitRefusesOneMessageAndNamesItself(t *testing.T) {
	next := list(0)
	deep := func(n int) []byte {
		var b []byte
		for i := range n {
			b = wire(b, openToken(uint64(i)), str("list"))
		}
		for i := range n {
			b = wire(b, closeToken(uint64(n-1-i)))
		}
		return b
	}
	for name, c := range map[string]struct {
		stream []byte
		limits banana.Limits
		text   string
	}{
		"String":  {list(0, str(strings.Repeat("x", 101))), banana.Limits{String: 100}, "a string of 101 bytes, the limit is 100"},
		"LongInt": {list(0, 101, 0x85, strings.Repeat("x", 101)), banana.Limits{LongInt: 100}, "an integer of 101 bytes, the limit is 100"},
		"Depth":   {deep(11), banana.Limits{Depth: 10}, "more than 10 sequences inside one another"},
		"Message": {list(0, str(strings.Repeat("x", 50)), str(strings.Repeat("x", 50))), banana.Limits{Message: 150},
			"message is larger than the limit of 150 bytes"},
		"Message of integers": {list(0, bytes.Repeat(wire(1, 0x81), 200)), banana.Limits{Message: 300},
			"message is larger than the limit of 300 bytes"},
		"Message of sequences": {list(0, list(1), list(2), list(3)), banana.Limits{Message: 200},
			"message is larger than the limit of 200 bytes"},
		"Message of floats": {list(0, bytes.Repeat(wire(0x84, "12345678"), 100)), banana.Limits{Message: 300},
			"message is larger than the limit of 300 bytes"},
		"Message of words": {list(0, bytes.Repeat(wire(4, 0x87), 200)), banana.Limits{Message: 300},
			"message is larger than the limit of 300 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, decoder(wire(c.stream, next), 1, c.limits), c.text)
		})
	}
	t.Run("exactly at the limits", func(t *testing.T) {
		limits := banana.Limits{String: 100, LongInt: 100, Depth: 10}
		stream := wire(list(0, str(strings.Repeat("x", 100)), 100, 0x85, strings.Repeat("x", 100)), deep(10))
		if got, err := tokenise(t, decoder(stream, 1, limits)); err != nil || strings.Contains(strings.Join(got, ""), "VIOLATION") {
			t.Errorf("got %.500q, %v", got, err)
		}
	})
	t.Run("each message anew", func(t *testing.T) {
		d := decoder(bytes.Repeat(list(0, str(strings.Repeat("x", 50))), 100), 0, banana.Limits{Message: 200})
		for range 100 {
			if err := errors.Join(d.NextMessage(), d.Unwind(0)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// What is small on the wire need not be small in memory.
func TestSmallTokensAreChargedWhatTheyBecome(t *testing.T) {
	for name, c := range map[string]struct {
		token []byte
		cost  int
	}{
		"INT": {wire(1, 0x81), 16}, "VOCAB": {wire(4, 0x87), 16}, "empty STRING": {wire(0x82), 16},
		"empty LONGINT": {wire(0x85), 16}, "FLOAT": {wire(0x84, "12345678"), 16},
		"empty sequence": {wire(0, 0x88, 0, 0x89), 64},
	} {
		const limit = 16 << 10
		d := decoder(wire(openToken(0), bytes.Repeat(c.token, limit)), 1, banana.Limits{Message: limit})
		err := d.NextMessage()
		n := -1
		for ; err == nil; n++ {
			var tok banana.Token
			if tok, err = d.Next(); tok.Kind == banana.Close {
				n--
			}
		}
		if most := limit / c.cost; n > most || n < most-8 {
			t.Errorf("%s: %d were read before %v, want about %d", name, n, err, most)
		}
	}
}

func TestUnwindKeepsCount(t *testing.T) {
	// Three OPENs in what is dropped, with everything in it that may be.
	dropped := wire(openToken(0), str("list"), openToken(1), str("list"), 9, 0x82, "123456789",
		0x8E, openToken(2), 0x8E, wire(4, 0x87), 1, 0x8A, closeToken(2), 0x84, "12345678", 0, 0x8A, closeToken(1), closeToken(0))
	d := decoder(wire(dropped, list(3)), 1, banana.Limits{})
	pings := 0
	d.Ping = func(uint64) { pings++ }
	if err := d.NextMessage(); err != nil {
		t.Fatal(err)
	}
	if err := d.Unwind(0); err != nil || pings != 2 {
		t.Fatalf("Unwind: %v, %d pings answered of 2", err, pings)
	}
	tok, err := d.Next()
	if err != nil || tok.Kind != banana.Open || tok.Num != 3 {
		t.Errorf("behind it: %+v, %v; want OPEN number 3", tok, err)
	}
}

func TestUnwindStopsAtTheDepthThatIsAskedFor(t *testing.T) {
	d := decoder(list(0, list(1, list(2), str("dropped")), 7, 0x81), 0, banana.Limits{})
	for range 3 { // into the third list
		for tok := (banana.Token{}); tok.Kind != banana.Open; {
			var err error
			if tok, err = d.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Unwind(1); err != nil || d.Depth() != 1 {
		t.Fatalf("depth %d, %v", d.Depth(), err)
	}
	if tok, err := d.Next(); err != nil || tok.Int != 7 {
		t.Errorf("got %+v, %v; want 7", tok, err)
	}
}

// A reader that drops one part of a message and reads on must not get a new allowance for each.
func TestUnwindDoesNotForgetWhatTheMessageHasCost(t *testing.T) {
	var stream []byte
	for i := range 100 {
		stream = wire(stream, str(strings.Repeat("x", 100)), list(uint64(i+1)))
	}
	d := decoder(list(0, stream), 0, banana.Limits{Message: 1000})
	err := d.NextMessage()
	kept := 0
	for err == nil {
		var tok banana.Token
		if tok, err = d.Next(); err != nil {
			break
		}
		switch tok.Kind {
		case banana.String:
			_, err = d.Bytes()
			kept += int(tok.Size)
		case banana.Open:
			err = d.Unwind(1)
		}
	}
	var v *banana.Violation
	if !errors.As(err, &v) || kept > 1000 {
		t.Errorf("%d bytes were kept of a message that may have 1000: %v", kept, err)
	}
}

func TestUnwindStoresNothing(t *testing.T) {
	const n = 1000
	body := wire(header(60<<10), 0x85, strings.Repeat("x", 60<<10))
	r := bufio.NewReader(io.MultiReader(bytes.NewReader(openToken(0)), &endless{unit: body, n: n}, bytes.NewReader(closeToken(0))))
	d := banana.NewDecoder(r, banana.Vocabs[0], banana.Limits{})
	if err := d.NextMessage(); err != nil {
		t.Fatal(err)
	}
	var err error
	if got := allocated(func() { err = d.Unwind(0) }); err != nil || got > 64<<10 {
		t.Errorf("dropping %d integers took %d bytes: %v", n, got, err)
	}
}

func TestUnwindReportsWhatIsFatal(t *testing.T) {
	cutOff := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	broken := func(err error) bool { return errors.As(err, new(*banana.ProtocolError)) }
	farewell := func(err error) bool { return errors.As(err, new(*banana.PeerError)) }
	for _, c := range []struct {
		stream []byte
		is     func(error) bool
	}{
		{wire(openToken(0), str("list"), 9, 0x82, "123"), cutOff},
		{wire(openToken(0), str("list")), cutOff},
		{wire(openToken(0), closeToken(1)), broken},
		{wire(openToken(0), 0x90), broken},
		{wire(openToken(0), 0, 0x8D), farewell},
	} {
		d := decoder(c.stream, 1, banana.Limits{})
		if err := d.NextMessage(); err != nil {
			t.Fatal(err)
		}
		if err := d.Unwind(0); !c.is(err) {
			t.Errorf("% x: got %v", c.stream, err)
		}
	}
}

// allocated is how much memory f takes, given back or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMemoryGrowsOnlyAsBytesArrive(t *testing.T) {
	claim := header(60 << 20)
	for name, stream := range map[string][]byte{
		"string":  wire(openToken(0), claim, 0x82, "0123456789"),
		"integer": wire(openToken(0), claim, 0x85, "0123456789"),
		"refused": wire(openToken(0), header(4<<30), 0x82, "0123456789"),
	} {
		d := decoder(stream, 0, banana.Limits{LongInt: 64 << 20})
		var err error
		got := allocated(func() {
			for err == nil {
				var tok banana.Token
				if tok, err = d.Next(); err == nil && tok.Kind == banana.String {
					_, err = d.Bytes()
				}
			}
			if !banana.IsFatal(err) {
				err = d.Unwind(0)
			}
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) || got > 256<<10 {
			t.Errorf("%s: a claim of 60 MiB and ten bytes took %d bytes (%v)", name, got, err)
		}
	}
	wantFatal(t, wire(openToken(0), header(4<<30+1), 0x82), "claims a body of more than")
}

func TestALargeStringArrivesWhole(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 300_001)
	d := decoder(banana.AppendString(nil, string(want)), 0, banana.Limits{})
	if tok, err := d.Next(); err != nil || tok.Size != uint64(len(want)) {
		t.Fatalf("%+v, %v", tok, err)
	}
	var got []byte
	var err error
	took := allocated(func() { got, err = d.Bytes() })
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	if took > 6*uint64(len(want)) {
		t.Errorf("reading %d bytes took %d", len(want), took)
	}
}

// endless repeats what it is given n times.
type endless struct {
	unit []byte
	n    int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.n == 0 {
			return 0, io.EOF
		}
		e.n--
		e.rest = e.unit
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestNestingOfMillionsTakesBoundedMemory(t *testing.T) {
	unit := bytes.Repeat(wire(0, 0x88, 4, 0x87), 1000)
	d := banana.NewDecoder(bufio.NewReader(&endless{unit: unit, n: 1100}), banana.Vocabs[1], banana.Limits{})
	var err error
	got := allocated(func() {
		for err == nil {
			_, err = d.Next()
		}
		if !banana.IsFatal(err) {
			err = d.Unwind(0)
		}
	})
	var fatal *banana.ProtocolError
	if !errors.As(err, &fatal) || got > 64<<20 {
		t.Errorf("more than a million sequences inside one another took %d bytes: %v", got, err)
	}
}

func TestADeepMessageIsNotPaidForToTheEnd(t *testing.T) {
	const n = 500_000
	d := banana.NewDecoder(bufio.NewReader(io.MultiReader(
		&endless{unit: bytes.Repeat(wire(0, 0x88), 1000), n: n / 1000},
		&endless{unit: bytes.Repeat(wire(0, 0x89), 1000), n: n / 1000},
		bytes.NewReader(list(0)))), banana.Vocabs[1], banana.Limits{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	if err := errors.Join(d.NextMessage(), d.Unwind(0)); err != nil {
		t.Fatal(err)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("a deep message has left %d bytes behind", after-before)
	}
	if tok, err := d.Next(); err != nil || tok.Num != n {
		t.Errorf("behind it: %+v, %v", tok, err)
	}
}
