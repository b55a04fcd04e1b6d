package tub

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// A Decimal is Python's decimal.Decimal: a decimal number that keeps its
// digits as they were written, so that 1.50 stays 1.50. The zero value is 0.
type Decimal struct{ text string }

// What Python's Decimal reads, but for surrounding space and underscores.
var decimalForm = regexp.MustCompile(`^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,18})?|[iI]nf(?:inity)?|s?[nN]a[nN]\d*)$`)

// ParseDecimal reads a number such as "1.50", "-1E-7", "NaN" or "Infinity". It
// returns an error for any other text.
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDecimal {
		return Decimal{}, fmt.Errorf("tub: decimal of %d characters, at most %d are read", len(s), maxDecimal)
	}
	if !decimalForm.MatchString(s) {
		return Decimal{}, fmt.Errorf("tub: %.40q is no decimal number", s)
	}
	return Decimal{text: s}, nil
}

const maxDecimal = 10_000

// String returns the digits as they were written.
func (d Decimal) String() string {
	if d.text == "" {
		return "0"
	}
	return d.text
}

// Rat returns d as a fraction. It reports false for NaN and infinity, and
// where the exponent is beyond what a float64 has: the fraction of 1E999999999
// would fill the memory.
func (d Decimal) Rat() (*big.Rat, bool) {
	s := d.String()
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exp, err := strconv.Atoi(s[i+1:])
		if err != nil || exp > 400 || exp < -400 {
			return nil, false
		}
	}
	if strings.ContainsAny(s, "nN") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
