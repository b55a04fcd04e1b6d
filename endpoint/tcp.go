package endpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// dialTimeout is Twisted's default for every client: 30 seconds, name resolution included.
const dialTimeout = 30 * time.Second

// TCP returns the transport "tcp". Positional order is Twisted's.
//
// Server, tcp:PORT:INTERFACE:BACKLOG, each also by its name in lower case:
//   - port, 0 to 65535. 0 takes any free one and keeps it for the Server's next listener.
//   - interface, a literal IPv4 or IPv6 address. Without it, or with "::", the listener serves IPv4 and IPv6
//     on all interfaces where the host has both; with 0.0.0.0 IPv4 only.
//   - backlog, connections the kernel queues before they are accepted, at least 1. The kernel's own limit
//     (net.core.somaxconn on Linux) still applies, and is the default.
//
// Client, tcp:HOST:PORT, each also by name; a single positional is the port where host= is given:
//   - host, a name or a literal address. A name's IPv4 and IPv6 addresses are raced as RFC 6555 says.
//   - port, 1 to 65535.
//   - timeout, seconds, for name resolution and all attempts together; 30 by default.
//   - bindAddress, a literal address to connect from.
//
// Listeners are *net.TCPListener with more to their Close, and connections are [*net.TCPConn].
func TCP() Transport { return tcpTransport{} }

type tcpTransport struct{}

func (tcpTransport) Server(d Description) (Server, error) {
	a := d.Arguments("port", "interface", "backlog")
	s := &tcpServer{d: d, network: "tcp"}
	s.port = a.Int("port", -1, 0, math.MaxUint16)
	s.host = literal(a, "interface")
	s.backlog = backlog(a)
	if addr, err := netip.ParseAddr(s.host); err == nil && addr.Is4() {
		// With "tcp" the net package would take 0.0.0.0 for all addresses of both families.
		s.network = "tcp4"
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (tcpTransport) Client(d Description) (Client, error) {
	order := []string{"host", "port"}
	if _, ok := d.Option("host"); ok {
		order = order[1:]
	}
	a := d.Arguments(order...)
	host := unbracket(a.Required("host"))
	port := a.Int("port", -1, 1, math.MaxUint16)
	c := &netClient{d: d, network: "tcp", addr: net.JoinHostPort(host, strconv.Itoa(port))}
	c.dialer.Timeout = a.Seconds("timeout", dialTimeout)
	if from := literal(a, "bindAddress"); from != "" {
		addr, _ := netip.ParseAddr(from)
		c.dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))
	}
	if i := strings.IndexFunc(host, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f }); i >= 0 {
		a.Fail("host", "%q is not a host: give a name or an address", host)
	} else if strings.IndexFunc(host, func(r rune) bool { return r > 0x7f }) >= 0 {
		a.Fail("host", "%q has characters that DNS does not carry: give its ASCII form, which begins with xn--", host)
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// backlog reads an optional length of the kernel's queue; 0 means that it was not given.
func backlog(a *Arguments) int {
	if _, ok := a.Lookup("backlog"); !ok {
		return 0
	}
	return a.Int("backlog", 0, 1, math.MaxInt32)
}

// literal reads an optional argument that is an address. Names are refused: which of a name's
// addresses would be meant is nobody's guess.
func literal(a *Arguments, name string) string {
	s := unbracket(a.Text(name, ""))
	if s == "" {
		return ""
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		a.Fail(name, "%q is not an address: give a literal one, as 127.0.0.1 or [::1]; names are not looked up", s)
		return ""
	}
	return addr.String()
}

// unbracket forgives brackets whose colons were escaped as well.
func unbracket(s string) string {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' && isIPv6(s[1:len(s)-1]) {
		return s[1 : len(s)-1]
	}
	return s
}

type tcpServer struct {
	d       Description
	network string
	host    string
	port    int
	backlog int // 0: the kernel's
	kept    kept
}

func (s *tcpServer) Listen(ctx context.Context) (net.Listener, error) {
	port, err := s.kept.begin(ctx, s.d)
	if err != nil {
		return nil, err
	}
	again := port != "" && s.port == 0
	if !again {
		port = strconv.Itoa(s.port)
	}
	l, err := s.listen(ctx, port)
	if err != nil {
		s.kept.end()
		return nil, s.explain(err, port, again)
	}
	s.kept.keep(strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	return &tcpListener{TCPListener: l, end: s.kept.end}, nil
}

func (s *tcpServer) listen(ctx context.Context, port string) (*net.TCPListener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, s.network, net.JoinHostPort(s.host, port))
	if err != nil {
		return nil, err
	}
	tcp := l.(*net.TCPListener)
	if s.backlog > 0 {
		if err := setBacklog(tcp, s.backlog); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return tcp, nil
}

func (s *tcpServer) explain(err error, port string, again bool) error {
	e := &Error{Description: s.d.s, Pos: -1, Err: err}
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && again:
		e.Reason = fmt.Sprintf("port %s, which this endpoint had before, was taken by another socket meanwhile: "+
			"free it, or make a new endpoint to be given another (%v)", port, err)
	case errors.Is(err, syscall.EADDRINUSE):
		e.Reason = fmt.Sprintf("port %s is taken by another socket: close that, or choose another port (%v)", port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Field, e.Reason = "interface", fmt.Sprintf("this host has no address %s: give one of its own (%v)", s.host, err)
	case errors.Is(err, syscall.EACCES):
		e.Reason = fmt.Sprintf("port %s needs a permission that this process lacks: choose one above 1023 (%v)", port, err)
	}
	return e
}

// setBacklog listens once more. The net package always asks for the kernel's limit, and a second listen(2)
// on a listening socket changes nothing but that number.
func setBacklog(l syscall.Conn, n int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	if err := raw.Control(func(fd uintptr) { failure = syscall.Listen(int(fd), n) }); err != nil {
		return err
	}
	return failure
}

// tcpListener tells its server when it is closed.
type tcpListener struct {
	*net.TCPListener
	once sync.Once
	end  func()
}

// Close returns when the port is free, also to the second of two callers: that of the net package
// returns to the second at once, while the first still waits for the descriptor to go.
func (l *tcpListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		err = l.TCPListener.Close()
		l.end()
	})
	return err
}
