package banana

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"
)

// Limits bound what one message may cost a reader before anything of it has
// been understood. The protocol has none of its own: Foolscap buffers whatever
// length a token claims. A zero field means the default in brackets.
type Limits struct {
	Depth   int    // sequences inside one another [1000]
	String  uint64 // bytes of one string [64 MiB]
	LongInt uint64 // bytes of one integer [64 KiB]
	Message uint64 // bytes of one message, a sequence counted as at least 64, else a token as 16 [256 MiB]
}

func (l Limits) withDefaults() Limits {
	if l.Depth == 0 {
		l.Depth = 1000
	}
	if l.String == 0 {
		l.String = 64 << 20
	}
	if l.LongInt == 0 {
		l.LongInt = 64 << 10
	}
	if l.Message == 0 {
		l.Message = 256 << 20
	}
	return l
}

const (
	openCost = 64      // what a sequence is charged: an empty list is six bytes but no small value
	itemCost = 16      // what any other token is charged at least: two bytes can become an interface
	skipMax  = 4 << 30 // a body that claims more is not waited for
	firstRun = 64 << 10
)

// A Decoder reads tokens. It is not safe for concurrent use.
//
// An error is a [*Violation] or [ErrAborted], after which [Decoder.Unwind]
// finds the end of the message, or it is final (see [IsFatal]).
type Decoder struct {
	r      *bufio.Reader
	vocab  *Vocab
	limits Limits

	// Ping is called for each PING, between any two tokens. It must not block.
	Ping func(n uint64)

	opens  uint64   // OPENs received so far
	stack  []uint64 // the numbers of the open sequences, as the peer wrote them
	word   string   // the vocabulary word that is the body of the last String
	body   uint64   // bytes of the last String's body that are still to be read
	spent  uint64   // of limits.Message
	drops  bool     // Unwind is at work: nothing is stored, so nothing is limited
	header [maxHeader]byte
}

// NewDecoder returns a Decoder that reads from r and understands the words of
// vocab.
func NewDecoder(r *bufio.Reader, vocab *Vocab, limits Limits) *Decoder {
	return &Decoder{r: r, vocab: vocab, limits: limits.withDefaults()}
}

// Depth is the number of sequences that are open.
func (d *Decoder) Depth() int { return len(d.stack) }

// NextMessage reads the OPEN that begins a message. At the end of the stream
// between two messages it returns io.EOF.
func (d *Decoder) NextMessage() error {
	d.spent = 0
	tok, err := d.Next()
	if err != nil {
		if !IsFatal(err) && len(d.stack) == 0 {
			return fatalf("top-level must be OPEN: %v", err)
		}
		return err
	}
	if tok.Kind != Open {
		return fatalf("top-level must be OPEN, not %v", tok.Kind)
	}
	return nil
}

// Next reads one token. What is left of an earlier String's body is skipped.
func (d *Decoder) Next() (Token, error) {
	for {
		tok, again, err := d.next()
		if err != nil || !again {
			return tok, err
		}
	}
}

func (d *Decoder) next() (tok Token, again bool, err error) {
	if err := d.skipBody(); err != nil {
		return tok, false, err
	}
	digits, typ, err := d.readHeader()
	if err != nil {
		return tok, false, err
	}
	n, fits := number(digits)
	switch typ {
	case typeInt, typeNeg:
		return d.integer(digits, n, fits, typ == typeNeg), false, d.charge(uint64(len(digits)) + 1)
	case typeLongInt, typeLongNeg:
		tok, err = d.longInteger(n, fits, typ == typeLongNeg)
		return tok, false, err
	case typeString:
		tok, err = d.str(n, fits)
		return tok, false, err
	case typeVocab:
		if !fits || n >= uint64(len(d.vocab.words)) {
			return tok, false, fatalf("no word number %d in the vocabulary", n)
		}
		d.word = d.vocab.words[n]
		return Token{Kind: String, Size: uint64(len(d.word))}, false, d.charge(2)
	case typeFloat:
		var b [8]byte
		if err := d.readFull(b[:]); err != nil {
			return tok, false, err
		}
		return Token{Kind: Float, Float: math.Float64frombits(binary.BigEndian.Uint64(b[:]))}, false, d.charge(9)
	case typeOpen:
		tok, err = d.open(n, fits)
		return tok, false, err
	case typeClose:
		err = d.close(n, fits)
		return Token{Kind: Close}, false, err
	case typeAbort:
		if len(d.stack) == 0 {
			return tok, false, fatalf("ABORT outside of a message")
		}
		return tok, false, ErrAborted
	case typeError:
		return tok, false, d.peerError(n, fits)
	case typePing:
		if !fits {
			return tok, false, fatalf("number of a PING is too large")
		}
		if d.Ping != nil {
			d.Ping(n)
		}
		return tok, true, nil
	case typePong:
		return tok, true, nil
	case 0x80:
		return tok, false, fatalf("LIST token: the peer speaks a Banana from before Foolscap")
	}
	return tok, false, fatalf("unknown token type 0x%02x", typ)
}

