// Command octavo runs a node and talks to others: it serves a Tub, calls any
// Foolscap object from a shell, draws a node's service tree, and tells why a
// FURL cannot be reached. `octavo --help` says how.
package main

import (
	"context"
	"io"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// env is what a command works with instead of the process's own.
type env struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
	err io.Writer

	secrets secrets // names of the FURLs that the command has to do with
}
