package banana

import (
	"fmt"
	"math/big"
)

// The type bytes of the wire.
const (
	typeInt     = 0x81
	typeString  = 0x82
	typeNeg     = 0x83
	typeFloat   = 0x84
	typeLongInt = 0x85
	typeLongNeg = 0x86
	typeVocab   = 0x87
	typeOpen    = 0x88
	typeClose   = 0x89
	typeAbort   = 0x8A
	typeError   = 0x8D
	typePing    = 0x8E
	typePong    = 0x8F
)

// Limits that the protocol itself sets.
const (
	maxHeader    = 64   // bytes of a token's header
	maxErrorText = 1000 // bytes of an ERROR token's text
	maxIndex     = 15   // bytes of an index token: the length of "their-reference"
)

// A Kind says what a [Token] is, after the different ways of writing the same
// thing have been folded: VOCAB is a String, the four integer types are Int
// where the value fits an int64 and Big where it does not.
type Kind uint8

// The kinds of tokens that a Decoder returns.
const (
	Int Kind = iota + 1
	Big
	Float
	String
	Open
	Close
)

func (k Kind) String() string {
	switch k {
	case Int:
		return "INT"
	case Big:
		return "LONGINT"
	case Float:
		return "FLOAT"
	case String:
		return "STRING"
	case Open:
		return "OPEN"
	case Close:
		return "CLOSE"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A Token is one element of the stream. The field that its Kind names holds
// the value. The body of a String is still in the stream: see
// [Decoder.Bytes] and [Decoder.Text].
type Token struct {
	Kind  Kind
	Int   int64
	Big   *big.Int
	Float float64
	Num   uint64 // Open: its number in this direction, as counted by the reader
	Size  uint64 // String: the length of the body in bytes
}
