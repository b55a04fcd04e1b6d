package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var programBlock = regexp.MustCompile("(?s)```(go|python)\n(.*?)```")

// programs returns the whole programs that a page shows.
func programs(page string) []string {
	var found []string
	for _, m := range programBlock.FindAllStringSubmatch(page, -1) {
		if m[1] == "python" || strings.HasPrefix(m[2], "package main") {
			found = append(found, m[2])
		}
	}
	return found
}

func TestProgramsInReadmeAreTheExamples(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := programs(string(page))
	if len(shown) != 3 {
		t.Fatalf("README shows %d whole programs, want 3", len(shown))
	}
	files, err := filepath.Glob("*/*")
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]bool)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		// The comment above "package" is for those who find the file.
		_, program, _ := strings.Cut("\n"+string(text), "\npackage main")
		texts["package main"+program] = true
		texts[string(text)] = true
	}
	for _, program := range shown {
		if !texts[program] {
			t.Errorf("README shows a program that is not in examples:\n%s", program)
		}
	}
}
