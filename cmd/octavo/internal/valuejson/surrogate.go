package valuejson

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// hasLoneSurrogate reports whether an escape in valid JSON is one half of a
// surrogate pair without the other. encoding/json would put another character
// in its place without a word.
func hasLoneSurrogate(text string) bool {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		text = text[i:]
		first, ok := escaped(text)
		if !ok {
			text = text[2:] // \n, \\ and the like
			continue
		}
		text = text[6:]
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, ok := escaped(text)
		if !ok || utf16.DecodeRune(first, second) == '\uFFFD' {
			return true
		}
		text = text[6:]
	}
}

// escaped reads a \uXXXX that text begins with.
func escaped(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}
