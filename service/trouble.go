package service

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// trouble is what is remembered of the failures of a service that is restarted, since its parent or
// somebody by hand has started it.
type trouble struct {
	pauses  int      // since the last stable run
	history []mishap // the last ones, one more than the limit at most
}

type mishap struct {
	at  time.Time
	err error
}

// countFailure notes a failure of n, which is to be restarted. It returns the pause before that, or,
// when there were too many, the failure that escalates in its place. n.mu is held.
func (n *Base) countFailure(failure *FailureError) (time.Duration, *FailureError) {
	b := n.opt.backoff
	now := time.Now()
	if n.trouble == nil {
		n.trouble = new(trouble)
	}
	t := n.trouble
	if since := n.life.since; !since.IsZero() && now.Sub(since) >= b.Stable {
		t.pauses = 0
	}
	if b.Limit >= 0 {
		t.history = append(t.history, mishap{now, failure})
		for now.Sub(t.history[0].at) > b.Within {
			t.history = t.history[1:]
		}
		if len(t.history) > b.Limit {
			err := &limitError{limit: b.Limit, within: b.Within, history: t.history}
			n.trouble = nil
			return 0, &FailureError{Path: n.Path(), Err: err}
		}
	}
	t.pauses++
	return b.pause(t.pauses), nil
}

// jitter draws from 0 to d, both included. Tests replace it.
var jitter = func(d time.Duration) time.Duration { return rand.N(d + 1) }

// pause is how long to wait before restart number i since the last stable run.
func (b *Backoff) pause(i int) time.Duration {
	if b.Initial < 0 || b.Max < 0 {
		return 0
	}
	d := min(b.Initial, b.Max)
	for ; i > 1 && d < b.Max; i-- {
		if d > b.Max/2 {
			d = b.Max
			break
		}
		d *= 2
	}
	return jitter(d)
}

// A limitError is the end of a service that failed too often. It is made up of these failures.
type limitError struct {
	limit   int
	within  time.Duration
	history []mishap
}

func (e *limitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "more than %d failures within %v: ", e.limit, e.within)
	last := e.history[len(e.history)-1].at
	for i, m := range e.history {
		if i > 0 {
			b.WriteString("; ")
		}
		if ago := last.Sub(m.at); ago > 0 {
			fmt.Fprintf(&b, "%v before: ", ago.Round(time.Millisecond))
		}
		b.WriteString(m.err.Error())
	}
	return b.String()
}

func (e *limitError) Unwrap() []error {
	all := make([]error, len(e.history))
	for i, m := range e.history {
		all[i] = m.err
	}
	return all
}
