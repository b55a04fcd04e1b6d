package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

// A nodeObject is what a node's FURL leads to. It decides about its calls
// itself because its methods have Python's parameters: echo(x) is echo(x=1),
// too.
type nodeObject struct{ root service.Service }

// CallRemote answers echo(x) with x, version() with a text, and tree() with
// the service tree as nested dicts.
func (o *nodeObject) CallRemote(_ context.Context, method string, args tub.Args) (any, error) {
	switch method {
	case "echo":
		return onlyArgument(args, "x")
	case "version":
		return version(), noArguments(args, method)
	case "tree":
		if err := noArguments(args, method); err != nil {
			return nil, err
		}
		return treeOf(o.root)
	}
	return nil, &tub.RemoteError{
		Type:    "builtins.AttributeError",
		Message: fmt.Sprintf("the node has no method %.100q: there are echo, version and tree", method),
	}
}

func onlyArgument(args tub.Args, name string) (any, error) {
	if len(args.Positional) == 1 && len(args.Keywords) == 0 {
		return args.Positional[0], nil
	}
	if v, ok := args.Keywords[name]; ok && len(args.Positional) == 0 && len(args.Keywords) == 1 {
		return v, nil
	}
	return nil, misfit("echo takes one argument, %s", name)
}

func noArguments(args tub.Args, method string) error {
	if len(args.Positional)+len(args.Keywords) > 0 {
		return misfit("%s takes no arguments", method)
	}
	return nil
}

// misfit is what a caller gets whose arguments do not fit.
func misfit(format string, args ...any) error {
	return &tub.RemoteError{Type: "foolscap.tokens.Violation", Message: fmt.Sprintf(format, args...)}
}

// treeOf describes a service and all below it: a dict of its name, its state
// and its children, which are such dicts.
func treeOf(s service.Service) (*tub.Dict, error) {
	children := []any{}
	if group, ok := s.(interface {
		Children() iter.Seq[service.Service]
	}); ok {
		for child := range group.Children() {
			c, err := treeOf(child)
			if err != nil {
				return nil, err
			}
			children = append(children, c)
		}
	}
	return tub.NewDict("name", s.Name(), "state", s.State().String(), "children", children)
}
