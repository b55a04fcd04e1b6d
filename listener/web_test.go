package listener_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/listener"
)

// wantPage reads the answer to one HTTP request: the 404 page.
func wantPage(t *testing.T, r *bufio.Reader) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusNotFound || string(body) != "404 page not found\n" || err != nil {
		t.Errorf("got %s with %q, %v", resp.Status, body, err)
	}
}

func TestOtherRequestsGetA404PageAndMayGoOn(t *testing.T) {
	for name, request := range map[string]string{
		"the root":                "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"a Tub's path":            "GET /id/" + ourID + " HTTP/1.1\r\nHost: h\r\n\r\n",
		"with half of an upgrade": "GET /id/" + ourID + " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n",
		"with the other half":     "GET /id/" + ourID + " HTTP/1.1\r\nHost: h\r\nUpgrade: TLS/1.0\r\n\r\n",
		"another upgrade":         "GET /id/" + ourID + " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"nearly a Tub's path":     "GET /idea HTTP/1.1\r\nHost: h\r\n\r\n",
		"a POST":                  "POST /id/" + ourID + " HTTP/1.1\r\nContent-Length: 5\r\n" + strings.Replace(upgrade, "\r\n\r\n", "\r\n\r\nhello", 1),
		"a method with a hyphen":  "VERSION-CONTROL / HTTP/1.1\r\nHost: h\r\n\r\n",
		"with a long body":        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				conn := s.dial(t)
				r := bufio.NewReader(conn)
				for range 3 {
					write(t, conn, request)
					wantPage(t, r)
				}
				// Only the first request of a connection is looked at.
				write(t, conn, "GET /id/"+ourID+" HTTP/1.1\r\n"+upgrade)
				wantPage(t, r)
				conn.Close()
				synctest.Wait()
				s.wantStats(t, listener.Stats{HTTP: 1})
			})
		})
	}
}

func TestARequestMayComeByteByByte(t *testing.T) {
	bubble(t, func(t *testing.T) {
		conn := memSite(t).dial(t)
		for _, c := range "GET /id/x HTTP/1.1\r\nHost: h\r\n\r\n" {
			write(t, conn, string(c))
			synctest.Wait()
		}
		wantPage(t, bufio.NewReader(conn))
	})
}

func TestPipelinedRequestsAreAllAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		conn := memSite(t).say(t, strings.Repeat("GET /id/a HTTP/1.1\r\nHost: h\r\n\r\n", 100))
		r := bufio.NewReader(conn)
		for range 100 {
			wantPage(t, r)
		}
	})
}

func TestHTTP2WithPriorKnowledgeWorks(t *testing.T) {
	l := startAt(t, "tcp:0:interface=127.0.0.1")
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/x", nil)
		must(t, err)
		resp, err := transport.RoundTrip(req)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, err, resp.Body.Close())
		if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusNotFound || string(body) != "404 page not found\n" {
			t.Errorf("got %s %s with %q", resp.Proto, resp.Status, body)
		}
	}
	if got := l.Stats(); got != (listener.Stats{HTTP: 1}) {
		t.Errorf("counted %+v, want one connection", got)
	}
}

// The answer to a request that was not read to its end must not be lost to a
// reset: net/http needs to close one direction for that.
func TestARefusedRequestGetsItsAnswerWhole(t *testing.T) {
	l := startAt(t, "tcp:0:interface=127.0.0.1")
	conn := dialTCP(t, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		header := "X: " + strings.Repeat("x", 4000) + "\r\n"
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n"+strings.Repeat(header, 100)) // nobody may be reading
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge || err != nil {
		t.Errorf("got %s with %q, %v", resp.Status, body, err)
	}
	must(t, resp.Body.Close())
	conn.Close()
	<-done
}

func TestSlowWebClientsAreCutOff(t *testing.T) {
	for name, request := range map[string]string{
		"a head without an end":    "GET / HTTP/1.1\r\n",
		"a body that is missing":   "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nsome",
		"silence between requests": "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				began := time.Now()
				io.Copy(io.Discard, memSite(t).say(t, request)) // what counts is when
				if d := time.Since(began); d > 2*time.Minute {
					t.Errorf("it was cut off after %v", d)
				}
			})
		})
	}
}

// A client that asks and asks and never reads fills the buffers, and with that
// stops the server's writes.
func TestAWebClientThatDoesNotReadIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		conn := memSite(t).dial(t)
		began := time.Now()
		for {
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				break
			}
		}
		if d := time.Since(began); d > time.Minute {
			t.Errorf("it was cut off after %v", d)
		}
	})
}

func TestWebConnectionsAreBoundedAndTheTubIsServedBeside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := memSite(t)
		var conns []net.Conn
		for range 1000 {
			conns = append(conns, s.say(t, "GET / HTTP/1.1\r\n"))
			synctest.Wait()
		}
		wantAll(t, s.say(t, "GET / HTTP/1.1\r\n"), "")
		synctest.Wait()
		s.wantStats(t, listener.Stats{HTTP: 1000, Excess: 1})
		s.say(t, get(ourID))
		(<-s.tub.got).Close()

		conns[7].Close()
		synctest.Wait()
		again := s.say(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		wantPage(t, bufio.NewReader(again))
	})
}

func TestAStopDoesNotWaitForWebClients(t *testing.T) {
	for name, text := range map[string]string{
		"that have said nearly nothing": "GET /",
		"that owe a body":               "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n",
		"that are idle":                 "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"of HTTP/2":                     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := memSite(t)
				conn := s.say(t, text)
				synctest.Wait()
				began := time.Now()
				must(t, s.Stop(context.Background()))
				if d := time.Since(began); d > time.Second {
					t.Errorf("the stop took %v", d)
				}
				io.Copy(io.Discard, conn) // it ends, or the test hangs
			})
		})
	}
}

func TestTheWebServerTellsItsTroubleToTheLogger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := new(lines)
		s := memSite(t, listener.Logger(log.logger()))
		// HTTP/2 with a frame where the SETTINGS are due.
		conn := s.say(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+fmt.Sprintf("\x00\x00\x08\x06\x00\x00\x00\x00\x00%08d", 1))
		io.Copy(io.Discard, conn) // it ends, or the test hangs
		must(t, s.Stop(context.Background()))
		if got := log.String(); !strings.Contains(got, "PROTOCOL_ERROR") || !strings.Contains(got, "listener=mem:x") {
			t.Errorf("logged %q", got)
		}
	})
}
