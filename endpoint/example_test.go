package endpoint_test

import (
	"bufio"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/octavo-go/octavo/endpoint"
)

func ExampleListen() {
	ctx := context.Background()
	l, err := endpoint.Listen(ctx, "tcp:0:interface=127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()

	addr := l.Addr().(*net.TCPAddr)
	c, err := endpoint.Dial(ctx, fmt.Sprintf("tcp:%s:%d:timeout=5", addr.IP, addr.Port))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
	fmt.Println(answer.Status)

	server.Close()
	fmt.Println(<-served)
	// Output:
	// 404 Not Found
	// http: Server closed
}

func ExampleParse() {
	d, err := endpoint.Parse(`TCP:8080:interface=\:\:1`)
	if err != nil {
		log.Fatal(err)
	}
	iface, _ := d.Option("interface")
	fmt.Println(d.Type(), d.Args(), iface)
	fmt.Println(d)

	_, err = endpoint.Default().Server("tcp:80800")
	fmt.Println(err)
	// Output:
	// tcp [8080] ::1
	// tcp:8080:interface=[::1]
	// endpoint "tcp:80800": port: 80800 is out of range: give a number from 0 to 65535 (at byte 4)
}

func ExampleNew() {
	fmt.Println(endpoint.New("tcp", "2001:db8::1", "443").With("timeout", "5"))
	// Output: tcp:[2001:db8::1]:443:timeout=5
}

// A server keeps the port that was chosen for it.
func ExampleServer() {
	server, err := endpoint.Default().Server("tcp:0:interface=127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	var before net.Addr
	for range 2 {
		l, err := server.Listen(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(before != nil && l.Addr().String() == before.String())
		before = l.Addr()
		l.Close()
	}
	// Output:
	// false
	// true
}

// deflated is a prefix transport: deflate:level=9:tcp:example.com:80 is tcp:example.com:80 with
// what is written compressed. Only its client is shown.
type deflated struct{ registry *endpoint.Registry }

func (t deflated) In(r *endpoint.Registry) endpoint.Transport { return deflated{r} }

func (t deflated) Client(d endpoint.Description) (endpoint.Client, error) {
	inner, err := d.Without("level").Rest()
	if err != nil {
		return nil, err
	}
	own := endpoint.New(d.Type())
	if level, ok := d.Option("level"); ok {
		own = own.With("level", level)
	}
	a := own.Arguments()
	level := a.Int("level", flate.DefaultCompression, -2, 9)
	if err := a.Err(); err != nil {
		return nil, err
	}
	client, err := t.registry.Client(inner.String())
	if err != nil {
		return nil, err
	}
	return deflatedClient{client, level}, nil
}

func (t deflated) Server(d endpoint.Description) (endpoint.Server, error) {
	inner, err := d.Rest()
	if err != nil {
		return nil, err
	}
	return t.registry.Server(inner.String())
}

type deflatedClient struct {
	endpoint.Client
	level int
}

func (c deflatedClient) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.Client.Dial(ctx)
	if err != nil {
		return nil, err
	}
	w, err := flate.NewWriter(conn, c.level)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &deflatedConn{conn, w}, nil
}

type deflatedConn struct {
	net.Conn
	w *flate.Writer
}

func (c *deflatedConn) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err == nil {
		err = c.w.Flush()
	}
	return n, err
}

func ExampleRegistry_Register() {
	registry := endpoint.Default().Clone()
	if err := registry.Register("deflate", deflated{}); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	server, err := registry.Server("mem:letters")
	if err != nil {
		log.Fatal(err)
	}
	l, err := server.Listen(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	client, err := registry.Client("deflate:level=9:mem:letters")
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Dial(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "folded three times")
	c.Close()

	letter, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(flate.NewReader(letter))
	letter.Close()
	fmt.Printf("%s\n", text)

	_, err = registry.Client("deflate:level=99:mem:letters")
	fmt.Println(err)
	// Output:
	// folded three times
	// endpoint "deflate:level=99": level: 99 is out of range: give a number from -2 to 9 (at byte 8)
}
