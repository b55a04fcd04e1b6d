package endpoint_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

// probe is a transport that notes what it is given.
type probe struct {
	mu  sync.Mutex
	got []endpoint.Description
}

func (p *probe) note(d endpoint.Description) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, d)
}

func (p *probe) Server(d endpoint.Description) (endpoint.Server, error) {
	p.note(d)
	return nil, errors.ErrUnsupported
}

func (p *probe) Client(d endpoint.Description) (endpoint.Client, error) {
	p.note(d)
	return nil, errors.ErrUnsupported
}

func TestATransportIsGivenTheWholeDescription(t *testing.T) {
	var r endpoint.Registry
	p := new(probe)
	if err := r.Register("Probe", p); err != nil {
		t.Fatal(err)
	}
	want, _ := endpoint.Parse(`pRoBe:a\:b:c=d=e:f`)
	if _, err := r.Server(`pRoBe:a\:b:c=d=e:f`); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := r.Client(`PROBE:a\:b:c=d=e:f`); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if !slices.Equal(p.got, []endpoint.Description{want, want}) {
		t.Errorf("%q, want %q", p.got, want)
	}
}

func TestATypeIsRegisteredOnce(t *testing.T) {
	r := endpoint.Default().Clone()
	for _, typ := range []string{"tcp", "TCP", "Unix"} {
		err := r.Register(typ, new(probe))
		var e *endpoint.Error
		if !errors.As(err, &e) || !errors.Is(err, endpoint.ErrTypeTaken) {
			t.Errorf("Register(%q): %v", typ, err)
		}
	}
	if _, err := r.Server("tcp:0"); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
}

func TestATypeIsAWordAndATransportIsThere(t *testing.T) {
	var r endpoint.Registry
	for _, typ := range []string{"", "a:b", "a=b", `a\`, "a b", "[::1]", "ä", "a/b"} {
		if err := r.Register(typ, new(probe)); !errors.Is(err, endpoint.ErrSyntax) {
			t.Errorf("Register(%q): %v", typ, err)
		}
	}
	if err := r.Register("nil", nil); !errors.Is(err, endpoint.ErrArgument) {
		t.Errorf("Register of nil: %v", err)
	}
	for _, typ := range []string{"a", "h2", "ws+tls", "x-y", "x_y", "x.y"} {
		if err := r.Register(typ, new(probe)); err != nil {
			t.Errorf("Register(%q): %v", typ, err)
		}
	}
	if want := []string{"a", "h2", "ws+tls", "x-y", "x.y", "x_y"}; !slices.Equal(r.Types(), want) {
		t.Errorf("types %q, want %q", r.Types(), want)
	}
}

func TestAnUnknownTypeIsAnError(t *testing.T) {
	for _, s := range []string{"foo:80", "FOO", "", ":80", "tcp6x:1"} {
		for _, side := range []string{asServer, asClient} {
			err := check(side, s)
			var e *endpoint.Error
			if !errors.As(err, &e) || !errors.Is(err, endpoint.ErrUnknownType) || e.Field != "type" || e.Pos != 0 {
				t.Errorf("%s %q: %v", side, s, err)
			}
		}
		if _, err := endpoint.Listen(t.Context(), s); !errors.Is(err, endpoint.ErrUnknownType) {
			t.Errorf("Listen(%q): %v", s, err)
		}
		if _, err := endpoint.Dial(t.Context(), s); !errors.Is(err, endpoint.ErrUnknownType) {
			t.Errorf("Dial(%q): %v", s, err)
		}
	}
	var empty endpoint.Registry
	if _, err := empty.Server("tcp:80"); !errors.Is(err, endpoint.ErrUnknownType) {
		t.Errorf("an empty registry: %v", err)
	}
}

func TestACloneIsAnother(t *testing.T) {
	r := endpoint.Default().Clone()
	if err := r.Register("probe", new(probe)); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(endpoint.Default().Types(), "probe") {
		t.Error("the default registry has it too")
	}
	var zero endpoint.Registry
	if err := zero.Clone().Register("probe", new(probe)); err != nil {
		t.Error(err)
	}
}

func TestARegistryIsForAnyGoroutine(t *testing.T) {
	r := endpoint.Default().Clone()
	var wg sync.WaitGroup
	for _, typ := range []string{"a", "b", "c", "a"} {
		wg.Go(func() {
			if err := r.Register(typ, new(probe)); err != nil && !errors.Is(err, endpoint.ErrTypeTaken) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := r.Clone().Server("tcp:0"); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { r.Types() })
	}
	wg.Wait()
	if want := []string{"a", "b", "c", "mem", "tcp", "unix"}; !slices.Equal(r.Types(), want) {
		t.Errorf("types %q, want %q", r.Types(), want)
	}
}

// twice is a prefix transport: twice:X is X, looked up where twice was.
type twice struct{ in *endpoint.Registry }

func (twice) In(r *endpoint.Registry) endpoint.Transport { return twice{r} }

func (p twice) Server(d endpoint.Description) (endpoint.Server, error) {
	rest, err := d.Without("times").Rest()
	if err != nil {
		return nil, err
	}
	return p.in.Server(rest.String())
}

func (p twice) Client(d endpoint.Description) (endpoint.Client, error) {
	rest, err := d.Without("times").Rest()
	if err != nil {
		return nil, err
	}
	return p.in.Client(rest.String())
}

func TestAPrefixFindsTheTypesOfTheRegistryItWasFoundIn(t *testing.T) {
	var r endpoint.Registry
	if err := r.Register("twice", twice{}); err != nil {
		t.Fatal(err)
	}
	clone := r.Clone()
	p := new(probe)
	if err := clone.Register("probe", p); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Server("twice:probe:x"); !errors.Is(err, endpoint.ErrUnknownType) {
		t.Errorf("in the original: %v", err)
	}
	if _, err := clone.Server(`twice:times=2:twice:probe:a\=b:c=d`); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("in the clone: %v", err)
	}
	if want := endpoint.New("probe", "a=b").With("c", "d"); !slices.Equal(p.got, []endpoint.Description{want}) {
		t.Errorf("%q, want %q", p.got, want)
	}
}
