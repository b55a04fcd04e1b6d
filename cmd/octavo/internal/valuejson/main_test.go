package valuejson_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/octavo-go/octavo/tub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reference stands for one in these tests.
type reference struct{ furl tub.FURL }

func (r *reference) FURL() tub.FURL { return r.furl }

// references resolves a FURL to the same pointer each time, as a Tub does.
func references() func(tub.FURL) (any, error) {
	known := make(map[tub.FURL]*reference)
	return func(f tub.FURL) (any, error) {
		if known[f] == nil {
			known[f] = &reference{f}
		}
		return known[f], nil
	}
}
