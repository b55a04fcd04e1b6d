package broker

import (
	"fmt"
	"sync"

	"github.com/octavo-go/octavo/internal/banana"
)

// An Object is one of ours that a peer may hold. It is compared by identity:
// the type that implements it must be a pointer.
type Object interface {
	// Retain is called when a Link begins to hold the object. It is called
	// with locks held and may only count.
	Retain()
	// Release is called when a Link's peer holds it no longer.
	Release()
}

// A MyReference announces one of our objects, as the late token of a
// "my-reference" sequence.
type MyReference struct {
	Obj       Object
	Interface string // name of its RemoteInterface, or empty
	FURL      string // its own FURL, or empty where our Tub has no location
}

// exports are our objects that the peer holds, by the number it knows them by.
// Numbers are never used twice in the life of a connection.
type exports struct {
	mu   sync.Mutex
	last int64
	byID map[int64]*export
	ids  map[Object]int64
}

type export struct {
	obj   Object
	count uint64 // my-references sent and not yet given back
}

func (x *exports) init() {
	x.byID, x.ids = make(map[int64]*export), make(map[Object]int64)
}

// announce appends the contents of a my-reference: what the object is called
// goes with its number the first time only. It counts one more receipt.
func (x *exports) announce(dst []byte, vocab *banana.Vocab, ref *MyReference) []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	if id, known := x.ids[ref.Obj]; known {
		x.byID[id].count++
		return banana.AppendInt(dst, id)
	}
	ref.Obj.Retain()
	x.last++
	x.ids[ref.Obj] = x.last
	x.byID[x.last] = &export{obj: ref.Obj, count: 1}
	dst = banana.AppendInt(dst, x.last)
	dst = banana.AppendText(dst, vocab, ref.Interface)
	if ref.FURL != "" {
		dst = banana.AppendText(dst, vocab, ref.FURL)
	}
	return dst
}

func (x *exports) lookup(id int64) (Object, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e, ok := x.byID[id]; ok {
		return e.obj, true
	}
	return nil, false
}

func (x *exports) drop() []Object {
	x.mu.Lock()
	defer x.mu.Unlock()
	var objs []Object
	for _, e := range x.byID {
		objs = append(objs, e.obj)
	}
	x.init()
	return objs
}

// Exported returns our object that the peer knows by a number: where a
// your-reference leads.
func (l *Link) Exported(clid int64) (Object, bool) { return l.exports.lookup(clid) }

// Exports returns how many of our objects the peer holds.
func (l *Link) Exports() int {
	l.exports.mu.Lock()
	defer l.exports.mu.Unlock()
	return len(l.exports.byID)
}

// Decref takes back count receipts of an object and releases it when none is
// left. An unknown number is no error: it may have been given back before.
func (l *Link) Decref(clid int64, count uint64) error {
	obj, err := l.exports.decref(clid, count)
	if obj != nil {
		obj.Release()
	}
	return err
}

func (x *exports) decref(id int64, count uint64) (released Object, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.byID[id]
	if !ok {
		return nil, nil
	}
	if count > e.count {
		return nil, fmt.Errorf("decref of %d where only %d are held", count, e.count)
	}
	if e.count -= count; e.count > 0 {
		return nil, nil
	}
	delete(x.byID, id)
	delete(x.ids, e.obj)
	return e.obj, nil
}
