// Package base32 writes bytes the way Foolscap does in TubIDs and object
// names: RFC 4648 base32, lower case, without padding.
package base32

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// TubIDLen is the length of a TubID: the 20 bytes of a SHA-1.
const TubIDLen = 32

// Encode returns b in lower-case base32 without padding.
func Encode(b []byte) string { return encoding.EncodeToString(b) }

// Valid reports whether every character of s is in the alphabet.
func Valid(s string) bool {
	return strings.Trim(s, alphabet) == ""
}

// IsTubID reports whether s has the form of a TubID: 32 characters of the
// alphabet, lower case.
func IsTubID(s string) bool {
	return len(s) == TubIDLen && Valid(s)
}

// Random returns n bytes of the operating system's random source, encoded.
// Twenty bytes (160 bits) make an object name that nobody can guess.
func Random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return Encode(b)
}
