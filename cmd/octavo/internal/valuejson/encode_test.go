package valuejson_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
	"github.com/octavo-go/octavo/tub"
)

func TestEachValueHasItsForm(t *testing.T) {
	for want, v := range map[string]any{
		`1`:                                 1,
		`1.0`:                               1.0,
		`-0.0`:                              math.Copysign(0, -1),
		`100000000000000000000.0`:           1e20,
		`1e+21`:                             1e21,
		`1e-07`:                             1e-7,
		`{"$float":"-inf"}`:                 math.Inf(-1),
		`{"$bytes":"/+8="}`:                 []byte{0xff, 0xef},
		`{"$tuple":[[]]}`:                   tub.Tuple{[]any{}},
		`{"$dict":[["$x",1]]}`:              must(tub.NewDict("$x", 1)),
		`{"$x":1,"y":2}`:                    must(tub.NewDict("$x", 1, "y", 2)),
		`{"x":1}`:                           must(tub.NewDict("x", 1)),
		`{"":1}`:                            must(tub.NewDict("", 1)),
		`{"$dict":[["x",1],[1,2]]}`:         must(tub.NewDict("x", 1, 1, 2)),
		`{"$dict":[[{"$bytes":"eA=="},1]]}`: must(tub.NewDict([]byte("x"), 1)),
		`"<\u007f\u0085\u2028é>"`:           "<\x7f\u0085\u2028é>",
		`{"$furl":null}`:                    &reference{},
	} {
		if got, err := valuejson.Encode(v); err != nil || string(got) != want {
			t.Errorf("%#v is %s (%v), want %s", v, got, err, want)
		}
	}
}

func TestACycleIsAnError(t *testing.T) {
	list := []any{1, nil}
	list[1] = list
	dict := must(tub.NewDict("a", 1))
	if err := dict.Set("b", tub.Tuple{[]any{dict}}); err != nil {
		t.Fatal(err)
	}
	mutual := []any{nil}
	mutual[0] = must(tub.NewDict(1, mutual))
	for _, v := range []any{list, dict, mutual} {
		if got, err := valuejson.Encode(v); !errors.Is(err, valuejson.ErrCycle) {
			t.Errorf("got %.40s, %v; want ErrCycle", got, err)
		}
	}
}

func TestWhatIsSharedIsWrittenEachTime(t *testing.T) {
	shared := []any{"x"}
	empty := []any{}
	got, err := valuejson.Encode([]any{shared, shared, tub.Tuple{shared}, empty, []any{empty}})
	if want := `[["x"],["x"],{"$tuple":[["x"]]},[],[[]]]`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestAValueThatWouldGrowWithoutBoundIsAnError(t *testing.T) {
	defer valuejson.LimitText(1 << 20)()
	bomb := any(must(tub.ParseDecimal(strings.Repeat("9", 10_000))))
	for range 60 {
		bomb = []any{bomb, bomb}
	}
	if _, err := valuejson.Encode(bomb); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("got %v", err)
	}
	deep := any([]any{1})
	for range 1_000_000 {
		deep = []any{deep}
	}
	if _, err := valuejson.Encode(deep); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("got %v", err)
	}
}

func TestWhatHasNoFormIsAnError(t *testing.T) {
	for _, v := range []any{&tub.RemoteError{}, make(chan int), []any{struct{}{}}, must(tub.NewDict(1, int8(1)))} {
		if got, err := valuejson.Encode(v); err == nil || !strings.Contains(err.Error(), "no form in JSON") {
			t.Errorf("got %s, %v", got, err)
		}
	}
}
