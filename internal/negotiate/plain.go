package negotiate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxHead is the most that a side of the negotiation may say at once: a
// request, an answer, a hello or a decision. The bound is Foolscap's.
const MaxHead = 4096

// Switching is the acceptor's answer to a GET for a TubID that is its own.
const Switching = "HTTP/1.1 101 Switching Protocols\r\n" +
	"Upgrade: TLS/1.0, PB/1.0\r\n" +
	"Connection: Upgrade\r\n\r\n"

// Request returns what a connector says first: it asks for tubID. host is the
// host part of the hint, without port and brackets.
func Request(tubID, host string) string {
	return "GET /id/" + tubID + " HTTP/1.1\r\n" +
		"Host: " + host + "\r\n" +
		"Upgrade: TLS/1.0\r\n" +
		"Connection: Upgrade\r\n\r\n"
}

// Refusal returns the acceptor's answer to a GET that it cannot serve.
func Refusal(text string) string {
	return "HTTP/1.1 500 Internal Server Error: " + oneLine(text) + "\r\n\r\n"
}

// UnknownTub is the text of the [Refusal] for a TubID that is not served here.
func UnknownTub(tubID string) string { return "unknown TubID " + tubID }

// NoTubID is the text of the [Refusal] for a GET that names no TubID.
const NoTubID = "secure Tubs require encryption"

// ParseRequest looks at the head of an HTTP request, blank line included, and
// reports whether it asks for a Tub, and for which. A request that does not is
// for somebody else: a web server. Foolscap sends the two upgrade headers but
// never looks at them; here they are what tells a Tub from a browser.
func ParseRequest(head []byte) (tubID string, ok bool) {
	lines := strings.Split(string(head), "\r\n")
	words := strings.Fields(lines[0])
	if len(words) != 3 || words[0] != "GET" {
		return "", false
	}
	tubID, ok = strings.CutPrefix(words[1], "/id/")
	if !ok {
		return "", false
	}
	upgrade, connection := false, false
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "upgrade":
			upgrade = upgrade || hasToken(value, "tls/1.0")
		case "connection":
			connection = connection || hasToken(value, "upgrade")
		}
	}
	return tubID, upgrade && connection
}

func hasToken(list, want string) bool {
	for token := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(token), want) {
			return true
		}
	}
	return false
}

// readAnswer reads the acceptor's answer to our GET. What Foolscap demands of
// it is a second word of 101 and the exact text "Upgrade: TLS/1.0".
func readAnswer(r *bufio.Reader) error {
	head, err := readHead(r)
	if err != nil {
		return fmt.Errorf("reading the answer to GET: %w", err)
	}
	first, _, _ := strings.Cut(head, "\r\n")
	words := strings.Fields(first)
	if len(words) < 2 || words[1] != "101" {
		return &RefusedError{Text: first}
	}
	if !strings.Contains(head, "Upgrade: TLS/1.0") {
		return &RefusedError{Text: first + " (without Upgrade: TLS/1.0)"}
	}
	return nil
}

// errHeadTooLong is reported to the peer like every error without a text of
// its own.
var errHeadTooLong = fmt.Errorf("more than %d bytes without a blank line", MaxHead)

// readHead reads up to and including the first blank line. It takes no byte
// behind that, and waits for none that cannot save a head from being too long.
func readHead(r *bufio.Reader) (string, error) {
	var head []byte
	for len(head) < MaxHead {
		b, err := r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		head = append(head, b)
		if b == '\n' && (bytes.HasSuffix(head, []byte("\r\n\r\n")) || len(head) == 2 && head[0] == '\r') {
			return string(head), nil
		}
	}
	return "", errHeadTooLong
}

func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
