package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Unix returns the transport "unix": stream sockets in the file system. Names are Twisted's.
//
// Server, unix:ADDRESS:MODE:BACKLOG:LOCKFILE, each also by its name in lower case:
//   - address, a path of at most 107 bytes on Linux and 103 on macOS. "@NAME" is NAME in Linux's abstract name
//     space, which has no files; write "./@NAME" for a file of that name.
//   - mode, octal; 600 by default, where Twisted's is 666. It holds from the first moment that a connection is
//     possible, whatever the umask.
//   - backlog, connections the kernel queues, at least 1; its own limit still applies, and is the default. Linux
//     refuses who comes when the queue is full ([syscall.EAGAIN]) where TCP would let them wait.
//   - lockfile, 0 or 1. By default ADDRESS.lock is locked with flock(2) while the listener is open, as a sign to other
//     processes. With 0 a socket that was left behind is an error.
//
// A socket file left behind by a process that died is told from one in use: if the lock can be had and the
// socket refuses connections, it is removed and replaced. Anything else at the address stays and is an
// error. Close removes the socket and the lock file if they are still those that Listen made.
//
// Client, unix:PATH, also by its name in lower case, with timeout=SECONDS, 30 by default. Twisted's
// lockfile= is not taken: a connection that is refused says as much.
//
// Listeners are *net.UnixListener with more to their Close, and connections are [*net.UnixConn].
func Unix() Transport { return unixTransport{} }

type unixTransport struct{}

func (unixTransport) Server(d Description) (Server, error) {
	a := d.Arguments("address", "mode", "backlog", "lockfile")
	s := &unixServer{d: d, path: unixPath(a, "address")}
	mode, ownMode := a.Lookup("mode")
	if !ownMode {
		mode = "600"
	}
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil || bits > 0o777 {
		a.Fail("mode", "%q is not a mode: give an octal one from 0 to 777, as 660", mode)
	}
	s.mode = fs.FileMode(bits)
	s.backlog = backlog(a)
	s.lock = a.Int("lockfile", 1, 0, 1) == 1
	if isAbstract(s.path) {
		if ownMode {
			a.Fail("mode", "an abstract name has no file and no mode: leave it out")
		}
		if lock, ok := a.Lookup("lockfile"); ok && s.lock {
			a.Fail("lockfile", "an abstract name has no file to lock: leave out lockfile=%s", lock)
		}
		s.lock = false
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (unixTransport) Client(d Description) (Client, error) {
	a := d.Arguments("path")
	c := &netClient{d: d, network: "unix", addr: unixPath(a, "path")}
	c.dialer.Timeout = a.Seconds("timeout", dialTimeout)
	if err := a.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func unixPath(a *Arguments, name string) string {
	path := a.Required(name)
	switch {
	case strings.IndexByte(path, 0) >= 0:
		a.Fail(name, "holds a NUL byte: write an abstract name as @NAME")
	case len(path) > maxUnixPath:
		a.Fail(name, "has %d bytes and the system takes %d: choose a shorter path", len(path), maxUnixPath)
	case path == "@":
		a.Fail(name, "the abstract name is empty: give one after the @")
	case path[:min(1, len(path))] == "@" && runtime.GOOS != "linux":
		a.Fail(name, "abstract names are Linux's: give a path, ./%s for a file of this name", path)
	}
	return path
}

// isAbstract holds for what the net package, too, takes for an abstract name.
func isAbstract(path string) bool { return strings.HasPrefix(path, "@") }

type unixServer struct {
	d       Description
	path    string
	mode    fs.FileMode
	backlog int // 0: the kernel's
	lock    bool
	kept    kept
}

func (s *unixServer) Listen(ctx context.Context) (net.Listener, error) {
	if _, err := s.kept.begin(ctx, s.d); err != nil {
		return nil, err
	}
	l, err := s.listen(ctx)
	if err != nil {
		s.kept.end()
		return nil, s.explain(err)
	}
	return l, nil
}

func (s *unixServer) listen(ctx context.Context) (_ *unixListener, err error) {
	l := &unixListener{end: s.kept.end}
	if !isAbstract(s.path) {
		// Close must find the file also if the process has changed its directory meanwhile.
		if l.path, err = filepath.Abs(s.path); err != nil {
			return nil, err
		}
	}
	if s.lock {
		if l.lock, err = lockFile(l.path + ".lock"); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, l.lock.release())
			}
		}()
	}
	err = l.bind(s)
	if errors.Is(err, syscall.EADDRINUSE) && l.path != "" {
		if err = removeStale(ctx, l.path, s.path, s.lock); err == nil {
			err = l.bind(s)
		}
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *unixServer) explain(err error) error {
	e := failed(s.d, err)
	var why *unixError
	switch {
	case errors.As(err, &why):
		e.Reason, e.Err = why.reason, why.err
	case errors.Is(err, syscall.EADDRINUSE):
		e.Reason = fmt.Sprintf("another socket has this address: close it, or choose another address (%v)", err)
	case errors.Is(err, fs.ErrNotExist):
		e.Reason = fmt.Sprintf("the directory does not exist: create it first (%v)", err)
	case errors.Is(err, fs.ErrPermission):
		e.Reason = fmt.Sprintf("this process may not create files there: choose another directory (%v)", err)
	}
	return e
}

// unixListener also owns the socket's file and the lock.
type unixListener struct {
	*net.UnixListener
	path string      // absolute; "" if abstract
	file os.FileInfo // the socket, as it was made
	lock *fileLock   // nil: without
	once sync.Once
	end  func()
}

// Close removes the file before it closes the socket: in the other order the path would refuse
// connections for a moment, and the number of the file's inode could be another's by then.
func (l *unixListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		removed := removeSame(l.path, l.file)
		err = errors.Join(removed, l.UnixListener.Close(), l.lock.release())
		l.end()
	})
	return err
}
