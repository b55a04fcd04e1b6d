package tub

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/octavo-go/octavo/listener"
)

// A location is where a Tub can be reached, as hints.
type location struct {
	set   []string // by SetLocation
	bound string   // the listeners' addresses for which hints was made
	hints []string
}

// SetLocation sets the hints that the Tub's FURLs carry, such as
// "tcp:example.com:8080". Each argument may hold several, separated by
// commas. Without hints the location is again that of the Listeners. The error
// names a hint that could not stand in a FURL; then nothing has changed.
func (t *Tub) SetLocation(hints ...string) error {
	var all []string
	for _, arg := range hints {
		for hint := range strings.SplitSeq(arg, ",") {
			if err := checkHint(hint); err != nil {
				return fmt.Errorf("tub: location %q: %w", arg, err)
			}
			all = append(all, hint)
		}
	}
	if len(all) > maxHints {
		return fmt.Errorf("tub: location with %d hints, at most %d are used", len(all), maxHints)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.location.set = all
	return nil
}

func checkHint(hint string) error {
	canonical, typ := hintType(hint)
	switch {
	case hint == "":
		return errors.New("empty hint")
	case strings.ContainsFunc(hint, func(r rune) bool { return r == '/' || !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
		return fmt.Errorf("hint %q: a slash or space cannot stand in a hint (write / as %%2F)", hint)
	case typ == "":
		return fmt.Errorf("hint %q has no type (want for example tcp:HOST:PORT)", hint)
	case typ == "tcp":
		if _, err := tcpAddress(canonical); err != nil {
			return fmt.Errorf("hint %q: %w", hint, err)
		}
	}
	return nil
}

// hints returns the current location. fresh makes it look at the host's
// addresses again.
func (t *Tub) hints(fresh bool) []string {
	t.mu.Lock()
	set := t.location.set
	t.mu.Unlock()
	if set != nil {
		return set
	}
	var addrs []net.Addr
	var key strings.Builder
	for s := range t.Children() {
		if l, ok := s.(*listener.Listener); ok && l.Addr() != nil {
			addrs = append(addrs, l.Addr())
			fmt.Fprintf(&key, "%s:%s,", l.Addr().Network(), l.Addr())
		}
	}
	t.mu.Lock()
	known := !fresh && t.location.bound == key.String()
	hints := t.location.hints
	t.mu.Unlock()
	if known {
		return hints
	}
	hints = nil
	for _, a := range addrs {
		hints = append(hints, hintsOf(a)...)
	}
	hints = hints[:min(len(hints), maxHints)]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.location.bound, t.location.hints = key.String(), hints
	return hints
}

// hintsOf returns the hints under which others reach a bound address. A
// wildcard stands for the host's global unicast addresses, and for loopback
// only where there is none. What only this machine can reach by a path has no
// hint.
func hintsOf(a net.Addr) []string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		if a.Network() == "mem" {
			return []string{"mem:" + escapeHint(a.String())}
		}
		return nil
	}
	if !tcp.IP.IsUnspecified() {
		return []string{tcpHintOf(tcp.AddrPort().Addr(), tcp.Port)}
	}
	var hints []string
	for _, ip := range hostAddrs() {
		if tcp.IP.To4() != nil && !ip.Is4() {
			continue // bound to IPv4 only
		}
		hints = append(hints, tcpHintOf(ip, tcp.Port))
	}
	if len(hints) == 0 {
		hints = append(hints, tcpHintOf(netip.MustParseAddr("127.0.0.1"), tcp.Port))
	}
	return hints
}

func tcpHintOf(ip netip.Addr, port int) string {
	return "tcp:" + netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(port)).String()
}

// hostAddrs are the host's global unicast addresses, IPv4 first.
func hostAddrs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []netip.Addr
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap().IsGlobalUnicast() {
				ips = append(ips, ip.Unmap())
			}
		}
	}
	slices.SortFunc(ips, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return ips
}

// escapeHint makes a text stand in a hint.
func escapeHint(s string) string {
	return strings.NewReplacer("%", "%25", ",", "%2C", "/", "%2F").Replace(s)
}
