package tub

import (
	"errors"
	"fmt"

	"github.com/octavo-go/octavo/listener"
	"github.com/octavo-go/octavo/service"
)

// ListenOn makes a Listener for an endpoint such as "tcp:8080" and adds it to
// the Tub. On a running Tub it returns when the socket is bound, on another
// one the socket is bound when the Tub starts. The error is that of the
// endpoint string, or of listening; then nothing has been added.
func (t *Tub) ListenOn(endpoint string, opts ...listener.Option) (*listener.Listener, error) {
	for {
		name := t.freeName()
		l, err := listener.New(endpoint, append([]listener.Option{listener.Name(name)}, opts...)...)
		if err != nil {
			return nil, err
		}
		err = l.SetParent(t.MultiService)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, service.ErrNameTaken) || l.Name() != name {
			return nil, err
		}
	}
}

// StopListeningOn lets go of a Listener. The Future is done when its socket is
// closed and everything of it has stopped; its address is free then, for
// another Tub or another program. Connections that it accepted live on. For a
// Listener that is not this Tub's it is done at once with service.ErrNoParent.
func (t *Tub) StopListeningOn(l *listener.Listener) *service.Future {
	if l.Parent() != t.MultiService {
		// What has no parent gives the Future that is due here.
		return service.New(l.Name(), service.Hooks{}).DisownParent()
	}
	return l.DisownParent()
}

// freeName returns the first of listener, listener-2, … that no child has.
func (t *Tub) freeName() string {
	name := "listener"
	for n := 2; t.Child(name) != nil; n++ {
		name = fmt.Sprintf("listener-%d", n)
	}
	return name
}
