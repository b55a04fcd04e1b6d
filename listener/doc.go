// Package listener accepts connections on one endpoint and decides, from the
// first bytes of each, whom it is for.
//
// A [Listener] is a service. It has no identity of its own and belongs to one
// Tub or to none: the Tub of a Listener is its parent in the service tree,
// where that is a Tub, and nothing else. So a Listener cannot be shared, and
// moving it in the tree moves the port.
//
//	first bytes                          go to
//	GET /id/TUBID with Upgrade: TLS/1.0  the Tub of that id, else a refusal
//	any other HTTP request               a page that says there is nothing here
//	anything else, or nothing in time    nobody: closed and counted
//
// Only the first request of a connection is looked at, before any TLS, within
// a deadline and a bound, and only so many connections may be undecided at a
// time: when there are more the oldest has to go.
package listener
