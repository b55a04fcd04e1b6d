package housetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// reach names the layers that each layer may import. A package may always import those it stands
// below: service/statuspage may import service.
var reach = map[string][]string{
	"service":      {},
	"endpoint":     {},
	"internal":     {"internal", "endpoint"},
	"listener":     {"listener", "service", "endpoint", "internal"},
	"tub":          {"tub", "listener", "service", "endpoint", "internal"},
	"cmd":          {"cmd", "tub", "listener", "service", "endpoint"},
	"examples":     {"tub", "listener", "service", "endpoint"},
	"service_test": {"tub", "listener", "service", "endpoint", "internal"},
}

// layer is the first part of a folder's path.
func layer(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	return first
}

// below reports whether dir is parent or a folder under it.
func below(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

// mayImport reports whether a file may import our package at target. Tests may also use their own
// layer and the helpers in internal; those of more layers than that belong in service_test.
func mayImport(f file, target string) bool {
	from, to := layer(f.dir()), layer(target)
	return below(f.dir(), target) ||
		slices.Contains(reach[from], to) ||
		f.isTest() && (to == from || to == "internal")
}

func wrongWay(t tree) (problems []string) {
	for _, f := range t {
		if _, known := reach[layer(f.dir())]; f.isGo() && !known && f.dir() != "." {
			problems = append(problems, f.path+": no import direction is set for this folder")
			continue
		}
		for _, p := range f.imports() {
			target, in := strings.CutPrefix(p, module+"/")
			if in && !mayImport(f, target) {
				problems = append(problems, fmt.Sprintf("%s: must not import %s", f.path, target))
			}
		}
	}
	return problems
}

func TestImportDirection(t *testing.T) {
	one := func(name, target string) map[string]string {
		return map[string]string{name: importing(module + "/" + target)}
	}
	bad := func(name, target string) sample {
		return sample{name + " imports " + target, one(name, target),
			[]string{name + ": must not import " + target}}
	}
	good := func(name, target string) sample {
		return sample{name + " imports " + target, one(name, target), nil}
	}
	check(t, wrongWay, []sample{
		good("tub/tub.go", "listener"),
		good("tub/tub.go", "internal/banana"),
		good("listener/listener.go", "service"),
		bad("listener/listener.go", "tub"),
		bad("listener/listener_test.go", "tub"),
		good("service/statuspage/page.go", "service"),
		bad("service/service.go", "service/statuspage"),
		good("service/service_test.go", "service/statuspage"),
		bad("service/service.go", "internal/base32"),
		good("service/service_test.go", "internal/check"),
		bad("service/service.go", "endpoint"),
		bad("service/statuspage/page.go", "endpoint"),
		good("endpoint/ssh/ssh.go", "endpoint"),
		bad("endpoint/ssh/ssh.go", "endpoint/tor"),
		bad("endpoint/tcp.go", "service"),
		good("internal/broker/broker.go", "internal/banana"),
		bad("internal/broker/broker.go", "tub"),
		bad("internal/broker/broker.go", "listener"),
		bad("internal/broker/broker.go", "service"),
		good("cmd/octavo/main.go", "tub"),
		good("cmd/octavo/main.go", "cmd/octavo/jsonvalue"),
		bad("cmd/octavo/main.go", "internal/banana"),
		bad("tub/tub.go", "cmd/octavo/jsonvalue"),
		bad("octavo.go", "tub"),
		good("examples/clock/main.go", "service"),
		bad("examples/clock/main.go", "internal/banana"),
		good("service_test/tree_test.go", "tub"),
		{"a new folder", map[string]string{"relay/relay.go": "package relay\n"},
			[]string{"relay/relay.go: no import direction is set for this folder"}},
	})
}

// importing is a file that imports what it is given.
func importing(p string) string {
	return fmt.Sprintf("package p\n\nimport _ %q\n", p)
}
