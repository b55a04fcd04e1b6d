package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lockMark is what our lock files hold, so that one which a dead process left behind is known for ours
// and goes away with the next owner. Other files are locked, never removed.
const lockMark = "octavo endpoint lock\n"

// fileLock is a held lock. The kernel lets go of it when the process dies, so there is no
// process id to be read and misjudged.
type fileLock struct {
	f    *os.File
	path string
}

// errLockGone says that the file came or went between two looks at it.
var errLockGone = errors.New("lock file came or went")

var errLockTaken = os.NewSyscallError("flock", syscall.EADDRINUSE)

// lockFile takes the lock at path, or says with EADDRINUSE that its owner is alive.
func lockFile(path string) (*fileLock, error) {
	for {
		l, err := openLock(path)
		if err == nil {
			if err = l.take(); err != nil {
				l.f.Close()
			}
		}
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, errLockGone) {
			return nil, err
		}
	}
}

func openLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		// Should the process die before this, the file stays, as one that is not known for ours.
		if _, err := f.WriteString(lockMark); err != nil {
			f.Close()
			return nil, err
		}
		return &fileLock{f: f, path: path}, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errLockGone
	case err != nil:
		return nil, err
	case file.Mode().Type() == fs.ModeSymlink:
		return nil, &unixError{fmt.Sprintf("%s is a symbolic link, as the locks of Twisted's programs are: "+
			"stop that program, or remove the link if it has died", path), errLockTaken}
	case !file.Mode().IsRegular():
		return nil, &unixError{fmt.Sprintf("%s is no regular file (%v) and cannot be the lock: choose another address, "+
			"or give lockfile=0", path, file.Mode()), errLockTaken}
	}
	f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ELOOP):
		return nil, errLockGone
	case errors.Is(err, fs.ErrPermission):
		return nil, &unixError{fmt.Sprintf("the lock %s is another user's: choose another address (%v)", path, err), err}
	case err != nil:
		return nil, err
	}
	return &fileLock{f: f, path: path}, nil
}

func (l *fileLock) take() error {
	var err error = syscall.EINTR
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Flock(int(l.f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return &unixError{fmt.Sprintf("the owner of the lock %s listens there: stop it, or choose another address", l.path), errLockTaken}
	}
	if err != nil {
		return os.NewSyscallError("flock", err)
	}
	// The owner may have removed the file after it was opened here: then what is locked is a file
	// that nobody will look for again.
	mine, err := l.f.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Lstat(l.path); err != nil || !os.SameFile(mine, now) {
		return errLockGone
	}
	return nil
}

// release removes the file, if it is ours, while the lock is held: so it cannot be another owner's. The
// mark is read as late as here because the process that made the file may have lost the race for the
// lock, and have written the mark only then. A nil lock is none.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	mark := make([]byte, len(lockMark)+1)
	n, _ := l.f.ReadAt(mark, 0) // an error is that it is shorter, or else no mark of ours
	mine, err := l.f.Stat()
	if err == nil && string(mark[:n]) == lockMark {
		err = removeSame(l.path, mine)
	}
	return errors.Join(err, l.f.Close())
}
