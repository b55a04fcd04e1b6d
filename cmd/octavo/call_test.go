package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryFormOfJSONComesBackFromANode(t *testing.T) {
	s := serve(t, t.TempDir())
	for _, value := range []string{
		`null`, `true`, `false`,
		`0`, `-1`, `9223372036854775807`, `9223372036854775808`, `-123456789012345678901234567890123456789`,
		`1.0`, `-0.5`, `1e+300`, `{"$float":"nan"}`, `{"$float":"inf"}`, `{"$float":"-inf"}`,
		`{"$decimal":"1.50"}`,
		`""`, `"<text> \"with\" \\ and \n and 語"`,
		`{"$bytes":""}`, `{"$bytes":"AAH/"}`,
		`[]`, `[1,[2.0,"three"],null]`,
		`{"$tuple":[]}`, `{"$tuple":[1,{"$tuple":["x"]}]}`,
		`{"$set":[]}`, `{"$set":[1,"1",{"$bytes":"MQ=="}]}`,
		`{"$frozenset":[{"$tuple":[1,2]}]}`,
		`{}`, `{"z":1,"a":{"y":[],"b":{}}}`,
		`{"$dict":[[1,"one"],[{"$tuple":[1,2]},{"$dict":[["$set",[]]]}]]}`,
		`{"$dict":[["$bytes","data"]]}`, `{"$bytes":1,"$tuple":2}`,
		`{"$furl":"` + s.furl + `"}`, `{"$set":[{"$furl":"` + s.furl + `"}]}`,
	} {
		if got := octavo(t, "call", s.furl, "echo", value); got.out != value+"\n" || got.status != 0 {
			t.Errorf("echo %s: %+v", value, got)
		}
	}
}

func TestWhatIsNotJSONIsAString(t *testing.T) {
	s := serve(t, t.TempDir())
	for arg, want := range map[string]string{
		"text":      `"text"`,
		"":          `""`,
		"007":       `"007"`,
		"1 2":       `"1 2"`,
		"None":      `"None"`,
		"{a: 1}":    `"{a: 1}"`,
		"[1,":       `"[1,"`,
		" 1 ":       `1`,
		"--timeout": `"--timeout"`,
		"-h":        `"-h"`,
		"--help":    `"--help"`,
		"-":         `"-"`,
		"@file":     `"@file"`,
	} {
		if got := octavo(t, "call", s.furl, "echo", arg); got.out != want+"\n" {
			t.Errorf("echo %q: %+v, want %s", arg, got, want)
		}
	}
}

func TestBehindTheDashesComeKeywordArguments(t *testing.T) {
	s := serve(t, t.TempDir())
	for _, test := range [][2]string{{"x=[1]", `[1]`}, {"x=a=b", `"a=b"`}, {"x=", `""`}} {
		if got := octavo(t, "call", s.furl, "echo", "--", test[0]); got.out != test[1]+"\n" {
			t.Errorf("echo -- %s: %+v, want %s", test[0], got, test[1])
		}
	}
	octavo(t, "call", s.furl, "echo", "1", "--", "x=2").want(t, 1, "echo takes one argument")
	octavo(t, "call", s.furl, "version", "--").want(t, 0)
	octavo(t, "call", s.furl, "echo", "--", "x").want(t, 2, "NAME=VALUE")
	octavo(t, "call", s.furl, "echo", "--", "=x").want(t, 2, "NAME=VALUE")
	octavo(t, "call", s.furl, "echo", "--", "x=1", "--", "y=2").want(t, 2, "NAME=VALUE")
	octavo(t, "call", s.furl, "echo", "--", "x=1", "x=2").want(t, 2, "x comes twice")
	octavo(t, "call", s.furl, "echo", "--", `x={"$float":0}`).want(t, 2, "argument x", "$float")
}

