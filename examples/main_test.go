// Package examples holds programs of under 100 lines. These tests run them,
// and see to it that README shows them as they are.
package examples

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
