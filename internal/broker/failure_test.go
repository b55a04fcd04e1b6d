package broker_test

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// failure writes a Failure with the given attributes.
func failure(e *banana.Encoder, class string, attrs map[string]any) {
	e.Open("copyable")
	e.Text(class)
	for _, key := range []string{"value", "type", "traceback", "parents", "extra"} {
		if v, ok := attrs[key]; ok {
			e.Text(key)
			put(e, v)
		}
	}
	e.Close()
}

func TestRecordedErrorsAreRead(t *testing.T) {
	seen := 0
	for _, v := range recorded.Vectors(t, "answers_errors") {
		if strings.HasPrefix(v.ID, "answer") {
			continue
		}
		seen++
		synctest.Test(t, func(t *testing.T) {
			r := newRaw(t, echo(), broker.Options{})
			p := call(t, r.link, 1, "x")
			if strings.HasPrefix(v.ID, "error_forwarded") { // answers number 5
				for range 4 {
					p = call(t, r.link, 1, "x")
				}
			}
			r.say(v.Bytes)
			var f *broker.Failure
			if !p.ended() || !errors.As(p.err, &f) {
				t.Errorf("%s: got %v", v.ID, p.err)
				return
			}
			if len(f.Parents) < 2 || f.Parents[0] != f.Type || f.Value == "" || f.Traceback == "" ||
				f.Parents[len(f.Parents)-1] != "builtins.object" {
				t.Errorf("%s: got %+v", v.ID, f)
			}
		})
	}
	if seen == 0 {
		t.Error("no errors were recorded")
	}
}

func TestLongErrorsAreCutToWhatFoolscapReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := &broker.Failure{Type: strings.Repeat("t", 5000), Value: strings.Repeat("é", 5000),
			Traceback: "x" + strings.Repeat("é", 5000), Parents: make([]string, 500)}
		for i := range long.Parents {
			long.Parents[i] = strings.Repeat("日", 500)
		}
		broken := &broker.Failure{Value: "a\xffb\xfe", Type: "\xff"}
		next := []*broker.Failure{long, broken}
		a, _ := pair(t, silent(nil), &host{call: func(h *host, d *banana.Decoder, c broker.Call) error {
			arguments(d)
			f := next[0]
			next = next[1:]
			h.wg.Go(func() { h.link.Fail(c.ReqID, f) })
			return nil
		}}, broker.Options{})
		p := call(t, a, 0, "x")
		<-p.done
		var f *broker.Failure
		if !errors.As(p.err, &f) {
			t.Fatal(p.err)
		}
		for name, c := range map[string]struct {
			got string
			max int
		}{"value": {f.Value, 1000}, "type": {f.Type, 200}, "traceback": {f.Traceback, 2000}, "parent": {f.Parents[0], 200}} {
			if len(c.got) > c.max || len(c.got) < c.max-4 || !utf8.ValidString(c.got) || !strings.HasSuffix(c.got, "..") {
				t.Errorf("%s: %d bytes of at most %d, valid %v", name, len(c.got), c.max, utf8.ValidString(c.got))
			}
		}
		if len(f.Parents) != 100 {
			t.Errorf("%d parents", len(f.Parents))
		}
		p = call(t, a, 0, "x")
		<-p.done
		if !errors.As(p.err, &f) || f.Value != "a\uFFFDb\uFFFD" || f.Traceback != "Traceback unavailable\n" {
			t.Errorf("got %+v", p.err)
		}
	})
}

func TestFailuresAreChecked(t *testing.T) {
	good := func(change map[string]any) map[string]any {
		f := map[string]any{"value": "v", "type": "t", "traceback": "tb", "parents": []any{"list", "t", "object"}}
		for k, v := range change {
			f[k] = v
			if v == "-" {
				delete(f, k)
			}
		}
		return f
	}
	for name, c := range map[string]struct {
		class string
		attrs map[string]any
		text  string // empty: it is fine
	}{
		"good":                    {broker.FailureClass, good(nil), ""},
		"at the limits":           {broker.FailureClass, good(map[string]any{"value": strings.Repeat("x", 1000), "type": strings.Repeat("x", 200), "traceback": strings.Repeat("x", 2000)}), ""},
		"no UTF-8":                {broker.FailureClass, good(map[string]any{"value": "\xff"}), ""},
		"another class":           {"example.com/Thing", good(nil), "must hold a twisted.python.failure.Failure"},
		"no value":                {broker.FailureClass, good(map[string]any{"value": "-"}), `Failure without "value"`},
		"no parents":              {broker.FailureClass, good(map[string]any{"parents": "-"}), `Failure without "parents"`},
		"an attribute more":       {broker.FailureClass, good(map[string]any{"extra": "x"}), `"extra"`},
		"value of 1001 bytes":     {broker.FailureClass, good(map[string]any{"value": strings.Repeat("x", 1001)}), "at most 1000"},
		"type of 201 bytes":       {broker.FailureClass, good(map[string]any{"type": strings.Repeat("x", 201)}), "at most 200"},
		"traceback of 2001 bytes": {broker.FailureClass, good(map[string]any{"traceback": strings.Repeat("x", 2001)}), "at most 2000"},
		"value that is INT":       {broker.FailureClass, good(map[string]any{"value": 5}), "want STRING"},
		"value that is a list":    {broker.FailureClass, good(map[string]any{"value": []any{"list"}}), "want STRING"},
		"parents that are text":   {broker.FailureClass, good(map[string]any{"parents": "x"}), "must be a list"},
		"parents in a tuple":      {broker.FailureClass, good(map[string]any{"parents": []any{"tuple"}}), "must be a list"},
		"a parent that is INT":    {broker.FailureClass, good(map[string]any{"parents": []any{"list", 1}}), "want STRING"},
		"101 parents":             {broker.FailureClass, good(map[string]any{"parents": append([]any{"list"}, make101()...)}), "more than 100 parents"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, echo(), broker.Options{})
				p := call(t, r.link, 1, "x")
				r.say(message(0, "error", func(e *banana.Encoder) { e.Int(1); failure(e, c.class, c.attrs) }))
				var f *broker.Failure
				var v *banana.Violation
				switch {
				case c.text == "" && !errors.As(p.err, &f):
					t.Errorf("got %v, want a Failure", p.err)
				case c.text != "" && (!errors.As(p.err, &v) || !strings.Contains(p.err.Error(), c.text)):
					t.Errorf("got %v, want a Violation with %q", p.err, c.text)
				}
				r.lives()
			})
		})
	}
}

func make101() (v []any) {
	for range 101 {
		v = append(v, "x")
	}
	return v
}

func TestFailureMayBeAPlainValue(t *testing.T) {
	e := banana.NewEncoder(nil)
	failure(e, broker.FailureClass, map[string]any{"value": "v", "type": "t", "traceback": "tb", "parents": []any{"list"}})
	d := banana.NewDecoder(bufio.NewReader(bytes.NewReader(e.AppendTo(nil, 0, nil))), banana.Vocabs[0], banana.Limits{})
	for range 3 { // OPEN, copyable, its class
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := broker.ReadFailureBody(d)
	if err != nil || f.Error() != "t: v" || d.Depth() != 0 {
		t.Errorf("got %v, %v, depth %d", f, err, d.Depth())
	}
	if f.Value = ""; f.Error() != "t" {
		t.Errorf("without a message: %q", f.Error())
	}
}
