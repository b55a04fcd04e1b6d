package tub

import (
	"errors"
	"fmt"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// tubCall is a call to the Tub itself, object number 0: what Foolscap calls
// RIBroker. It goes through the queue like every other call.
func (c *connection) tubCall(dec *decoder, call broker.Call) error {
	var run func(arg func(string) any) (any, error)
	var params []string
	switch call.Method {
	case "getReferenceByName":
		run, params = c.getReferenceByName, []string{"name"}
	case "decref":
		run, params = c.decref, []string{"clid", "count"}
	case "decgift":
		run, params = c.decgift, []string{"giftID", "count"}
	default:
		return banana.Violationf("method %.100q not defined in RIBroker", call.Method)
	}
	var args Args
	if err := dec.freeArguments(&args); err != nil {
		return err
	}
	named, err := args.byName(params)
	if err != nil {
		return err
	}
	c.calls.add(&task{work: func(*hold) {
		var found *object
		c.answer(call, nil, func() (any, error) {
			v, err := run(func(name string) any { return named[name] })
			found, _ = v.(*object)
			return v, err
		})
		if found != nil {
			found.Release() // byName held it
		}
	}})
	return nil
}

// byName matches arguments with parameters that are all required.
func (a *Args) byName(params []string) (map[string]any, error) {
	named := make(map[string]any)
	if len(a.Positional) > len(params) {
		return nil, banana.Violationf("too many positional arguments: %d >= %d", len(a.Positional), len(params))
	}
	for i, v := range a.Positional {
		named[params[i]] = v
	}
	for k, v := range a.Keywords {
		named[k] = v
	}
	for _, p := range params {
		if _, ok := named[p]; !ok {
			return nil, banana.Violationf("missing required argument %q", p)
		}
	}
	if len(named) != len(params) || len(a.Positional)+len(a.Keywords) != len(params) {
		return nil, banana.Violationf("unknown or repeated argument, want %q", params)
	}
	return named, nil
}

func (c *connection) getReferenceByName(arg func(string) any) (any, error) {
	name, ok := arg("name").([]byte)
	if !ok {
		return nil, banana.Violationf("argument name: got %T, want bytes", arg("name"))
	}
	if o := c.tub.byName(string(name)); o != nil {
		return o, nil
	}
	// Who guesses names must not learn from the error how close it came.
	return nil, &RemoteError{
		Type:    "builtins.KeyError",
		Message: fmt.Sprintf("\"unable to find reference for name starting with '%.2s'\"", name),
		Parents: append([]string{"builtins.KeyError", "builtins.LookupError"}, pythonBases...),
	}
}

var errBadCount = errors.New("want two numbers that are not negative")

func (c *connection) decref(arg func(string) any) (any, error) {
	clid, ok := arg("clid").(int64)
	count, ok2 := arg("count").(int64)
	if !ok || !ok2 || clid <= 0 || count < 0 {
		return nil, banana.Violationf("decref: %v", errBadCount)
	}
	return nil, c.link.Decref(clid, uint64(count))
}

// decgift acknowledges a gift. We give none yet, so there is none to forget.
func (c *connection) decgift(arg func(string) any) (any, error) {
	id, ok := arg("giftID").(int64)
	if !ok {
		return nil, banana.Violationf("argument giftID: got %T, want a number", arg("giftID"))
	}
	return nil, &RemoteError{
		Type:    "builtins.KeyError",
		Message: fmt.Sprint(id),
		Parents: append([]string{"builtins.KeyError", "builtins.LookupError"}, pythonBases...),
	}
}
