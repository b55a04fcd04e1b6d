package tub

import (
	"net"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// loopbackLocked joins the Tub with itself, without the network: the same
// messages over a pipe. Whoever asks for an object of its own Tub gets a
// reference like any other.
func (t *Tub) loopbackLocked(p *peer) *connection {
	here, there := net.Pipe()
	asking := t.newConnection(t.run, t.id, t.pin)
	answering := t.newConnection(t.run, t.id, t.pin)
	vocab := banana.Vocabs[1]
	asking.link = broker.New(here, here, vocab, asking, t.opts.link())
	answering.link = broker.New(there, there, vocab, answering, t.opts.link())
	p.live = asking
	r := t.run
	r.group.Go(func() { t.serve(p, asking) })
	r.group.Go(func() { t.serve(p, answering) })
	return asking
}
