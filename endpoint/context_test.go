package endpoint_test

import (
	"context"
	"errors"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

func TestADoneContextOpensNothing(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			srv := server(t, desc)
			to := addressOf(listen(t, srv))
			l, err := endpoint.Listen(ctx, desc)
			if l != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
				t.Errorf("Listen: %v, %v", l, err)
			}
			c, err := endpoint.Dial(ctx, to)
			if c != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
				t.Errorf("Dial: %v, %v", c, err)
			}
		})
	}
}

func TestAListenerOutlivesTheContextItWasOpenedWith(t *testing.T) {
	for name, desc := range everyServer(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l, err := server(t, desc).Listen(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			client, err := endpoint.Default().Client(addressOf(l))
			if err != nil {
				t.Fatal(err)
			}
			a, err := client.Dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			cancel()
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			send(t, a, "x")
			if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
}
