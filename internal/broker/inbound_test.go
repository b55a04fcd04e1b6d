package broker_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// These depend on what a value means, which is not known at this layer.
var aboutValues = []string{"in_your_ref_unknown", "in_none_child", "in_unknown_open", "in_typed_toolong", "in_lookup_text"}

// target is as the recorded one: it has add and echo, and the Tub itself takes decref.
func target() *host {
	return &host{call: func(h *host, d *banana.Decoder, c broker.Call) error {
		args, err := arguments(d)
		if err != nil {
			return err
		}
		var result any
		switch {
		case c.Target == nil && c.Method == "decref":
			if err := h.link.Decref(args[1].(int64), uint64(args[3].(int64))); err != nil {
				return err
			}
		case c.Method == "add":
			result = args[0].(int64) + args[1].(int64)
		case c.Method == "echo":
			result = args[0]
		}
		h.wg.Go(func() {
			h.link.Answer(c.ReqID, func(e *banana.Encoder) error { put(e, result); return nil })
		})
		return nil
	}}
}

// What a Foolscap broker was given, and whether it answered, refused, or hung up. We do the same.
func TestReactionsAreThoseOfFoolscap(t *testing.T) {
	tried := 0
	for _, v := range recorded.Inbounds(t) {
		if slices.Contains(aboutValues, v.ID) {
			continue
		}
		tried++
		t.Run(v.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, target(), broker.Options{})
				announce(t, r.link, new(object), new(object)) // numbers 1 and 2
				r.heard()
				r.say(v.In)
				got, want := reactions(t, r.heard()), reactions(t, v.Out)
				if !slices.Equal(got, want) {
					t.Errorf("%s: we write %q, Foolscap %q", v.Description, got, want)
				}
				if v.Dropped() {
					r.dies()
				} else {
					r.lives()
				}
			})
		})
	}
	if tried < 15 {
		t.Errorf("only %d vectors were tried", tried)
	}
}

// Every recorded call reaches its object; every recorded answer ends its request.
func TestRecordedMessagesAreTaken(t *testing.T) {
	for _, name := range []string{"calls", "call_values"} {
		for _, v := range recorded.Vectors(t, name) {
			if strings.Contains(v.ID, "abort") || v.Vocab != 1 || strings.Contains(v.ID, "decref") {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				r := newRaw(t, &host{call: func(_ *host, d *banana.Decoder, c broker.Call) error {
					calls++
					return d.Unwind(0)
				}}, broker.Options{})
				announce(t, r.link, new(object))
				r.heard()
				r.say(v.Bytes)
				if out := r.heard(); calls != 1 || len(out) > 0 {
					t.Errorf("%s: %d calls, wrote %x", v.ID, calls, out)
				}
				r.lives()
			})
		}
	}
	for _, v := range recorded.Vectors(t, "answers_errors") {
		if !strings.HasPrefix(v.ID, "answer") || v.Vocab != 1 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			r := newRaw(t, echo(), broker.Options{})
			p := &skipping{pending: newPending()}
			if err := r.link.Call(t.Context(), 1, "x", args(), p); err != nil {
				t.Fatal(err)
			}
			r.say(v.Bytes)
			if aborted := strings.Contains(v.ID, "unserialisable"); !p.ended() || (p.err != nil) != aborted || p.fate != broker.Answered {
				t.Errorf("%s: %v, fate %d", v.ID, p.err, p.fate)
			}
			r.lives()
		})
	}
}

// skipping reads an answer of any type and drops it.
type skipping struct{ *pending }

func (p *skipping) Answer(d *banana.Decoder) error {
	tok, err := d.Next()
	if err == nil && tok.Kind == banana.Open {
		err = d.Unwind(1)
	}
	return err
}

func TestMessageBeyondEveryLimitIsRefusedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, echo(), broker.Options{Decode: banana.Limits{Message: 32}})
		r.say(callMessage(0, 1, 0, "echo", "x"))
		r.lives()
	})
}
