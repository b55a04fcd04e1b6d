// Custom is a tree with a service type of its own: a counter that keeps its count in a file, and a web
// server that finds it in the tree as what it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/octavo-go/octavo/service"
)

// A Counter is a service: it embeds a Base, which has all the methods of one.
type Counter struct {
	*service.Base
	file  string
	count atomic.Int64
}

func NewCounter(file string) *Counter {
	c := &Counter{file: file}
	c.Base = service.NewBase(c, "counter", service.Hooks{Start: c.load, Stop: c.save})
	return c
}

func (c *Counter) Next() int64 { return c.count.Add(1) }

func (c *Counter) load(context.Context) error {
	text, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var n int64
	if _, err := fmt.Sscan(string(text), &n); err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	c.count.Store(n)
	return nil
}

func (c *Counter) save(context.Context) error {
	return os.WriteFile(c.file, fmt.Appendln(nil, c.count.Load()), 0o600)
}

func main() {
	app, stats := service.NewMulti("app"), service.NewMulti("stats")
	visit := func(w http.ResponseWriter, _ *http.Request) {
		// With its type: no assertion, and no variable that main has to hand around.
		counter, err := service.Lookup[*Counter](app, "stats/counter")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "visit", counter.Next())
	}
	web := service.Serving("web", listen, &http.Server{Handler: http.HandlerFunc(visit)})
	check(stats.Add(NewCounter("visits.txt")))
	check(app.Add(stats, web))                    // web ends first: no visit is lost
	check(service.Run(context.Background(), app)) // until SIGINT or SIGTERM
}

func listen(context.Context) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Printf("web is on http://%s/\n", l.Addr())
	}
	return l, err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
