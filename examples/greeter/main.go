// Greeter is a Tub with one object. Its FURL is the same at the next start.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

type Greeter struct{}

func (*Greeter) Greet(name string) string { return "hello, " + name }

func main() {
	ctx := context.Background()
	t, err := tub.New(tub.CertFile("greeter.pem"))
	check(err)
	_, err = t.ListenOn("tcp:8123:interface=127.0.0.1")
	check(err)
	check(t.Start(ctx))
	furl, err := t.RegisterInFile(new(Greeter), "greeter.furl")
	check(err)
	fmt.Println(furl)
	check(service.Run(ctx, t)) // until SIGINT or SIGTERM
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
