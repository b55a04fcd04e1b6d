package endpoint

import (
	"context"
	"os"
	"sync"
	"syscall"
)

// kept is what a Server remembers from one listener to the next: that one is open, and the address
// that was chosen when it was left open. Without the first, two listeners of a server on port 0
// would have two ports, and which one is kept would be chance.
type kept struct {
	mu   sync.Mutex
	open bool
	addr string // the port or name that was chosen; "" before
}

// begin reserves the server for a listener and returns the address chosen before, if any. It is
// followed by end when nothing was opened, or else when that is closed.
func (k *kept) begin(ctx context.Context, d Description) (string, error) {
	if ctx.Err() != nil {
		return "", failed(d, ended(ctx))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open {
		return "", &Error{Description: d.s, Pos: -1, Err: os.NewSyscallError("listen", syscall.EADDRINUSE),
			Reason: "address already in use: this endpoint has an open listener, close it first"}
	}
	k.open = true
	return k.addr, nil
}

// keep remembers the address of the open listener.
func (k *kept) keep(addr string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.addr = addr
}

func (k *kept) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = false
}
