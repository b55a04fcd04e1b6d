// Package recorded holds what real Foolscap peers wrote: the yardstick of the
// tests of everything that speaks to them.
//
// testdata/*.json are vectors, testdata/transcripts/*.json whole
// conversations, both taken from Foolscap 21.7.0 under Python 3.11. A vector
// is what one Foolscap side wrote for a value, a call or an answer, byte for
// byte, together with the list of its tokens; inbound.json has it the other
// way round: bytes that were given to a Foolscap broker, and all its reactions.
// A transcript lists what each side of a connection sent and received, after
// decryption. In a vector's name the ending _v0 or _v1 is the vocabulary table
// in use.
//
// It is for tests only.
package recorded

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"
	"testing"
)

//go:embed testdata
var files embed.FS

// Bytes are written in hexadecimal digits.
type Bytes []byte

// UnmarshalText implements [encoding.TextUnmarshaler].
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// A Vector is something Foolscap wrote.
type Vector struct {
	ID          string   `json:"id"`
	Description string   `json:"description"`
	Python      string   `json:"python"` // the expression that made it
	Bytes       Bytes    `json:"hex"`
	Tokens      []string `json:"tokens"`
	Vocab       int      `json:"vocab_table"`
	Answer      Bytes    `json:"answer_hex"`  // call_values: what the callee replied
	Request     Bytes    `json:"request_hex"` // answers_errors: the call that asked for it
	RoundTrip   any      `json:"roundtrip"`   // call_values: true where Foolscap reads it back equal, "recursive" where == cannot tell
}

// Vectors returns the vectors of testdata/NAME.json: tokens, call_values,
// calls, answers_errors or references.
func Vectors(t testing.TB, name string) []Vector {
	t.Helper()
	var f struct{ Vectors []Vector }
	load(t, name+".json", &f)
	return f.Vectors
}

// An Inbound is what a Foolscap broker did with bytes that it was given on a
// fresh connection, where number 1 is an untyped object and 2 a typed one.
type Inbound struct {
	ID          string   `json:"id"`
	Description string   `json:"description"`
	Vocab       int      `json:"vocab_table"`
	In          Bytes    `json:"in_hex"`
	InTokens    []string `json:"in_tokens"`
	Out         Bytes    `json:"out_hex"`
	OutTokens   []string `json:"out_tokens"`
	Connection  string   `json:"connection"` // open or dropped
}

// Dropped reports whether Foolscap hung up.
func (in Inbound) Dropped() bool { return in.Connection == "dropped" }

// Inbounds returns testdata/inbound.json.
func Inbounds(t testing.TB) []Inbound {
	t.Helper()
	var f struct{ Vectors []Inbound }
	load(t, "inbound.json", &f)
	return f.Vectors
}

// Misc is testdata/misc.json: names and their parsing.
type Misc struct {
	TubIDs []struct {
		Name  string `json:"name"`
		PEM   string `json:"pem"`
		TubID string `json:"tubid"`
	} `json:"tubids"`
	FURLs []struct {
		FURL  string   `json:"furl"`
		TubID string   `json:"tubid"`
		Hints []string `json:"hints"`
		Name  string   `json:"name"`
		Error string   `json:"error"` // why Foolscap refuses it, or empty
	} `json:"furls"`
	Hints []struct {
		Hint      string `json:"hint"`
		Converted string `json:"converted"`
		TCPHost   string `json:"tcp_host"`
		TCPPort   int    `json:"tcp_port"`
	} `json:"hints"`
	VocabHash map[string]string `json:"vocab_hash"`
	Base32    []struct {
		In  Bytes  `json:"in"`
		Out string `json:"out"`
	} `json:"base32"`
}

// TheMisc returns testdata/misc.json.
func TheMisc(t testing.TB) *Misc {
	t.Helper()
	m := new(Misc)
	load(t, "misc.json", m)
	return m
}

// A Conversation is a transcript of one or more connections.
type Conversation struct {
	Title  string            `json:"title"`
	Notes  []string          `json:"notes"`
	Tubs   map[string]string `json:"tubs"` // TubID to the letter in Event.Who
	Events []Event           `json:"events"`
}

// An Event is bytes that one side sent or received (Kind is send-plain,
// recv-plain, send-block, recv-block, send-banana or recv-banana), or
// something else that happened (What).
type Event struct {
	Conn  int    `json:"conn"`
	Who   string `json:"who"` // such as A(client) or B(server)
	Kind  string `json:"kind"`
	Bytes Bytes  `json:"hex"`
	What  string `json:"event"`
	Note  string `json:"note"`
}

// Sent returns the bytes of every event of the kind send-KIND, in order.
func (c *Conversation) Sent(kind string) (sent [][]byte) {
	for _, e := range c.Events {
		if e.Kind == "send-"+kind {
			sent = append(sent, e.Bytes)
		}
	}
	return sent
}

// Transcript returns testdata/transcripts/NAME.json; the number at the
// beginning is enough where it says which.
func Transcript(t testing.TB, name string) *Conversation {
	t.Helper()
	var found []string
	for _, n := range Transcripts(t) {
		if n == name || strings.HasPrefix(n, name+"_") {
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		t.Fatalf("transcript %q: found %q, want one", name, found)
	}
	c := new(Conversation)
	load(t, "transcripts/"+found[0]+".json", c)
	return c
}

// Transcripts returns the names of all transcripts.
func Transcripts(t testing.TB) (names []string) {
	t.Helper()
	entries, err := files.ReadDir("testdata/transcripts")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	return names
}

// Streams returns all recorded Banana, one direction of something at a time:
// what a fuzz test starts from.
func Streams(t testing.TB) (streams [][]byte) {
	t.Helper()
	for _, name := range []string{"tokens", "call_values", "calls", "answers_errors", "references"} {
		for _, v := range Vectors(t, name) {
			streams = append(streams, v.Bytes)
			for _, b := range []Bytes{v.Answer, v.Request} {
				if len(b) > 0 {
					streams = append(streams, b)
				}
			}
		}
	}
	for _, in := range Inbounds(t) {
		streams = append(streams, in.In, in.Out)
	}
	for _, name := range Transcripts(t) {
		streams = append(streams, Transcript(t, name).Sent("banana")...)
	}
	return streams
}

func load(t testing.TB, name string, v any) {
	t.Helper()
	data, err := files.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
