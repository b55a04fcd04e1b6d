package listener

import (
	"bytes"
	"net"

	"github.com/octavo-go/octavo/internal/negotiate"
)

// A kind is what a connection turned out to be.
type kind int

const (
	toTub kind = iota
	toWeb
	refused
	garbage
	silent
	excess
	kinds
)

// A verdict is the decision about a connection.
type verdict struct {
	kind  kind
	tubID string // toTub: the one that was asked for
	text  string // refused: why
	read  []byte // what was read, to be read again by the next in line
}

// sniff reads from conn until it can tell what it is. It reads no more than
// negotiate.MaxHead bytes; the deadline is the caller's.
func sniff(conn net.Conn) verdict {
	buf := make([]byte, 0, negotiate.MaxHead)
	for {
		n, err := conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if v, ok := judge(buf); ok {
			v.read = buf
			return v
		}
		if err != nil {
			return verdict{kind: silent}
		}
		if len(buf) == cap(buf) {
			return verdict{kind: refused, text: tooLong}
		}
	}
}

// tooLong is what Foolscap says to a request that does not end.
const tooLong = "internal server error, see logs"

var (
	askForTub = []byte("GET /id/")
	headEnd   = []byte("\r\n\r\n")
)

// judge decides from the first bytes of a connection, if they are enough.
func judge(b []byte) (v verdict, ok bool) {
	if len(b) < len(askForTub) && bytes.HasPrefix(askForTub, b) {
		return v, false
	}
	if !bytes.HasPrefix(b, askForTub) {
		return judgeMethod(b)
	}
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return v, false
	}
	end += len(headEnd)
	tubID, isTub := negotiate.ParseRequest(b[:end])
	switch {
	case !isTub:
		return verdict{kind: toWeb}, true
	case tubID == "":
		return verdict{kind: refused, text: negotiate.NoTubID}, true
	case len(b) > end:
		// TLS may begin only when the 101 has been read.
		return verdict{kind: refused, text: tooLong}, true
	}
	return verdict{kind: toTub, tubID: tubID}, true
}

// maxMethod is the longest name of a method that is taken for HTTP.
const maxMethod = 20

// judgeMethod takes what begins with a word of capitals and a space for HTTP,
// the preface of HTTP/2 included.
func judgeMethod(b []byte) (verdict, bool) {
	for i, c := range b {
		switch {
		case c == ' ' && i >= 3:
			return verdict{kind: toWeb}, true
		case i == maxMethod:
			return verdict{kind: garbage}, true
		case c == '-' && i > 0:
			// as in VERSION-CONTROL
		case c < 'A' || c > 'Z':
			return verdict{kind: garbage}, true
		}
	}
	return verdict{}, false
}