func TestAFURLCanBeReadFromAFileOrStandardInput(t *testing.T) {
	s := serve(t, t.TempDir())
	file := filepath.Join(s.dir, nodeFile)
	if got := octavo(t, "call", "@"+file, "echo", "1"); got.out != "1\n" {
		t.Errorf("from a file: %+v", got)
	}
	if got := octavoWith(t, " "+s.furl+"\r\n", "call", "--timeout", "20s", "-", "echo", "1"); got.out != "1\n" {
		t.Errorf("from standard input: %+v", got)
	}
	if got := octavo(t, "call", "--", s.furl, "echo", "1", "--"); got.out != "1\n" {
		t.Errorf("behind --: %+v", got)
	}
	octavo(t, "call", "@"+file+".not", "echo").want(t, 2, file+".not")
	octavoWith(t, "", "call", "-", "echo").want(t, 2, "not a FURL")
	octavo(t, "call", "--", s.furl).want(t, 2)
}

func TestACallThatFailsIsOneLine(t *testing.T) {
	s := serve(t, t.TempDir())
	octavo(t, "call", s.furl, "fly").want(t, 1, "fly failed", "AttributeError", `no method "fly"`)
	octavo(t, "call", s.furl, "version", "1").want(t, 1, "takes no arguments")
	elsewhere := serve(t, t.TempDir())
	octavo(t, "call", s.furl, "echo", `{"$furl":"`+elsewhere.furl+`"}`).want(t, 1, "argument 0")
}

func TestWrongArgumentsAreUsageErrors(t *testing.T) {
	// Nothing is dialled: nobody listens there.
	const furl = "pb://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@tcp:127.0.0.1:1/private-name"
	octavo(t, "call", furl, "m", `{"a":1,"a":2}`).want(t, 2, "argument 1", `"a" comes twice`)
	octavo(t, "call", furl, "m", "1", `{"$no":1}`).want(t, 2, "argument 2", "$no")
	octavo(t, "call", furl, "m", "1e999").want(t, 2, "argument 1", "float")
	octavo(t, "call", furl, "m", "\xff").want(t, 2, "word 4", "UTF-8", "$bytes")
	octavo(t, "serve", "--dir", "\xff").want(t, 2, "word 3")
	octavo(t, "call", furl, "m", `{"$furl":"nonsense"}`).want(t, 2, "argument 1", "not a FURL")
	octavo(t, "call", "nonsense", "m").want(t, 2, "not a FURL")
	octavo(t, "call", furl).want(t, 2, "METHOD")
	octavo(t, "call").want(t, 2, "FURL")
	octavo(t, "call", "--timeout", "0s", furl, "m").want(t, 2, "--timeout")
	octavo(t, "call", "--nonsense", furl, "m").want(t, 2, "--nonsense")
}

func TestNoErrorGivesASecretAway(t *testing.T) {
	s := serve(t, t.TempDir())
	secret := s.furl[strings.LastIndex(s.furl, "/")+1:]
	absent := strings.Replace(s.furl, secret, "qqqqzzzzqqqqzzzz", 1)
	closed := strings.Replace(s.furl, s.lines[1][len("listening: "):], "tcp:127.0.0.1:1", 1)
	for _, args := range [][]string{
		{"call", s.furl},
		{"call", s.furl, "fly"},
		{"call", s.furl, secret},
		{"call", closed, "echo"},
		{"call", s.furl, "echo", `{"$furl":"` + closed + `x"}`},
		{"call", absent, "echo"},
		{"doctor", absent},
		{"doctor", closed},
		{"doctor", s.furl, s.furl},
		{"tree", s.furl, s.furl},
		{s.furl},
		{s.furl + " " + secret},
		{"call", closed + " " + secret, "echo"},
		{"serve", "--" + s.furl},
		{"serve", "--listen", s.furl},
		{"serve", "--listen", "none", "--dir", t.TempDir(), "--location", s.furl},
	} {
		got := octavo(t, args...)
		if got.status == 0 {
			t.Errorf("%q did not fail", args)
		}
		for _, name := range []string{secret, "'qq'", "qqqqzzzz", "qqq"} {
			if strings.Contains(got.out+got.err, name) {
				t.Errorf("octavo %.8q printed %s%s", args[0], got.out, got.err)
			}
		}
	}
}
