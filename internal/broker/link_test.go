package broker_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

func TestCallIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []broker.Call
		answering := echo()
		inner := answering.call
		answering.call = func(h *host, d *banana.Decoder, c broker.Call) error {
			got = append(got, c)
			return inner(h, d, c)
		}
		a, _ := pair(t, silent(nil), answering, broker.Options{})
		call(t, a, 0, "echo", "text").wants(t, "text", nil, broker.Answered)
		call(t, a, 0, "list", int64(-5)).wants(t, int64(-5), nil, broker.Answered)
		call(t, a, 0, "nothing").wants(t, []any{"none"}, nil, broker.Answered)
		call(t, a, 0, "nested", []any{"list", "a", []any{"tuple", int64(1)}}).
			wants(t, []any{"list", "a", []any{"tuple", int64(1)}}, nil, broker.Answered)
		if want := []broker.Call{{ReqID: 1, Method: "echo"}, {ReqID: 2, Method: "list"}, {ReqID: 3, Method: "nothing"},
			{ReqID: 4, Method: "nested"}}; !slices.Equal(got, want) {
			t.Errorf("the host got %+v, want %+v", got, want)
		}
	})
}

func TestErrorComesBackAsItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := &broker.Failure{Type: "builtins.KeyError", Value: "café", Traceback: "line 1\n",
			Parents: []string{"builtins.KeyError", "builtins.Exception"}}
		a, _ := pair(t, silent(nil), &host{call: func(h *host, d *banana.Decoder, c broker.Call) error {
			arguments(d)
			h.wg.Go(func() { h.link.Fail(c.ReqID, want) })
			return nil
		}}, broker.Options{})
		p := call(t, a, 0, "fail")
		<-p.done
		var f *broker.Failure
		if !errors.As(p.err, &f) || !reflect.DeepEqual(f, want) || p.fate != broker.Answered {
			t.Errorf("got %#v, fate %d; want %#v", p.err, p.fate, want)
		}
	})
}

func TestOneWayCallsAreNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan broker.Call, 1)
		h := silent(got)
		r := newRaw(t, h, broker.Options{})
		r.say(callMessage(0, 0, 0, "hi"))
		if c := <-got; c.ReqID != 0 || c.Method != "hi" {
			t.Errorf("got %+v", c)
		}
		if err := errors.Join(r.link.Fail(0, broker.ViolationFailure("x")),
			r.link.Answer(0, func(*banana.Encoder) error { panic("asked for the value of an answer that nobody wants") })); err != nil {
			t.Error(err)
		}
		h.call = func(*host, *banana.Decoder, broker.Call) error { return banana.Violationf("no") }
		r.say(callMessage(2, 0, 0, "hi"))
		if out := r.heard(); len(out) != 0 {
			t.Errorf("a one-way call was answered with %x", out)
		}
		if err := r.link.Call(t.Context(), 3, "out", args(), nil); err != nil {
			t.Error(err)
		}
		if out := reactions(t, r.heard()); !slices.Equal(out, []string{"call 0"}) {
			t.Errorf("wrote %q", out)
		}
		r.lives()
	})
}

func TestViolationRefusesOneCallAndIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := echo()
		inner := h.call
		h.call = func(h *host, d *banana.Decoder, c broker.Call) error {
			if c.Method == "bad" {
				d.Next() // half of it is read
				return banana.Violationf("not that")
			}
			return inner(h, d, c)
		}
		a, _ := pair(t, silent(nil), h, broker.Options{})
		bad, good := call(t, a, 0, "bad", "x", []any{"list", "y"}), call(t, a, 0, "good", "x")
		good.wants(t, "x", nil, broker.Answered)
		<-bad.done
		var f *broker.Failure
		if !errors.As(bad.err, &f) || f.Type != "foolscap.tokens.Violation" || f.Value != "not that" {
			t.Errorf("got %v", bad.err)
		}
		unknown := call(t, a, 7, "x")
		<-unknown.done
		if !errors.As(unknown.err, &f) || f.Value != "unknown CLID 7" {
			t.Errorf("got %v", unknown.err)
		}
		long := call(t, a, 0, strings.Repeat("m", 1001))
		<-long.done
		if !errors.As(long.err, &f) || !strings.Contains(f.Value, "at most 1000") {
			t.Errorf("got %v", long.err)
		}
	})
}

func TestAnswerThatCannotBeWrittenIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := errors.New("no way to write a channel")
		var answer error
		a, _ := pair(t, silent(nil), &host{call: func(h *host, d *banana.Decoder, c broker.Call) error {
			arguments(d)
			h.wg.Go(func() {
				answer = h.link.Answer(c.ReqID, func(e *banana.Encoder) error {
					e.Open("list") // half of it is written
					e.Late(newPending())
					return no
				})
			})
			return nil
		}}, broker.Options{})
		p := call(t, a, 0, "x")
		<-p.done
		var f *broker.Failure
		if !errors.As(p.err, &f) || f.Value != "in the return value: no way to write a channel" {
			t.Errorf("the caller got %v", p.err)
		}
		synctest.Wait()
		if !errors.Is(answer, no) {
			t.Errorf("Answer returned %v", answer)
		}
		// And a call that cannot be written has not touched the wire.
		q := newPending()
		if err := a.Call(t.Context(), 0, "x", func(*banana.Encoder) error { return no }, q); !errors.Is(err, no) {
			t.Errorf("Call returned %v", err)
		}
		call(t, a, 0, "y")
		synctest.Wait()
		if q.ended() {
			t.Error("a call that was not sent has ended")
		}
	})
}

func TestCallsArriveInTheOrderSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		a, _ := pair(t, silent(nil), &host{call: func(_ *host, d *banana.Decoder, c broker.Call) error {
			got = append(got, c.Method)
			_, err := arguments(d)
			return err
		}}, broker.Options{Queue: 100})
		var want []string
		for i := range 200 {
			want = append(want, fmt.Sprint(i))
			call(t, a, 0, want[i])
		}
		synctest.Wait()
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestAbortedCallGetsNoAnswerAndGivesItsNumberBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{})
		for at, aborted := range []string{
			"\x00\x88\x0b\x87\x00\x8a\x00\x89",                                          // call
			"\x00\x88\x0b\x87\x01\x81\x00\x8a\x00\x89",                                  // call 1
			"\x00\x88\x0b\x87\x01\x81\x00\x81\x00\x8a\x00\x89",                          // call 1 0
			"\x00\x88\x0b\x87\x01\x81\x00\x81\x01\x82f\x01\x88\x01\x8a\x01\x89\x00\x89", // within OPEN and its type
			"\x00\x88\x0b\x87\x01\x81\x00\x81\x01\x82f\x01\x88\x0c\x87\x01\x81\x01\x8a\x01\x89\x00\x8a\x00\x89",
			"\x00\x88\x01\x8a\x00\x89",
		} {
			r.say([]byte(aborted))
			if out := r.heard(); len(out) != 0 {
				t.Errorf("%d: answered with %x", at, out)
			}
		}
		r.say(callMessage(0, 1, 0, "echo", "x"))
		if out := reactions(t, r.heard()); !slices.Equal(out, []string{"answer 1"}) {
			t.Errorf("number 1 anew: %q", out)
		}
		r.lives()
	})
}

func TestAnswersThatAreRefusedEndTheirRequest(t *testing.T) {
	answer := func(id int64, values ...any) func(uint64) []byte {
		return func(base uint64) []byte {
			return message(base, "answer", func(e *banana.Encoder) {
				e.Int(id)
				for _, v := range values {
					put(e, v)
				}
			})
		}
	}
	for name, c := range map[string]struct {
		say  func(base uint64) []byte
		text string
	}{
		"two values":         {answer(1, "a", "b"), "more than one value"},
		"no value":           {answer(1), "cannot read CLOSE"},
		"a value of no type": {answer(1, []any{"a type too long by far"}), "index token of 22 bytes"},
		"aborted": {func(b uint64) []byte {
			return []byte("\x00\x88\x0d\x87\x01\x81\x00\x8a\x00\x89")
		}, "ABORT received"},
		"an error without a Failure": {func(b uint64) []byte {
			return message(b, "error", func(e *banana.Encoder) { e.Int(1); e.Text("x") })
		}, "error without a Failure"},
		"an error with two": {func(b uint64) []byte {
			return message(b, "error", func(e *banana.Encoder) {
				e.Int(1)
				for range 2 {
					failure(e, broker.FailureClass, map[string]any{"value": "v", "type": "t", "traceback": "tb", "parents": []any{"list"}})
				}
			})
		}, "error with more than one value"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, echo(), broker.Options{})
				p, q := call(t, r.link, 1, "x"), call(t, r.link, 1, "y")
				r.say(c.say(0))
				if !p.ended() || p.err == nil || !strings.Contains(p.err.Error(), c.text) || p.fate != broker.Answered {
					t.Errorf("got %v, fate %d; want %q", p.err, p.fate, c.text)
				}
				if out := reactions(t, r.heard()); !slices.Equal(out, []string{"call 1", "call 2"}) {
					t.Errorf("a refused answer was answered: %q", out)
				}
				r.say(answer(2, "fine")(10))
				q.wants(t, "fine", nil, broker.Answered)
				r.lives()
			})
		})
	}
}

func TestAnswersToNobodyAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{})
		p := call(t, r.link, 1, "x")
		r.heard()
		for _, id := range []int64{0, 2, 77, 1<<31 - 1} {
			for _, typ := range []string{"answer", "error"} {
				r.say(message(0, typ, func(e *banana.Encoder) { e.Int(id); put(e, []any{"list", "x"}) }))
			}
		}
		if out := r.heard(); len(out) != 0 || p.ended() {
			t.Errorf("wrote %x; the request has ended: %v", out, p.ended())
		}
		// Twice the same answer: the second is to nobody.
		reply := message(0, "answer", func(e *banana.Encoder) { e.Int(1); e.Int(5) })
		r.say(append(reply, reply...))
		p.wants(t, 5, nil, broker.Answered)
		r.lives()
	})
}

func TestNumberInUseMustNotBeUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := silent(nil)
		r := newRaw(t, h, broker.Options{})
		r.say(callMessage(0, 5, 0, "x"))
		r.link.Fail(5, broker.ViolationFailure("no"))
		r.say(callMessage(2, 5, 0, "x"))
		if out := reactions(t, r.heard()); !slices.Equal(out, []string{"error 5"}) {
			t.Errorf("after its answer a number may be used again: %q", out)
		}
		r.say(callMessage(4, 5, 0, "x"))
		if out := reactions(t, r.heard()); !slices.Equal(out, []string{"ERROR"}) {
			t.Errorf("wrote %q, want ERROR", out)
		}
		if err := r.dies(); err == nil || !strings.Contains(err.Error(), "request number 5 is still in use") {
			t.Errorf("ended by %v", err)
		}
	})
}

func TestBreachesEndTheLinkWithAnErrorToken(t *testing.T) {
	for name, c := range map[string]struct{ say, text string }{
		"an INT where a message is due":  {"\x01\x81", "top-level must be OPEN"},
		"a large string there":           {"\x00\x00\x00\x00\x01\x82", "top-level must be OPEN"},
		"LIST":                           {"\x00\x80", "LIST token"},
		"CLOSE of another":               {"\x00\x88\x0b\x87\x05\x89", "lost sync"},
		"OPEN after OPEN":                {"\x00\x88\x01\x88", "OPEN where the type"},
		"an unknown word":                {"\x00\x88\x63\x87", "vocabulary"},
		"a request number that is NEG":   {"\x00\x88\x0b\x87\x01\x83", "request number"},
		"a request number that is 2^31":  {"\x00\x88\x0b\x87\x00\x00\x00\x00\x08\x81", "request number"},
		"a request number that is text":  {"\x00\x88\x0d\x87\x01\x82x", "request number"},
		"no request number":              {"\x00\x88\x0e\x87\x00\x89", "request number"},
		"a target that is text":          {"\x00\x88\x0b\x87\x01\x81\x01\x82x", "target of a call"},
		"a method that is INT":           {"\x00\x88\x0b\x87\x01\x81\x00\x81\x01\x81", "method name"},
		"65 bytes of header":             {strings.Repeat("\x00", 65), "token prefix"},
		"what the host takes for broken": {string(callMessage(0, 1, 0, "fatal")), "host says so"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &host{call: func(*host, *banana.Decoder, broker.Call) error { return banana.Fatalf("host says so") }}
				r := newRaw(t, h, broker.Options{})
				p := call(t, r.link, 1, "x")
				r.heard()
				r.say([]byte(c.say))
				out := r.heard()
				if got := reactions(t, out); !slices.Equal(got, []string{"ERROR"}) || !strings.Contains(string(out), c.text) {
					t.Errorf("wrote %q, want an ERROR with %q", out, c.text)
				}
				err := r.dies()
				var fatal *banana.ProtocolError
				if !errors.As(err, &fatal) || !strings.Contains(err.Error(), c.text) {
					t.Errorf("ended by %v, want %q", err, c.text)
				}
				p.wants(t, nil, err, broker.Unanswered)
			})
		})
	}
}

func TestErrorTokenOfThePeerEndsTheLinkWithoutReply(t *testing.T) {
	for name, say := range map[string]string{
		"ERROR":            "\x03\x8dbad",
		"within a message": "\x00\x88\x0b\x87\x03\x8dbad",
		"refusal as text":  "banana-decision-version: 1\r\nerror: internal server error, see logs\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, echo(), broker.Options{})
				r.say([]byte(say))
				var peer *banana.PeerError
				if err := r.dies(); !errors.As(err, &peer) {
					t.Errorf("ended by %v", err)
				}
				if out := r.heard(); len(out) != 0 {
					t.Errorf("wrote %x", out)
				}
			})
		})
	}
}

func TestUnknownMessagesAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{})
		r.say(message(0, "list", func(e *banana.Encoder) { put(e, []any{"list", "x"}) }))
		r.say(message(2, "add-vocab", func(e *banana.Encoder) { e.Int(25); e.Text("new") }))
		r.say([]byte("\x03\x88\x03\x89"))
		r.say([]byte("\x04\x88\x05\x81\x04\x89"))
		r.say(message(5, "a type too long for one", nil))
		if out := r.heard(); len(out) != 0 {
			t.Errorf("wrote %x", out)
		}
		r.lives()
		r.say(callMessage(6, 1, 0, "echo", "x"))
		if out := reactions(t, r.heard()); !slices.Equal(out, []string{"answer 1"}) {
			t.Errorf("wrote %q", out)
		}
	})
}
