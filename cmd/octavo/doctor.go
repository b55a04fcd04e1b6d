package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/octavo-go/octavo/tub"
)

type doctorCommand struct {
	Timeout time.Duration `default:"30s" placeholder:"30s" help:"Give a hint up after this long."`

	FURL string `arg:"" name:"FURL" help:"What to try: a FURL, @FILE that holds one, or - to read it from standard input."`
}

// Help is the text behind the usage line.
func (doctorCommand) Help() string {
	return `Each hint is tried on its own and gets a line: the hint, how far it led (skipped, policy, dial, negotiate, lookup), ` +
		`after how long, and what came of it. The last line says whether the object was found.

Exit status 0 if it was found by at least one hint, else 1.`
}

// maxHints is how many hints of a FURL a Tub tries.
const maxHints = 16

// Run tries every hint and prints what came of it, in the order of the FURL.
func (c *doctorCommand) Run(e *env) error {
	furl, err := e.furl(c.FURL)
	if err != nil {
		return err
	}
	if c.Timeout <= 0 {
		return usage("--timeout %v: want more than nothing", c.Timeout)
	}
	hints := furl.Hints()
	if len(hints) == 0 {
		return errors.New("the FURL has no hints: nobody can tell where its Tub is")
	}
	tried := hints[:min(len(hints), maxHints)]
	found := make([]chan trial, len(tried))
	for i, hint := range tried {
		found[i] = make(chan trial, 1)
		go func() { found[i] <- e.try(furl, hint, c.Timeout) }()
	}
	good := 0
	for i, hint := range tried {
		t := <-found[i]
		if t.err == nil {
			good++
		}
		e.say("%s: %s", hint, t)
	}
	for _, hint := range hints[len(tried):] {
		e.say("%s: skipped: a Tub tries %d hints of a FURL", hint, maxHints)
	}
	if good == 0 {
		e.say("object: not found")
		return errors.New("no hint leads to the object")
	}
	e.say("object: found by %d of %d hints", good, len(hints))
	return nil
}

func (e *env) say(format string, args ...any) {
	fmt.Fprintln(e.out, e.line(fmt.Sprintf(format, args...)))
}

// A trial is what became of one hint.
type trial struct {
	stage string // the last one it came to
	after time.Duration
	err   error // nil: the object was found
}

func (t trial) String() string {
	outcome := "object found"
	if t.err != nil {
		outcome = t.err.Error()
	}
	return fmt.Sprintf("%s after %v: %s", t.stage, t.after.Round(100*time.Microsecond), outcome)
}

// try looks for the object by one hint alone, as somebody who has no
// connection to its Tub yet.
func (e *env) try(furl tub.FURL, hint string, timeout time.Duration) trial {
	t := trial{stage: "lookup"}
	began := time.Now()
	t.err = e.withClient(timeout, func(ctx context.Context, c *client) error {
		began = time.Now() // without the time to make an identity
		one, err := withHint(furl, hint)
		if err != nil {
			return err
		}
		_, err = c.reach(ctx, one)
		t.after = time.Since(began)
		return err
	})
	var unreached *tub.ConnectError
	switch {
	case errors.As(t.err, &unreached) && len(unreached.Attempts) > 0:
		last := unreached.Attempts[len(unreached.Attempts)-1]
		t.stage, t.after, t.err = last.Stage, last.After, last.Err
	case errors.Is(t.err, errNoObject):
		t.err = errNoObject // the line names the Tub's hint
	case errors.Is(t.err, tub.ErrWrongTub):
		t.stage = "negotiate" // somebody answered, but the wrong one
	}
	return t
}

// withHint returns the FURL with no other hint than this.
func withHint(f tub.FURL, hint string) (tub.FURL, error) {
	id, _, _ := strings.Cut(f.String(), "@")
	return tub.ParseFURL(id + "@" + hint + "/" + f.Name())
}
