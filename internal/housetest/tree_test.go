// Package housetest tests what no single package can: that the tree keeps its own rules. Each rule
// is a function of a tree, tried first on small trees that break it.
package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

const (
	module = "github.com/octavo-go/octavo"
	root   = "../.."
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A tree is the module's files, without those of nested modules, hidden folders and test data.
type tree []file

type file struct {
	path string // slashed, from the module's root
	text []byte
	ast  *ast.File // nil when it is not Go
	err  error     // why it does not parse
}

// dir is the package's folder, "." for the root.
func (f file) dir() string { return path.Dir(f.path) }

func (f file) isGo() bool   { return path.Ext(f.path) == ".go" }
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// imports are the paths that f imports.
func (f file) imports() []string {
	var paths []string
	if f.ast != nil {
		for _, spec := range f.ast.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			paths = append(paths, p)
		}
	}
	return paths
}

func load(fsys fs.FS) (tree, error) {
	var t tree
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && notOurs(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		f := file{path: name}
		if f.isGo() {
			if f.text, err = fs.ReadFile(fsys, name); err != nil {
				return err
			}
			f.ast, f.err = parser.ParseFile(token.NewFileSet(), name, f.text, parser.SkipObjectResolution)
		}
		t = append(t, f)
		return nil
	})
	return t, err
}

func notOurs(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || base == "testdata" {
		return true
	}
	_, err := fs.Stat(fsys, dir+"/go.mod")
	return err == nil
}

var ours = sync.OnceValues(func() (tree, error) { return load(os.DirFS(root)) })

// A sample is a small tree and what a rule must find wrong with it.
type sample struct {
	name  string
	files map[string]string
	want  []string
}

// check tries the rule on the samples and then on the tree itself.
func check(t *testing.T, rule func(tree) []string, samples []sample) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			small := fstest.MapFS{}
			for name, text := range s.files {
				small[name] = &fstest.MapFile{Data: []byte(text)}
			}
			files, err := load(small)
			if err != nil {
				t.Fatal(err)
			}
			if got := rule(files); !slices.Equal(got, s.want) {
				t.Errorf("got  %q\nwant %q", got, s.want)
			}
		})
	}
	t.Run("the tree", func(t *testing.T) {
		files, err := ours()
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range rule(files) {
			t.Error(problem)
		}
	})
}

func TestLoadLeavesOutWhatIsNotOurs(t *testing.T) {
	files, err := load(fstest.MapFS{
		"go.mod":                   {},
		"a/a.go":                   {Data: []byte("package a\n")},
		"a/testdata/broken.go":     {},
		"bench/go.mod":             {},
		"bench/deep/bench_test.go": {},
		".cache/mod/x.go":          {},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.path)
	}
	if want := []string{"a/a.go", "go.mod"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
