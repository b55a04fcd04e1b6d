package tub

import "testing"

// What is ready first goes on first, be it a call that has not begun or a
// method that was away.
func TestTheTurnIsTakenInOrderOfReadiness(t *testing.T) {
	var turn turn
	d := new(dispatcher)
	first, second := &task{from: d}, &task{from: d}
	back, late := make(chan struct{}), make(chan struct{})
	if !turn.enter(waiter{task: &task{from: d}}) {
		t.Fatal("a free turn was not taken")
	}
	for _, w := range []waiter{{task: first}, {ready: back}, {task: second}, {ready: late}} {
		if turn.enter(w) {
			t.Fatal("a turn was taken twice")
		}
	}
	if next := turn.leave(); next != first {
		t.Error("the first call is not next")
	}
	if next := turn.leave(); next != nil || !closed(back) || closed(late) {
		t.Error("the method that was away is not next")
	}
	if next := turn.leave(); next != second || closed(late) {
		t.Error("the second call is not next")
	}
	if next := turn.leave(); next != nil || !closed(late) {
		t.Error("the last one is not next")
	}
	if turn.leave() != nil || turn.busy {
		t.Error("the turn is not free")
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Calls of a connection that does not read its answers give up their place,
// and get it back in their order and before what came behind them.
func TestParkedCallsComeBackInOrder(t *testing.T) {
	var turn turn
	slow, other := &dispatcher{unsent: maxUnsent}, new(dispatcher)
	turn.busy = true
	a, b, c, o := &task{from: slow}, &task{from: slow}, &task{from: slow}, &task{from: other}
	turn.queue = []waiter{{task: a}, {task: b}, {task: o}}
	if next := turn.leave(); next != o || len(slow.parked[&turn]) != 2 {
		t.Fatalf("next is %p with %d parked, want that of the other connection", next, len(slow.parked[&turn]))
	}
	slow.unsent--
	if turn.enter(waiter{task: c}) || len(slow.parked[&turn]) != 3 {
		t.Fatal("a call has passed those that are parked")
	}
	turn.enter(waiter{task: &task{from: other}})
	slow.answering(-1) // while another method has the turn
	for i, want := range []*task{a, b, c} {
		if next := turn.leave(); next != want {
			t.Errorf("call %d is not next", i)
		}
	}
	if next := turn.leave(); next == nil || next.from != other || turn.leave() != nil {
		t.Error("the call that came behind them is not next")
	}
}

// A turn is remembered as long as somebody holds the object, and no longer.
func TestTurnsAreForgottenWithTheirObjects(t *testing.T) {
	before := len(turns.byOwner)
	tb, err := New()
	if err != nil {
		t.Fatal(err)
	}
	v := &struct {
		CallRemoter
		n int
	}{}
	for range 3 {
		r, _ := Revocable(v)
		a, errA := tb.objects.get(v)
		b, errB := tb.objects.get(r)
		if errA != nil || errB != nil || a.turn != b.turn || a == b {
			t.Fatalf("got %v, %v and turns %p, %p; want one turn", errA, errB, a.turn, b.turn)
		}
		a.Release()
		if len(turns.byOwner) != before+1 {
			t.Error("the turn went with the first of two")
		}
		b.Release()
		if len(turns.byOwner) != before || len(tb.objects.byKey) != 0 {
			t.Error("something is left")
		}
	}
}
