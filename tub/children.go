package tub

import (
	"errors"
	"fmt"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
)

// freeName returns the first of listener, listener-2, … that m does not have.
func freeName(m *service.MultiService) string {
	name := "listener"
	for n := 2; m.Child(name) != nil; n++ {
		name = fmt.Sprintf("listener-%d", n)
	}
	return name
}

func nameTaken(err error) bool { return errors.Is(err, service.ErrNameTaken) }

// stopListening disowns l if it is m's.
func stopListening(m *service.MultiService, l *listener.Listener) *service.Future {
	if l.Parent() != m {
		// What has no parent gives the Future that is due here.
		return service.New(l.Name(), service.Hooks{}).DisownParent()
	}
	return l.DisownParent()
}
