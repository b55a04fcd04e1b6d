package tub_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/tub"
)

// The real Foolscap is Debian's, and runs on the system's Python, whatever
// other Pythons there are.
const python = "/usr/bin/python3"

// needFoolscap skips a test where there is no Foolscap, unless the tests are
// told that it must be there.
func needFoolscap(t *testing.T) {
	t.Helper()
	out, err := exec.Command(python, "-c", "import foolscap").CombinedOutput()
	if err == nil {
		return
	}
	const missing = "Python Foolscap is not installed (Debian: python3-foolscap)"
	if os.Getenv("OCTAVO_REQUIRE_INTEROP") != "" {
		t.Fatalf("%s: %v\n%s", missing, err, out)
	}
	t.Skip(missing + ": interop is not tested; make check installs it")
}

// A python peer is testdata/peer.py, running.
type pythonPeer struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	tubID string
}

func startPython(t *testing.T, mode string) *pythonPeer {
	t.Helper()
	needFoolscap(t)
	p := &pythonPeer{t: t}
	p.cmd = exec.Command(python, "testdata/peer.py", mode, filepath.Join(t.TempDir(), "python.pem"))
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(2*time.Minute, func() { p.cmd.Process.Kill() })
	t.Cleanup(func() {
		in.Close()
		p.cmd.Process.Kill()
		p.cmd.Wait()
		patience.Stop()
	})
	p.tubID = p.line("tubid: ")
	return p
}

// line reads the next line, which must have a prefix.
func (p *pythonPeer) line(prefix string) string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("the Python peer ended: %v", p.out.Err())
	}
	rest, ok := strings.CutPrefix(p.out.Text(), prefix)
	if !ok {
		p.t.Fatalf("the Python peer printed %q, want %q", p.out.Text(), prefix)
	}
	return rest
}

// identityBeside returns options for a Go identity that is, or is not, the
// master towards a peer: the greater TubID is.
func identityBeside(t *testing.T, peer string, master bool) tub.Option {
	t.Helper()
	for range 1000 {
		file := filepath.Join(t.TempDir(), "go.pem")
		tb, err := tub.New(tub.CertFile(file))
		if err != nil {
			t.Fatal(err)
		}
		if (tb.ID() > peer) == master {
			return tub.CertFile(file)
		}
		os.Remove(file)
	}
	t.Fatalf("no identity that is master=%v beside %s", master, peer)
	return nil
}

// goValues are the values of peer.py as Go reads them. Those whose structure
// matters have a check instead.
var goValues = map[string]any{
	"none": nil, "true": true, "false": false,
	"zero": int64(0), "one": int64(1), "minus one": int64(-1),
	"int31": int64(math.MaxInt32), "two to 31": int64(1 << 31),
	"minus two to 31": int64(math.MinInt32), "below minus two to 31": int64(math.MinInt32 - 1),
	"int63": int64(math.MaxInt64), "minus two to 63": int64(math.MinInt64),
	"two to 63": power(1, 63), "two to 2000": power(1, 2000), "minus two to 2000": power(-1, 2000),
	"float": 1.5, "float whole": 2.0, "float tiny": 5e-324,
	"infinity": math.Inf(1), "minus infinity": math.Inf(-1), "nan": math.NaN(),
	"bytes": []byte("abc\x00\xff"), "bytes empty": []byte{}, "bytes vocabulary": []byte("list"),
	"text": "grüß ሴ 😀", "text empty": "", "text vocabulary": "unicode",
	"list":       []any{int64(1), "two", []byte("three"), nil},
	"list empty": []any{}, "list nested": []any{[]any{[]any{[]any{}}}, []any{int64(1), []any{int64(2)}}},
	"tuple": tub.Tuple{int64(1), "two", tub.Tuple{int64(3)}}, "tuple empty": tub.Tuple{},
	"dict":       dict("a", int64(1), "b", []any{int64(2)}),
	"dict empty": dict(), "dict int keys": dict(int64(1), "one", int64(2), "two"),
	"dict bytes keys": dict([]byte("k"), int64(1)),
	"dict tuple keys": dict(tub.Tuple{int64(1), int64(2)}, int64(3)),
	"set":             set(int64(1), int64(2), int64(3)), "set empty": set(),
	"frozenset":         frozen(int64(1), int64(2)),
	"set of frozensets": set(frozen(int64(1)), frozen()),
	"decimal":           decimal("1.50"), "decimal small": decimal("-1E-7"), "decimal infinity": decimal("Infinity"),
}

