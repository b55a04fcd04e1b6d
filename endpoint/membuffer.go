package endpoint

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memBuffer is one direction. All waiting is on its condition: that is durable in a synctest
// bubble, whereas waiting for a mutex is not, and so no method holds the mutex while it waits.
type memBuffer struct {
	mu      sync.Mutex
	changed sync.Cond

	ring        []byte // grows by doubling up to memBufferMax
	start, size int
	writing     bool // a Write is under way: the next waits, so that theirs do not mix
	noMore      bool // the writing end has closed
	unread      bool // the reading end has closed

	readDeadline, writeDeadline memDeadline
}

const (
	memBufferMin = 4 << 10
	memBufferMax = 64 << 10
)

func newMemBuffer() *memBuffer {
	b := new(memBuffer)
	b.changed.L = &b.mu
	return b
}

func (b *memBuffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.unread:
			return 0, net.ErrClosed
		case b.readDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case b.size > 0:
			n := b.takeLocked(p)
			b.changed.Broadcast()
			return n, nil
		case b.noMore:
			return 0, io.EOF
		}
		b.changed.Wait()
	}
}

func (b *memBuffer) write(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := false
	defer func() {
		if mine {
			b.writing = false
			b.changed.Broadcast()
		}
	}()
	for {
		switch {
		case b.noMore:
			return n, net.ErrClosed
		case b.writeDeadline.passed:
			return n, os.ErrDeadlineExceeded
		case b.unread:
			return n, os.NewSyscallError("write", syscall.EPIPE)
		case !mine && b.writing:
		default:
			mine, b.writing = true, true
			if n == len(p) {
				return n, nil
			}
			if put := b.putLocked(p[n:]); put > 0 {
				n += put
				b.changed.Broadcast()
				continue
			}
		}
		b.changed.Wait()
	}
}

func (b *memBuffer) closeWrite() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noMore = true
	b.writeDeadline.stopLocked()
	b.changed.Broadcast()
}

func (b *memBuffer) closeRead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unread = true
	b.ring, b.size = nil, 0
	b.readDeadline.stopLocked()
	b.changed.Broadcast()
}

// takeLocked moves bytes into p. An emptied ring that has grown is let go: most connections are idle
// most of the time.
func (b *memBuffer) takeLocked(p []byte) int {
	n := 0
	for n < len(p) && b.size > 0 {
		part := copy(p[n:], b.ring[b.start:min(b.start+b.size, len(b.ring))])
		n += part
		b.start = (b.start + part) % len(b.ring)
		b.size -= part
	}
	if b.size == 0 {
		b.start = 0
		if len(b.ring) > memBufferMin {
			b.ring = nil
		}
	}
	return n
}

// putLocked moves as much of p into the ring as there is room for.
func (b *memBuffer) putLocked(p []byte) int {
	want := min(b.size+len(p), memBufferMax)
	if want > len(b.ring) {
		grown := max(len(b.ring), memBufferMin)
		for grown < want {
			grown *= 2
		}
		old, size := b.ring, b.size
		b.ring = make([]byte, grown)
		if size > 0 {
			n := copy(b.ring, old[b.start:min(b.start+size, len(old))])
			copy(b.ring[n:], old[:size-n])
		}
		b.start = 0
	}
	n := 0
	for n < len(p) && b.size < len(b.ring) {
		end := (b.start + b.size) % len(b.ring)
		part := copy(b.ring[end:min(end+len(b.ring)-b.size, len(b.ring))], p[n:])
		n += part
		b.size += part
	}
	return n
}

// memDeadline is guarded by its buffer's mutex.
type memDeadline struct {
	passed bool
	timer  *time.Timer
	nth    int // which deadline this is: a timer that could not be stopped belongs to an earlier one
}

func (d *memDeadline) setLocked(b *memBuffer, t time.Time) {
	d.stopLocked()
	d.nth++
	wait := time.Until(t)
	d.passed = !t.IsZero() && wait <= 0
	if !t.IsZero() && wait > 0 {
		nth := d.nth
		d.timer = time.AfterFunc(wait, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if d.nth == nth {
				d.passed = true
				b.changed.Broadcast()
			}
		})
	}
	b.changed.Broadcast()
}

func (d *memDeadline) stopLocked() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
