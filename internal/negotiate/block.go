package negotiate

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The keys of hello and decision.
const (
	keyRange       = "banana-negotiation-range"
	keyOldVersion  = "banana-negotiation-version"
	keyVocabRange  = "initial-vocab-table-range"
	keyTubID       = "my-tub-id"
	keyIncarnation = "my-incarnation"
	keyLast        = "last-connection"
	keyForced      = "negotiation-forced"
	keyError       = "error"
	keyDecision    = "banana-decision-version"
	keyCurrent     = "current-connection"
	keyVocabIndex  = "initial-vocab-table-index"
)

// A block is a text of the encrypted phase: "key: value" lines and a blank one.
type block map[string]string

// String returns the bytes of the wire, keys ascending.
func (b block) String() string {
	var s strings.Builder
	for _, k := range slices.Sorted(maps.Keys(b)) {
		s.WriteString(k + ": " + b[k] + "\r\n")
	}
	s.WriteString("\r\n")
	return s.String()
}

func readBlock(r *bufio.Reader) (block, error) {
	head, err := readHead(r)
	if err != nil {
		return nil, err
	}
	return parseBlock(head)
}

// parseBlock follows Foolscap: the first colon separates, keys are folded to
// lower case, a repeated key takes its last value, unknown keys are kept and
// ignored.
func parseBlock(head string) (block, error) {
	if !utf8.ValidString(head) {
		return nil, fmt.Errorf("header is not UTF-8: %.64q", head)
	}
	b := make(block)
	for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n") {
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header line without a colon: %.64q", line)
		}
		b[strings.ToLower(key)] = strings.TrimLeftFunc(value, unicode.IsSpace)
	}
	return b, nil
}
