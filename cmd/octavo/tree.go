package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/octavo-go/octavo/tub"
)

type treeCommand struct {
	Dir     string        `type:"path" placeholder:"DIR" help:"Of the node that keeps its files here. Default: as for serve."`
	Timeout time.Duration `default:"30s" placeholder:"30s" help:"Give up after this long."`

	FURL string `arg:"" name:"FURL" optional:"" help:"Of this node, instead: its FURL, @FILE or -."`
}

// Run asks a node for its tree and draws it.
func (c *treeCommand) Run(e *env) error {
	furl, err := c.furl(e)
	if err != nil {
		return err
	}
	return e.withClient(c.Timeout, func(ctx context.Context, client *client) error {
		ref, err := client.reach(ctx, furl)
		if err != nil {
			return err
		}
		root, err := ref.Call(ctx, "tree")
		if err != nil {
			return ofMethod(err, "tree")
		}
		var drawing strings.Builder
		if err := draw(&drawing, root, 0); err != nil {
			return err
		}
		_, err = fmt.Fprint(e.out, drawing.String())
		return err
	})
}

func (c *treeCommand) furl(e *env) (tub.FURL, error) {
	switch {
	case c.FURL != "" && c.Dir != "":
		return tub.FURL{}, usage("give a FURL or --dir, not both")
	case c.FURL != "":
		return e.furl(c.FURL)
	}
	dir := c.Dir
	if dir == "" {
		var err error
		if dir, err = defaultDir(); err != nil {
			return tub.FURL{}, err
		}
	}
	text, err := readFURLFile(filepath.Join(dir, nodeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return tub.FURL{}, fmt.Errorf("no node has run in %s: start one with octavo serve, or give a FURL", dir)
	}
	if err != nil {
		return tub.FURL{}, err
	}
	furl, err := tub.ParseFURL(text)
	e.secrets.add(furl)
	return furl, err
}

// What is drawn of a tree, at most: it comes from the other side, where a few
// parts that contain one another can make it endless.
const (
	maxTreeDepth = 100
	maxTreeText  = 16 << 20
)

// draw writes a service, one line, and those below it, indented.
func draw(b *strings.Builder, tree any, depth int) error {
	if depth == maxTreeDepth || b.Len() > maxTreeText {
		return errors.New("the tree is too large to be drawn")
	}
	d, ok := tree.(*tub.Dict)
	if !ok {
		return fmt.Errorf("the object is no node: a service is a %T", tree)
	}
	name, hasName := get[string](d, "name")
	state, hasState := get[string](d, "state")
	children, hasChildren := get[[]any](d, "children")
	if !hasName || !hasState || !hasChildren {
		return errors.New("the object is no node: a service has no name, state or children")
	}
	fmt.Fprintf(b, "%s%s %s\n", strings.Repeat("  ", depth), printable(name), printable(state))
	for _, child := range children {
		if err := draw(b, child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func get[T any](d *tub.Dict, key string) (T, bool) {
	v, _ := d.Get(key)
	t, ok := v.(T)
	return t, ok
}
