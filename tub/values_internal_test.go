package tub

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// bench is a connection that goes nowhere, to decode and encode with.
func bench(t testing.TB) *connection {
	t.Helper()
	tb, err := New()
	if err != nil {
		t.Fatal(err)
	}
	c := tb.newConnection(&run{}, tubIDOfPeer, "")
	here, there := net.Pipe()
	there.Close() // what is given back goes nowhere
	t.Cleanup(func() { here.Close() })
	c.link = broker.New(here, here, banana.Vocabs[1], c, tb.opts.link())
	return c
}

// The peer in references.json that has a location.
const tubIDOfPeer = "4kstcuupp6vhd5s5sjbylgmt6qw5yh3y"

// readArguments reads the arguments of a recorded call.
func readArguments(c *connection, v recorded.Vector) (args Args, err error) {
	d := banana.NewDecoder(bufio.NewReader(bytes.NewReader(v.Bytes)), banana.Vocabs[v.Vocab], banana.Limits{})
	if err := d.NextMessage(); err != nil {
		return args, err
	}
	if typ, err := d.Index(); err != nil || typ != "call" {
		return args, fmt.Errorf("message %q: %w", typ, err)
	}
	for range 3 { // request, object, method
		if _, err := d.Next(); err != nil {
			return args, err
		}
	}
	err = newDecoder(d, c).freeArguments(&args)
	if err == nil && d.Depth() != 0 {
		err = fmt.Errorf("%d sequences are left open", d.Depth())
	}
	return args, err
}

// encodeCall writes args as the recorder's callRemote("record", ...) did.
func encodeCall(c *connection, vocab int, args []any) ([]byte, error) {
	e := banana.NewEncoder(banana.Vocabs[vocab])
	e.Open("call")
	e.Int(1)
	e.Int(1)
	e.Text("record")
	e.Open("arguments")
	if err := newEncoder(e, c).arguments(args); err != nil {
		return nil, err
	}
	e.Close()
	e.Close()
	return e.AppendTo(nil, 0, nil), nil
}

// Values that Foolscap sent are read, and written again byte for byte.
func TestRecordedValuesAreReadAndWrittenAlike(t *testing.T) {
	c := bench(t)
	for _, v := range recorded.Vectors(t, "call_values") {
		args, err := readArguments(c, v)
		if refusedClass(v, err) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		again := args.Positional
		if args.Keywords != nil {
			again = append(again, args.Keywords)
		}
		got, err := encodeCall(c, v.Vocab, again)
		if strings.Contains(v.ID, "empty_tuples") {
			continue // Python has one empty tuple only, Go's have no identity
		}
		if err != nil || !bytes.Equal(got, v.Bytes) {
			t.Errorf("%s (%s)\nread    %#v\nwritten %q, %v\nwant    %q", v.ID, v.Python, args, got, err, []byte(v.Bytes))
		}
	}
}

// refusedClass reports whether a vector was refused because it has an instance
// of a class.
func refusedClass(v recorded.Vector, err error) bool {
	tokens := strings.Join(v.Tokens, " ")
	return err != nil && !banana.IsFatal(err) && strings.Contains(err.Error(), "unknown copyable class") &&
		(strings.Contains(tokens, "=copyable") || strings.Contains(tokens, "b'copyable'"))
}

