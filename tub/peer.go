package tub

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/octavo-go/octavo/internal/broker"
	"github.com/octavo-go/octavo/internal/negotiate"
)

// A peer is what a Tub remembers about another one: at most one connection
// joins them. All of it is under Tub.mu.
type peer struct {
	live    *connection
	attempt *attempt // the search for it that is under way

	// Where we are the master: the connection that we named last.
	current string // its name
	seqnum  uint64
	slave   string // incarnation of the slave it was named for
	claimed bool   // named, but not negotiated to the end

	// Where we are the slave: the name that the master gave last.
	last string
}

// connected returns the live connection, or nil: one that is coming to its end
// is none any more.
func (p *peer) connected() *connection {
	if p.live != nil && p.live.link.Context().Err() == nil {
		return p.live
	}
	return nil
}

// peerLocked returns the record of a peer, new if there is none.
func (t *Tub) peerLocked(id string) *peer {
	p := t.peers[id]
	if p == nil {
		t.forgetPeersLocked()
		p = new(peer)
		t.peers[id] = p
	}
	return p
}

// maxPeers bounds the records of peers that are neither connected nor looked
// for. Anybody can make a new identity, so they must not grow for ever; who is
// forgotten may at worst be told once that it is connected already.
const maxPeers = 10_000

func (t *Tub) forgetPeersLocked() {
	if len(t.peers) < maxPeers {
		return
	}
	for id, p := range t.peers {
		if p.live == nil && p.attempt == nil && !p.claimed {
			delete(t.peers, id)
		}
	}
}

// records is negotiate.Records for one negotiation. It gives back what the
// negotiation claimed if that fails afterwards.
type records struct {
	tub     *Tub
	run     *run
	peer    string
	claimed string
}

// LastConnection is negotiate.Records.
func (r *records) LastConnection(id string) string {
	r.tub.mu.Lock()
	defer r.tub.mu.Unlock()
	if p := r.tub.peers[id]; p != nil && p.last != "" {
		return p.last
	}
	return "none 0"
}

// Decide is negotiate.Records.
func (r *records) Decide(id string, offer negotiate.Offer) (string, error) {
	t := r.tub
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run != r.run {
		return "", ErrStopped
	}
	p := t.peerLocked(id)
	if (p.connected() != nil || p.claimed) && !p.replacedBy(offer, r.run.side.Incarnation) {
		return "", negotiate.ErrDuplicate
	}
	if p.live != nil {
		go p.live.link.Close(ErrReplaced)
		p.live = nil
	}
	t.seqnum++
	p.seqnum = t.seqnum
	p.current = fmt.Sprintf("%s %d", r.run.side.Incarnation, p.seqnum)
	p.slave = offer.Incarnation
	p.claimed = true
	r.peer, r.claimed = id, p.current
	return p.current, nil
}

// replacedBy decides whether a newcomer takes the place of the connection that
// p has: only if the slave cannot mean that one any more. It is the table of
// Foolscap, row by row.
func (p *peer) replacedBy(offer negotiate.Offer, incarnation string) bool {
	if offer.Incarnation == "" || offer.LastConnection == "" {
		return false // it does not say enough
	}
	if offer.Incarnation != p.slave {
		return true // the peer has restarted
	}
	words := strings.Fields(offer.LastConnection)
	if len(words) != 2 || words[0] == "none" {
		return false // a parallel attempt of the same boot
	}
	if words[0] != incarnation {
		return true // it remembers an earlier life of ours
	}
	// The same number: it knows our connection and has given it up.
	n, err := strconv.ParseUint(words[1], 10, 64)
	return err == nil && n == p.seqnum
}

// abandon gives back a claim whose negotiation has failed.
func (r *records) abandon() {
	if r.claimed == "" {
		return
	}
	r.tub.mu.Lock()
	defer r.tub.mu.Unlock()
	if p := r.tub.peers[r.peer]; p != nil && p.current == r.claimed {
		p.claimed = false
	}
}

// adopt makes a negotiated session the connection to its peer. It returns nil
// if the Tub has been stopped, or a newer connection has come, meanwhile; the
// session is closed then.
func (t *Tub) adopt(r *run, s *negotiate.Session) *connection {
	c := t.newConnection(r, s.Peer, pinOf(s.Cert))
	c.link = broker.New(s.Conn, s.Reader, s.Vocab, c, t.opts.link())
	t.mu.Lock()
	if t.run != r {
		t.mu.Unlock()
		s.Conn.Close()
		return nil
	}
	p := t.peerLocked(s.Peer)
	old := p.live
	switch {
	case !s.Master:
		p.last = s.Current
	case p.current != s.Current || !p.claimed:
		t.mu.Unlock()
		s.Conn.Close()
		return nil
	default:
		p.claimed = false
	}
	p.live = c
	found := p.attempt
	p.attempt = nil
	r.group.Go(func() { t.serve(p, c) })
	t.mu.Unlock()
	if old != nil {
		old.link.Close(ErrReplaced)
	}
	if found != nil {
		found.end(c, nil)
	}
	return c
}

func (t *Tub) newConnection(r *run, id, pin string) *connection {
	c := &connection{tub: t, run: r, peer: id, pin: pin, log: t.log.With("peer", id)}
	c.imports = broker.NewImports[Reference](c.release)
	return c
}

// serve runs a connection to its end.
func (t *Tub) serve(p *peer, c *connection) {
	c.log.Info("connected")
	err := c.link.Serve()
	t.mu.Lock()
	if p.live == c {
		p.live = nil
	}
	t.mu.Unlock()
	c.log.Info("disconnected", "reason", err)
	c.calls.tasks.Wait()
}