// Bytes reads the body of the last String into memory of its own, which grows
// only as the bytes arrive.
func (d *Decoder) Bytes() ([]byte, error) {
	if d.word != "" {
		b := []byte(d.word)
		d.word = ""
		return b, nil
	}
	b := make([]byte, min(d.body, firstRun))
	for have := 0; ; {
		if err := d.readFull(b[have:]); err != nil {
			return nil, err
		}
		d.body -= uint64(len(b) - have)
		if d.body == 0 {
			return b, nil
		}
		have = len(b)
		b = append(b, make([]byte, min(d.body, uint64(have)))...)
	}
}

// Text reads the body of the last String as UTF-8.
func (d *Decoder) Text() (string, error) {
	if d.word != "" {
		s := d.word
		d.word = ""
		return s, nil
	}
	b, err := d.Bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", Violationf("text is not valid UTF-8")
	}
	return string(b), nil
}

// Index reads the index token after an OPEN: the type of the sequence.
func (d *Decoder) Index() (string, error) {
	tok, err := d.Next()
	if err != nil {
		return "", err
	}
	switch {
	case tok.Kind == Open:
		return "", fatalf("OPEN where the type of a sequence is due")
	case tok.Kind != String:
		return "", Violationf("index token must be a STRING, not %v", tok.Kind)
	case tok.Size > maxIndex:
		return "", Violationf("index token of %d bytes, at most %d are allowed", tok.Size, maxIndex)
	}
	return d.Text()
}

// Unwind reads and drops tokens until only depth sequences are open: what a
// refused message leaves behind. Nothing of it is kept.
func (d *Decoder) Unwind(depth int) error {
	d.drops = true
	defer func() { d.drops = false }()
	for len(d.stack) > depth {
		if _, err := d.Next(); IsFatal(err) {
			return err
		}
	}
	return d.skipBody()
}

// readHeader returns the digits of the next token and its type byte. The end
// of the stream is io.EOF only between two messages.
func (d *Decoder) readHeader() ([]byte, byte, error) {
	for n := 0; ; n++ {
		b, err := d.r.ReadByte()
		if err != nil {
			if refused := refusal(d.header[:n]); refused != nil {
				return nil, 0, refused
			}
			if errors.Is(err, io.EOF) && (n > 0 || len(d.stack) > 0) {
				err = io.ErrUnexpectedEOF
			}
			return nil, 0, err
		}
		if b >= 0x80 {
			return d.header[:n], b, refusal(d.header[:n])
		}
		if n == maxHeader {
			if refused := refusal(d.header[:]); refused != nil {
				return nil, 0, refused
			}
			return nil, 0, fatalf("token prefix is limited to %d bytes", maxHeader)
		}
		d.header[n] = b
	}
}

// refusal recognises the error block of a peer that turned us down while we
// already took the negotiation for finished.
func refusal(header []byte) error {
	if strings.HasPrefix(string(header), "banana-decision-version") {
		return &PeerError{Text: "the peer refused the connection"}
	}
	return nil
}

// number folds the digits, least significant first. It reports whether they
// fit 64 bits.
func number(digits []byte) (n uint64, fits bool) {
	for i := len(digits) - 1; i >= 0; i-- {
		if n>>57 != 0 {
			return 0, false
		}
		n = n<<7 | uint64(digits[i])
	}
	return n, true
}

func (d *Decoder) integer(digits []byte, n uint64, fits, neg bool) Token {
	if fits {
		return intToken(n, neg)
	}
	v := new(big.Int)
	for i := len(digits) - 1; i >= 0; i-- {
		v.Or(v.Lsh(v, 7), big.NewInt(int64(digits[i])))
	}
	return bigToken(v, neg)
}

