// Package service is a tree of services: things that are started, run, and are stopped in order.
//
// A service is a name and some [Hooks]. Groups hold services and are services themselves:
//
//	app := service.NewMulti("app")
//	db := service.New("db", service.Hooks{Start: openDB, Stop: closeDB})
//	web := service.Serving("web", listen, &http.Server{Handler: mux})
//	if err := app.Add(db, web); err != nil {
//		return err
//	}
//	return service.Run(context.Background(), app)
//
// [Run] starts the tree and stops it when a signal arrives. db has started before web is, and web
// has stopped before db is. Where order does not matter, [SideBySide] saves the time.
//
// # Starting
//
// First every Acquire of the tree is called, so that a taken port is noticed before anything has
// begun; then each service has its Start, and its Run from then on. [Service.Start] returns when all
// run. If one does not start, those that have are stopped again and the error, a [*StartError],
// names it. What is added to a running group is started there and then.
//
// # Stopping
//
// First every Drain is called, while all still serve; then the services end one after the other, in
// reverse: the context of Run ends, Run returns, Stop is called. The contexts of running services
// are not derived from one another, and so this order holds whatever is cancelled;
// [context.Cause] tells a service why it has to end.
//
// A stop has a budget, [StopWithin], of which each service gets its share. One that overruns is left
// behind and named in the error, an [ErrStopTimeout], which printed with %+v shows where it stands;
// it cannot be started again before its hooks have returned.
//
// # Failing
//
// A Run that returns an error fails, with a [*FailureError], and [OnFailure] says what comes of it.
// By default it escalates: the parent fails, which is asked for its own policy, and so on up to the
// root. The topmost that fails is stopped as a whole; it and all below it down to the service that
// began it are Failed.
//
// [Restart] is to stop the service, pause, and start it again. Pauses double from failure to failure
// and are drawn at random below that bound; a service that has run for a while begins anew. One that
// fails too often escalates, with its history in the error. A group restarts the child that failed, or
// others too: see [Strategy]. It waits for those it stops, and fails itself if one does not end: there
// is never a second copy of a service.
//
//	worker := service.Func("worker", work, service.OnFailure(service.Restart(service.Backoff{})))
//
// [Ignore] leaves the service Failed and its parent alone. A Run that returns nil has ended well,
// which is no failure: it is not started again. With [Significant] the group ends well then, too.
//
// A panic ends the process, with the path of the service in the message, unless the service is one
// to restart: then it is a failure, with a [*PanicError] that keeps the stack.
//
// # Trees that change
//
// A service has one parent at most. [Service.SetParent] attaches it, [Service.DisownParent] stops
// and removes it and gives a [Future] of that, [Move] does one after the other, or, with
// [KeepRunning], hands a running service over without stopping it. All of this can be
// done at any time, from anywhere, hooks included. Nothing is ever taken from a parent silently: a
// second parent is [ErrHasParent].
//
// # Types
//
// A type becomes a service by embedding a [*Base] or a [*MultiService]; see [NewBase]. The tree hands
// out such types as what they are: [Lookup] finds them by path, and a child finds the type that its
// parent is part of with Parent().Self().
//
// # What is absent
//
// There is no event loop and no supervisor goroutine: a service without Run costs no goroutine, and
// one that waits for its restart only a timer.
//
// There is no restart after a good end: a service that is to run for ever does not return nil. There is
// no factory for fresh instances: a service that is restarted is the same value, whose Start makes
// anew what a run needs. Panics of goroutines that a hook has started cannot be recovered by anybody
// else and end the process.
package service
