package listener

import (
	"container/list"
	"io"
	"net"
	"time"

	"github.com/octavo-go/octavo/internal/negotiate"
)

// A newcomer is a connection that is ours still: it is undecided, or it is
// being refused. Its fields are under Listener.mu.
type newcomer struct {
	net.Conn
	place   *list.Element // in Listener.newcomers; nil once it is there no more
	counted bool
}

// admit begins to decide about a connection. If there are too many the oldest
// has to go.
func (l *Listener) admit(conn net.Conn, web *webServer) {
	n := &newcomer{Conn: conn}
	var oldest *newcomer
	l.mu.Lock()
	if l.newcomers.Len() >= l.opts.maxUndecided {
		oldest = l.newcomers.Front().Value.(*newcomer)
		l.countLocked(oldest, excess)
		l.dropLocked(oldest)
	}
	n.place = l.newcomers.PushBack(n)
	l.deciding.Go(func() { l.decide(n, web) })
	l.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
}

func (l *Listener) countLocked(n *newcomer, k kind) {
	if !n.counted {
		n.counted = true
		l.counts[k]++
	}
}

func (l *Listener) dropLocked(n *newcomer) {
	l.newcomers.Remove(n.place)
	n.place = nil
}

// settle counts a newcomer as what it turned out to be. It returns false for
// one that was closed meanwhile. All but those that are refused are newcomers
// no more.
func (l *Listener) settle(n *newcomer, k kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.place == nil {
		return false
	}
	l.countLocked(n, k)
	if k != refused {
		l.dropLocked(n)
	}
	return true
}

// refuse tells the client why. It remains a newcomer while it takes its time
// to hear that, so that it counts and that a stop need not wait for it.
func (l *Listener) refuse(n *newcomer, text string) {
	n.SetWriteDeadline(time.Now().Add(l.opts.decideWithin))
	if _, err := io.WriteString(n.Conn, negotiate.Refusal(text)); err != nil {
		n.Close()
	} else {
		negotiate.Linger(n.Conn) // Foolscap's clients answer a refusal
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.place != nil {
		l.dropLocked(n)
	}
}

// decide finds out what a connection wants and hands it over.
func (l *Listener) decide(n *newcomer, web *webServer) {
	n.SetReadDeadline(time.Now().Add(l.opts.decideWithin))
	v := sniff(n.Conn)
	var tub Tub
	var request *webConn
	switch v.kind {
	case toTub:
		if tub = l.tub(); tub == nil || tub.ID() != v.tubID {
			v = verdict{kind: refused, text: negotiate.UnknownTub(v.tubID)}
		}
	case toWeb:
		if request = web.reserve(n.Conn, v.read); request == nil {
			v.kind = excess
		}
	}
	if !l.settle(n, v.kind) {
		if request != nil {
			request.Close()
		}
		return
	}
	switch v.kind {
	case toTub:
		n.SetReadDeadline(time.Time{})
		tub.AcceptConn(n.Conn)
	case toWeb:
		n.SetReadDeadline(time.Time{})
		web.take(request)
	case refused:
		l.refuse(n, v.text)
	default:
		n.Close()
	}
}

// tub returns the Tub that the Listener serves now, or nil.
func (l *Listener) tub() Tub {
	parent := l.Parent()
	if parent == nil {
		return nil
	}
	t, _ := parent.Self().(Tub)
	return t
}
