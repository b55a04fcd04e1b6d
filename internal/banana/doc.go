// Package banana reads and writes Banana, the token stream under Foolscap's
// object protocol.
//
// A token is a header in base 128 (digits below 0x80, least significant
// first), a type byte (0x80 and above) and, for some types, a body. Composite
// values are OPEN, one or two index tokens that name the type, the contents,
// CLOSE. Each direction of a connection numbers its OPENs from 0 for the life
// of the connection; a "reference" sequence names an earlier container by that
// number, so neither side may ever skip one.
//
// A [Decoder] reads a stream token by token and keeps its position in the
// nesting, so that a message that has to be refused can be skipped without
// losing step. An [Encoder] collects one whole message, with OPEN numbers that
// are relative to its start, and is turned into bytes when its place in the
// stream is known: encoding runs outside all locks, and a message that cannot
// be encoded has never touched the wire.
//
// The facts come from recordings of Foolscap 21.7.0; package recorded holds them.
package banana
