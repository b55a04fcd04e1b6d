package service

import (
	"fmt"
	"strings"
	"time"
)

// Transitions is the state table.
var Transitions = transitions[:]

// SetJitter replaces the draw of the pauses, and returns what puts it back.
func SetJitter(f func(time.Duration) time.Duration) (restore func()) {
	old := jitter
	jitter = f
	return func() { jitter = old }
}

// Dump draws the tree, also when somebody keeps a lock for ever.
func Dump(s Service) string {
	var b strings.Builder
	var draw func(n *Base, indent string)
	draw = func(n *Base, indent string) {
		locked := n.mu.TryLock()
		fmt.Fprintf(&b, "%s%s %v", indent, n.name, n.state)
		if !locked {
			b.WriteString(" (its lock is held)")
		}
		if l := n.life; l != nil {
			fmt.Fprintf(&b, " walking %v asked %v closing %v claimed %v over %v hooks %d below %d",
				l.walking, l.asked, l.closing, l.claimed, l.over, l.hooks, l.below)
		}
		if n.back != nil {
			fmt.Fprintf(&b, " back with %s", n.back.of.name)
		}
		fmt.Fprintf(&b, " err %v\n", n.err)
		var kids []*Base
		if n.group != nil {
			kids = n.group.kids.all()
		}
		if locked {
			n.mu.Unlock()
		}
		for _, c := range kids {
			draw(c, indent+"  ")
		}
	}
	draw(s.node(), "")
	return b.String()
}

// Options makes one of many.
func Options(opts []Option) Option {
	return func(o *options) {
		for _, opt := range opts {
			opt(o)
		}
	}
}
