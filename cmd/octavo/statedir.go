package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A stateDir is the directory where a node keeps what outlives it: its
// identity, its ports, the name of its object. One node at a time has it.
type stateDir struct {
	path string
	lock *os.File
}

// The files in the directory.
const (
	lockFile     = "lock"
	identityFile = "identity.pem"
	portsFile    = "ports.json"
	nodeFile     = "node.furl" // where other commands find the node
)

// defaultDir is octavo in the user's state directory.
func defaultDir() (string, error) {
	// The specification says to ignore a path that is not absolute.
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "octavo"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("no place to keep the node's identity in: give --dir DIR (%w)", err)
	}
	return filepath.Join(home, ".local", "state", "octavo"), nil
}

// openStateDir makes the directory if it is missing, readable by its owner
// only, and locks it.
func openStateDir(path string) (*stateDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	// The lock is the kernel's and ends with the process, however that ends.
	// The file stays: to remove it would let two nodes lock two files.
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &stateDir{path, lock}, nil
	}
	lock.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("another node runs in %s: stop it, or give --dir another directory", path)
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}

func (d *stateDir) file(name string) string { return filepath.Join(d.path, name) }

// Close lets others have the directory.
func (d *stateDir) Close() error { return d.lock.Close() }
