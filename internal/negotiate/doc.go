// Package negotiate is the conversation that two Tubs hold before they speak
// Banana: a plain-text request for a TubID, TLS with certificates on both
// sides, a hello from each side, and the decision of the side that turns out
// to be the master.
//
// The connector dials, sends "GET /id/TUBID" and reads the answer 101. The
// acceptor got that GET from its Listener and calls [Accept]; the connector
// calls [Connect]. Both end in a [Session]. Which of the two decides does not
// depend on who dialled: the greater TubID is the master.
//
// Everything read here comes from strangers. Each text is bounded by 4096
// bytes, as Foolscap's are, and the context bounds the time.
package negotiate
