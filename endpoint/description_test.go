package endpoint_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-go/octavo/endpoint"
)

type option struct{ key, value string }

func options(d endpoint.Description) []option {
	var all []option
	for k, v := range d.Options() {
		all = append(all, option{k, v})
	}
	return all
}

func TestParseReadsTheGrammarOfTwisted(t *testing.T) {
	for _, c := range []struct {
		s       string
		typ     string
		args    []string
		options []option
		text    string // canonical
	}{
		// What Twisted's parser was seen to do.
		{`a::b`, "a", []string{"", "b"}, nil, `a::b`},
		{`a:b=c=d`, "a", nil, []option{{"b", "c=d"}}, `a:b=c=d`},
		{`a:b\=c=d`, "a", nil, []option{{"b=c", "d"}}, `a:b\=c=d`},
		{`a:b:d=1:c`, "a", []string{"b", "c"}, []option{{"d", "1"}}, `a:b:d=1:c`},
		{`k=v:a`, "a", nil, []option{{"k", "v"}}, `a:k=v`},
		{`a:b=\=\:\\`, "a", nil, []option{{"b", `=:\`}}, `a:b==\:\\`},
		{`a:\n\t`, "a", []string{"nt"}, nil, `a:nt`},
		{`a: b `, "a", []string{" b "}, nil, `a: b `},
		{`a:`, "a", []string{""}, nil, `a:`},
		{`a::`, "a", []string{"", ""}, nil, `a::`},
		{`a:=v`, "a", nil, []option{{"", "v"}}, `a:=v`},
		{`a:k=`, "a", nil, []option{{"k", ""}}, `a:k=`},
		{`tcp:8080:interface=127.0.0.1`, "tcp", []string{"8080"}, []option{{"interface", "127.0.0.1"}}, `tcp:8080:interface=127.0.0.1`},
		{`unix:/run/x.sock:mode=660`, "unix", []string{"/run/x.sock"}, []option{{"mode", "660"}}, `unix:/run/x.sock:mode=660`},
		{`systemd:domain=INET:index=0`, "systemd", nil, []option{{"domain", "INET"}, {"index", "0"}}, `systemd:domain=INET:index=0`},
		{`unix:\é\ü`, "unix", []string{"éü"}, nil, `unix:éü`},
		{`schlüssel:ä=ö`, "schlüssel", nil, []option{{"ä", "ö"}}, `schlüssel:ä=ö`},

		// Types are compared without case; everything else keeps its own.
		{`TCP:A:K=V`, "tcp", []string{"A"}, []option{{"K", "V"}}, `tcp:A:K=V`},

		// Brackets around an IPv6 address, and nothing else.
		{`tcp:[::1]:80`, "tcp", []string{"::1", "80"}, nil, `tcp:[::1]:80`},
		{`tcp:\:\:1:80`, "tcp", []string{"::1", "80"}, nil, `tcp:[::1]:80`},
		{`tcp:80:interface=[fe80::1%eth0]`, "tcp", []string{"80"}, []option{{"interface", "fe80::1%eth0"}}, `tcp:80:interface=[fe80::1%eth0]`},
		{`tcp:80:interface=[::ffff:1.2.3.4]:backlog=5`, "tcp", []string{"80"}, []option{{"interface", "::ffff:1.2.3.4"}, {"backlog", "5"}}, `tcp:80:interface=[::ffff:1.2.3.4]:backlog=5`},
		{`unix:[a]`, "unix", []string{"[a]"}, nil, `unix:[a]`},
		{`unix:[1.2.3.4]`, "unix", []string{"[1.2.3.4]"}, nil, `unix:[1.2.3.4]`},
		{`unix:[a:b]`, "unix", []string{"[a", "b]"}, nil, `unix:\[a:b]`},
		{`unix:[::1]x`, "unix", []string{"[", "", "1]x"}, nil, `unix:\[::1]x`},
		{`unix:x[::1]`, "unix", []string{"x[", "", "1]"}, nil, `unix:x[::1]`},
		{`unix:\[\:\:1]`, "unix", []string{"[::1]"}, nil, `unix:[\:\:1]`},
		{`unix:[::1`, "unix", []string{"[", "", "1"}, nil, `unix:\[::1`},
		{`unix:[\::1]`, "unix", []string{"[:", "1]"}, nil, `unix:\[\::1]`},
	} {
		d, err := endpoint.Parse(c.s)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.s, err)
			continue
		}
		if d.Type() != c.typ || !slices.Equal(d.Args(), c.args) || !slices.Equal(options(d), c.options) {
			t.Errorf("Parse(%q) = %q %q %q, want %q %q %q", c.s, d.Type(), d.Args(), options(d), c.typ, c.args, c.options)
		}
		if d.String() != c.text {
			t.Errorf("Parse(%q).String() = %q, want %q", c.s, d, c.text)
		}
		for _, o := range c.options {
			if v, ok := d.Option(o.key); !ok || v != o.value {
				t.Errorf("Parse(%q).Option(%q) = %q, %v", c.s, o.key, v, ok)
			}
		}
	}
}

func TestWhatIsNoDescriptionIsASyntaxErrorThatSaysWhere(t *testing.T) {
	for _, c := range []struct {
		s, field string
		pos      int
	}{
		{``, "type", 0},
		{`:80`, "type", 0},
		{`k=v::`, "type", 4},
		{`k=v`, "type", 0},
		{`tcp:80\`, "argument 1", 6},
		{`tcp:k=v\`, "k", 7},
		{`\`, "type", 0},
		{`tcp:1:x=y:\k\`, "argument 2", 12},
		{`tcp:a=1:b=2:a=3`, "a", 12},
		{`tcp:a=1:\a=1`, "a", 8},
	} {
		_, err := endpoint.Parse(c.s)
		var e *endpoint.Error
		if !errors.As(err, &e) || !errors.Is(err, endpoint.ErrSyntax) {
			t.Errorf("Parse(%q): %v, want a syntax error", c.s, err)
			continue
		}
		if e.Field != c.field || e.Pos != c.pos || e.Description != c.s || e.Reason == "" {
			t.Errorf("Parse(%q): %#v, want field %q at %d", c.s, e, c.field, c.pos)
		}
	}
}

func TestRestIsWhatFollowsTheType(t *testing.T) {
	for _, c := range []struct{ s, rest string }{
		{`haproxy:tcp:8080`, `tcp:8080`},
		{`haproxy:TCP:8080:interface=[::1]`, `tcp:8080:interface=[::1]`},
		{`haproxy:unix:/a\=b`, `unix:/a\=b`}, // Twisted loses this escape
		{`haproxy:unix:/a\:b\\`, `unix:/a\:b\\`},
		{`haproxy:tcp:80:a\=\:b=c\:d=`, `tcp:80:a\=\:b=c\:d=`},
		{`haproxy:k=v:tcp:80:j=w`, `tcp:k=v:80:j=w`},
		{`k=v:haproxy:tcp`, `tcp:k=v`},
		{`txsni:/Etc/keys:tcp:443`, `/etc/keys:tcp:443`},
		{`a:b`, `b`},
		{`a:b:`, `b:`},
	} {
		d, err := endpoint.Parse(c.s)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := d.Rest()
		if err != nil || rest.String() != c.rest {
			t.Errorf("rest of %q is %q, %v, want %q", c.s, rest, err, c.rest)
		}
	}
	for _, s := range []string{`haproxy`, `haproxy:`, `haproxy::80`, `haproxy:k=v`} {
		d, _ := endpoint.Parse(s)
		if rest, err := d.Rest(); !errors.Is(err, endpoint.ErrArgument) {
			t.Errorf("rest of %q is %q, %v, want an error", s, rest, err)
		}
	}
}

func TestNewWithAndWithoutTakeTextLiterally(t *testing.T) {
	d := endpoint.New("TCP", "::1", "a=b").With("k", `:=\`).With("j", "1").With("k", "::")
	if got, want := d.String(), `tcp:[::1]:a\=b:k=[::]:j=1`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := d.Without("k", "no").String(), `tcp:[::1]:a\=b:j=1`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNeighboursDoNotMakeAnAddress(t *testing.T) {
	for _, args := range [][]string{{"[", "", "]"}, {"[1", "", "2]"}, {"[fe80", "", "1%", "]"}} {
		d := endpoint.New("x", args...)
		back, err := endpoint.Parse(d.String())
		if err != nil || back != d || !slices.Equal(back.Args(), args) {
			t.Errorf("%q is %q and comes back as %q, %v", args, d, back.Args(), err)
		}
	}
	s := "x:" + endpoint.Escape("[") + ":" + endpoint.Escape("") + ":" + endpoint.Escape("1]")
	if d, err := endpoint.Parse(s); err != nil || !slices.Equal(d.Args(), []string{"[", "", "1]"}) {
		t.Errorf("%q is %q, %v", s, d.Args(), err)
	}
}

func TestEqualMeansEqual(t *testing.T) {
	first, _ := endpoint.Parse(`tcp:[::1]:80:a=b`)
	for s, want := range map[string]bool{
		`TCP:\:\:1:80:a=b`:     true,
		`tcp:[::1]:\8\0:\a=\b`: true,
		`tcp:[::1]:80:a=c`:     false,
		`tcp:\[\:\:1\]:80:a=b`: false,
		`tcp:[::1]:a=b:80`:     false,
	} {
		d, err := endpoint.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if (d == first) != want {
			t.Errorf("%q == %q is %v", s, first, d == first)
		}
	}
	if (endpoint.Description{}).Type() != "" || (endpoint.Description{}).Args() != nil {
		t.Error("the zero Description is not empty")
	}
}

// awkward makes text from what means something, and from what is not text at all.
func awkward() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringOfN(rapid.SampledFrom([]rune(`ab1:\=[]%. é`)), 0, 12, -1),
		rapid.SampledFrom([]string{"::1", "fe80::1%eth0", "fe80::1%a:b=c", "fe80::1%]", "[::1]", "1.2.3.4", "[", "]", "", "[1", "1]", "[fe80::1%a", "\xff\xfe", "İ"}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
	)
}

func TestWhatIsBuiltIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := awkward().Filter(func(s string) bool { return s != "" }).Draw(t, "type")
		args := rapid.SliceOfN(awkward(), 0, 4).Draw(t, "args")
		opts := rapid.MapOfN(awkward(), awkward(), 0, 4).Draw(t, "options")
		d := endpoint.New(typ, args...)
		keys := slices.Sorted(maps.Keys(opts))
		for _, k := range keys {
			d = d.With(k, opts[k])
		}
		back, err := endpoint.Parse(d.String())
		if err != nil || back != d {
			t.Fatalf("%q comes back as %q, %v", d, back, err)
		}
		if !slices.Equal(back.Args(), args) && len(args) > 0 {
			t.Fatalf("%q has arguments %q, want %q", d, back.Args(), args)
		}
		got := options(back)
		if len(got) != len(keys) {
			t.Fatalf("%q has options %q, want %q", d, got, opts)
		}
		for i, k := range keys {
			if got[i] != (option{k, opts[k]}) {
				t.Fatalf("%q has option %q, want %q", d, got[i], option{k, opts[k]})
			}
		}
		if len(args) > 0 && args[0] != "" {
			rest, err := endpoint.New("x", append([]string{typ}, args...)...).Rest()
			if want := endpoint.New(typ, args...); err != nil || rest != want {
				t.Fatalf("rest is %q, %v, want %q", rest, err, want)
			}
		}
	})
}

func TestEscapedTextIsReadBackWhereverItStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := awkward().Draw(t, "text")
		d, err := endpoint.Parse("x:" + endpoint.Escape(s) + ":-" + endpoint.Escape(s) + "-:k=" + endpoint.Escape(s))
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := d.Option("k"); v != s || !slices.Equal(d.Args(), []string{s, "-" + s + "-"}) {
			t.Fatalf("%q is read as %q and %q", s, d.Args(), v)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		``, `tcp:80`, `tcp:[::1]:80`, `TCP:80:interface=[fe80::1%eth0]:backlog=5`, `a::b`, `a:b\=c=d`, `k=v:a`,
		`haproxy:unix:/a\=b`, `a:\`, `a:b=1:b=2`, `unix:@name:mode=660`, "a:\xff\\\xfe", `[::]`, `a:[::1`, `a:[::1]x:[]`,
		strings.Repeat("[:", 100),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := endpoint.Parse(s)
		if err != nil {
			var e *endpoint.Error
			if !errors.As(err, &e) || e.Description != s || e.Pos < 0 || e.Pos > len(s) || e.Field == "" || e.Reason == "" {
				t.Fatalf("Parse(%q): %#v", s, err)
			}
			return
		}
		again, err := endpoint.Parse(d.String())
		if err != nil || again != d {
			t.Fatalf("Parse(%q) is %q and comes back as %q, %v", s, d, again, err)
		}
		built := endpoint.New(d.Type(), d.Args()...)
		for k, v := range d.Options() {
			built = built.With(k, v)
		}
		if built.Type() != d.Type() || !slices.Equal(built.Args(), d.Args()) || !slices.Equal(options(built), options(d)) {
			t.Fatalf("Parse(%q) is %q, its parts make %q", s, d, built)
		}
		if rest, err := d.Rest(); err == nil && len(d.Args()) != len(rest.Args())+1 {
			t.Fatalf("the rest of %q is %q", d, rest)
		}
		// No transport may panic on, or be opened by, what is checked only.
		for _, check := range []func(string) error{
			func(s string) error { _, err := endpoint.Default().Server(s); return err },
			func(s string) error { _, err := endpoint.Default().Client(s); return err },
		} {
			var e *endpoint.Error
			if err := check(s); err != nil && (!errors.As(err, &e) || e.Field == "" || e.Pos < 0 || e.Pos > len(e.Description)) {
				t.Fatalf("%q: %#v", s, err)
			}
		}
	})
}
