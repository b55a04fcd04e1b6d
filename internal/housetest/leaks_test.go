package housetest

import (
	"go/ast"
	"maps"
	"path"
	"slices"
	"testing"
)

// unwatched finds the packages whose tests would not notice a goroutine left behind.
func unwatched(t tree) (problems []string) {
	watched := map[string]bool{}
	for _, f := range t {
		if f.isTest() {
			watched[f.dir()] = watched[f.dir()] || f.ast != nil && watches(f)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(watched)) {
		if !watched[dir] {
			problems = append(problems, dir+": has tests but no TestMain that calls goleak.VerifyTestMain")
		}
	}
	return problems
}

// watches reports whether f has a TestMain that calls goleak.VerifyTestMain.
func watches(f file) bool {
	const goleak = "go.uber.org/goleak"
	found := false
	for _, decl := range f.ast.Decls {
		main, ok := decl.(*ast.FuncDecl)
		if !ok || main.Recv != nil || main.Name.Name != "TestMain" || main.Body == nil {
			continue
		}
		ast.Inspect(main.Body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if fun, ok := call.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "VerifyTestMain" {
					pkg, ok := fun.X.(*ast.Ident)
					found = found || ok && pkg.Name == path.Base(goleak)
				}
			}
			return !found
		})
	}
	return found && slices.Contains(f.imports(), goleak)
}

func TestLeaksAreWatched(t *testing.T) {
	const (
		head = "package a_test\n\nimport (\n\t\"testing\"\n\n\t\"go.uber.org/goleak\"\n)\n\n"
		main = head + "func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }\n"
		test = "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n"
	)
	missing := []string{"a: has tests but no TestMain that calls goleak.VerifyTestMain"}
	check(t, unwatched, []sample{
		{"watched", map[string]string{"a/a_test.go": test, "a/main_test.go": main}, nil},
		{"no tests", map[string]string{"a/a.go": "package a\n"}, nil},
		{"no TestMain", map[string]string{"a/a_test.go": test}, missing},
		{"only next door", map[string]string{"a/a_test.go": test, "a/b/main_test.go": main}, missing},
		{"only in a comment", map[string]string{"a/main_test.go": test + "\n// goleak.VerifyTestMain(m)\n"}, missing},
		{"TestMain without it", map[string]string{
			"a/main_test.go": head + "func TestMain(m *testing.M) { m.Run() }\n\nvar _ = goleak.Find\n"}, missing},
		{"called elsewhere", map[string]string{
			"a/main_test.go": head + "func helper(m *testing.M) { goleak.VerifyTestMain(m) }\n"}, missing},
		{"another's", map[string]string{
			"a/main_test.go": "package a\n\nfunc TestMain(m *testing.M) { goleak.VerifyTestMain(m) }\n"}, missing},
	})
}
