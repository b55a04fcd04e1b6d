package service

import "time"

// runReturned sees to a Run that has returned.
func (n *Base) runReturned(l *life, err error) {
	n.mu.Lock()
	l.hooks--
	l.runOver = true
	n.wakeLocked()
	if l.over { // it has overrun
		n.returnedLate(l, "Run", err)
		return
	}
	if l.told && obeys(err, l.cause) {
		err = nil
	}
	if err != nil {
		l.runErr = &FailureError{Path: n.Path(), Err: err}
		if l.failed == nil {
			l.failed = l.runErr
		}
	}
	defer n.mu.Unlock()
	switch {
	case l.claimed, l.asked: // that stop takes it from here
	case l.closing: // so will that of the group
		n.setStopping()
	case err != nil:
		n.setStopping()
		n.failLocked(l.runErr)
	case n.state == Running:
		n.endWellLocked()
	}
}

// setStopping is for a service whose Run is over and that waits for the stop of a group above. n.mu
// is held.
func (n *Base) setStopping() {
	if n.state == Running {
		n.setState(Stopping, nil)
	}
}

// goesDown says whether n does not run or will not for long. n.mu is held.
func (n *Base) goesDown() bool {
	return !n.state.active() || n.life.claimed || n.life.asked || n.life.closing
}

// failLocked decides what a failure does that has come up to n: the policies of n and of those above
// are asked in turn. All up to the last one asked become Failed with it, and that one is stopped, and
// may come back. If anything above is being stopped already, the failure is part of the result of
// that and nothing else happens. n.mu is held.
func (n *Base) failLocked(failure *FailureError) {
	// The locks of all above are held together, child before parent: while they are, no life among
	// them can end, and this failure cannot hit a later one.
	line := []*Base{n}
	for p := n.above(); p != nil; p = p.above() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.goesDown() {
			return
		}
		line = append(line, p)
	}
	var top *Base
	var pause time.Duration
	again := false
	for _, top = range line {
		l := top.life
		held := top.opt.policy != escalates
		switch s := l.start; {
		case top.state == Starting && s.root != top:
			held = false // the start under way fails
		case top.state == Starting && !s.again:
			// So it does here; but this one was all that was being started.
		case top.opt.policy == restarts:
			var tooMany *FailureError
			if pause, tooMany = top.countFailure(failure); tooMany != nil {
				failure = tooMany
				held = false
			}
			again = held
		}
		if l.failed == nil || top.opt.policy == restarts && !held {
			l.failed = failure
		}
		if held || top == line[len(line)-1] {
			break
		}
		l.closing = true // the stop of the top will come by
	}
	top.life.fault = failure
	switch g := top.above(); {
	case again && g != nil && g.opt.strategy != OneForOne:
		top.life.closing = true
		g.regroupLocked(top, pause, failure)
		return
	case again:
		top.back = &comeback{of: top, pause: pause}
	}
	top.askLocked(top.life, failure, top.stopBudget())
}

// endWellLocked sees to the good end of n, which is one of the group above too if n is significant. A
// group that is still Starting ends once it runs. n.mu is held.
func (n *Base) endWellLocked() {
	top := n
	for top.opt.significant {
		p := top.above()
		if p == nil {
			break
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.goesDown() { // and takes all below with it
			n.setStopping()
			return
		}
		if p.state == Starting {
			p.life.endsWell = true
			break
		}
		top = p
	}
	if top != n {
		n.setStopping()
	}
	top.askLocked(top.life, nil, top.stopBudget())
}
