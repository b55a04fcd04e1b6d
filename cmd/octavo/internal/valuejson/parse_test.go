package valuejson_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
	"github.com/octavo-go/octavo/tub"
)

func TestTextsAreReadAsTheValuesTheyStandFor(t *testing.T) {
	for text, want := range map[string]any{
		" 1\n":                       int64(1),
		"-0":                         int64(0),
		"1E2":                        100.0,
		`"\ud83d\ude00"`:             "😀",
		`"\\ud800"`:                  `\ud800`,
		`"\u00e9\n"`:                 "é\n",
		`{"$dict":[]}`:               new(tub.Dict),
		`{"$dict":[["a",1]]}`:        must(tub.NewDict("a", int64(1))),
		`{"$bytes":"","x":1}`:        must(tub.NewDict("$bytes", "", "x", int64(1))),
		`{"$set":[1,1.0,true]}`:      must(tub.NewSet(int64(1))),
		`{"$decimal":"1.50"}`:        must(tub.ParseDecimal("1.50")),
		`{"$tuple":[{"$tuple":[]}]}`: tub.Tuple{tub.Tuple{}},
	} {
		got, err := valuejson.Parse(text, references())
		if diff := difference(want, got); err != nil || diff != "" {
			t.Errorf("%s is %#v (%v): %s", text, got, err, diff)
		}
	}
}

func TestWhatIsNotJSONIsASyntaxError(t *testing.T) {
	for _, text := range []string{"", "x", "01", "+1", ".5", "NaN", "True", "'x'", "[1,]", "{1:2}", "1 2", `"`, "\"\xff\"", "[", "]", "{"} {
		if got, err := valuejson.Parse(text, references()); !errors.Is(err, valuejson.ErrSyntax) {
			t.Errorf("%q is %v, %v; want ErrSyntax", text, got, err)
		}
	}
}

func TestJSONWithAFaultIsAnErrorOfItsOwn(t *testing.T) {
	for text, part := range map[string]string{
		`{"a":1,"a":2}`:                    `"a" comes twice`,
		`[{"a":1,"b":{"c":1,"\u0063":2}}]`: `"c" comes twice`,
		`{"$bytes":"","$bytes":""}`:        "comes twice",
		`{"$dict":[[1,0],[1.0,0]]}`:        "comes twice",
		`{"$dict":[[1]]}`:                  "[KEY, VALUE]",
		`{"$dict":[1]}`:                    "[KEY, VALUE]",
		`{"$dict":{}}`:                     "wants a list",
		`{"$dict":[[[],1]]}`:               "cannot be a key",
		`{"$set":[{}]}`:                    "cannot be a key",
		`{"$frozenset":[[1]]}`:             "cannot be a key",
		`{"$tuple":{"$tuple":[]}}`:         "wants a list",
		`{"$bytes":1}`:                     "wants a text",
		`{"$bytes":"AA"}`:                  "base64",
		`{"$bytes":"AB=="}`:                "base64", // bits that would get lost
		`{"$float":"1.5"}`:                 `none of "nan"`,
		`{"$float":1.5}`:                   "wants a text",
		`{"$decimal":"x"}`:                 "decimal",
		`{"$furl":"x"}`:                    "not a FURL",
		`{"$furl":null}`:                   "wants a text",
		`{"$":1}`:                          "no form",
		`{"$x":1}`:                         `{"$dict":[[KEY,VALUE]]}`,
		`1e999`:                            "float",
		`"\ud800"`:                         "surrogate",
		`{"\ud800x":1}`:                    "surrogate",
		`"\udc00\ud800"`:                   "surrogate",
		strings.Repeat("[", 4000) + strings.Repeat("]", 4000): "deep",
	} {
		got, err := valuejson.Parse(text, references())
		if err == nil || errors.Is(err, valuejson.ErrSyntax) || !strings.Contains(err.Error(), part) {
			t.Errorf("%.60s is %v, %v; want an error with %q", text, got, err, part)
		}
	}
}

func TestTheErrorOfTheResolverComesBack(t *testing.T) {
	lost := errors.New("lost")
	furl := "pb://" + strings.Repeat("a", 32) + "@tcp:h:1/name"
	_, err := valuejson.Parse(`[{"$furl":"`+furl+`"}]`, func(f tub.FURL) (any, error) {
		if f.String() != furl {
			t.Errorf("got %s", f)
		}
		return nil, lost
	})
	if !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}
