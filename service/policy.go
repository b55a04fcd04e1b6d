package service

import "time"

// A Policy says what the failure of a service does: see [OnFailure].
type Policy struct {
	kind    policyKind
	backoff Backoff
}

type policyKind uint8

const (
	escalates policyKind = iota
	ignores
	restarts
)

// Policies without parameters.
var (
	// Escalate makes the failure one of the parent, which is asked for its own policy; a service
	// without a parent is stopped as a whole and stays Failed. It is the default.
	Escalate = Policy{kind: escalates}

	// Ignore stops the service as a whole and leaves it Failed. Its parent goes on.
	Ignore = Policy{kind: ignores}
)

// Restart stops the service as a whole and, after a pause, starts it again. During the pause it is
// Failed. More failures than the limit in b escalate, with the failures in the error.
//
// Panics in the hooks of such a service, its own and not those of services below it, are failures
// too, with a [*PanicError].
func Restart(b Backoff) Policy { return Policy{kind: restarts, backoff: b.withDefaults()} }

// A Backoff says how [Restart] goes about it. A zero field means its default. All of it is counted
// for each service apart, from its start by its parent or by hand.
type Backoff struct {
	// The pause before a restart is drawn evenly between nothing and a bound: Initial after the first
	// failure, doubled with each one that follows, Max at most. Negative: no pause at all. The
	// defaults are 100 ms and 1 minute.
	Initial, Max time.Duration

	// Stable is how long the service has to have been Running for the bound to begin at Initial
	// again. The default is 1 minute. Negative: any run resets it.
	Stable time.Duration

	// More than Limit failures within the time Within escalate. The defaults are 5 and 1 minute. A
	// negative Limit means no limit.
	Limit  int
	Within time.Duration
}

func (b Backoff) withDefaults() Backoff {
	b.Initial = orDefault(b.Initial, 100*time.Millisecond)
	b.Max = orDefault(b.Max, time.Minute)
	b.Stable = orDefault(b.Stable, time.Minute)
	b.Limit = orDefault(b.Limit, 5)
	b.Within = orDefault(b.Within, time.Minute)
	return b
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// OnFailure sets what a failure of the service does. A service fails when its Run returns an error
// before it was told to stop or ends its goroutine with [runtime.Goexit], when a failure below it
// escalates to it, and when an attempt to restart it does not succeed. A start that somebody asked for
// is no such attempt: if it fails, it fails, with the error for whoever asked. The default is
// [Escalate].
func OnFailure(p Policy) Option {
	return func(o *options) {
		o.policy = p.kind
		o.backoff = nil
		if p.kind == restarts {
			o.backoff = &p.backoff
		}
	}
}

// A Group says which children of a [MultiService] are restarted when one is: see [Strategy].
type Group uint8

// Strategies.
const (
	OneForOne  Group = iota // the one that failed
	OneForAll               // all
	RestForOne              // the one that failed and all that were added after it
)

// Strategy sets which children are stopped and started again when one of them has failed whose
// policy is [Restart]. They are stopped in reverse, one after the other and each with its own Drain,
// the pause is waited out, and they are started in order. One that does not start then has failed, and
// its own policy says what comes of that. Those that were not running, by hand or because they have ended well, stay as they are.
//
// All of them are waited for. One that does not end within its budget makes the group fail: a second
// copy of anything never runs. The default is [OneForOne]. It means nothing for a service without
// children.
func Strategy(g Group) Option { return func(o *options) { o.strategy = g } }

// Significant makes the group end well when this child ends well.
func Significant() Option { return func(o *options) { o.significant = true } }
