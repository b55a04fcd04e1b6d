package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-go/octavo/cmd/octavo/internal/valuejson"
	"github.com/octavo-go/octavo/tub"
)

// A typedCall holds the arguments of a call as they were typed. They are
// checked before anything is dialled, and read when there is a connection over
// which the FURLs among them can be resolved.
type typedCall struct {
	positional []string
	keywords   [][2]string // name and value
}

func (e *env) parseCall(args []string) (*typedCall, error) {
	c := &typedCall{positional: args}
	if i := slices.Index(args, "--"); i >= 0 {
		c.positional = args[:i]
		for _, arg := range args[i+1:] {
			name, value, ok := strings.Cut(arg, "=")
			if !ok || name == "" {
				return nil, fmt.Errorf("behind -- come keyword arguments: %.40q is no NAME=VALUE", arg)
			}
			if slices.ContainsFunc(c.keywords, func(kw [2]string) bool { return kw[0] == name }) {
				return nil, fmt.Errorf("keyword argument %s comes twice", name)
			}
			c.keywords = append(c.keywords, [2]string{name, value})
		}
	}
	_, err := c.arguments(func(f tub.FURL) (any, error) {
		e.secrets.add(f)
		return &standIn{f}, nil
	})
	return c, err
}

// A standIn is in the place of a reference while arguments are checked. It is
// a pointer because references can be members of sets and keys, too.
type standIn struct{ furl tub.FURL }

// arguments reads what was typed into what is sent.
func (c *typedCall) arguments(resolve valuejson.Resolver) ([]any, error) {
	var args []any
	for i, text := range c.positional {
		v, err := argument(text, resolve)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		args = append(args, v)
	}
	if len(c.keywords) == 0 {
		return args, nil
	}
	keywords := make(tub.Keywords)
	for _, kw := range c.keywords {
		v, err := argument(kw[1], resolve)
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", kw[0], err)
		}
		keywords[kw[0]] = v
	}
	return append(args, keywords), nil
}

// argument reads one ARG: a JSON value, or else a string.
func argument(text string, resolve valuejson.Resolver) (any, error) {
	v, err := valuejson.Parse(text, resolve)
	if errors.Is(err, valuejson.ErrSyntax) {
		return text, nil
	}
	return v, err
}
