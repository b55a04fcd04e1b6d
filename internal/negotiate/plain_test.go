package negotiate

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestRequestIsRecognised(t *testing.T) {
	const up = "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
	for name, c := range map[string]struct {
		head string
		id   string
		ok   bool
	}{
		"ours":                    {Request(anID, "example.com"), anID, true},
		"other case":              {"GET /id/" + anID + " HTTP/1.1\r\nUPGRADE: tls/1.0\r\nconnection: UPGRADE\r\n\r\n", anID, true},
		"lists of tokens":         {"GET /id/" + anID + " HTTP/1.1\r\nUpgrade: h2c, TLS/1.0\r\nConnection: keep-alive ,Upgrade\r\n\r\n", anID, true},
		"repeated headers":        {"GET /id/x HTTP/1.1\r\nUpgrade: h2c\r\nUpgrade: TLS/1.0\r\nConnection: close\r\nConnection: upgrade\r\n\r\n", "x", true},
		"any version":             {"GET /id/x FOO\r\n" + up, "x", true},
		"white space":             {"GET  /id/x\tHTTP/1.1\r\n" + up, "x", true},
		"empty TubID":             {"GET /id/ HTTP/1.1\r\n" + up, "", true},
		"a path in it":            {"GET /id/a/b?c HTTP/1.1\r\n" + up, "a/b?c", true},
		"no headers":              {"GET /id/" + anID + " HTTP/1.1\r\n\r\n", anID, false},
		"no Upgrade":              {"GET /id/x HTTP/1.1\r\nConnection: Upgrade\r\n\r\n", "x", false},
		"no Connection":           {"GET /id/x HTTP/1.1\r\nUpgrade: TLS/1.0\r\n\r\n", "x", false},
		"part of a token":         {"GET /id/x HTTP/1.1\r\nUpgrade: TLS/1.01\r\nConnection: Upgrade\r\n\r\n", "x", false},
		"token in the wrong one":  {"GET /id/x HTTP/1.1\r\nUpgrade: Upgrade\r\nConnection: TLS/1.0\r\n\r\n", "x", false},
		"a websocket":             {"GET /id/x HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "x", false},
		"POST":                    {"POST /id/x HTTP/1.1\r\n" + up, "", false},
		"get":                     {"get /id/x HTTP/1.1\r\n" + up, "", false},
		"two words":               {"GET /id/x\r\n" + up, "", false},
		"four words":              {"GET /id/x y HTTP/1.1\r\n" + up, "", false},
		"another path":            {"GET /ID/x HTTP/1.1\r\n" + up, "", false},
		"no slash":                {"GET /id HTTP/1.1\r\n" + up, "", false},
		"bare LF":                 {"GET /id/x HTTP/1.1\nUpgrade: TLS/1.0\nConnection: Upgrade\n\n", "", false},
		"nothing":                 {"", "", false},
		"headers in the TubID":    {"GET /id/x\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade HTTP/1.1\r\n\r\n", "", false},
		"the error of Foolscap's": {"banana-decision-version: 1\r\nerror: internal server error, see logs\r\n\r\n", "", false},
	} {
		if id, ok := ParseRequest([]byte(c.head)); ok != c.ok || ok && id != c.id {
			t.Errorf("%s: got %q, %v; want %q, %v", name, id, ok, c.id, c.ok)
		}
	}
}

func TestAnswerMustSwitchToTLS(t *testing.T) {
	for head, text := range map[string]string{
		Switching: "",
		"HTTP/1.0 101 Whatever\r\nX: Upgrade: TLS/1.0\r\n\r\n":                    "",
		"X 101\r\nUpgrade: TLS/1.0\r\n\r\n":                                       "",
		"HTTP/1.1 101 Switching Protocols\r\nupgrade: TLS/1.0\r\n\r\n":            "without Upgrade: TLS/1.0",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                "without Upgrade: TLS/1.0",
		"HTTP/1.1 500 Internal Server Error: unknown TubID x\r\n\r\n":             "unknown TubID x",
		"HTTP/1.1 303 See Other\r\nUpgrade: TLS/1.0\r\nLocation: tcp:h:1\r\n\r\n": "303 See Other",
		"HTTP/1.1 302 Found\r\nLocation: tcp:127.0.0.1:1\r\n\r\n":                 "302 Found",
		"HTTP/1.1 1010 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\n":           "1010",
		"101\r\nUpgrade: TLS/1.0\r\n\r\n":                                         `"101"`,
		"\r\n":                                                                    `""`,
	} {
		err := readAnswer(bufio.NewReader(strings.NewReader(head)))
		var refused *RefusedError
		if text == "" && err != nil || text != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), text)) {
			t.Errorf("%q: got %v, want %q", head, err, text)
		}
	}
}

func TestRefusalIsOneLine(t *testing.T) {
	got := Refusal("unknown\r\nSet-Cookie: x\n")
	if want := "HTTP/1.1 500 Internal Server Error: unknown  Set-Cookie: x \r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A once delivers its text and fails the test if it is asked for more.
type once struct {
	t    *testing.T
	text string
}

func (o *once) Read(p []byte) (int, error) {
	if o.text == "" {
		o.t.Error("waits for more than it needs to know")
		return 0, io.EOF
	}
	n := copy(p, o.text)
	o.text = o.text[n:]
	return n, nil
}

func TestHeadIsBoundedTo4096Bytes(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		ok   bool
	}{
		"4096 in one line":             {"a:" + strings.Repeat("x", 4090) + "\r\n\r\n", true},
		"4096 in many lines":           {strings.Repeat("a: b\r\n", 681) + "a: 123\r\n\r\n", true},
		"4097 in one line":             {"a:" + strings.Repeat("x", 4091) + "\r\n\r\n", false},
		"4097 without a line":          {strings.Repeat("x", 4097), false},
		"4097 in many lines":           {strings.Repeat("a: b\r\n", 682) + "a:\r\n\r", false},
		"4096 and half an end":         {strings.Repeat("x", 4093) + "\r\n\rx", false},
		"bare LF":                      {strings.Repeat("a: b\n\n", 683), false},
		"bare CR":                      {strings.Repeat("a: b\r\r", 683), false},
		"an end that is no blank line": {strings.Repeat("a: b\r\n\n", 600), false},
	} {
		for _, size := range []int{MaxHead, 16 << 10} {
			const tail = "\x00\x88banana"
			text := c.head
			if c.ok {
				text += tail
			}
			r := bufio.NewReaderSize(&once{t, text}, size)
			head, err := readHead(r)
			if !c.ok {
				if !errors.Is(err, errHeadTooLong) {
					t.Errorf("%s: got %d bytes, %v; want too long", name, len(head), err)
				}
				continue
			}
			rest, _ := io.ReadAll(io.LimitReader(r, int64(len(tail))))
			if err != nil || head != c.head || len(head) > MaxHead || string(rest) != tail {
				t.Errorf("%s: got %d bytes, %v, rest %q", name, len(head), err, rest)
			}
		}
	}
}

func TestHeadThatEndsEarlyIsAnError(t *testing.T) {
	for _, head := range []string{"", "a: b", "a: b\r\n", "a: b\r\n\r", "a: b\n\n"} {
		if _, err := readHead(bufio.NewReader(strings.NewReader(head))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got %v, want io.ErrUnexpectedEOF", head, err)
		}
	}
}
