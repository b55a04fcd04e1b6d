package main

import (
	"net"
	"regexp"
	"strings"
	"testing"
)

const noTub = "pb://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@"

// mute returns the hint of a port where connections are accepted by the kernel
// and nobody ever answers.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "tcp:" + l.Addr().String()
}

func TestAnUnreachableTubIsOneLineWithEveryHint(t *testing.T) {
	octavo(t, "call", noTub+"tcp:127.0.0.1:1,127.0.0.1:2,pigeon:x:1/private-name", "m").want(t, 1,
		"tcp:127.0.0.1:1: dial after ", "tcp:127.0.0.1:2: dial after ", "refused", "pigeon:x:1: skipped after ", "; ")
	octavo(t, "call", noTub+"/private-name", "m").want(t, 1, "hint")
}

func TestACallThatTakesTooLongTellsHowFarItCame(t *testing.T) {
	hint := mute(t)
	octavo(t, "call", "--timeout", "500ms", noTub+hint+",tcp:127.0.0.1:1/private-name", "m").want(t, 1,
		hint+": negotiate after ", "no answer within 500ms", "tcp:127.0.0.1:1: dial after ", "refused")
}

func TestDoctorTriesEveryHint(t *testing.T) {
	s := serve(t, t.TempDir())
	hint := strings.TrimPrefix(s.lines[1], "listening: ")
	silent := mute(t)
	furl := strings.Replace(s.furl, hint, "tcp:127.0.0.1:1,pigeon:x:1,"+silent+","+hint, 1)
	got := octavo(t, "doctor", "--timeout", "2s", furl)
	got.want(t, 0)
	time := ` after [0-9.]+(ns|µs|ms|s): `
	want := []string{
		`tcp:127\.0\.0\.1:1: dial` + time + `.*connection refused`,
		`pigeon:x:1: skipped` + time + `no dialer.*`,
		regexp.QuoteMeta(silent) + `: negotiate` + time + `no answer within 2s`,
		regexp.QuoteMeta(hint) + `: lookup` + time + `object found`,
		`object: found by 1 of 4 hints`,
	}
	if !regexp.MustCompile(`^` + strings.Join(want, "\n") + "\n$").MatchString(got.out) {
		t.Errorf("printed\n%s\nwant\n%s", got.out, strings.Join(want, "\n"))
	}
}

func TestDoctorFailsIfNoHintLeadsToTheObject(t *testing.T) {
	s := serve(t, t.TempDir())
	name := s.furl[strings.LastIndex(s.furl, "/"):]
	other := serve(t, t.TempDir())
	for furl, part := range map[string]string{
		strings.Replace(s.furl, name, "/absent", 1):         ": lookup after ",
		noTub + "tcp:127.0.0.1:1" + name:                    ": dial after ",
		strings.Replace(s.furl, "@", "aaaa@", 1) + "absent": "has no object of that name",
		// Another Tub's certificate, and the right TubID.
		s.furl[:5+32] + other.furl[5+32:5+32+52] + s.furl[5+32+52:]: "is not the one that the FURL pins",
		// Another Tub behind the hint.
		strings.Replace(s.furl, s.lines[1][len("listening: "):], other.lines[1][len("listening: "):], 1): ": negotiate after ",
	} {
		got := octavo(t, "doctor", furl)
		got.want(t, 1, "no hint leads to the object")
		if !strings.Contains(got.out, part) || !strings.HasSuffix(got.out, "\nobject: not found\n") {
			t.Errorf("printed %q, want %q in it, and object: not found", got.out, part)
		}
	}
	octavo(t, "doctor", noTub+"/private-name").want(t, 1, "no hints")
	octavo(t, "doctor", "--timeout", "-1s", s.furl).want(t, 2, "--timeout")
}

func TestDoctorTriesNoMoreHintsThanATub(t *testing.T) {
	got := octavo(t, "doctor", noTub+strings.Repeat("tcp:127.0.0.1:1,", 17)+"tcp:127.0.0.1:1/private-name")
	got.want(t, 1)
	if tried, skipped := strings.Count(got.out, ": dial after "), strings.Count(got.out, ": skipped: "); tried != 16 || skipped != 2 {
		t.Errorf("tried %d, skipped %d:\n%s", tried, skipped, got.out)
	}
}
