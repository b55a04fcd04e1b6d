package banana

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"
)

// An Encoder collects the tokens of one message. The numbers of its OPENs
// count from the start of the message; [Encoder.AppendTo] adds the place of
// the message in the stream. The zero value writes no vocabulary and is ready
// to use. It is not safe for concurrent use.
type Encoder struct {
	vocab *Vocab
	buf   []byte
	marks []mark
	opens uint64
	stack []uint64
}

// A mark is a place in buf where something has to be inserted that depends on
// the place of the message in the stream.
type mark struct {
	at   int
	typ  byte   // typeOpen, typeClose, typeInt (of a reference), or 0: late
	n    uint64 // the relative number
	late any
}

// NewEncoder returns an Encoder that writes the words of vocab as one token.
func NewEncoder(vocab *Vocab) *Encoder { return &Encoder{vocab: vocab} }

// Reset forgets the message, to use the memory again.
func (e *Encoder) Reset(vocab *Vocab) {
	clear(e.marks) // lets go of late values
	*e = Encoder{vocab: vocab, buf: e.buf[:0], marks: e.marks[:0], stack: e.stack[:0]}
}

// Len is the number of bytes collected, without the numbers that are still to
// be put in.
func (e *Encoder) Len() int { return len(e.buf) }

// Opens is the number of OPENs in the message.
func (e *Encoder) Opens() uint64 { return e.opens }

// Depth is the number of sequences that are open.
func (e *Encoder) Depth() int { return len(e.stack) }

// Open begins a sequence of the named type and returns the number by which
// [Encoder.Reference] can point back at it.
func (e *Encoder) Open(typ string) uint64 {
	n := e.opens
	e.opens++
	e.marks = append(e.marks, mark{at: len(e.buf), typ: typeOpen, n: n})
	e.stack = append(e.stack, n)
	e.Text(typ)
	return n
}

// Close ends the innermost open sequence.
func (e *Encoder) Close() {
	top := len(e.stack) - 1
	e.marks = append(e.marks, mark{at: len(e.buf), typ: typeClose, n: e.stack[top]})
	e.stack = e.stack[:top]
}

// Reference writes a whole "reference" sequence that points at an earlier
// container of the same message.
func (e *Encoder) Reference(n uint64) {
	e.Open("reference")
	e.marks = append(e.marks, mark{at: len(e.buf), typ: typeInt, n: n})
	e.Close()
}

// Late leaves a place for tokens that can only be known when the message is
// put into the stream. AppendTo asks for them, with v. They must not contain
// an OPEN.
func (e *Encoder) Late(v any) {
	e.marks = append(e.marks, mark{at: len(e.buf), late: v})
}

// Int writes an integer.
func (e *Encoder) Int(v int64) { e.buf = AppendInt(e.buf, v) }

// Uint writes an integer that is not negative.
func (e *Encoder) Uint(v uint64) {
	if v <= math.MaxInt64 {
		e.Int(int64(v))
		return
	}
	e.Big(new(big.Int).SetUint64(v))
}

// Big writes an integer of any size.
func (e *Encoder) Big(v *big.Int) {
	if v.IsInt64() {
		e.Int(v.Int64())
		return
	}
	typ := byte(typeLongInt)
	if v.Sign() < 0 {
		typ = typeLongNeg
	}
	mag := v.Bytes()
	e.buf = append(appendHeader(e.buf, uint64(len(mag))), typ)
	e.buf = append(e.buf, mag...)
}

// Float writes a floating point number, infinities and NaN included.
func (e *Encoder) Float(v float64) {
	e.buf = append(e.buf, typeFloat)
	e.buf = binary.BigEndian.AppendUint64(e.buf, math.Float64bits(v))
}

// Bytes writes a byte string, as a word of the vocabulary where it is one.
// Foolscap does that everywhere, in user data too.
func (e *Encoder) Bytes(b []byte) { e.buf = appendWord(e.buf, e.vocab, b) }

// Text writes the bytes of s as a byte string.
func (e *Encoder) Text(s string) { e.buf = appendWord(e.buf, e.vocab, s) }

// AppendTo appends the message to dst and returns it. base is the number of
// OPENs sent before it. resolve appends the tokens for each [Encoder.Late]
// place, in order; it may be nil if there is none.
func (e *Encoder) AppendTo(dst []byte, base uint64, resolve func(dst []byte, late any) []byte) []byte {
	if len(e.stack) != 0 {
		panic(fmt.Sprintf("banana: message with %d unclosed sequences", len(e.stack)))
	}
	from := 0
	for _, m := range e.marks {
		dst = append(dst, e.buf[from:m.at]...)
		from = m.at
		if m.typ == 0 {
			dst = resolve(dst, m.late)
			continue
		}
		dst = append(appendHeader(dst, base+m.n), m.typ)
	}
	return append(dst, e.buf[from:]...)
}

// AppendInt appends an integer token.
func AppendInt(dst []byte, v int64) []byte {
	const small = 1 << 31 // INT and NEG end here, LONGINT begins
	typ, mag := byte(typeInt), uint64(v)
	if v < 0 {
		typ, mag = typeNeg, -uint64(v)
	}
	if mag < small || typ == typeNeg && mag == small {
		return append(appendHeader(dst, mag), typ)
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], mag)
	body := b[:]
	for body[0] == 0 {
		body = body[1:]
	}
	typ = typeLongInt
	if v < 0 {
		typ = typeLongNeg
	}
	dst = append(appendHeader(dst, uint64(len(body))), typ)
	return append(dst, body...)
}

// AppendText appends the bytes of s as a byte string, as a word of v where they
// are one.
func AppendText(dst []byte, v *Vocab, s string) []byte { return appendWord(dst, v, s) }

// AppendString appends a byte string token without regard to a vocabulary.
func AppendString(dst []byte, s string) []byte { return appendWord(dst, nil, s) }

func appendWord[T string | []byte](dst []byte, v *Vocab, s T) []byte {
	if v != nil && len(s) <= maxIndex { // no word is longer
		if i, ok := v.index[string(s)]; ok {
			return append(appendHeader(dst, uint64(i)), typeVocab)
		}
	}
	dst = append(appendHeader(dst, uint64(len(s))), typeString)
	return append(dst, s...)
}

// AppendPing appends a PING; AppendPong its answer. The number 0 is written
// without a header.
func AppendPing(dst []byte, n uint64) []byte { return appendPing(dst, n, typePing) }

// AppendPong appends the answer to the PING with the same number.
func AppendPong(dst []byte, n uint64) []byte { return appendPing(dst, n, typePong) }

func appendPing(dst []byte, n uint64, typ byte) []byte {
	if n != 0 {
		dst = appendHeader(dst, n)
	}
	return append(dst, typ)
}

// AppendError appends the farewell of a side that found the stream broken.
// Text beyond the protocol's 1000 bytes is cut, between two characters.
func AppendError(dst []byte, text string) []byte {
	if n := maxErrorText; len(text) > n {
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	dst = append(appendHeader(dst, uint64(len(text))), typeError)
	return append(dst, text...)
}

func appendHeader(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v&0x7f))
		v >>= 7
	}
	return append(dst, byte(v))
}
