package listener_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/listener"
)

func TestWhatIsNeitherHTTPNorATubsIsClosedAtOnce(t *testing.T) {
	for name, text := range map[string]string{
		"a TLS ClientHello":          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"an SSH client":              "SSH-2.0-OpenSSH_9.6\r\n",
		"NUL":                        "\x00",
		"a request in small letters": "get / HTTP/1.1\r\n\r\n",
		"a method that is too short": "GE / HTTP/1.1\r\n\r\n",
		"a method without an end":    strings.Repeat("A", 21),
		"a hyphen":                   "-GET / HTTP/1.1\r\n\r\n",
		"a line end first":           "\r\nGET / HTTP/1.1\r\n\r\n",
		"Banana":                     "\x80\x88",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				began := time.Now()
				wantAll(t, s.say(t, text), "")
				if d := time.Since(began); d != 0 {
					t.Errorf("it was closed after %v", d)
				}
				synctest.Wait()
				s.wantStats(t, listener.Stats{Garbage: 1})
			})
		})
	}
}

func TestWhoSaysTooLittleIsClosedAtTheDeadline(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                "",
		"the beginning of a GET": "GET /id/",
		"a method":               "OPTIONS",
		"half a head":            get(ourID)[:60],
		"bare line feeds":        strings.ReplaceAll(get(ourID), "\r\n", "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				began := time.Now()
				wantAll(t, s.say(t, text), "")
				if d := time.Since(began); d != 5*time.Second {
					t.Errorf("it was closed after %v", d)
				}
				synctest.Wait()
				s.wantStats(t, listener.Stats{Silent: 1})
			})
		})
	}
}

// The deadline is for the whole request: each byte does not begin it anew.
func TestASlowLorisIsCutAtTheDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.DecideWithin(3*time.Second))
		conn := s.dial(t)
		began := time.Now()
		for _, c := range get(ourID) {
			if _, err := io.WriteString(conn, string(c)); err != nil {
				break
			}
			time.Sleep(100 * time.Millisecond) // on the bubble's clock
		}
		if d := time.Since(began); d < 3*time.Second || d > 3100*time.Millisecond {
			t.Errorf("it was cut after %v", d)
		}
		s.wantStats(t, listener.Stats{Silent: 1})
	})
}

func TestWhoHangsUpEarlyIsCountedAsSilent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		s.dial(t).Close()
		s.say(t, "GET /id/"+ourID).Close()
		synctest.Wait()
		s.wantStats(t, listener.Stats{Silent: 2})
	})
}

func TestOptionsThatMakeNoSenseMeanTheDefault(t *testing.T) {
	l := makeListener(t, "tcp:0:interface=127.0.0.1",
		listener.MaxUndecided(-1), listener.DecideWithin(0), listener.Logger(nil), listener.Registry(nil))
	tub := newTub(ourID)
	must(t, l.SetParent(tub.MultiService), tub.Start(t.Context()))
	stopAtEnd(t, tub)
	write(t, dialTCP(t, l), get(ourID))
	(<-tub.got).Close()
}

func TestWhenTooManyAreUndecidedTheOldestHasToGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.MaxUndecided(3))
		var conns []net.Conn
		for range 3 {
			conns = append(conns, s.say(t, "GET /id/"))
			synctest.Wait()
		}
		for _, conn := range conns {
			wantOpen(t, conn)
		}
		began := time.Now()
		s.say(t, get(ourID))
		(<-s.tub.got).Close()
		wantAll(t, conns[0], "")
		if d := time.Since(began); d > time.Second {
			t.Errorf("the oldest was closed after %v", d)
		}
		s.wantStats(t, listener.Stats{Tub: 1, Excess: 1})

		write(t, conns[2], strings.TrimPrefix(get(ourID), "GET /id/"))
		(<-s.tub.got).Close()
		wantOpen(t, conns[1])
	})
}

// Else whoever is slow to hear a refusal would be bound by nothing.
func TestThoseThatAreBeingRefusedCountAsUndecided(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.MaxUndecided(1))
		first := s.say(t, get(otherID))
		wantNext(t, first, unknown(otherID))
		began := time.Now()
		second := s.dial(t)
		for {
			if _, err := io.WriteString(first, "x"); err != nil {
				break
			}
			synctest.Wait()
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("it was closed after %v", d)
		}
		wantOpen(t, second)
		s.wantStats(t, listener.Stats{Refused: 1})
	})
}

func TestEveryConnectionIsCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.MaxUndecided(5))
		go func() {
			for conn := range s.tub.got {
				conn.Close()
			}
		}()
		texts := []string{"", "\x00", "GET /id/", get(ourID), get(otherID), "GET / HTTP/1.0\r\n\r\n", get(ourID) + "x"}
		const n = 500
		for range n {
			conn := s.say(t, texts[rand.IntN(len(texts))])
			if rand.IntN(2) == 0 {
				conn.Close()
			} else if rand.IntN(2) == 0 {
				synctest.Wait()
			}
		}
		time.Sleep(time.Minute) // on the bubble's clock: all deadlines are over
		got := s.Stats()
		if sum := got.Tub + got.HTTP + got.Refused + got.Garbage + got.Silent + got.Excess; sum != n {
			t.Errorf("%d connections are counted as %d: %+v", n, sum, got)
		}
		must(t, s.tub.Stop(context.Background()))
		close(s.tub.got)
	})
}

// Whoever opens connections and says nothing must not keep others out.
func TestSilentConnectionsDoNotLockOthersOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t, listener.MaxUndecided(10))
		for range 30 {
			for range 20 {
				s.dial(t)
			}
			s.say(t, get(ourID))
			(<-s.tub.got).Close()
		}
	})
}