func intToken(n uint64, neg bool) Token {
	switch {
	case !neg && n <= math.MaxInt64:
		return Token{Kind: Int, Int: int64(n)}
	case neg && n <= 1<<63:
		return Token{Kind: Int, Int: -int64(n)} // -2^63 is its own negative
	}
	return bigToken(new(big.Int).SetUint64(n), neg)
}

func bigToken(v *big.Int, neg bool) Token {
	if neg {
		v.Neg(v)
	}
	if v.IsInt64() {
		return Token{Kind: Int, Int: v.Int64()}
	}
	return Token{Kind: Big, Big: v}
}

func (d *Decoder) longInteger(n uint64, fits, neg bool) (Token, error) {
	if err := d.claim(n, fits, d.limits.LongInt, "an integer"); err != nil || d.drops {
		return Token{}, err
	}
	b, err := d.Bytes()
	if err != nil {
		return Token{}, err
	}
	return bigToken(new(big.Int).SetBytes(b), neg), nil
}

func (d *Decoder) str(n uint64, fits bool) (Token, error) {
	if err := d.claim(n, fits, d.limits.String, "a string"); err != nil {
		return Token{}, err
	}
	return Token{Kind: String, Size: n}, nil
}

// claim takes note of a body of n bytes and refuses one that is too large. A
// refused body is still there to be skipped.
func (d *Decoder) claim(n uint64, fits bool, limit uint64, what string) error {
	if !fits || n > skipMax {
		return fatalf("token claims a body of more than %d bytes", uint64(skipMax))
	}
	d.body = n
	if n > limit && !d.drops {
		return Violationf("%s of %d bytes, the limit is %d", what, n, limit)
	}
	return d.charge(n + 2)
}

func (d *Decoder) charge(n uint64) error {
	if d.drops {
		return nil
	}
	d.spent += max(n, itemCost)
	if d.spent > d.limits.Message {
		return Violationf("message is larger than the limit of %d bytes", d.limits.Message)
	}
	return nil
}

func (d *Decoder) open(n uint64, fits bool) (Token, error) {
	if !fits {
		return Token{}, fatalf("number of an OPEN is too large")
	}
	own := d.opens
	d.opens++
	// A refused message is counted to its end, so the stack must not be
	// bounded by the same limit as what is kept; but it must be bounded.
	const deepest = 1 << 20
	if len(d.stack) >= deepest {
		return Token{}, fatalf("more than %d sequences inside one another", deepest)
	}
	d.stack = append(d.stack, n)
	if len(d.stack) > d.limits.Depth && !d.drops {
		return Token{}, Violationf("more than %d sequences inside one another", d.limits.Depth)
	}
	return Token{Kind: Open, Num: own}, d.charge(openCost)
}

func (d *Decoder) close(n uint64, fits bool) error {
	top := len(d.stack) - 1
	if top < 0 {
		return fatalf("top-level must be OPEN, not CLOSE")
	}
	if !fits || n != d.stack[top] {
		return fatalf("lost sync: CLOSE(%d) where OPEN(%d) is the innermost", n, d.stack[top])
	}
	d.stack = d.stack[:top]
	if top == 0 && cap(d.stack) > 4096 {
		d.stack = nil // one deep message must not be paid for to the end
	}
	return nil
}

func (d *Decoder) peerError(n uint64, fits bool) error {
	if !fits || n > maxErrorText {
		return fatalf("ERROR token with a text of more than %d bytes", maxErrorText)
	}
	b := make([]byte, n)
	if err := d.readFull(b); err != nil {
		return err
	}
	return &PeerError{Text: strings.ToValidUTF8(string(b), "\uFFFD")}
}

func (d *Decoder) skipBody() error {
	d.word = ""
	for d.body > 0 {
		n, err := d.r.Discard(int(min(d.body, 1<<30)))
		d.body -= uint64(n)
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

func (d *Decoder) readFull(b []byte) error {
	_, err := io.ReadFull(d.r, b)
	return unexpected(err)
}

// unexpected makes the end of the stream inside a token an error of its own.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// String describes the position in the stream, for errors and tests.
func (d *Decoder) String() string {
	return fmt.Sprintf("banana.Decoder(%d sequences read, %d open)", d.opens, len(d.stack))
}
