package service_test

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/octavo-go/octavo/service"
)

// custom types, as other packages make them

type leaf struct {
	*service.Base
	opened int
}

func newLeaf(name string) *leaf {
	l := &leaf{}
	l.Base = service.NewBase(l, name, service.Hooks{Start: l.open})
	return l
}

func (l *leaf) open(context.Context) error { l.opened++; return nil }

type group struct {
	*service.MultiService
	opened int
}

func newGroup(name string) *group {
	g := &group{}
	g.MultiService = service.NewMultiBase(g, name, service.Hooks{Start: func(context.Context) error { g.opened++; return nil }})
	return g
}

func TestEmbeddingValuesAreWhatTheTreeReturns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		app, g, l := service.NewMulti("app"), newGroup("g"), newLeaf("l")
		must(t, app.Add(g), l.SetParent(g.MultiService), app.Start(ctx))
		wantEqual(t, app.Child("g"), service.Service(g))
		wantEqual(t, collect(app)[0], service.Service(g))
		wantEqual(t, collect(g.MultiService)[0], service.Service(l))
		wantEqual(t, l.Parent().Self(), service.Service(g))
		wantEqual(t, g.Parent().Self(), service.Service(app))
		wantEqual(t, l.opened+g.opened, 2)
		must(t, app.Stop(ctx))
	})
}

func TestLookup(t *testing.T) {
	app, g, l := service.NewMulti("app"), newGroup("g"), newLeaf("l")
	top := service.NewMulti("top")
	must(t, app.Add(g), g.Add(l), top.Add(app))
	for _, path := range []string{"g/l", "/top/app/g/l"} {
		got, err := service.Lookup[*leaf](app, path)
		must(t, err)
		wantEqual(t, got, l)
	}
	self, err := service.Lookup[*service.MultiService](app, "")
	must(t, err)
	wantEqual(t, self, app)
	self, err = service.Lookup[*service.MultiService](app, "/top/app")
	must(t, err)
	wantEqual(t, self, app)
	found, err := service.Lookup[service.Service](app, "g")
	must(t, err)
	wantEqual(t, found, service.Service(g))
	for _, path := range []string{"x", "g/x", "g/l/x", "g//l", "/top", "/top/apple", "/app/g", "/"} {
		_, err := service.Lookup[service.Service](app, path)
		wantErr(t, err, "/top/app", service.ErrNotFound)
	}
	_, err = service.Lookup[*group](app, "g/l")
	wantErr(t, err, "/top/app/g/l", service.ErrWrongType)
}

func TestPath(t *testing.T) {
	app, g, l := service.NewMulti("app"), newGroup("g"), newLeaf("l")
	wantEqual(t, l.Path(), "/l")
	must(t, g.Add(l), app.Add(g))
	wantEqual(t, l.Path(), "/app/g/l")
	wantEqual(t, l.Name(), "l")
	wantEqual(t, app.Parent(), nil)
}

func TestAddGoesToTheFirstError(t *testing.T) {
	app := service.NewMulti("app")
	wantErr(t, app.Add(newLeaf("a"), newLeaf("a"), newLeaf("b")), "/a", service.ErrNameTaken)
	wantEqual(t, names(app), "a")
}

func TestManyAddsAndRemovesKeepTheOrder(t *testing.T) {
	app := service.NewMulti("app")
	var all []*leaf
	for i := range 100 {
		l := newLeaf(string(rune('A' + i)))
		all = append(all, l)
		must(t, app.Add(l))
	}
	want := ""
	for i, l := range all {
		if i%7 != 0 {
			must(t, l.DisownParent().Err())
		} else {
			want += l.Name()
		}
	}
	got := ""
	for c := range app.Children() {
		got += c.Name()
	}
	wantEqual(t, got, want)
}

// A group does not keep what has been removed from it, however few that are among its children.
func TestChildRemovedIsLetGo(t *testing.T) {
	app := service.NewMulti("app")
	must(t, app.Add(service.Func("a", nil), service.Func("b", nil), service.Func("c", nil)))
	removed := func() weak.Pointer[service.Base] {
		s := service.New("s", service.Hooks{Start: nothing})
		must(t, app.Add(s), app.Start(t.Context()), s.DisownParent().Wait(t.Context()))
		return weak.Make(s)
	}()
	runtime.GC()
	if s := removed.Value(); s != nil {
		t.Errorf("%v is still held", s)
	}
	must(t, app.Stop(t.Context()))
}
