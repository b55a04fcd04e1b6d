package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/octavo-go/octavo/tub"
)

// A client is a Tub with an identity that nobody has seen before and nobody
// will see again.
type client struct{ tub *tub.Tub }

// withClient calls f with a running client, which ends with f. The context is
// the command's, and ends after timeout.
func (e *env) withClient(timeout time.Duration, f func(ctx context.Context, c *client) error) error {
	if timeout <= 0 {
		return usage("--timeout %v: want more than nothing", timeout)
	}
	t, err := tub.New(tub.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(e.ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	if err := t.Start(ctx); err != nil {
		return err
	}
	// How the connection ends changes nothing about what f has found out.
	defer t.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // as said
	return f(ctx, &client{t})
}

// errNoObject tells of a Tub that was reached and has no object of that name.
var errNoObject = errors.New("it has no object of that name")

// reach returns a reference to the object of a FURL.
//
// When ctx ends the Tub is stopped, rather than the wait for it: so the error
// tells of every hint how far it had come. The client is of no use then.
func (c *client) reach(ctx context.Context, furl tub.FURL) (*tub.Reference, error) {
	inTime := context.AfterFunc(ctx, func() {
		c.tub.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the end of the client tells
	})
	ref, err := c.tub.GetReference(context.WithoutCancel(ctx), furl)
	late := !inTime()
	var unreached *tub.ConnectError
	var remote *tub.RemoteError
	switch {
	case late && errors.As(err, &unreached):
		return nil, cutShort(unreached, context.Cause(ctx))
	case late:
		return nil, fmt.Errorf("reaching Tub %s: %w", furl.TubID(), context.Cause(ctx))
	case errors.As(err, &remote) && remote.IsA("builtins.KeyError"):
		// Foolscap's own message gives away how the name begins.
		return nil, fmt.Errorf("reaching Tub %s: %w", furl.TubID(), errNoObject)
	}
	return ref, err
}

// cutShort says of the hints that were still being tried why they are not any
// more, in place of what the stop of the Tub looked like from there.
func cutShort(e *tub.ConnectError, cause error) error {
	attempts := slices.Clone(e.Attempts)
	for i, a := range attempts {
		if errors.Is(a.Err, tub.ErrStopped) || errors.Is(a.Err, context.Canceled) {
			attempts[i].Err = cause
		}
	}
	return &tub.ConnectError{TubID: e.TubID, Attempts: attempts}
}
