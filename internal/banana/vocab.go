package banana

import (
	"crypto/sha1" //nolint:gosec // the hash is what the protocol names, not a protection
	"encoding/hex"
	"strings"
)

// A Vocab is a table of words that are sent as one small token each. Both
// sides agree on it, by number and hash, while they negotiate. It cannot be
// changed afterwards.
type Vocab struct {
	words []string
	index map[string]int
}

// Vocabs are the tables of the protocol by their number: 0 is empty, 1 holds
// the words that every message needs.
var Vocabs = [...]*Vocab{
	newVocab(),
	newVocab("none", "boolean", "reference", "dict", "list", "tuple", "set",
		"immutable-set", "unicode", "set-vocab", "add-vocab", "call", "arguments",
		"answer", "error", "my-reference", "your-reference", "their-reference",
		"copyable", "instance", "module", "class", "method", "function", "attrdict"),
}

func newVocab(words ...string) *Vocab {
	v := &Vocab{words: words, index: make(map[string]int, len(words))}
	for i, w := range words {
		v.index[w] = i
	}
	return v
}

// Hash returns the four hexadecimal digits by which two sides compare their
// tables.
func (v *Vocab) Hash() string {
	sum := sha1.Sum([]byte(strings.Join(v.words, "\x00"))) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])[:4]
}
