// Moving is a web server that changes hands between two groups of a tree at each SIGHUP. It is stopped
// in one and started in the other, and keeps its address.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/octavo-go/octavo/service"
)

func main() {
	app, blue, green := service.NewMulti("app"), service.NewMulti("blue"), service.NewMulti("green")
	site := newSite()
	mover := service.Func("mover", func(ctx context.Context) error { return move(ctx, site, blue, green) })
	check(blue.Add(site))
	check(app.Add(blue, green, mover))
	check(service.Run(context.Background(), app)) // until SIGINT or SIGTERM
}

// move gives the site to the other group whenever the process is hung up.
func move(ctx context.Context, site *Site, from, to *service.MultiService) error {
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	defer signal.Stop(hups)
	for {
		fmt.Printf("%s is on http://%s/\n", site.Path(), site.addr)
		select {
		case <-hups:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := service.Move(ctx, site, to); err != nil {
			return err
		}
		from, to = to, from
	}
}

// A Site tells who asks where in the tree it is.
type Site struct {
	*service.Base
	addr     string // bound at each start
	listener net.Listener
	server   *http.Server
}

func newSite() *Site {
	s := &Site{addr: "127.0.0.1:0"}
	s.Base = service.NewBase(s, "site", service.Hooks{
		Acquire: s.listen, Run: s.serve, Drain: s.shutdown, Stop: s.close,
	})
	return s
}

func (s *Site) listen(ctx context.Context) (err error) {
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.addr); err != nil {
		return err
	}
	s.addr = s.listener.Addr().String() // the next start takes the same
	s.server = &http.Server{Handler: s} // one that was shut down serves no more
	return nil
}

func (s *Site) serve(context.Context) error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *Site) shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }

func (s *Site) close(context.Context) error {
	s.listener.Close() // where Serve was never called
	return s.server.Close()
}

func (s *Site) ServeHTTP(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s.Path()) }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
