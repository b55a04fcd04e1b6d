package tub

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/octavo-go/octavo/internal/negotiate"
)

// attemptTimeout bounds the search for a peer over all its hints; it is
// Foolscap's.
const attemptTimeout = 120 * time.Second

// GetReference returns a reference to the object that furl names. It dials
// every hint at once, unless the peer is connected already, and asks the Tub
// there, whose certificate must be that of the FURL.
//
// The error is a [*ConnectError] if the Tub could not be reached, with a line
// for each hint; [ErrWrongTub] if the certificate is not the one that the FURL
// pins; a [*RemoteError] of type builtins.KeyError if the Tub knows no such
// object; [ErrNotRunning] on a Tub that is not started. When ctx ends only this
// caller stops waiting; its error then holds ctx's cause, beside what has become
// of the hints so far.
func (t *Tub) GetReference(ctx context.Context, furl FURL) (*Reference, error) {
	if furl.IsZero() {
		return nil, fmt.Errorf("tub: GetReference: %w: it is empty", ErrBadFURL)
	}
	c, found, err := t.connection(ctx, furl)
	if err != nil {
		return nil, err
	}
	ref, err := c.lookup(ctx, furl)
	if found && lost(err) && ctx.Err() == nil {
		// The connection was there already, and dead: the peer had stopped
		// or started again. To ask twice does no harm.
		if c, _, err = t.connection(ctx, furl); err != nil {
			return nil, err
		}
		ref, err = c.lookup(ctx, furl)
	}
	return ref, err
}

// lost reports whether a call failed because its connection ended.
func lost(err error) bool {
	return errors.Is(err, ErrNotSent) || errors.Is(err, ErrNoAnswer)
}

// connection returns the connection to a FURL's Tub: the one that is there, or
// a new one.
func (t *Tub) connection(ctx context.Context, furl FURL) (c *connection, found bool, err error) {
	t.mu.Lock()
	if t.run == nil {
		t.mu.Unlock()
		return nil, false, fmt.Errorf("tub: %w", ErrNotRunning)
	}
	p := t.peerLocked(furl.TubID())
	if c = p.connected(); c == nil && furl.TubID() == t.id {
		c = t.loopbackLocked(p)
	}
	if c != nil {
		t.mu.Unlock()
		return c, true, c.checkPin(furl)
	}
	a := p.attempt
	if a == nil {
		a = newAttempt(t, t.run, furl.TubID())
		p.attempt = a
	}
	a.waiters++
	a.addLocked(furl.Hints(), furl.pin())
	t.mu.Unlock()

	select {
	case <-a.done:
		if a.err != nil {
			return nil, false, a.err
		}
		return a.conn, false, a.conn.checkPin(furl)
	case <-ctx.Done():
		return nil, false, a.leave(context.Cause(ctx))
	}
}

// checkPin checks the certificate that a connection has against the one that
// a FURL names.
func (c *connection) checkPin(furl FURL) error {
	if pin := furl.pin(); pin != "" && pin != c.pin {
		return fmt.Errorf("tub: %w: the certificate of %s is not the one that the FURL pins", ErrWrongTub, furl.TubID())
	}
	return nil
}

// An attempt is the search for one peer. All who want that peer share it; it
// is given up when none of them is left. Its fields are under Tub.mu.
type attempt struct {
	tub    *Tub
	run    *run
	id     string
	ctx    context.Context
	cancel context.CancelFunc
	began  time.Time

	waiters int
	tried   map[try]bool
	pending int // hints that have neither failed nor won
	failed  []HintError

	ended bool
	conn  *connection // valid when done is closed
	err   error
	done  chan struct{}
}

func newAttempt(t *Tub, r *run, id string) *attempt {
	a := &attempt{tub: t, run: r, id: id, began: time.Now(), tried: make(map[try]bool), done: make(chan struct{})}
	a.ctx, a.cancel = context.WithTimeoutCause(r.ctx, attemptTimeout,
		fmt.Errorf("no connection established within %v", attemptTimeout))
	return a
}

// A try is a hint, in canonical form, and what the certificate found there must
// be. A FURL with a wrong pin fails for whoever has it and for nobody else.
type try struct{ hint, pin string }