// goStructures make the values with shared and cyclic structure.
var goStructures = map[string]func() any{
	"shared":         func() any { s := []any{int64(1), int64(2)}; return []any{s, s} },
	"cyclic list":    func() any { c := []any{int64(1), nil}; c[1] = c; return c },
	"cyclic dict":    func() any { d := dict("n", int64(1)); d.Set("self", d); return d },
	"tuple in cycle": func() any { c := []any{nil}; c[0] = tub.Tuple{c, int64(7)}; return c },
}

func goValue(name string) any {
	if f := goStructures[name]; f != nil {
		return f()
	}
	return goValues[name]
}

// fits reports whether v is the value called name, structure included.
func fits(name string, v any) bool {
	defer func() { recover() }() // a value of another form does not fit
	switch name {
	case "shared":
		l := v.([]any)
		l[0].([]any)[0] = "changed"
		return len(l) == 2 && l[1].([]any)[0] == "changed" && l[1].([]any)[1] == int64(2)
	case "cyclic list":
		l := v.([]any)
		inner := l[1].([]any)
		return len(l) == 2 && l[0] == int64(1) && &inner[0] == &l[0]
	case "cyclic dict":
		d := v.(*tub.Dict)
		self, _ := d.Get("self")
		n, _ := d.Get("n")
		return self == any(d) && n == int64(1) && d.Len() == 2
	case "tuple in cycle":
		l := v.([]any)
		pair := l[0].(tub.Tuple)
		inner := pair[0].([]any)
		return len(l) == 1 && pair[1] == int64(7) && &inner[0] == &l[0]
	}
	want, known := goValues[name]
	return known && equal(v, want)
}

// equal compares values as any reads them, with their types all the way down.
func equal(a, b any) bool {
	if fmt.Sprintf("%T", a) != fmt.Sprintf("%T", b) {
		return false
	}
	switch a := a.(type) {
	case float64:
		return a == b.(float64) || math.IsNaN(a) && math.IsNaN(b.(float64))
	case *big.Int:
		return a.Cmp(b.(*big.Int)) == 0
	case []byte:
		return string(a) == string(b.([]byte))
	case []any:
		return equalItems(a, b.([]any))
	case tub.Tuple:
		return equalItems(a, b.(tub.Tuple))
	case *tub.Dict:
		for k, v := range a.All() {
			if w, ok := b.(*tub.Dict).Get(k); !ok || !equal(v, w) {
				return false
			}
		}
		return a.Len() == b.(*tub.Dict).Len()
	case *tub.Set:
		for m := range a.All() {
			if !b.(*tub.Set).Has(m) {
				return false
			}
		}
		return a.Len() == b.(*tub.Set).Len()
	case *tub.FrozenSet:
		for m := range a.All() {
			if !b.(*tub.FrozenSet).Has(m) {
				return false
			}
		}
		return a.Len() == b.(*tub.FrozenSet).Len()
	}
	return a == b
}

func equalItems(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func power(sign int64, n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(sign), n) }

func dict(pairs ...any) *tub.Dict          { return must(tub.NewDict(pairs...)) }
func set(members ...any) *tub.Set          { return must(tub.NewSet(members...)) }
func frozen(members ...any) *tub.FrozenSet { return must(tub.NewFrozenSet(members...)) }
func decimal(s string) tub.Decimal         { return must(tub.ParseDecimal(s)) }

// A check is one line of the Python client.
type check struct {
	Check  string
	OK     bool
	Detail string
}

func (p *pythonPeer) checks() (all []check) {
	for p.out.Scan() {
		var c check
		if err := json.Unmarshal(p.out.Bytes(), &c); err != nil {
			p.t.Fatalf("the Python client printed %q: %v", p.out.Text(), err)
		}
		all = append(all, c)
	}
	return all
}
