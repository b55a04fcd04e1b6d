package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"time"
)

// A life is one run of a service, from the first step of its start to the last of its stop. What
// follows the first block is guarded by the mutex of the service.
type life struct {
	start  *start          // the start that it began in
	values context.Context // what Run, Drain and Stop derive from: values only
	scope  context.Context // what Acquire and Start derive from; a group's own, to end them all by
	labels pprof.LabelSet  // set only where there is a hook to carry them

	// The start.
	walking  bool                    // a start is at work in this service or below it
	abort    context.CancelCauseFunc // ends the hook under way, or the scope of a group
	acquired bool                    // the walk of Acquire has been here
	begun    bool                    // that of Start has come to it
	undoing  bool                    // the start at work undoes this part of it
	ready    bool                    // it has been Running
	since    time.Time               // and since when, where it can be restarted
	endsWell bool                    // a significant child has, meanwhile
	startErr error                   // for those that wait for the start, when it was not

	// The stop. Who sets claimed drives it; all others wait until it is over. While a start is at
	// work in the service its stop is only asked for, and the start claims it on its way out.
	asked   bool
	swept   bool      // asked for by the stop of a group above
	until   time.Time // when the asked stop is to be over
	closing bool      // the stop of a group above will come by
	claimed bool
	cause   error   // why it stops
	errs    []error // met in its own hooks
	over    bool    // result stands; hooks that have overrun may still be at it
	result  error

	// The hooks.
	hooks    int  // that have not returned
	owed     bool // a Stop, since the first hook succeeded
	launched bool // Run was called
	runOver  bool // and has returned
	draining bool
	drained  bool                    // or being drained
	told     bool                    // the context of Run has been ended
	end      context.CancelCauseFunc // ends the context of Run
	runErr   *FailureError
	fault    *FailureError // the failure that this life ends with, of this service or below it
	failed   error         // what it is Failed with once it has ended; nil for Idle

	// Overrun.
	overran bool
	late    bool  // a service below has, and has been waited for in vain
	below   int   // services below that have overrun and not ended
	lateIn  *life // the life of the parent that counts this one there
}

// born begins a life of n. n.mu is held.
func (n *Base) born(s *start, scope, values context.Context) *life {
	l := &life{start: s, values: values, scope: scope, walking: true}
	n.stayLocked()
	if !s.again || s.root != n {
		n.trouble = nil
	}
	if n.hooks.any() {
		l.labels = pprof.Labels(label, n.Path())
	}
	if n.group != nil {
		l.scope, l.abort = context.WithCancelCause(scope)
	}
	n.life = l
	n.setState(Starting, nil)
	return l
}

func (h *Hooks) any() bool {
	return h.Acquire != nil || h.Start != nil || h.Run != nil || h.Drain != nil || h.Stop != nil
}

// serves says whether there is anything to drain in n. n.mu is held.
func (n *Base) serves(l *life) bool {
	return l.ready && (n.hooks.Run == nil || l.launched && !l.runOver)
}

// accepts says whether children of n can be started now. n.mu is held.
func (n *Base) accepts() bool {
	return n.state == Running && !n.life.claimed && !n.life.closing
}

// conclude gives the stop of n its result, and with it ends the life unless something overran: then
// the last hook to return does. It says whether nothing did.
func (n *Base) conclude(l *life, result error) (inTime bool) {
	n.mu.Lock()
	l.over = true
	l.result = result
	if !l.ready {
		if l.startErr == nil {
			l.startErr = &StartError{Path: n.Path(), Err: stoppedMeanwhile(l.cause)}
		}
		l.startErr = join(l.startErr, without(result, l.cause))
	}
	if l.ready {
		l.failed = join(append([]error{l.failed}, l.errs...)...)
	}
	inTime = !l.overran && !l.late
	if l.failed == nil && !inTime {
		l.failed = result // which names who overran
	}
	n.wrapUp(l)
	return inTime
}

// wrapUp ends a life that is over, once nothing is at it any more. A Stop that is still owed then, to
// a service that has overrun, is called first. n.mu is held, and unlocked.
func (n *Base) wrapUp(l *life) {
	if l.over && l.hooks == 0 && l.owed {
		l.owed = false
		l.hooks++
		go n.stopLate(l)
	}
	n.endLocked(l).settle()
}

// endLocked does what is left to do at the end of a life that is over: it sets the last state if
// nothing is still at it, and takes n from its parent if that is wanted. It unlocks n.mu, and
// returns who has to be told.
func (n *Base) endLocked(l *life) (up debt) {
	ended := l.over && l.hooks == 0 && l.below == 0 && !l.owed
	if ended {
		if l.abort != nil {
			l.abort(nil)
		}
		if l.failed != nil {
			n.setState(Failed, l.failed)
		} else {
			n.setState(Idle, nil)
		}
	}
	if l.over {
		n.comeBackLocked(l, ended && !l.overran && !l.late)
	}
	unlink := l.over && (n.leaving != nil || l.start.attach && l.start.root == n && !l.ready)
	if (ended || unlink) && l.lateIn != nil {
		up = debt{n.above(), l.lateIn}
		l.lateIn = nil
	}
	if unlink {
		n.unlinkLocked(l.result)
	}
	n.wakeLocked()
	n.mu.Unlock()
	return up
}

// A debt is one service that a life above has counted as overrun.
type debt struct {
	n *Base
	l *life
}

func (d debt) settle() {
	for d.l != nil {
		d.n.mu.Lock()
		d.l.below--
		d = d.n.endLocked(d.l)
	}
}

// unlinkLocked takes n from its parent and completes the disown that waits for that. n.mu is held.
func (n *Base) unlinkLocked(result error) {
	n.stayLocked()
	if p := n.parent.Load(); p != nil {
		p.mu.Lock()
		p.kids.remove(n.place)
		n.parent.Store(nil)
		n.place = nil
		p.mu.Unlock()
	}
	if f := n.leaving; f != nil {
		n.leaving = nil
		f.complete(result)
	}
}

// stoppedMeanwhile is why a start came to nothing that was stopped.
func stoppedMeanwhile(cause error) error {
	if cause == nil {
		cause = context.Canceled
	}
	return fmt.Errorf("stopped meanwhile: %w", cause)
}

// without is the errors of err but for one, which the reader knows already.
func without(err, known error) error {
	if f := (*FailureError)(nil); !errors.As(known, &f) {
		return err
	}
	all := []error{err}
	if list, ok := err.(*errorList); ok {
		all = list.all
	}
	var rest []error
	for _, e := range all {
		if !identical(e, known) {
			rest = append(rest, e)
		}
	}
	return join(rest...)
}
