package tub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/octavo-go/octavo/internal/base32"
)

// Register publishes obj and returns its FURL. Its callable methods are those
// that the package documentation describes. With an empty name it gets an
// unguessable one; a name that others can guess makes a public object. The Tub
// keeps obj until [Tub.Unregister]. Registering an object again without a name
// returns the FURL it has; with another name it can be reached by both.
//
// The error is [ErrNoLocation] where the Tub has no address that a FURL could
// name, [ErrNameTaken] where the name leads to another object, or tells why
// nothing of obj can be called.
func (t *Tub) Register(obj any, name string) (FURL, error) {
	hints := t.hints(true)
	if len(hints) == 0 {
		return FURL{}, fmt.Errorf("tub: Register: %w", ErrNoLocation)
	}
	if strings.ContainsAny(name, "\r\n") || !utf8.ValidString(name) || len(name) > maxName {
		return FURL{}, fmt.Errorf("tub: Register: want a name of at most %d bytes of UTF-8, without line breaks", maxName)
	}
	o, err := t.objects.get(obj)
	if err != nil {
		return FURL{}, err
	}
	defer o.Release() // the name holds it
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "" {
		name = t.nameLocked(o)
	}
	if other := t.names[name]; other != nil && other != o {
		return FURL{}, fmt.Errorf("tub: Register: %w", ErrNameTaken)
	}
	t.names[name] = o
	if !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
	if !o.registered {
		o.registered = true
		o.Retain()
	}
	return t.furlLocked(hints, name), nil
}

// maxName leaves room for the rest of a FURL.
const maxName = 1000

// RegisterInFile is Register with a name that is kept in a file: the FURL, one
// line, readable by the owner only. If the file is there its name is used, so
// the FURL outlives the process. A file with the FURL of another Tub is an
// error.
func (t *Tub) RegisterInFile(obj any, furlFile string) (FURL, error) {
	name := ""
	old, err := os.ReadFile(furlFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return FURL{}, fmt.Errorf("tub: FURL file: %w", err)
	default:
		f, err := ParseFURL(strings.TrimSpace(string(old)))
		if err != nil {
			return FURL{}, fmt.Errorf("tub: FURL file %s: %w", furlFile, err)
		}
		if f.TubID() != t.id {
			return FURL{}, fmt.Errorf("tub: FURL file %s: %w: it belongs to %s, this Tub is %s", furlFile, ErrWrongTub, f.TubID(), t.id)
		}
		name = f.Name()
	}
	furl, err := t.Register(obj, name)
	if err != nil {
		return FURL{}, err
	}
	line := furl.String() + "\n"
	if line == string(old) && private(furlFile) {
		return furl, nil
	}
	tmp, err := writeTemp(furlFile, []byte(line))
	if err == nil {
		err = os.Rename(tmp, furlFile)
	}
	if err != nil {
		return FURL{}, fmt.Errorf("tub: FURL file: %w", err)
	}
	return furl, nil
}

// private reports whether only its owner may read a file.
func private(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o077 == 0
}

// Unregister takes all names of obj back and reports whether it had any. Its
// FURLs lead nowhere then; references that peers hold go on working.
func (t *Tub) Unregister(obj any) bool {
	if obj == nil {
		return false
	}
	o, err := t.objects.get(obj)
	if err != nil {
		return false
	}
	defer o.Release()
	t.mu.Lock()
	had := o.registered
	if had {
		o.registered = false
		t.dropNamesLocked(o)
	}
	t.mu.Unlock()
	if had {
		o.Release()
	}
	return had
}

// byName returns the object that a name leads to, held once more, or nil.
func (t *Tub) byName(name string) *object {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.names[name]; o != nil && o.retainLiving() {
		return o
	}
	return nil
}

// furlOf returns the FURL of an object that is about to be sent, or nothing
// where the Tub has no location. An object without a name gets one that lasts
// as long as somebody holds it: the peer may want to pass it on.
func (t *Tub) furlOf(o *object) string {
	hints := t.hints(false)
	if len(hints) == 0 {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.furlLocked(hints, t.nameLocked(o)).String()
}

func (t *Tub) nameLocked(o *object) string {
	if len(o.names) == 0 {
		name := base32.Random(20)
		o.names = append(o.names, name)
		t.names[name] = o
	}
	return o.names[0]
}

// forgetNames is called when nobody holds an object any more. It is checked
// again, for a name may have led to it meanwhile.
func (t *Tub) forgetNames(o *object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.holds.Load() == 0 {
		t.dropNamesLocked(o)
	}
}

func (t *Tub) dropNamesLocked(o *object) {
	for _, name := range o.names {
		if t.names[name] == o {
			delete(t.names, name)
		}
	}
	o.names = nil
}

func (t *Tub) furlLocked(hints []string, name string) FURL {
	f := FURL{id: t.id, hints: strings.Join(hints, ","), name: name}
	if !t.opts.short {
		f.suffix = t.pin
	}
	return f
}
