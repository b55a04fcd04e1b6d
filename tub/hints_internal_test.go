package tub

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/internal/negotiate"
	"github.com/octavo-go/octavo/internal/recorded"
)

func TestRecordedHintsAreReadAsFoolscapReadsThem(t *testing.T) {
	for _, v := range recorded.TheMisc(t).Hints {
		hint, typ := hintType(v.Hint)
		if hint != v.Converted {
			t.Errorf("%q became %q, want %q", v.Hint, hint, v.Converted)
		}
		m := tcpHint.FindStringSubmatch(hint)
		if got := m != nil; got != (v.TCPHost != "") {
			t.Errorf("%q is a tcp hint: %v, want %v", v.Hint, got, !got)
		}
		if m == nil {
			continue
		}
		if typ != "tcp" || hintHost(hint) != v.TCPHost {
			t.Errorf("%q: type %q, host %q; want host %q", v.Hint, typ, hintHost(hint), v.TCPHost)
		}
		_, err := tcpAddress(hint)
		if ok := v.TCPPort < 1<<16; (err == nil) != ok {
			t.Errorf("%q: address %v; want it usable: %v", v.Hint, err, ok)
		}
	}
}

// A hint is a stranger's text. What of it goes into our request must stay in
// one line.
func TestNoHintBreaksOutOfTheHostHeader(t *testing.T) {
	for _, hint := range []string{
		"x:a\r\nEvil: yes\r\n\r\n:1", "x:a/b:1", "x:a b:1", "x:\x00:1", "x:[::1]:1", "x", "", ":", "x:", "tcp:a\n:1", "tcp:[::1%a\n]:1",
		"x:%0d%0a:1", "x:\u2028:1", "tcp:h:1\n",
	} {
		if host := hintHost(hint); strings.ContainsAny(host, "\r\n/ \t\x00%\u2028") {
			t.Errorf("%q gives the host %q", hint, host)
		}
	}
	for hint, want := range map[string]string{
		"tcp:example.com:80": "example.com", "tcp:[fe80::1%en0]:80": "fe80::1%en0", "ws:a.b:80:/x": "a.b", "mem:name": "name",
	} {
		if got := hintHost(hint); got != want {
			t.Errorf("%q gives the host %q, want %q", hint, got, want)
		}
	}
}

func TestWhereAWildcardIsReached(t *testing.T) {
	var v4, all []string
	for _, ip := range hostAddrs() {
		hint := tcpHintOf(ip, 80)
		all = append(all, hint)
		if ip.Is4() {
			v4 = append(v4, hint)
		}
		if !ip.IsGlobalUnicast() || ip.IsLoopback() {
			t.Errorf("%v is no address for others", ip)
		}
	}
	loopback := []string{"tcp:127.0.0.1:80"}
	or := func(hints []string) []string {
		if len(hints) == 0 {
			return loopback
		}
		return hints
	}
	for _, c := range []struct {
		addr net.Addr
		want []string
	}{
		{&net.TCPAddr{IP: net.IPv4zero, Port: 80}, or(v4)},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 80}, or(all)},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, loopback},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 80}, []string{"tcp:[::1]:80"}},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, nil},
	} {
		if got := hintsOf(c.addr); !slices.Equal(got, c.want) {
			t.Errorf("%v is reached at %q, want %q", c.addr, got, c.want)
		}
	}
	if got := escapeHint("a,b/c%d"); got != "a%2Cb%2Fc%25d" {
		t.Errorf("escaped: %s", got)
	}
}

// The duplicate table of the protocol, row by row.
func TestWhoTakesThePlaceOfAConnection(t *testing.T) {
	const master, slave = "1111111111111111", "2222222222222222"
	p := &peer{slave: slave, seqnum: 5}
	for _, c := range []struct {
		name, incarnation, last string
		accept                  bool
	}{
		{"nothing said", "", "", false},
		{"no incarnation", "", master + " 5", false},
		{"no last connection", slave, "", false},
		{"the peer has restarted", "3333333333333333", "none 0", true},
		{"the peer has restarted and remembers", "3333333333333333", master + " 1", true},
		{"a parallel attempt", slave, "none 0", false},
		{"of an earlier life of ours", slave, "4444444444444444 5", true},
		{"it gave the living one up", slave, master + " 5", true},
		{"it remembers an older one", slave, master + " 4", false},
		{"it claims a later one", slave, master + " 6", false},
		{"garbage", slave, master, false},
		{"garbage number", slave, master + " x", false},
		{"too many words", slave, master + " 5 5", false},
	} {
		offer := offerOf(c.incarnation, c.last)
		if got := p.replacedBy(offer, master); got != c.accept {
			t.Errorf("%s: accepted %v, want %v", c.name, got, c.accept)
		}
	}
}

func offerOf(incarnation, last string) negotiate.Offer {
	return negotiate.Offer{Incarnation: incarnation, LastConnection: last}
}
