package valuejson

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The floats that JSON has no number for.
const (
	notANumber = "nan"
	infinity   = "inf"
	minusInf   = "-inf"
)

// float writes the shortest text that is the same float again. A whole one
// keeps a point, which tells it from an integer.
func (e *encoder) float(f float64) {
	special := ""
	switch {
	case math.IsNaN(f):
		special = notANumber
	case math.IsInf(f, 1):
		special = infinity
	case math.IsInf(f, -1):
		special = minusInf
	}
	if special != "" {
		e.raw(`{"$float":"` + special + `"}`)
		return
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	s := strconv.FormatFloat(f, form, -1, 64)
	if form == 'f' && !strings.Contains(s, ".") {
		s += ".0"
	}
	e.raw(s)
}

func parseFloat(text string) (float64, error) {
	switch text {
	case notANumber:
		return math.NaN(), nil
	case infinity:
		return math.Inf(1), nil
	case minusInf:
		return math.Inf(-1), nil
	}
	return 0, fmt.Errorf(`%.40q is none of "nan", "inf" and "-inf"`, text)
}

// parseNumber reads a number of JSON. It is a float if it has a point or an
// exponent, and else an integer.
func parseNumber(text string) (any, error) {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%.40s is beyond what a float can hold", text)
		}
		return f, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	i, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, fmt.Errorf("%.40q is no number", text)
	}
	return i, nil
}