// What the vectors are as Go values. That they are written alike does not say
// that they were understood.
func TestRecordedValuesAreWhatPythonHad(t *testing.T) {
	big10 := new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	want := map[string]any{
		"none": nil, "true": true, "false": false, "int0": int64(0), "int_max31": int64(math.MaxInt32),
		"int_2_31": int64(1 << 31), "int_2_63": new(big.Int).Lsh(big.NewInt(1), 63), "int_big": big10,
		"neg1": int64(-1), "neg_min31": int64(math.MinInt32), "neg_2_31_1": int64(math.MinInt32 - 1),
		"neg_big": new(big.Int).Neg(big10), "float1_5": 1.5, "float_inf": math.Inf(1), "float_min": 5e-324,
		"float0": 0.0, "float_pi": math.Pi, "bytes_empty": []byte{}, "bytes_bin": all, "bytes_vocabword": []byte("list"),
		"text_empty": "", "text_bmp": "\u2603 snow", "text_astral": "\U0001f600", "text_vocabword": "list", "text_nul": "a\x00b",
		"list_empty": []any{}, "list_ints": []any{int64(1), int64(2), int64(3)}, "list_nested": []any{[]any{}, []any{int64(1), []any{int64(2)}}},
		"list_mixed":  []any{nil, true, int64(1), int64(-1), 1.5, []byte("b"), "t"},
		"tuple_empty": Tuple{}, "tuple_1": Tuple{int64(1)}, "tuple_nested": Tuple{Tuple{int64(1), int64(2)}, []any{int64(3)}},
		"decimal": Decimal{"1.50"}, "decimal_neg": Decimal{"-1E-7"}, "decimal_inf": Decimal{"Infinity"}, "decimal_nan": Decimal{"NaN"},
	}
	text := map[string]string{
		"dict_empty": "{}", "dict_text": `{"a": []interface {}{2}, "z": 1}`, "dict_tuple_keys": `{tub.Tuple{1, 9}: 2, tub.Tuple{2, 1}: 1}`,
		"set_one": "set(5)", "set_empty": "set()", "frozenset_empty": "frozenset()",
	}
	c := bench(t)
	found := 0
	for _, v := range recorded.Vectors(t, "call_values") {
		name := strings.TrimPrefix(v.ID[:len(v.ID)-len("_v0")], "callarg_")
		value, exact := want[name]
		shown, asText := text[name]
		if !exact && !asText {
			continue
		}
		found++
		args, err := readArguments(c, v)
		if err != nil || len(args.Positional) != 1 {
			t.Errorf("%s: %v, %v", v.ID, args, err)
			continue
		}
		got := args.Positional[0]
		if exact && !reflect.DeepEqual(got, value) {
			t.Errorf("%s (%s): got %#v, want %#v", v.ID, v.Python, got, value)
		}
		if asText && strings.ReplaceAll(fmt.Sprint(got), "int64", "") != shown && fmt.Sprint(got) != shown {
			t.Errorf("%s (%s): got %v, want %s", v.ID, v.Python, got, shown)
		}
	}
	if found != 2*(len(want)+len(text)) {
		t.Errorf("%d of the values were recorded, want %d", found, 2*(len(want)+len(text)))
	}
}

// Answers that Foolscap wrote, read by whoever waits for them.
func TestRecordedAnswersAreRead(t *testing.T) {
	c := bench(t)
	want := map[string]any{
		"none": nil, "int": int64(42), "bytes": []byte("abc"), "text": "abc", "list": []any{int64(1), []any{int64(2)}},
		"tuple": Tuple{int64(1), int64(2)}, "true": true, "float": 1.5, "shared": Tuple{[]any{int64(1), int64(2)}, []any{int64(1), int64(2)}},
	}
	found := 0
	for _, v := range recorded.Vectors(t, "answers_errors") {
		kind, name, _ := strings.Cut(v.ID[:len(v.ID)-len("_v0")], "_")
		value, ok := want[name]
		if kind != "answer" || !ok {
			continue
		}
		found++
		d := banana.NewDecoder(bufio.NewReader(bytes.NewReader(v.Bytes)), banana.Vocabs[v.Vocab], banana.Limits{})
		if err := d.NextMessage(); err != nil {
			t.Fatal(err)
		}
		d.Index()
		d.Next()
		p := &pendingCall{conn: c, want: anyType, done: make(chan struct{})}
		err := p.Answer(d)
		p.Done(err, broker.Answered)
		if <-p.done; p.err != nil || !reflect.DeepEqual(p.result.Interface(), value) {
			t.Errorf("%s: %v, %v; want %#v", v.ID, p.result, p.err, value)
		}
	}
	if found != 2*len(want) {
		t.Errorf("%d answers were recorded, want %d", found, 2*len(want))
	}
}

// References that Foolscap sent: the same number is the same Reference, with
// the FURL that came with its first.
func TestRecordedReferencesAreRead(t *testing.T) {
	for _, tables := range []string{"_v0", "_v1"} {
		c := bench(t)
		seen := make(map[string]*Reference)
		for _, v := range recorded.Vectors(t, "references") {
			if !strings.HasSuffix(v.ID, tables) || !strings.HasPrefix(v.ID, "ref_") {
				continue
			}
			args, err := readArguments(c, v)
			switch {
			case strings.HasSuffix(v.ID, "_4"+tables):
				if err == nil || !strings.Contains(err.Error(), "unknown CLID") {
					t.Errorf("%s: an object we never sent: %v, %v", v.ID, args, err)
				}
				continue
			case strings.Contains(v.ID, "_loc_") && err != nil && strings.Contains(err.Error(), "bad tubid"):
				continue // recorded from another Tub than the one of this connection
			case err != nil:
				t.Errorf("%s: %v", v.ID, err)
				continue
			}
			for _, a := range args.Positional {
				list, ok := a.([]any)
				if !ok {
					list = []any{a}
				}
				for _, item := range list {
					ref := item.(*Reference)
					key := fmt.Sprint(ref.clid)
					if other := seen[key]; other != nil && other != ref {
						t.Errorf("%s: number %s gave two references", v.ID, key)
					}
					seen[key] = ref
				}
			}
		}
		if len(seen) < 2 {
			t.Errorf("only %d references were recorded", len(seen))
		}
	}
}
