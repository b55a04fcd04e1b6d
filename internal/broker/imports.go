package broker

import (
	"runtime"
	"sync"
	"weak"
)

// Imports are the peer's objects that we hold, by its numbers. While a proxy
// lives the same number gives the same proxy. When the garbage collector has
// taken it, release is told how often the peer must count down.
type Imports[R any] struct {
	release func(clid int64, count uint64)

	mu   sync.Mutex
	byID map[int64]*imported[R]
	life uint64 // proxies made so far
}

type imported[R any] struct {
	proxy weak.Pointer[R]
	life  uint64 // which proxy of the table it is: a late clean-up must not touch the next one
	count uint64 // my-references received and not yet given back
	asked int    // times something was given back that the peer has not taken back yet
	info  Info
}

// Info is what the peer says about an object with its first my-reference.
type Info struct{ Interface, FURL string }

// NewImports returns an empty table. release must not block: it is called by
// the runtime's clean-up goroutine.
func NewImports[R any](release func(clid int64, count uint64)) *Imports[R] {
	return &Imports[R]{release: release, byID: make(map[int64]*imported[R])}
}

// Receive counts one more receipt of clid and returns its proxy, made by
// newProxy if there is none. info is nil where the peer sent the number alone.
func (t *Imports[R]) Receive(clid int64, info *Info, newProxy func(Info) *R) *R {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byID[clid]
	if e == nil {
		e = new(imported[R])
		t.byID[clid] = e
	}
	e.count++
	if info != nil {
		e.info = *info
	}
	if p := e.proxy.Value(); p != nil {
		return p
	}
	p := newProxy(e.info)
	t.life++
	e.life = t.life
	e.proxy = weak.Make(p)
	runtime.AddCleanup(p, t.collected, life{clid, e.life})
	return p
}

type life struct {
	clid int64
	n    uint64
}

// collected runs when a proxy is gone. If the number has been received again
// meanwhile, the newer proxy will give all of it back.
func (t *Imports[R]) collected(l life) {
	t.mu.Lock()
	e := t.byID[l.clid]
	if e == nil || e.life != l.n {
		t.mu.Unlock()
		return
	}
	count := e.count
	e.count = 0
	e.asked++
	t.mu.Unlock()
	t.release(l.clid, count)
}

// Released forgets a number whose count the peer has taken back, once for each
// call of release, unless it was received again in between: the peer still knew
// it then, and sent no info.
func (t *Imports[R]) Released(clid int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byID[clid]
	if e == nil {
		return
	}
	if e.asked--; e.asked <= 0 && e.count == 0 {
		delete(t.byID, clid)
	}
}

// Len returns how many numbers are known.
func (t *Imports[R]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}
