package service

import (
	"fmt"
	"strings"
)

// Lookup finds the service at path below root, as what it is:
//
//	t, err := service.Lookup[*tub.Tub](app, "net/tub")
//
// A path with a slash in front starts from the top, as [Service.Path] gives it, and must lead
// through root. The empty path is root itself. The error wraps [ErrNotFound], or [ErrWrongType]
// when the service there is not an S.
func Lookup[S Service](root Service, path string) (S, error) {
	var none S
	n := find(root.node(), path)
	if n == nil {
		return none, fmt.Errorf("look up %q below %s: %w", path, root.Path(), ErrNotFound)
	}
	s, ok := n.self.(S)
	if !ok {
		return none, fmt.Errorf("look up %s: %w: it is a %T", n.Path(), ErrWrongType, n.self)
	}
	return s, nil
}

func find(n *Base, path string) *Base {
	if strings.HasPrefix(path, "/") {
		rest, ok := strings.CutPrefix(path, n.Path())
		if !ok || rest != "" && rest[0] != '/' {
			return nil
		}
		path = strings.TrimPrefix(rest, "/")
	}
	if path == "" {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n.group == nil {
			return nil
		}
		child := n.group.Child(name)
		if child == nil {
			return nil
		}
		n = child.node()
	}
	return n
}
