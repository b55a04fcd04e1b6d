package housetest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A modfile is what these rules read of a go.mod.
type modfile struct {
	Replace []struct{ Old struct{ Path string } }
	Require []struct {
		Path     string
		Indirect bool
	}
}

func parseMod(t *testing.T, name string) (m modfile) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", name).Output()
	if err != nil {
		t.Fatalf("go mod edit -json %s: %v", name, err)
	}
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// parseModText is parseMod of a file that holds text.
func parseModText(t *testing.T, text string) modfile {
	t.Helper()
	name := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return parseMod(t, name)
}

// replaced are the modules that a go.mod replaces: whoever imports us would not get them.
func replaced(m modfile) (paths []string) {
	for _, r := range m.Replace {
		paths = append(paths, r.Old.Path)
	}
	return paths
}

func TestNoReplace(t *testing.T) {
	m := parseModText(t, "module a\n\nrequire b.c/d v1.0.0\n\nreplace b.c/d => ../d\n")
	if got, want := replaced(m), []string{"b.c/d"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if got := replaced(parseMod(t, root+"/go.mod")); len(got) != 0 {
		t.Errorf("go.mod replaces %q", got)
	}
}

// unnamed are the direct dependencies that no table row of the README names, between characters
// that cannot be part of a longer path.
func unnamed(m modfile, readme string) (paths []string) {
	named := map[string]bool{}
	for line := range strings.Lines(readme) {
		if strings.HasPrefix(strings.TrimSpace(line), "|") {
			for _, word := range strings.FieldsFunc(line, func(r rune) bool {
				return strings.ContainsRune("|`[]()<>, \t\r\n", r)
			}) {
				named[word] = true
			}
		}
	}
	for _, r := range m.Require {
		if !r.Indirect && !named[r.Path] {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

func TestDependenciesAreNamed(t *testing.T) {
	m := parseModText(t, `module a

require (
	b.c/d v1.0.0
	b.c/dd v1.0.0
	b.c/e v1.0.0 // indirect
	b.c/f v1.0.0
)
`)
	const text = "b.c/f is good.\n\n| what | for |\n|---|---|\n| [`b.c/dd`](https://b.c/dd) | this |\n"
	if got, want := unnamed(m, text), []string{"b.c/d", "b.c/f"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}

	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range unnamed(parseMod(t, root+"/go.mod"), string(readme)) {
		t.Errorf("README.md's table of dependencies does not name %s", p)
	}
}
