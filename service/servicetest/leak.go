package servicetest

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/octavo-go/octavo/service"
)

// grace is how long goroutines have to end after the stop has returned.
const grace = time.Second

// wantNoGoroutines fails the test if goroutines of the tree that carries mark outlive the grace.
func wantNoGoroutines(t testing.TB, root service.Service, mark string) {
	t.Helper()
	var left []string
	if poll(grace, func() bool {
		left = labelled(mark)
		return len(left) == 0
	}) {
		return
	}
	t.Errorf("servicetest: goroutines of %s outlive its stop:\n%s", root.Path(), strings.Join(left, "\n"))
}

// labelled are the goroutines with that mark, those with equal stacks and labels as one, as the
// profile has them: with the path of the service in their labels.
func labelled(mark string) (found []string) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return []string{err.Error()}
	}
	want := fmt.Sprintf("%q:%q", label, mark)
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		_, labels, _ := strings.Cut(record, "\n# labels: {")
		if labels, _, _ = strings.Cut(labels, "\n"); strings.Contains(labels, want) {
			found = append(found, record)
		}
	}
	return found
}

// poll asks until ok or until d has passed, at first often. It sleeps in between, which in a bubble
// costs no time and lets all that can go on go on.
func poll(d time.Duration, ok func() bool) bool {
	for began := time.Now(); !ok(); {
		waited := time.Since(began)
		if waited >= d {
			return false
		}
		time.Sleep(min(max(time.Millisecond, waited/20), d-waited))
	}
	return true
}
