package service

import "time"

// An Option is given to a constructor and holds for the life of the service.
type Option func(*options)

type options struct {
	startWithin time.Duration // 0: no limit
	stopWithin  time.Duration // 0: the default
	backoff     *Backoff      // of the policy, where that is to restart
	policy      policyKind
	strategy    Group
	sideBySide  bool
	significant bool
}

// defaultStop is what a root without StopWithin has to stop in.
const defaultStop = 25 * time.Second

// StartWithin bounds the Acquire hook and the Start hook, each, to d. A hook that takes longer has
// its context ended and the start fails with [context.DeadlineExceeded]. The default is no bound.
func StartWithin(d time.Duration) Option { return func(o *options) { o.startWithin = d } }

// StopWithin bounds the whole stop of the service and of all below it to d. The default is 25
// seconds for a root; elsewhere it is nine tenths of what the parent has left at that moment, and d
// can only shorten it.
func StopWithin(d time.Duration) Option { return func(o *options) { o.stopWithin = d } }

// SideBySide makes the children of a [MultiService] start together and stop together, instead of
// one after the other. It means nothing for a service without children.
func SideBySide() Option { return func(o *options) { o.sideBySide = true } }

func (o *options) apply(opts []Option) {
	for _, opt := range opts {
		opt(o)
	}
}
