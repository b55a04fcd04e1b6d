package tub

import (
	"context"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/recorded"
)

// Each of these takes the recorded calls of "record", as another type.
type (
	leaf struct {
		Name  string
		Next  *leaf `octavo:"a"`
		Items []any `octavo:"b"`
	}
	takesAny     struct{ last any }
	takesMany    struct{ last []any }
	takesInt     struct{ last int32 }
	takesBig     struct{ last *big.Int }
	takesText    struct{ last string }
	takesBytes   struct{ last []byte }
	takesList    struct{ last []any }
	takesLists   struct{ last [][]int }
	takesArray   struct{ last [2]any }
	takesTuple   struct{ last Tuple }
	takesDict    struct{ last *Dict }
	takesMap     struct{ last map[any]any }
	takesInts    struct{ last map[int]float32 }
	takesStruct  struct{ last leaf }
	takesPointer struct{ last *leaf }
	takesSet     struct{ last map[any]struct{} }
	takesFrozen  struct{ last *FrozenSet }
	takesRef     struct{ last *Reference }
	takesOwn     struct{ last *takesOwn }
	takesAll     struct{ last Args }
)

func (r *takesAny) Record(v any) any                   { r.last = v; return v }
func (r *takesMany) Record(v ...any) Tuple             { r.last = v; return v }
func (r *takesInt) Record(v int32) int32               { r.last = v; return v }
func (r *takesBig) Record(v *big.Int) *big.Int         { r.last = v; return v }
func (r *takesText) Record(v string) string            { r.last = v; return v }
func (r *takesBytes) Record(v []byte) []byte           { r.last = v; return v }
func (r *takesList) Record(v []any) []any              { r.last = v; return v }
func (r *takesLists) Record(v [][]int) [][]int         { r.last = v; return v }
func (r *takesArray) Record(v [2]any) [2]any           { r.last = v; return v }
func (r *takesTuple) Record(v Tuple) Tuple             { r.last = v; return v }
func (r *takesDict) Record(v *Dict) *Dict              { r.last = v; return v }
func (r *takesMap) Record(v map[any]any) any           { r.last = v; return v }
func (r *takesInts) Record(v map[int]float32) any      { r.last = v; return v }
func (r *takesStruct) Record(v leaf) leaf              { r.last = v; return v }
func (r *takesPointer) Record(v *leaf, _ Keywords) any { r.last = v; return v }
func (r *takesSet) Record(v map[any]struct{}) any      { r.last = v; return v }
func (r *takesFrozen) Record(v *FrozenSet) *FrozenSet  { r.last = v; return v }
func (r *takesRef) Record(v *Reference) *Reference     { r.last = v; return v }
func (r *takesOwn) Record(v *takesOwn) *takesOwn       { r.last = v; return v }
func (r *takesAll) CallRemote(_ context.Context, _ string, a Args) (any, error) {
	r.last = a
	return a.Positional, nil
}

var fuzzed = []func() any{
	func() any { return new(takesAny) }, func() any { return new(takesMany) }, func() any { return new(takesInt) },
	func() any { return new(takesBig) }, func() any { return new(takesText) }, func() any { return new(takesBytes) },
	func() any { return new(takesList) }, func() any { return new(takesLists) }, func() any { return new(takesArray) },
	func() any { return new(takesTuple) }, func() any { return new(takesDict) }, func() any { return new(takesMap) },
	func() any { return new(takesInts) }, func() any { return new(takesStruct) }, func() any { return new(takesPointer) },
	func() any { return new(takesSet) }, func() any { return new(takesFrozen) }, func() any { return new(takesRef) },
	func() any { return new(takesOwn) }, func() any { return new(takesAll) },
}

// Whatever a peer writes, a Tub neither panics nor hangs, and when the peer is
// gone nothing of it is left.
func FuzzDecodeValue(f *testing.F) {
	for i, stream := range recorded.Streams(f) {
		for vocab := range uint8(2) {
			f.Add(uint8(i), vocab, stream)
		}
	}
	for which := range fuzzed {
		for _, v := range recorded.Vectors(f, "call_values") {
			if v.Vocab == 1 {
				f.Add(uint8(which), uint8(1), []byte(v.Bytes))
			}
		}
	}
	tb, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which, vocab uint8, stream []byte) {
		here, there := net.Pipe()
		r := &run{ctx: t.Context()}
		c := tb.newConnection(r, tubIDOfPeer, "")
		limits := tb.opts.link()
		limits.Decode = banana.Limits{Depth: 200, String: 1 << 16, Message: 1 << 20}
		c.link = broker.New(here, here, banana.Vocabs[vocab%2], c, limits)
		// The peer holds an object as number 1.
		err := c.link.Notify(0, "hold", func(e *banana.Encoder) error {
			enc := newEncoder(e, c)
			err := enc.arguments([]any{fuzzed[int(which)%len(fuzzed)]()})
			enc.release()
			return err
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			c.link.Serve()
			c.calls.tasks.Wait()
			close(served)
		}()
		read := make(chan struct{})
		go func() {
			io.Copy(io.Discard, there)
			close(read)
		}()
		there.SetWriteDeadline(time.Now().Add(20 * time.Second))
		there.Write(stream)
		there.Close()
		for name, done := range map[string]chan struct{}{"the Tub": served, "its writer": read} {
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatalf("%s still runs after the peer is gone", name)
			}
		}
		c.calls.mu.Lock()
		defer c.calls.mu.Unlock()
		if n := c.calls.unsent; n != 0 || len(c.calls.parked) != 0 || c.calls.oneWay.Load() != 0 {
			t.Fatalf("%d answers, %d calls are left", n, len(c.calls.parked))
		}
		if c.link.Exports() != 0 {
			t.Fatalf("%d objects are still held", c.link.Exports())
		}
	})
}
