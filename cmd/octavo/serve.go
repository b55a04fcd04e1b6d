package main

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/octavo-go/octavo/endpoint"
	"github.com/octavo-go/octavo/service"
	"github.com/octavo-go/octavo/tub"
)

type serveCommand struct {
	Dir      string   `type:"path" placeholder:"DIR" help:"Keep the node's identity, ports and names here; one node at a time. Default: octavo in $$XDG_STATE_HOME, or in ~/.local/state."`
	Listen   []string `sep:"none" placeholder:"ENDPOINT" default:"tcp:0:interface=127.0.0.1" help:"Listen here, for example on tcp:7000. Can be given more than once. Port 0 is any free port, which the node then keeps. none: do not listen. Default: ${default}."`
	Location []string `sep:"none" placeholder:"HINT" help:"Publish this hint, such as tcp:example.org:7000, instead of where the node listens. Can be given more than once."`
	FURLFile string   `name:"furl-file" type:"path" placeholder:"FILE" help:"Write the node's FURL to this file, too."`
	LogLevel string   `enum:"debug,info,warn,error" default:"warn" placeholder:"LEVEL" help:"Log what is at least this important, to standard error: ${enum}. Default: ${default}."`
}

// Help is the text behind the usage line.
func (serveCommand) Help() string {
	return `Prints, one a line: the FURL of the node object ("furl: …"), where it listens ("listening: …", one line a ` +
		`listener), and "ready" when everything runs. The FURL is the same after a restart. The node object answers echo(x), ` +
		`version() and tree().

SIGINT or SIGTERM stops the node in order; a second one ends it at once.`
}

// Run runs the node until a signal or a failure stops it.
func (s *serveCommand) Run(e *env) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Dir == "" {
		var err error
		if s.Dir, err = defaultDir(); err != nil {
			return err
		}
	}
	dir, err := openStateDir(s.Dir)
	if err != nil {
		return startError{err}
	}
	defer dir.Close()
	n, err := s.node(e, dir)
	if err != nil {
		return err
	}
	return n.explain(service.Run(e.ctx, n.root))
}

const noListener = "none"

// check finds what is wrong with the flags before anything is touched.
func (s *serveCommand) check() error {
	for _, l := range s.Listen {
		if l == noListener {
			if len(s.Listen) > 1 {
				return usage("--listen none stands alone: it means that the node does not listen")
			}
			if len(s.Location) == 0 {
				return usage("--listen none without --location HINT: there is nothing to publish, nobody could find the node")
			}
			s.Listen = nil
			return nil
		}
		if _, err := endpoint.Default().Server(l); err != nil {
			return usage("--listen: %w", err)
		}
	}
	return nil
}

// node builds the tree, from the root down: the Tub with its listeners, and
// then the part that tells that all of it is up.
func (s *serveCommand) node(e *env, dir *stateDir) (*node, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return nil, usageError{err}
	}
	log := slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: level}))
	kept, err := loadPorts(dir.file(portsFile))
	if err != nil {
		return nil, startError{err}
	}
	bindings, err := kept.bind(s.Listen)
	if err != nil {
		return nil, usageError{err}
	}
	t, err := tub.New(tub.CertFile(dir.file(identityFile)), tub.Name("tub"), tub.Logger(log))
	if err != nil {
		return nil, startError{err}
	}
	if len(s.Location) > 0 {
		if err := t.SetLocation(s.Location...); err != nil {
			return nil, usage("--location: %w", err)
		}
	}
	n := &node{root: service.NewMulti("octavo"), tub: t, ports: kept, bindings: bindings, out: e.out,
		furlFiles: furlFiles{kept: dir.file(nodeFile), extra: s.FURLFile}}
	for _, b := range bindings {
		if err := n.listenOn(b, log); err != nil {
			return nil, usage("--listen: %w", err)
		}
	}
	services := []service.Service{t}
	if testServices != nil {
		services = append(services, testServices()...)
	}
	if err := n.root.Add(append(services, n.announcement())...); err != nil {
		return nil, startError{err}
	}
	return n, nil
}

// testServices makes services that tests want to have in the tree.
var testServices func() []service.Service

// explain makes the error of a kept port that somebody else has taken say what
// to do about it.
func (n *node) explain(err error) error {
	var taken *endpoint.Error
	if !errors.As(err, &taken) || !errors.Is(taken, syscall.EADDRINUSE) {
		return err
	}
	for _, b := range n.bindings {
		if b.kept != 0 && b.endpoint == taken.Description {
			return startError{fmt.Errorf("port %d, which --listen %s had before, is taken by another program: "+
				"free it, or delete %s to get another port, which changes the FURL", b.kept, b.listen, n.ports.file)}
		}
	}
	return err
}
