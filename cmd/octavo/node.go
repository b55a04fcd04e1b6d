package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

// A node is the service tree that `octavo serve` runs.
type node struct {
	root      *service.MultiService
	tub       *tub.Tub
	listeners []*listener.Listener // of the bindings, in order
	bindings  []binding
	ports     *ports
	furlFiles furlFiles
	furl      tub.FURL // once it is published
	out       io.Writer
}

type furlFiles struct {
	kept  string // in the state directory: the name of the object, from run to run
	extra string // what --furl-file names; "" for none
}

func (n *node) listenOn(b binding, log *slog.Logger) error {
	l, err := n.tub.ListenOn(b.endpoint, listener.Logger(log))
	if err == nil {
		n.listeners = append(n.listeners, l)
	}
	return err
}

// announcement is the last service of the tree. It starts when all others run,
// and publishes the node object; when it runs itself, the whole tree does, and
// it says so.
func (n *node) announcement() service.Service {
	return service.New("node", service.Hooks{
		Start: n.publish,
		Run: func(ctx context.Context) error {
			if err := n.print(); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		},
	})
}

// publish gives the node object its FURL. It begins with the ports, which are
// part of the FURL: one that is known outside must be good after a restart.
func (n *node) publish(context.Context) error {
	var used []keptPort
	for i, b := range n.bindings {
		if tcp, ok := n.listeners[i].Addr().(*net.TCPAddr); ok && b.open {
			used = append(used, keptPort{b.listen, tcp.Port})
		}
	}
	if err := n.ports.save(used); err != nil {
		return err
	}
	var err error
	n.furl, err = n.tub.RegisterInFile(&nodeObject{n.root}, n.furlFiles.kept)
	if errors.Is(err, tub.ErrNoLocation) {
		return errors.New("there is nothing to publish: no listener has an address that others can dial, so give --location HINT")
	}
	if err != nil || n.furlFiles.extra == "" {
		return err
	}
	return writeFURLFile(n.furlFiles.extra, n.furl)
}

// print tells whoever started the node where it is. Scripts wait for "ready".
func (n *node) print() error {
	lines := fmt.Appendf(nil, "furl: %s\n", n.furl)
	for _, l := range n.listeners {
		lines = fmt.Appendf(lines, "listening: %s\n", hintOf(l.Addr()))
	}
	lines = append(lines, "ready\n"...)
	_, err := n.out.Write(lines)
	return err
}

// hintOf writes a bound address as a hint. That of a wildcard is the wildcard:
// the addresses that others can dial are in the FURL.
func hintOf(a net.Addr) string {
	if _, ok := a.(*net.TCPAddr); ok {
		return "tcp:" + a.String()
	}
	return a.Network() + ":" + a.String()
}
