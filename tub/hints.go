package tub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A DialFunc opens the connection that a hint names. hint is whole, its type
// included, with %2C, %2F and %25 as in the FURL. It comes from a stranger.
type DialFunc func(ctx context.Context, hint string) (net.Conn, error)

// A Dial is a connection that a Tub is about to open.
type Dial struct {
	TubID  string // whom it looks for
	Hint   string // where
	Reason DialReason
}

// A DialReason says why a Tub dials.
type DialReason string

// The reasons to dial. A hint of ReasonOwn came with a FURL that the program
// itself used.
const (
	ReasonOwn DialReason = "own"
)

// Legacy hints are HOST:PORT without a type. They are always read as such, so
// "anything:123" is a host name.
var (
	legacyHint = regexp.MustCompile(`^([A-Za-z0-9.\-]+):([0-9]+)$`)
	notInHost  = regexp.MustCompile(`[^A-Za-z0-9.\-]`)
	tcpHint    = regexp.MustCompile(`^tcp:([A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._\-]+)?\]):([0-9]+)$`)
)

// hintType returns the canonical form of a hint and its type, or an empty type
// for a text that is no hint.
func hintType(hint string) (canonical, typ string) {
	if legacyHint.MatchString(hint) {
		hint = "tcp:" + hint
	}
	typ, _, ok := strings.Cut(hint, ":")
	if !ok {
		return hint, ""
	}
	return hint, typ
}

// hintHost returns what stands in the Host header of our GET: the host part of
// the hint, without port and brackets.
func hintHost(hint string) string {
	if m := tcpHint.FindStringSubmatch(hint); m != nil {
		return strings.Trim(m[1], "[]")
	}
	_, rest, _ := strings.Cut(hint, ":")
	host, _, _ := strings.Cut(rest, ":")
	// A hint is a stranger's text and this goes into a header line.
	return notInHost.ReplaceAllString(host, "-")
}

// tcpTimeout bounds one TCP connect; Twisted's endpoints use the same.
const tcpTimeout = 30 * time.Second

// dialTCP is the DialFunc of "tcp": name, IPv4 address or [IPv6 address] and
// a port.
func dialTCP(ctx context.Context, hint string) (net.Conn, error) {
	address, err := tcpAddress(hint)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: tcpTimeout}
	return dialer.DialContext(ctx, "tcp", address)
}

// tcpAddress returns the address in a hint of type tcp, in net's form.
func tcpAddress(hint string) (string, error) {
	m := tcpHint.FindStringSubmatch(hint)
	if m == nil {
		return "", errors.New("bad tcp hint (want tcp:HOST:PORT)")
	}
	if port, err := strconv.Atoi(m[2]); err != nil || port < 1 || port > 65535 {
		return "", fmt.Errorf("bad tcp hint: port %.20s is out of range", m[2])
	}
	return net.JoinHostPort(strings.Trim(m[1], "[]"), m[2]), nil
}
