package service

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
	case err != nil:
		n.failLocked(l, l.runErr)
	case l.closing:
		n.setStopping()
	case n.state == Running: // a good end
		n.askLocked(l, nil, n.stopBudget())
	}
}

// setStopping is for a service whose Run is over and that waits for the stop of a group above. n.mu
// is held.
func (n *Base) setStopping() {
	if n.state == Running {
		n.setState(Stopping, nil)
	}
}

// failLocked decides what the failure of a Run does: it escalates. Every group above becomes Failed
// with it, and the topmost one is stopped, unless one of them is being stopped already: then the
// failure is part of the result of that. n.mu is held.
func (n *Base) failLocked(l *life, failure *FailureError) {
	n.setStopping()
	// The locks of all above are held together, child before parent: while they are, no life among
	// them can end, and this failure cannot hit a later one.
	top := n
	stopping := l.closing
	for p := n.above(); p != nil && !stopping; p = p.above() {
		p.mu.Lock()
		defer p.mu.Unlock()
		top = p
		stopping = p.life.claimed || p.life.asked
	}
	if stopping {
		return
	}
	for p := n; p != nil; p = p.above() {
		if p.life.failed == nil {
			p.life.failed = failure
		}
	}
	top.askLocked(top.life, failure, top.stopBudget())
}
