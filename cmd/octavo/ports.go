package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/octavo-go/octavo/endpoint"
)

// ports remembers which port a --listen string got that left the choice open,
// so that the node's FURL is the same after a restart.
type ports struct {
	file string
	kept []keptPort
}

// A keptPort is one port. Strings that are given twice have two, in order.
type keptPort struct {
	Listen string `json:"listen"`
	Port   int    `json:"port"`
}

func loadPorts(file string) (*ports, error) {
	p := &ports{file: file}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &p.kept)
	}
	if err != nil {
		return nil, fmt.Errorf("kept ports: %s: %w (delete the file to begin anew)", file, err)
	}
	return p, nil
}

// bind returns the endpoint to listen on for each of the --listen strings:
// those with an open port get the one that they had before, if any.
func (p *ports) bind(listen []string) ([]binding, error) {
	free := slices.Clone(p.kept)
	var all []binding
	for _, s := range listen {
		d, err := endpoint.Parse(s)
		if err != nil {
			return nil, err
		}
		b := binding{listen: d.String(), endpoint: d.String()}
		if _, b.open = withPort(d, 0); b.open {
			if i := slices.IndexFunc(free, func(k keptPort) bool { return k.Listen == b.listen }); i >= 0 {
				b.kept = free[i].Port
				free = slices.Delete(free, i, i+1)
				d, _ = withPort(d, b.kept)
				b.endpoint = d.String()
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// A binding is what became of one --listen string.
type binding struct {
	listen   string // as it was typed, in canonical form
	open     bool   // it leaves the choice of the port open
	kept     int    // the port from an earlier run; 0 if there is none
	endpoint string // with that port
}

// save notes the ports that were bound. Those of strings that are not used
// this time stay for the next time they are.
func (p *ports) save(used []keptPort) error {
	all := slices.Clone(used)
	rest := slices.Clone(used)
	for _, k := range p.kept {
		if i := slices.IndexFunc(rest, func(u keptPort) bool { return u.Listen == k.Listen }); i >= 0 {
			rest = slices.Delete(rest, i, i+1) // k was used, or replaced
		} else {
			all = append(all, k)
		}
	}
	if slices.Equal(all, p.kept) {
		return nil
	}
	data, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	if err := writePrivate(p.file, append(data, '\n')); err != nil {
		return fmt.Errorf("kept ports: %w", err)
	}
	p.kept = all
	return nil
}

// withPort sets the port of a tcp endpoint that leaves it open, and reports
// whether it did. Only a bare tcp endpoint says where its port stands.
func withPort(d endpoint.Description, port int) (endpoint.Description, bool) {
	number := strconv.Itoa(port)
	args := d.Args()
	option, keyed := d.Option("port")
	switch {
	case d.Type() != "tcp":
		return d, false
	case keyed:
		return d.With("port", number), isZero(option)
	case len(args) == 0 || !isZero(args[0]):
		return d, false
	}
	args[0] = number
	set := endpoint.New("tcp", args...)
	for key, value := range d.Options() {
		set = set.With(key, value)
	}
	return set, true
}

func isZero(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n == 0
}
