package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
	"github.com/octavo-go/octavo/tub"
)

type callCommand struct {
	Timeout time.Duration `default:"30s" placeholder:"30s" help:"Give up after this long."`

	FURL   string   `arg:"" name:"FURL" passthrough:"partial" help:"The object: a FURL, @FILE that holds one, or - to read it from standard input. Nothing behind it is a flag."`
	Method string   `arg:"" name:"METHOD" help:"What to call."`
	Args   []string `arg:"" name:"ARG" optional:"" help:"A JSON value; what is not JSON is a string. Behind -- come keyword arguments, NAME=VALUE."`
}

// Help is the text behind the usage line.
func (callCommand) Help() string {
	return `Examples:

    octavo call @node.furl echo '[1, 2.0, null]'
    octavo call @node.furl echo '{"$bytes": "AAE="}'
    octavo call pb://TUBID@tcp:10.0.0.5:7000/NAME add 1 2 -- scale=10

The result is one line of JSON. What JSON has no words for is written like this, both ways:

    {"$bytes": "BASE64"}   {"$decimal": "1.50"}   {"$float": "nan"}   {"$furl": "pb://…"}
    {"$tuple": [1, 2]}     {"$set": [1, 2]}       {"$frozenset": []}  {"$dict": [[KEY, VALUE]]}

Integers are exact at any size; 1.0 is a float and 1 is an integer. {"$dict": …} is for keys that are not text.`
}

// Run calls the method and prints what it returned.
func (c *callCommand) Run(e *env) error {
	c.shift()
	furl, err := e.furl(c.FURL)
	if err != nil {
		return err
	}
	call, err := e.parseCall(c.Args)
	if err != nil {
		return usageError{err}
	}
	return e.withClient(c.Timeout, func(ctx context.Context, client *client) error {
		ref, err := client.reach(ctx, furl)
		if err != nil {
			return err
		}
		args, err := call.arguments(func(f tub.FURL) (any, error) { return client.reach(ctx, f) })
		if err != nil {
			return err
		}
		result, err := ref.Call(ctx, c.Method, args...)
		if err != nil {
			return ofMethod(err, c.Method)
		}
		line, err := valuejson.Encode(result)
		if err != nil {
			return fmt.Errorf("%s was called, but its result cannot be printed: %w", c.Method, err)
		}
		_, err = fmt.Fprintf(e.out, "%s\n", line)
		return err
	})
}

// shift drops a -- in front of the FURL, which is taken for the FURL because
// nothing behind a FURL may be taken for a flag.
func (c *callCommand) shift() {
	if c.FURL == "--" && len(c.Args) > 0 {
		c.FURL, c.Method, c.Args = c.Method, c.Args[0], c.Args[1:]
	}
}

// ofMethod names the method in an error that the other side has answered with.
func ofMethod(err error, method string) error {
	var remote *tub.RemoteError
	if errors.As(err, &remote) {
		return fmt.Errorf("%s failed: %w", method, err)
	}
	return err
}
