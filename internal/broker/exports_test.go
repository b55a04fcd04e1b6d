package broker_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// An object counts how often Links hold it.
type object struct{ retained, released atomic.Int64 }

func (o *object) Retain()     { o.retained.Add(1) }
func (o *object) Release()    { o.released.Add(1) }
func (o *object) held() int64 { return o.retained.Load() - o.released.Load() }

// announce sends a reference to the object in a one-way call.
func announce(t *testing.T, l *broker.Link, objs ...broker.Object) {
	t.Helper()
	err := l.Notify(0, "take", func(e *banana.Encoder) error {
		e.Int(int64(len(objs)))
		for _, o := range objs {
			e.Open("my-reference")
			e.Late(&broker.MyReference{Obj: o})
			e.Close()
		}
		return nil
	}, nil)
	if err != nil {
		t.Errorf("announcing: %v", err)
	}
}

// Numbers, counting and what is told with the first announcement are Foolscap's, byte for byte.
func TestReferencesAreAnnouncedAsRecorded(t *testing.T) {
	plain, typed := new(object), new(object)
	const iface = "RITarget.example.com"
	for _, where := range []string{"noloc", "loc"} {
		synctest.Test(t, func(t *testing.T) {
			var want [][]byte
			var furls []string
			for _, v := range recorded.Vectors(t, "references") {
				if strings.HasPrefix(v.ID, "ref_"+where+"_") && v.Vocab == 1 && !strings.HasSuffix(v.ID, "_4_v1") {
					want = append(want, v.Bytes)
					for _, tok := range v.Tokens {
						if _, furl, ok := strings.Cut(tok, "b'pb://"); ok {
							furls = append(furls, "pb://"+strings.TrimSuffix(furl, "'"))
						}
					}
				}
			}
			if where == "noloc" {
				furls = []string{"", ""}
			}
			if len(want) != 4 || len(furls) != 2 {
				t.Fatalf("%d vectors, FURLs %q", len(want), furls)
			}
			ref := func(e *banana.Encoder, o *object) {
				e.Open("my-reference")
				if o == plain {
					e.Late(&broker.MyReference{Obj: o, FURL: furls[0]})
				} else {
					e.Late(&broker.MyReference{Obj: o, Interface: iface, FURL: furls[1]})
				}
				e.Close()
			}
			r := newRaw(t, silent(nil), broker.Options{})
			for i, body := range []func(*banana.Encoder){
				func(e *banana.Encoder) { ref(e, plain) },
				func(e *banana.Encoder) { ref(e, plain) },
				func(e *banana.Encoder) { ref(e, typed) },
				func(e *banana.Encoder) { e.Open("list"); ref(e, plain); ref(e, typed); ref(e, plain); e.Close() },
			} {
				r.link.Call(t.Context(), 1, "f", func(e *banana.Encoder) error { e.Int(1); body(e); return nil }, newPending())
				if got := r.heard(); !bytes.Equal(got, want[i]) {
					t.Errorf("%s %d:\nwrote %x\nwant  %x", where, i, got, want[i])
				}
			}
			for _, o := range []*object{plain, typed} {
				if o.held() != 1 {
					t.Errorf("an object is held %d times, want once", o.held())
				}
			}
			if err := r.link.Decref(1, 4); err != nil || plain.held() != 0 || r.link.Exports() != 1 {
				t.Errorf("four announcements given back: %v, held %d", err, plain.held())
			}
		})
		if typed.held() != 0 {
			t.Errorf("held after the end: %d", typed.held())
		}
	}
}

func TestExportIsReleasedWhenAllOfItIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, silent(nil), broker.Options{})
		a, b := new(object), new(object)
		announce(t, r.link, a, b, a, a)
		if got, ok := r.link.Exported(1); !ok || got != broker.Object(a) {
			t.Errorf("number 1 is %v, %v", got, ok)
		}
		if err := r.link.Decref(1, 2); err != nil || a.held() != 1 {
			t.Errorf("2 of 3 given back: %v, held %d", err, a.held())
		}
		if err := r.link.Decref(1, 2); err == nil || a.held() != 1 {
			t.Errorf("more given back than was given: %v, held %d", err, a.held())
		}
		if err := r.link.Decref(1, 0); err != nil || a.held() != 1 {
			t.Errorf("nothing given back: %v, held %d", err, a.held())
		}
		if err := r.link.Decref(1, 1); err != nil || a.held() != 0 || a.released.Load() != 1 {
			t.Errorf("all given back: %v, held %d", err, a.held())
		}
		if _, ok := r.link.Exported(1); ok || r.link.Exports() != 1 {
			t.Error("number 1 still leads somewhere")
		}
		for _, unknown := range []int64{0, 1, 99, -1} {
			if err := r.link.Decref(unknown, 5); err != nil {
				t.Errorf("giving back the unknown %d: %v", unknown, err)
			}
		}
	})
}

func TestNumbersAreNeverUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, silent(nil), broker.Options{})
		o := new(object)
		for i := range int64(5) {
			announce(t, r.link, o)
			if got, ok := r.link.Exported(i + 1); !ok || got != broker.Object(o) {
				t.Fatalf("announcement %d has another number", i+1)
			}
			out := r.heard()
			if want := wireRef(i + 1); !bytes.Contains(out, want) {
				t.Errorf("a new number comes without its information: %x, want %x", out, want)
			}
			r.link.Decref(i+1, 1)
		}
		if o.retained.Load() != 5 || o.held() != 0 {
			t.Errorf("retained %d times, held %d", o.retained.Load(), o.held())
		}
	})
}

// wireRef is the contents of a my-reference with a new number and no interface.
func wireRef(id int64) []byte {
	return append([]byte("\x0f\x87"), banana.AppendString(banana.AppendInt(nil, id), "")...)
}

// Words are replaced everywhere, as Foolscap does it.
func TestInterfaceThatIsAWordIsSentAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, silent(nil), broker.Options{})
		err := r.link.Notify(0, "take", func(e *banana.Encoder) error {
			e.Int(1)
			e.Open("my-reference")
			e.Late(&broker.MyReference{Obj: new(object), Interface: "method"})
			e.Close()
			return nil
		}, nil)
		if out := r.heard(); err != nil || !bytes.Contains(out, []byte("\x0f\x87\x01\x81\x16\x87")) {
			t.Errorf("wrote %x, %v", out, err)
		}
	})
}

func TestCallsReachTheirTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan broker.Call, 1)
		r := newRaw(t, silent(got), broker.Options{})
		o := new(object)
		announce(t, r.link, new(object), o)
		r.say(callMessage(0, 1, 2, "m"))
		if c := <-got; c.Target != broker.Object(o) || c.CLID != 2 || c.Method != "m" {
			t.Errorf("got %+v", c)
		}
	})
}
