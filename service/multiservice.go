package service

import (
	"iter"
	"slices"
)

// MultiService is a service with children: a group. Its own hooks, where a type that embeds it has
// any, begin before those of its children and end after them. Make one with [NewMulti], or with
// [NewMultiBase] to embed it.
type MultiService struct {
	Base
	kids    children  // guarded by Base.mu
	regroup *comeback // of several children together, guarded by Base.mu
}

// NewMulti makes a group.
func NewMulti(name string, opts ...Option) *MultiService {
	return NewMultiBase(nil, name, Hooks{}, opts...)
}

// NewMultiBase makes the group for self to embed: see [NewBase].
func NewMultiBase(self Service, name string, h Hooks, opts ...Option) *MultiService {
	m := &MultiService{Base: Base{self: self, name: name, hooks: h}}
	m.opt.apply(opts)
	m.group = m
	if self == nil {
		m.self = m
	}
	return m
}

// Self is the value that embeds m, or m itself.
func (m *MultiService) Self() Service { return m.self }

// Add attaches children with [Service.SetParent], in order, to the first error. Those attached
// before it stay.
func (m *MultiService) Add(children ...Service) error {
	for _, c := range children {
		if err := c.SetParent(m); err != nil {
			return err
		}
	}
	return nil
}

// Children yields the children, in the order they were added, as the values that embed them. Each
// iteration goes over a snapshot of its own, so its body may add and remove.
func (m *MultiService) Children() iter.Seq[Service] {
	return func(yield func(Service) bool) {
		for _, c := range m.snapshot() {
			if !yield(c.self) {
				return
			}
		}
	}
}

// Child is the child of that name, as the value that embeds it, or nil.
func (m *MultiService) Child(name string) Service {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.kids.names[name]; p != nil && p.child.parent.Load() == m {
		return p.child.self
	}
	return nil
}

func (m *MultiService) snapshot() []*Base {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kids.all()
}

// children is the ordered list of a group. Places are numbered in the order they are given out, so
// that a walk can go on from a number whatever was added or removed meanwhile.
type children struct {
	places []*place // by number; those given up stay until there are many
	names  map[string]*place
	last   uint64 // number given out last
	gone   int    // places given up that are still in the list
}

// A place is where a child stands in its parent's list, or will once its Move is through.
type place struct {
	number   uint64
	child    *Base // nil once it is given up
	reserved bool
	gone     bool
}

func (k *children) add(c *Base, reserved bool) *place {
	if k.names == nil {
		k.names = make(map[string]*place)
	}
	k.last++
	p := &place{number: k.last, child: c, reserved: reserved}
	k.places = append(k.places, p)
	k.names[c.name] = p
	return p
}

func (k *children) remove(p *place) {
	p.gone = true
	if k.names[p.child.name] == p {
		delete(k.names, p.child.name)
	}
	p.child = nil // the place may stay for long
	if k.gone++; k.gone > len(k.places)/2 {
		k.places = slices.DeleteFunc(k.places, func(p *place) bool { return p.gone })
		k.gone = 0
	}
}

// after is the first child behind the place of that number, or nil.
func (k *children) after(number uint64) *place {
	for i := k.search(number + 1); i < len(k.places); i++ {
		if p := k.places[i]; !p.gone && !p.reserved {
			return p
		}
	}
	return nil
}

// before is the last child in front of the place of that number, or nil.
func (k *children) before(number uint64) *place {
	for i := k.search(number) - 1; i >= 0; i-- {
		if p := k.places[i]; !p.gone && !p.reserved {
			return p
		}
	}
	return nil
}

// search is the index of the first place with that number or a higher one.
func (k *children) search(number uint64) int {
	i, _ := slices.BinarySearchFunc(k.places, number, func(p *place, n uint64) int {
		switch {
		case p.number < n:
			return -1
		case p.number > n:
			return 1
		}
		return 0
	})
	return i
}

func (k *children) all() []*Base {
	all := make([]*Base, 0, len(k.places)-k.gone)
	for _, p := range k.places {
		if !p.gone && !p.reserved {
			all = append(all, p.child)
		}
	}
	return all
}

// A placed is a child where it stood a moment ago.
type placed struct {
	child *Base
	at    *place
}

// childAfter is the next child of m in order of start.
func (m *MultiService) childAfter(number uint64) (c placed, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.kids.after(number)
	if p == nil {
		return placed{}, false
	}
	return placed{p.child, p}, true
}

// childBefore is the next child of m in order of stop.
func (m *MultiService) childBefore(number uint64) (*Base, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.kids.before(number); p != nil {
		return p.child, p.number
	}
	return nil, number
}
