package service_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

func TestServingAdoptsAnHTTPServer(t *testing.T) {
	ctx := t.Context()
	var addr string
	listen := func(context.Context) (net.Listener, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			addr = l.Addr().String()
		}
		return l, err
	}
	slow := newGate()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slow.stubborn(r.Context())
		io.WriteString(w, "hello")
	})}
	app := service.NewMulti("app")
	web := service.Serving("web", listen, server)
	must(t, app.Add(web), app.Start(ctx))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	body := later(func() string {
		resp, err := client.Get("http://" + addr)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		all, _ := io.ReadAll(resp.Body)
		return string(all)
	})
	<-slow.begun
	stopped := later(func() error { return app.Stop(ctx) })
	close(slow.open)
	wantEqual(t, <-body, "hello") // drained, not cut off
	must(t, <-stopped)
	wantState(t, service.Idle, web, app)
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("it still listens")
	}
}

// A server as simple as they come: Serve ends with its listener.
type server struct {
	closed bool
	stuck  bool
}

func (s *server) Serve(l io.Closer) error {
	<-l.(*closer).done
	return io.ErrClosedPipe
}

func (s *server) Shutdown(ctx context.Context) error {
	if s.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (s *server) Close() error {
	s.closed = true
	return nil
}

type closer struct{ done chan struct{} }

func (c *closer) Close() error {
	select {
	case <-c.done:
		return errors.New("closed twice")
	default:
		close(c.done)
		return nil
	}
}

func TestServingClosesWhatTheServerDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var l *closer
		listen := func(context.Context) (io.Closer, error) {
			l = &closer{make(chan struct{})}
			return l, nil
		}
		s := &server{}
		web := service.Serving("web", listen, s, service.StopWithin(time.Minute))
		must(t, web.Start(ctx), web.Stop(ctx), web.Start(ctx), web.Stop(ctx))
		<-l.done
		wantEqual(t, s.closed, false)

		s.stuck = true
		must(t, web.Start(ctx))
		wantErr(t, web.Stop(ctx), "/web", service.ErrStopTimeout)
		wantEqual(t, s.closed, true)

		// Undone before it served, the listener is closed all the same.
		app := service.NewMulti("app")
		must(t, app.Add(service.New("bad", service.Hooks{Start: func(context.Context) error { return errBoom }}), service.Serving("web", listen, s)))
		wantErr(t, app.Start(ctx), "/app/bad", errBoom)
		<-l.done
	})
}

func TestServingFails(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		web := service.Serving("web", func(context.Context) (io.Closer, error) { return nil, errBoom }, &server{})
		wantErr(t, web.Start(ctx), "/web", errBoom)

		l := &closer{make(chan struct{})}
		web = service.Serving("web", func(context.Context) (io.Closer, error) { return l, nil }, &server{})
		must(t, web.Start(ctx))
		done := later(func() error { return service.Run(ctx, web, noSignals) })
		time.Sleep(time.Second)
		l.Close() // behind its back
		wantErr(t, <-done, "/web", io.ErrClosedPipe)
	})
}
