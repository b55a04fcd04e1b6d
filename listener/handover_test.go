package listener_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
)

func TestTheTubGetsTheConnectionWithItsGetReadAndNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		near := s.say(t, get(ourID))
		far := <-s.tub.got
		defer far.Close()
		wantOpen(t, near) // the answer is the Tub's to give
		write(t, near, "first bytes of TLS")
		wantNext(t, far, "first bytes of TLS")
		write(t, far, "answer")
		wantNext(t, near, "answer")
		s.wantStats(t, listener.Stats{Tub: 1})
	})
}

func TestTheTubsConnectionHasNoDeadlineLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		near := s.say(t, get(ourID))
		far := <-s.tub.got
		defer far.Close()
		time.Sleep(time.Hour) // on the bubble's clock
		write(t, near, "late")
		wantNext(t, far, "late")
	})
}

func TestAGetMayComeByteByByte(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		near := s.dial(t)
		for _, c := range get(ourID) {
			write(t, near, string(c))
			synctest.Wait()
		}
		far := <-s.tub.got
		defer far.Close()
		write(t, near, "next")
		wantNext(t, far, "next")
	})
}

func TestHeadersAreReadAsHTTPReadsThem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		for _, headers := range []string{
			"upgrade: tls/1.0\r\nCONNECTION: upgrade\r\n\r\n",
			"Upgrade: PB/1.0, TLS/1.0\r\nConnection: keep-alive, Upgrade\r\n\r\n",
			"Connection:Upgrade\r\nX: y\r\nUpgrade:TLS/1.0\r\n\r\n",
		} {
			s.say(t, "GET /id/"+ourID+" HTTP/1.1\r\n"+headers)
			(<-s.tub.got).Close()
		}
	})
}

func TestRefusalsSayWhatFoolscapSays(t *testing.T) {
	long := "GET /id/" + ourID + " HTTP/1.1\r\n" + strings.Repeat("X: "+strings.Repeat("x", 60)+"\r\n", 63)
	for name, c := range map[string]struct{ request, answer string }{
		"an unknown TubID":       {get(otherID), unknown(otherID)},
		"no TubID's form":        {get("%00<b>ö"), unknown("%00<b>ö")},
		"a longer one than ours": {get(ourID + "a"), unknown(ourID + "a")},
		"part of ours":           {get(ourID[:31]), unknown(ourID[:31])},
		"ours in capitals":       {get(strings.ToUpper(ourID)), unknown(strings.ToUpper(ourID))},
		"no TubID":               {get(""), "HTTP/1.1 500 Internal Server Error: secure Tubs require encryption\r\n\r\n"},
		"a head without an end":  {long[:4096], generic},
		"a head that is too long": {
			"GET /id/" + ourID + " HTTP/1.1\r\nX: " + strings.Repeat("x", 4096) + "\r\n" + upgrade, generic},
		"bytes behind the head": {get(ourID) + "\x16\x03\x01", generic},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				near := s.say(t, c.request)
				wantAll(t, near, c.answer)
				near.Close()
				synctest.Wait()
				s.wantStats(t, listener.Stats{Refused: 1})
			})
		})
	}
}

func TestAHeadOfExactlyTheLimitIsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		head := "GET /id/" + ourID + " HTTP/1.1\r\n" + upgrade
		head = strings.Replace(head, "Host: h", "Host: "+strings.Repeat("h", 4096-len(head)+1), 1)
		s.say(t, head)
		(<-s.tub.got).Close()
	})
}

// Foolscap's clients answer a refusal, and on a real socket closing with that
// unread would reset the connection and take the refusal with it.
func TestWhatAClientSaysAfterARefusalIsReadAndDropped(t *testing.T) {
	l := startAt(t, "tcp:0:interface=127.0.0.1")
	for range 50 {
		conn := dialTCP(t, l)
		write(t, conn, get(otherID))
		for range 3 {
			write(t, conn, "banana-decision-version: 1\r\nerror: internal server error, see logs\r\n\r\n")
		}
		got, err := io.ReadAll(conn)
		// The texts may have come together with the GET.
		if s := string(got); err != nil || s != unknown(otherID) && s != generic {
			t.Fatalf("read %q, %v", got, err)
		}
		write(t, conn, strings.Repeat("more ", 100))
		conn.Close()
	}
}

func TestAClientThatHeardItsRefusalIsNotWaitedForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.MaxUndecided(1))
		began := time.Now()
		near := s.say(t, get(otherID))
		wantAll(t, near, unknown(otherID))
		for {
			if _, err := near.Write([]byte("blah")); err != nil {
				break
			}
			time.Sleep(100 * time.Millisecond) // on the bubble's clock
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("it could go on for %v", d)
		}
	})
}

func TestAListenerWithoutATubRefusesAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, under := range map[string]*service.MultiService{
			"started directly":    nil,
			"under a plain group": service.NewMulti("group"),
		} {
			s := memSiteWithoutTub(t)
			var top service.Service = s.Listener
			if under != nil {
				must(t, under.Add(s.Listener))
				top = under
			}
			must(t, top.Start(t.Context()))
			near := s.say(t, get(ourID))
			wantAll(t, near, unknown(ourID))
			near.Close()
			if s.State() != service.Running {
				t.Errorf("%s: it is %v", name, s.State())
			}
			must(t, top.Stop(t.Context()))
		}
	})
}

func TestOnlyTheParentIsTheTub(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSiteWithoutTub(t)
		grandparent, group := newTub(ourID), service.NewMulti("group")
		must(t, group.Add(s.Listener), grandparent.Add(group), grandparent.Start(t.Context()))
		stopAtEnd(t, grandparent)
		near := s.say(t, get(ourID))
		wantAll(t, near, unknown(ourID))
		near.Close()
		if len(grandparent.got) != 0 {
			t.Error("the Tub above the parent got a connection")
		}
	})
}

func TestAnotherParentIsAnotherTub(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		b := newTub(otherID)
		must(t, b.Start(t.Context()))
		stopAtEnd(t, b)
		must(t, service.Move(t.Context(), s.Listener, b.MultiService))
		s.say(t, get(otherID))
		(<-b.got).Close()
		near := s.say(t, get(ourID))
		wantAll(t, near, unknown(ourID))
		near.Close()
	})
}

func TestConnectionsOfTheTubOutliveTheListener(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		near := s.say(t, get(ourID))
		far := <-s.tub.got
		defer far.Close()
		must(t, s.DisownParent().Wait(t.Context()))
		write(t, near, "still here")
		wantNext(t, far, "still here")
	})
}

func TestTheClientsAddressReachesTheTub(t *testing.T) {
	tub := newTub(ourID)
	l := makeListener(t, "tcp:0:interface=127.0.0.1")
	must(t, l.SetParent(tub.MultiService), tub.Start(t.Context()))
	stopAtEnd(t, tub)
	near := dialTCP(t, l)
	write(t, near, get(ourID))
	far := <-tub.got
	defer far.Close()
	if _, ok := far.(*net.TCPConn); !ok || far.RemoteAddr().String() != near.LocalAddr().String() {
		t.Errorf("the Tub got a %T from %v, want a *net.TCPConn from %v", far, far.RemoteAddr(), near.LocalAddr())
	}
}
