package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/octavo-go/octavo/tub"
)

// maxFURLFile is more than the longest FURL that is read.
const maxFURLFile = 64 << 10

// furl reads an argument that is a FURL, @FILE or - for standard input.
func (e *env) furl(arg string) (tub.FURL, error) {
	text := arg
	path, isFile := strings.CutPrefix(arg, "@")
	var err error
	switch {
	case arg == "-":
		text, err = readFURL(e.in)
	case isFile:
		text, err = readFURLFile(path)
	}
	if err != nil {
		return tub.FURL{}, usage("reading a FURL: %w", err)
	}
	furl, err := tub.ParseFURL(text)
	if err != nil {
		return tub.FURL{}, usageError{err}
	}
	e.secrets.add(furl)
	return furl, nil
}

func readFURL(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFURLFile))
	return strings.TrimSpace(string(text)), err
}

func readFURLFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readFURL(f)
}

// writeFURLFile writes a file that nobody but its owner can read, all or
// nothing: who waits for the file never finds half a FURL.
func writeFURLFile(path string, f tub.FURL) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		// It would be replaced, which is not what anybody wants of a device.
		return fmt.Errorf("FURL file: %s is there and is no file", path)
	}
	return writePrivate(path, []byte(f.String()+"\n"))
}

// writePrivate replaces a file by one of mode 0600.
func writePrivate(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
