// Package broker speaks the object protocol over one negotiated connection:
// calls, answers, errors, the tables that say which number means which object,
// and the counting that tells when an object is no longer held.
//
// A [Link] has one reader and at most one writer. Messages of any number of
// goroutines are collected and leave in as few writes as the network takes; a
// goroutine that writes exists only while there is something to write. What
// the values of a message mean is not known here: a [Host] reads the arguments
// of calls, a [Pending] reads an answer.
//
// Locks: writer.mu before exports.mu, requests.mu and inbound.mu. No Host or
// Pending is called with any of them held.
package broker
