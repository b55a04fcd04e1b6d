package tub

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
)

// A CallRemoter decides itself what to do with the calls it gets, instead of
// having its exported methods called. method is the name as it was sent. The
// rules of turns hold as for methods.
type CallRemoter interface {
	CallRemote(ctx context.Context, method string, args Args) (any, error)
}

// Expose returns obj in a form that makes the named methods callable although
// they would not be by themselves: because they come from an embedded field or
// are called String, Error, Close, Format, Marshal… or Unmarshal…. The other
// methods of obj stay callable. Give the result to [Tub.Register] or send it;
// when it comes home it is obj. A name that obj does not have is an error of
// Register.
func Expose(obj any, methods ...string) any {
	e := &exposed{value: obj}
	switch obj.(type) {
	case nil:
		e.class = &class{err: errors.New("Expose of nil")}
	case CallRemoter, *exposed, *revocable:
		e.class = &class{err: fmt.Errorf("Expose of %T, which decides about its calls itself", obj)}
	default:
		e.class = newClass(reflect.TypeOf(obj), methods)
	}
	return e
}

type exposed struct {
	value any
	class *class
}

// ErrRevoked is what callers of a revoked object get.
var ErrRevoked = errors.New("tub: access to this object was revoked")

// Revocable returns an object that passes all calls on to obj, and a function
// that ends this: from then on every call fails with [ErrRevoked]. Give away
// the returned object instead of obj. It shares obj's turn. revoke may be
// called more than once and from any goroutine.
func Revocable(obj any) (object any, revoke func()) {
	r := &revocable{value: obj}
	return r, func() { r.revoked.Store(true) }
}

type revocable struct {
	value   any
	revoked atomic.Bool
}

// An object is what a Tub knows about one of its objects: the value that the
// program gave it, what may be called on it, and whose turn it is. It lives
// while a peer holds it, a name leads to it, or something works with it.
type object struct {
	tub    *Tub
	value  any // as it comes home
	key    any // in Tub.objects; nil for values that cannot be compared
	recv   reflect.Value
	class  *class
	remote CallRemoter  // instead of class
	gates  []*revocable // asked before each call
	turn   *turn
	owner  any // whose turn it is, to give it back
	holds  atomic.Int64

	forgotten bool // under objects.mu

	// Under Tub.mu.
	names      []string // the first is the one in its FURL
	registered bool     // held by its names
}

// Retain and Release are broker.Object.
func (o *object) Retain() { o.holds.Add(1) }

func (o *object) Release() {
	if o.holds.Add(-1) == 0 {
		o.tub.objects.forget(o)
	}
}

// retainLiving is Retain unless nobody holds the object any more: then it is
// about to be forgotten.
func (o *object) retainLiving() bool {
	for {
		n := o.holds.Load()
		if n == 0 {
			return false
		}
		if o.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// objects are all of a Tub's objects that somebody holds, by identity.
type objects struct {
	mu     sync.Mutex
	byKey  map[any]*object
	gone   func(*object) // called without the lock when nobody holds it
	parent *Tub
}

// get returns the object for v, held once more: the caller must Release it. It
// is an error if nothing of v can be called.
func (x *objects) get(v any) (*object, error) {
	key := keyOf(v)
	x.mu.Lock()
	if o := x.byKey[key]; o != nil && key != nil {
		o.Retain()
		x.mu.Unlock()
		return o, nil
	}
	x.mu.Unlock()
	o, err := x.parent.newObject(v)
	if err != nil {
		return nil, err
	}
	o.Retain()
	if key == nil {
		o.turn = turns.get(o.owner)
		return o, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if other := x.byKey[key]; other != nil {
		other.Retain()
		return other, nil
	}
	o.key = key
	o.turn = turns.get(o.owner)
	x.byKey[key] = o
	return o, nil
}

// forget removes o unless it was taken up again meanwhile.
func (x *objects) forget(o *object) {
	x.mu.Lock()
	if o.holds.Load() != 0 || o.forgotten {
		x.mu.Unlock()
		return
	}
	o.forgotten = true
	if o.key != nil && x.byKey[o.key] == o {
		delete(x.byKey, o.key)
	}
	x.mu.Unlock()
	x.gone(o)
	turns.release(o.owner)
}

// isObject tells objects, which are sent by reference, from data: what decides
// about its own calls, and pointers to something with methods to call.
func isObject(v any) bool {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && r.IsNil() {
		return false
	}
	switch v.(type) {
	case nil, error:
		return false
	case *exposed, *revocable, CallRemoter:
		return true
	}
	return r.Kind() == reflect.Pointer && len(classOf(r.Type()).methods) > 0
}

// keyOf returns what tells a value from others: itself, if it is equal to
// itself; nil if nothing does.
func keyOf(v any) any {
	if r := reflect.ValueOf(v); !r.IsValid() || !r.Comparable() || !r.Equal(r) {
		return nil
	}
	return v
}

// newObject looks at a value. The object has no turn yet.
func (t *Tub) newObject(v any) (*object, error) {
	o := &object{tub: t, value: v, owner: v}
	if r := reflect.ValueOf(v); !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil() {
		return nil, errors.New("tub: nil is no object")
	}
	switch w := v.(type) {
	case *revocable:
		inner, err := t.newObject(w.value)
		if err != nil {
			return nil, err
		}
		inner.value, inner.gates = w, append(inner.gates, w)
		return inner, nil
	case *exposed:
		o.value, o.class, o.owner = w.value, w.class, w.value
		if o.class.err != nil {
			return nil, fmt.Errorf("tub: %w", o.class.err)
		}
		o.recv = reflect.ValueOf(w.value)
		return o, nil
	case CallRemoter:
		o.remote = w
		return o, nil
	}
	o.recv, o.class = reflect.ValueOf(v), classOf(reflect.TypeOf(v))
	if o.class.err != nil {
		return nil, fmt.Errorf("tub: %w", o.class.err)
	}
	if len(o.class.methods) == 0 {
		return nil, fmt.Errorf("tub: %T has no method that could be called (exported, declared on the type itself): see Expose", v)
	}
	return o, nil
}
