package base32_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/internal/base32"
	"github.com/octavo-go/octavo/internal/recorded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEncodeWritesWhatFoolscapWrites(t *testing.T) {
	for _, v := range recorded.TheMisc(t).Base32 {
		if got := base32.Encode(v.In); got != v.Out {
			t.Errorf("Encode(%x) = %q, want %q", v.In, got, v.Out)
		}
	}
}

func TestRecordedTubIDsAreTubIDs(t *testing.T) {
	for _, v := range recorded.TheMisc(t).TubIDs {
		if !base32.IsTubID(v.TubID) {
			t.Errorf("IsTubID(%q) is false", v.TubID)
		}
	}
}

func TestValidLooksAtEveryCharacter(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "a": true, "z7": true, "a1a": false, "aa!aa": false, "0": false, "8": false,
		"aAa": false, "a\x00a": false, "é": false, "a=": false,
	} {
		if got := base32.Valid(s); got != want {
			t.Errorf("Valid(%q) = %v, want %v", s, got, want)
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
