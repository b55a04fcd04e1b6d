// Tree is a program of two services: a web server and the database under it.
package main

import (
	"context"
	"log"
	"net"
	"net/http"

	"github.com/octavo-go/octavo/service"
)

func main() {
	app := service.NewMulti("app")
	db := service.New("db", service.Hooks{Start: openDB, Stop: closeDB})
	web := service.Serving("web", listen, &http.Server{Handler: http.HandlerFunc(hello)})
	if err := app.Add(db, web); err != nil {
		log.Fatal(err)
	}
	// Until SIGINT or SIGTERM; then web is drained and closed before db.
	if err := service.Run(context.Background(), app); err != nil {
		log.Fatal(err)
	}
}

func openDB(context.Context) error  { log.Print("database is open"); return nil }
func closeDB(context.Context) error { log.Print("database is closed"); return nil }

func listen(context.Context) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		log.Printf("web is on http://%s/", l.Addr())
	}
	return l, err
}

func hello(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello\n")) }
