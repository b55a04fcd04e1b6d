package service_test

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/octavo-go/octavo/service"
)

// The model: what a forest of services is after one request at a time, hooks taking no time, as
// simply as it can be said. FuzzTree and TestRandomRequestsAgainstTheModel hold trees against it.

const (
	escalates = iota
	ignores
	restarts
)

// A figure is the model of a service.
type figure struct {
	name     string
	group    bool
	policy   int
	backoff  service.Backoff
	strategy service.Group
	special  bool // significant

	state    service.State
	parent   *figure
	children []*figure
	place    int // in the parent's list
	places   int // given out
	since    time.Time
	sick     bool // its Start fails

	failures []time.Time
	pauses   int
	due      time.Time // of its own restart
	with     *figure   // the group it is restarted with

	from    int // the restart of members together
	pause   time.Duration
	members time.Time
}

type model struct {
	all     []*figure
	journal []string
	loose   bool // a restart is undone while what is above stops: the order is not told
}

func (f *figure) active() bool { return f.state == service.Running }

func (f *figure) above(other *figure) bool {
	for ; other != nil; other = other.parent {
		if other == f {
			return true
		}
	}
	return false
}

func (f *figure) path() string {
	if f.parent == nil {
		return "/" + f.name
	}
	return f.parent.path() + "/" + f.name
}

func (f *figure) child(name string) *figure {
	for _, c := range f.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (f *figure) below(visit func(*figure)) {
	visit(f)
	for _, c := range f.children {
		c.below(visit)
	}
}

func (f *figure) stay() { f.due, f.with = time.Time{}, nil }

func (f *figure) link(p *figure) {
	p.places++
	f.parent, f.place = p, p.places
	p.children = append(p.children, f)
}

func (f *figure) unlink() {
	f.stay()
	f.parent.children = slices.DeleteFunc(f.parent.children, func(c *figure) bool { return c == f })
	f.parent = nil
}

// start starts f with all below it, or undoes that.
func (m *model) start(f *figure, again bool) bool {
	failures, pauses := f.failures, f.pauses
	f.below(func(f *figure) {
		f.stay()
		f.failures, f.pauses, f.state = nil, 0, service.Idle
	})
	if again {
		f.failures, f.pauses = failures, pauses
	}
	var started []*figure
	var refuses *figure
	f.below(func(f *figure) {
		switch {
		case refuses != nil:
		case f.sick:
			refuses = f
		default:
			m.journal = append(m.journal, "+"+f.name)
			started = append(started, f)
		}
	})
	if refuses == nil {
		for _, s := range started {
			s.state, s.since = service.Running, time.Now()
		}
		return true
	}
	for _, s := range slices.Backward(started) {
		m.journal = append(m.journal, "-"+s.name)
	}
	for r := refuses; r != f.parent; r = r.parent {
		r.state, r.since = service.Failed, time.Time{}
	}
	return false
}

func (m *model) stop(f *figure) {
	f.stay()
	if !f.active() {
		return
	}
	for _, c := range slices.Backward(f.children) {
		m.stop(c)
	}
	m.journal = append(m.journal, "-"+f.name)
	f.state = service.Idle
}

// fail is a failure of f: of its Run, or of an attempt to restart it.
func (m *model) fail(f *figure) {
	now := time.Now()
	var pause time.Duration
	again := false
	top := f
	for ; ; top = top.parent {
		if top.policy == restarts {
			pause, again = top.count(now)
		}
		if again || top.policy == ignores || top.parent == nil {
			break
		}
	}
	switch g := top.parent; {
	case again && g != nil && g.strategy != service.OneForOne:
		m.regroup(g, top, pause)
	case again:
		m.loose = m.loose || f != top && !f.active()
		m.stop(top)
		top.due = now.Add(pause)
	default:
		m.loose = m.loose || f != top && !f.active()
		m.stop(top)
	}
	for p := f; p != top.parent; p = p.parent {
		p.state = service.Failed
	}
}

func (f *figure) count(now time.Time) (time.Duration, bool) {
	if !f.since.IsZero() && now.Sub(f.since) >= f.backoff.Stable {
		f.pauses = 0
	}
	f.failures = slices.DeleteFunc(append(f.failures, now), func(at time.Time) bool { return now.Sub(at) > f.backoff.Within })
	if len(f.failures) > f.backoff.Limit {
		f.failures, f.pauses = nil, 0
		return 0, false
	}
	f.pauses++
	return min(f.backoff.Max, f.backoff.Initial<<(f.pauses-1)), true
}

func (m *model) regroup(g, c *figure, pause time.Duration) {
	if !slices.ContainsFunc(g.children, func(c *figure) bool { return c.with == g }) && g.members.IsZero() {
		g.from, g.pause = math.MaxInt, 0
	}
	first := 0
	if g.strategy == service.RestForOne {
		first = c.place
	}
	g.from, g.pause = min(g.from, first), max(g.pause, pause)
	c.with = g
	for _, c := range slices.Backward(g.children) {
		if c.place >= g.from && c.active() {
			m.stop(c)
			c.with = g
		}
	}
	g.members = time.Now().Add(g.pause)
}

// restartMembers is what happens when the pause of a group's members is over.
func (m *model) restartMembers(g *figure) {
	g.members = time.Time{}
	g.from, g.pause = math.MaxInt, 0
	for _, c := range slices.Clone(g.children) {
		if c.with != g || !g.active() {
			continue
		}
		c.with = nil
		if !m.start(c, true) {
			m.fail(c)
			if !g.members.IsZero() {
				return
			}
		}
	}
}

// endWell is a good end of f.
func (m *model) endWell(f *figure) {
	for f.special && f.parent != nil {
		f = f.parent
	}
	m.stop(f)
}

// next is the first restart that is due.
func (m *model) next() (at time.Time, happen func()) {
	for _, f := range m.all {
		if !f.due.IsZero() && (at.IsZero() || f.due.Before(at)) {
			at, happen = f.due, func() {
				f.stay()
				if !m.start(f, true) {
					m.fail(f)
				}
			}
		}
		if !f.members.IsZero() && (at.IsZero() || f.members.Before(at)) {
			at, happen = f.members, func() {
				if f.active() && slices.ContainsFunc(f.children, func(c *figure) bool { return c.with == f }) {
					m.restartMembers(f)
				} else {
					f.members = time.Time{}
				}
			}
		}
	}
	return at, happen
}

func (m *model) String() string {
	s := ""
	for _, f := range m.all {
		if f.parent == nil {
			s += f.text("")
		}
	}
	return s
}

func (f *figure) text(indent string) string {
	kind := []string{"escalate", "ignore", "restart"}[f.policy]
	if f.group {
		kind += " " + []string{"one for one", "one for all", "rest for one"}[f.strategy]
	}
	if f.special {
		kind += " significant"
	}
	if f.sick {
		kind += " sick"
	}
	if !f.due.IsZero() || f.with != nil {
		kind += " coming back"
	}
	s := fmt.Sprintf("%s%s %v (%s)\n", indent, f.name, f.state, kind)
	for _, c := range f.children {
		s += c.text(indent + "  ")
	}
	return s
}
