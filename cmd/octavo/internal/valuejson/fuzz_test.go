package valuejson_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
)

// FuzzParse reads anything. What is read is written and read again as the same
// value; what is not says ErrSyntax exactly if it is no JSON.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`null`, `[1,-2.5e3,"x",true]`, `{"a":{"b":[]}}`, `{"a":1,"a":2}`,
		`{"$bytes":"AA=="}`, `{"$tuple":[1]}`, `{"$set":[1,1.0]}`, `{"$frozenset":[{"$tuple":[]}]}`,
		`{"$dict":[[1,2],["$x",{"$float":"nan"}]]}`, `{"$decimal":"-1.50E+3"}`,
		`{"$furl":"pb://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@tcp:h:1/n"}`,
		`123456789012345678901234567890`, `"\ud83d\ude00\ud800"`, "\"\x7f\"", "text",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		resolve := references()
		v, err := valuejson.Parse(text, resolve)
		if isJSON := utf8.ValidString(text) && json.Valid([]byte(text)); isJSON == errors.Is(err, valuejson.ErrSyntax) {
			t.Fatalf("%q: JSON %v, error %v", text, isJSON, err)
		}
		if err != nil {
			return
		}
		written, err := valuejson.Encode(v)
		if err != nil {
			t.Skip(err) // nested too deep: what is read may be a little deeper
		}
		again, err := valuejson.Parse(string(written), resolve)
		if err != nil {
			t.Fatalf("%q was written as %q, which is not read: %v", text, written, err)
		}
		if diff := difference(v, again); diff != "" {
			t.Fatalf("%q was written as %q: %s", text, written, diff)
		}
	})
}
