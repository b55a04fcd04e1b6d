package housetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// confined says below which folder alone a dependency may be imported, so that a program pays only
// for what it uses.
var confined = map[string]string{
	"github.com/alecthomas/kong": "cmd",
	"golang.org/x/crypto/ssh":    "endpoint/*", // a package of its own, never endpoint itself
}

// lean packages import the standard library, our own packages and these.
var lean = map[string][]string{
	"service":  {"github.com/oklog/run", "golang.org/x/sync"},
	"endpoint": {"golang.org/x/sync", "golang.org/x/sys"},
}

// outside reports whether p is neither the standard library's nor ours.
func outside(p string) bool {
	return strings.Contains(layer(p), ".") && !below(p, module)
}

// misplaced looks at what programs are built from: tests may import what they like.
func misplaced(t tree) (problems []string) {
	for _, f := range t {
		if f.isTest() {
			continue
		}
		for _, p := range f.imports() {
			if !outside(p) {
				continue
			}
			for dep, place := range confined {
				parent, deeper := strings.CutSuffix(place, "/*")
				if below(p, dep) && (!below(f.dir(), parent) || deeper && f.dir() == parent) {
					problems = append(problems, fmt.Sprintf("%s: %s belongs below %s", f.path, p, place))
				}
			}
			allowed, isLean := lean[f.dir()]
			if isLean && !slices.ContainsFunc(allowed, func(dep string) bool { return below(p, dep) }) {
				problems = append(problems, fmt.Sprintf("%s: package %s must not import %s", f.path, f.dir(), p))
			}
		}
	}
	return problems
}

func TestThirdParty(t *testing.T) {
	one := func(name, p, want string) sample {
		s := sample{name: name + " imports " + p, files: map[string]string{name: importing(p)}}
		if want != "" {
			s.want = []string{name + ": " + want}
		}
		return s
	}
	const kong, ssh = "github.com/alecthomas/kong", "golang.org/x/crypto/ssh"
	check(t, misplaced, []sample{
		one("cmd/octavo/main.go", kong, ""),
		one("tub/tub.go", kong, kong+" belongs below cmd"),
		one("cmdline/main.go", kong, kong+" belongs below cmd"),
		one("endpoint/ssh/ssh.go", ssh, ""),
		one("endpoint/ssh/ssh.go", ssh+"/agent", ""),
		one("listener/listener.go", ssh, ssh+" belongs below endpoint/*"),
		one("listener/listener.go", "golang.org/x/crypto/acme/autocert", ""),
		one("service/run.go", "github.com/oklog/run", ""),
		one("service/run.go", "golang.org/x/sync/errgroup", ""),
		one("service/run.go", "log/slog", ""),
		one("service/run.go", "golang.org/x/net/trace", "package service must not import golang.org/x/net/trace"),
		one("service/run_test.go", "pgregory.net/rapid", ""),
		one("endpoint/ws.go", "github.com/coder/websocket", "package endpoint must not import github.com/coder/websocket"),
		one("endpoint/websocket/ws.go", "github.com/coder/websocket", ""),
	})
}
