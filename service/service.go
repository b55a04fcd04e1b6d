package service

import "context"

// A Service is a node of a tree: something that is started, runs and is stopped. A type becomes one
// by embedding a [*Base] or a [*MultiService]; [New], [Func] and [NewMulti] make one without a type.
//
// Every method may be called from any goroutine, hooks included. Errors name the service by path.
type Service interface {
	// Name is the name it was made with, unique among its siblings.
	Name() string

	// Path is the names from the root down: "/app/tub/listener".
	Path() string

	// Parent is the group it is attached to, or nil.
	Parent() *MultiService

	// State says where it is in its life, as of a moment ago.
	State() State

	// Err is why it is Failed, or nil.
	Err() error

	// SetParent attaches it, as the last child. Under a running parent it is started and SetParent
	// returns once it runs; if that fails it is unlinked and Failed, and can be attached again.
	// Under an idle or a starting parent it is linked, and the parent's start starts it.
	//
	// On any error nothing has changed, on neither side: [ErrNoParent] for a nil parent,
	// [ErrBadName] for a name that is empty or contains a slash, [ErrHasParent], [ErrCycle],
	// [ErrBusy] when the parent is stopping or the service is neither Idle nor Failed,
	// [ErrNameTaken].
	SetParent(parent *MultiService) error

	// DisownParent stops it, with the cause [ErrRemoved], and then takes it from its parent. The
	// future is done when it and all below it have ended or overrun their budgets, it has no
	// parent and its name is free; it carries the errors of the stop. A second call meanwhile
	// returns the same future. Without a parent it is done at once, with [ErrNoParent].
	DisownParent() *Future

	// Start starts it and all below it, and returns when they run. If a hook fails or ctx ends,
	// what was started is stopped again, in reverse, and the errors come back joined, a
	// [*StartError] first. Contexts of running services carry the values of ctx but do not end
	// with it. Start of a running service is nil. While it starts, Start joins that: ctx then
	// bounds only the wait, and an Acquire or Start hook that the same start has to be through with
	// first gets [ErrOwnHook]. While it stops, or under a parent that does not run, it is [ErrBusy].
	Start(ctx context.Context) error

	// Stop stops it and all below it, in the reverse of the order of the start, and returns the
	// errors met. It may be called in any state; all callers share one stop and its result, and
	// ctx bounds only the wait. Called during the start it cancels and undoes that. A stop ends:
	// what overruns its budget is named in an [ErrStopTimeout]. A hook that would wait for its
	// own end gets [ErrOwnHook] once the stop is on its way. A restart that the service waits for
	// is called off, and it stays Failed.
	Stop(ctx context.Context) error

	node() *Base
}

// Hooks are the work of a service. All are optional.
//
// Hooks are called one at a time, except that Drain is called while Run runs, on goroutines of the
// tree that carry the profiler label service=<path>. Their contexts carry the values of the context
// the tree was started with. The contexts of Acquire and Start end with the start under way, and
// when the hook returns; that of Run ends when the service is to stop, and only then, whatever
// becomes of the contexts around it; those of Drain and Stop end with the time they have.
// [context.Cause] says why.
//
// A panic in a hook ends the process, with the path of the service in the message, unless its service
// is one to [Restart].
type Hooks struct {
	// Acquire takes what the whole tree needs first, such as sockets. Every Acquire of a tree is
	// called before any Start.
	Acquire func(ctx context.Context) error

	// Start returns when the service is ready to serve. A hook that fails cleans up after itself:
	// Stop is called for a service whose first hook, Acquire or else Start, succeeded.
	Start func(ctx context.Context) error

	// Run is the body. When it returns nil by itself, that is a good end: the service is stopped,
	// and stays attached. An error is a failure: see [OnFailure]. Once its context has ended it may return nil or
	// the context's error or cause.
	Run func(ctx context.Context) error

	// Drain stops taking new work and finishes what is in flight. The whole tree is drained before
	// the context of any Run ends. It is called only for a service that was Running.
	Drain func(ctx context.Context) error

	// Stop releases what Acquire and Start took. It is called once for each start, after Run has
	// returned and after all children have stopped.
	Stop func(ctx context.Context) error
}