// addLocked tries the hints of one more FURL. At most 16 are tried: they are a
// stranger's, and each makes us knock at a door.
func (a *attempt) addLocked(hints []string, pin string) {
	for i, h := range hints {
		hint, typ := hintType(h)
		if i == maxHints {
			a.failedLocked(hint, "skipped", fmt.Errorf("at most %d hints are tried", maxHints))
			break
		}
		if a.tried[try{hint, pin}] {
			continue
		}
		a.tried[try{hint, pin}] = true
		dial := a.tub.opts.dialers[typ]
		if dial == nil {
			known := slices.Sorted(maps.Keys(a.tub.opts.dialers))
			a.failedLocked(hint, "skipped", fmt.Errorf("no dialer for hints of type %q (there is one for %q)", typ, known))
			continue
		}
		a.pending++
		a.run.group.Go(func() { a.try(try{hint, pin}, dial) })
	}
	if a.pending == 0 {
		a.giveUpLocked()
	}
}

func (a *attempt) failedLocked(hint, stage string, err error) {
	a.failed = append(a.failed, HintError{Hint: hint, Stage: stage, After: time.Since(a.began), Err: err})
}

// giveUpLocked ends the attempt when no hint is left.
func (a *attempt) giveUpLocked() {
	err := &ConnectError{TubID: a.id, Attempts: a.failed}
	if !slices.ContainsFunc(a.failed, func(e HintError) bool { return e.Stage != "skipped" }) {
		err.Err = ErrNoHints
	}
	if a.ctx.Err() != nil {
		err.Err = context.Cause(a.ctx)
	}
	if p := a.tub.peers[a.id]; p != nil && p.attempt == a {
		p.attempt = nil
	}
	a.endLocked(nil, err)
}

func (a *attempt) end(c *connection, err error) {
	a.tub.mu.Lock()
	defer a.tub.mu.Unlock()
	a.endLocked(c, err)
}

func (a *attempt) endLocked(c *connection, err error) {
	if a.ended {
		return
	}
	a.ended, a.conn, a.err = true, c, err
	close(a.done)
	a.cancel()
}

// leave takes one waiter away, and says how far the search has come; nobody is
// searched for without one.
func (a *attempt) leave(cause error) error {
	a.tub.mu.Lock()
	defer a.tub.mu.Unlock()
	err := &ConnectError{TubID: a.id, Attempts: slices.Clone(a.failed), Err: cause}
	if a.waiters--; a.waiters == 0 {
		if p := a.tub.peers[a.id]; p != nil && p.attempt == a {
			p.attempt = nil
		}
		a.endLocked(nil, context.Canceled)
	}
	return err
}

// try follows one hint to its end.
func (a *attempt) try(t try, dial DialFunc) {
	stage, err := a.follow(t, dial)
	if isDuplicate(err) {
		a.awaitOther()
	}
	a.tub.mu.Lock()
	defer a.tub.mu.Unlock()
	a.pending--
	if err != nil {
		a.failedLocked(t.hint, stage, err)
	}
	if a.pending == 0 && !a.ended {
		a.giveUpLocked()
	}
}

// isDuplicate reports whether a negotiation has failed because of another one
// between the same Tubs.
func isDuplicate(err error) bool {
	var refused *negotiate.RefusedError
	return errors.Is(err, negotiate.ErrDuplicate) || errors.Is(err, errFaster) ||
		errors.As(err, &refused) && refused.Text == negotiate.ErrDuplicate.Error()
}

var errFaster = errors.New("another connection was faster")

// awaitOther gives the negotiation that was preferred to ours time to come to
// its end. Two Tubs that dial each other at the same time would otherwise tell
// one of their callers that there is no way, just before there is one.
func (a *attempt) awaitOther() {
	timeout := time.NewTimer(otherTimeout)
	defer timeout.Stop()
	select {
	case <-timeout.C:
	case <-a.ctx.Done(): // as soon as the peer is connected
	}
}

const otherTimeout = 5 * time.Second

func (a *attempt) follow(t try, dial DialFunc) (stage string, err error) {
	hint := t.hint
	if policy := a.tub.opts.policy; policy != nil {
		if err := policy(Dial{TubID: a.id, Hint: hint, Reason: ReasonOwn}); err != nil {
			return "policy", err
		}
	}
	conn, err := dial(a.ctx, hint)
	if err != nil {
		return "dial", err
	}
	rec := &records{tub: a.tub, run: a.run}
	side := a.run.side
	side.Records = rec
	session, err := negotiate.Connect(a.ctx, conn, &side, a.id, hintHost(hint), t.verify)
	if err != nil {
		rec.abandon()
		return "negotiate", err
	}
	if a.tub.adopt(a.run, session) == nil {
		rec.abandon()
		return "negotiate", errFaster
	}
	return "", nil
}

// verify checks a certificate whose SHA-1 is right already.
func (t try) verify(cert *x509.Certificate) error {
	if t.pin != "" && t.pin != pinOf(cert) {
		return fmt.Errorf("%w: its certificate is not the one that the FURL pins", ErrWrongTub)
	}
	return nil
}
