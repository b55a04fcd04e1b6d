package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// unixError is a cause with the words for it.
type unixError struct {
	reason string
	err    error
}

func (e *unixError) Error() string { return e.reason }
func (e *unixError) Unwrap() error { return e.err }

// bind makes the socket and its file. It does by hand what [net.ListenConfig] does, because the mode must be
// set between bind(2), which makes the file, and listen(2), before which nobody can connect: so
// there is no moment at which a stranger gets in. Setting it after both, as is usual, leaves one; a umask
// would be the whole process's.
func (l *unixListener) bind(s *unixServer) (err error) {
	fd, err := unixSocket()
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), s.path)
	defer f.Close() // FileListener has its own copy
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: s.path}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if l.path != "" {
		if l.file, err = os.Lstat(l.path); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, removeSame(l.path, l.file))
			}
		}()
		if err := chmodIn(filepath.Dir(l.path), filepath.Base(l.path), s.mode); err != nil {
			return err
		}
	}
	backlog := s.backlog
	if backlog == 0 {
		backlog = 1<<16 - 1 // more than kernels allow: they take their limit
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		return os.NewSyscallError("listen", err)
	}
	made, err := net.FileListener(f)
	if err != nil {
		return err
	}
	l.UnixListener = made.(*net.UnixListener)
	return nil
}

func unixSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

// chmodIn does not follow a link out of the directory, should somebody have put one in the file's place.
func chmodIn(dir, name string, mode fs.FileMode) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Chmod(name, mode)
}

// removeStale removes the socket at path if nobody listens on it. locked says that the lock of path is
// held: so no other process that heeds the lock is about to listen.
func removeStale(ctx context.Context, path, short string, locked bool) error {
	inUse := func(format string, args ...any) error {
		return &unixError{fmt.Sprintf(format, args...), os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	file, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	if file.Mode().Type() != fs.ModeSocket {
		return inUse("%s exists and is not a socket (%v): remove it if it is not needed, or choose another path", path, file.Mode())
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", short)
	switch {
	case err == nil:
		conn.Close()
		return inUse("a process listens on %s: stop it, or choose another path", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED):
		return inUse("%s is a socket and may be in use (%v): choose another path", path, err)
	case !locked:
		return inUse("%s is a socket that nobody listens on: remove it, or leave out lockfile=0", path)
	}
	return removeSame(path, file)
}

// removeSame removes the file at path if it is still the one that is meant, and nothing else.
func removeSame(path string, file os.FileInfo) error {
	if path == "" || file == nil {
		return nil
	}
	now, err := os.Lstat(path)
	if err == nil && os.SameFile(now, file) {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
