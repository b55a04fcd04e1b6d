package tub

import (
	"errors"

	"github.com/octavo-go/octavo/internal/banana"
)

// errNotRead tells salvage that a message is of no further use, but not refused.
var errNotRead = errors.New("the rest was not read")

// salvage takes the references out of what is left of a message that was
// refused, so that they are given back: their owner has counted them when it
// sent them, and would keep the objects as long as the connection lives. It
// returns err, or why the connection has to end.
func (d *decoder) salvage(err error) error {
	var v *banana.Violation
	if !errors.As(err, &v) && !errors.Is(err, errNotRead) {
		return err
	}
	if errors.Is(err, errNotRead) {
		err = nil
	}
	for d.Depth() > 0 {
		tok, left := d.Next()
		if left == nil && tok.Kind == banana.Open {
			var typ string
			if typ, left = d.Index(); left == nil && typ == "my-reference" {
				_, left = d.myReference(anyType)
			}
		}
		if banana.IsFatal(left) {
			return left
		}
		if left != nil {
			return err // beyond a limit, or aborted: the Link drops the rest
		}
	}
	return err
}
