package tub

import (
	"context"
	"errors"
	"testing"

	"github.com/octavo-go/octavo/internal/negotiate"
)

// A claim ends with the negotiation that made it, or the peer could never
// connect again.
func TestAClaimEndsWithItsNegotiation(t *testing.T) {
	tb, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := tb.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tb.Stop(context.Background()) })
	const id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	first, second, third := &records{tub: tb, run: tb.run}, &records{tub: tb, run: tb.run}, &records{tub: tb, run: tb.run}
	slave := offerOf("2222222222222222", "none 0")
	if _, err := first.Decide(id, slave); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Decide(id, slave); !errors.Is(err, negotiate.ErrDuplicate) {
		t.Errorf("beside a claim: got %v, want ErrDuplicate", err)
	}
	second.abandon() // has nothing to give back
	if _, err := second.Decide(id, slave); !errors.Is(err, negotiate.ErrDuplicate) {
		t.Errorf("after the refused one gave up: got %v, want ErrDuplicate", err)
	}
	if _, err := second.Decide(id, offerOf("3333333333333333", "none 0")); err != nil {
		t.Errorf("the peer has restarted: %v", err)
	}
	first.abandon() // was replaced: the claim is not its own any more
	if _, err := third.Decide(id, offerOf("3333333333333333", "none 0")); !errors.Is(err, negotiate.ErrDuplicate) {
		t.Errorf("beside the claim of the restarted peer: got %v, want ErrDuplicate", err)
	}
	second.abandon()
	if _, err := third.Decide(id, offerOf("3333333333333333", "none 0")); err != nil {
		t.Errorf("after all have given up: %v", err)
	}
	third.abandon()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if tb.peers[id].claimed {
		t.Error("a claim is left")
	}
}
