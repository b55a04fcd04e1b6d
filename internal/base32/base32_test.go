package base32_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/internal/base32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The pairs are recorded from Foolscap's own base32.
func TestEncodeWritesWhatFoolscapWrites(t *testing.T) {
	for in, want := range map[string]string{"": "", "00": "aa", "ffffffffff": "77777777"} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := base32.Encode(b); got != want {
			t.Errorf("Encode(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestIsTubIDWants32LowerCaseCharacters(t *testing.T) {
	good := strings.Repeat("a", 30) + "27"
	for s, want := range map[string]bool{
		good:                  true,
		good[:31]:             false,
		good + "a":            false,
		strings.ToUpper(good): false,
		good[:31] + "1":       false,
		"":                    false,
	} {
		if got := base32.IsTubID(s); got != want {
			t.Errorf("IsTubID(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestRandomNamesDiffer(t *testing.T) {
	a, b := base32.Random(20), base32.Random(20)
	if a == b || !base32.IsTubID(a) {
		t.Errorf("Random(20) gave %q and %q, want two different names of 32 characters", a, b)
	}
}
