package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A sample is what one process has measured, by column: per child, or per operation. Times are in
// nanoseconds.
type sample map[column]float64

type column string

const (
	wall   column = "wall"
	cpu    column = "cpu" // user and system, of the whole process
	making column = "make"
	start  column = "start"
	stop   column = "stop"
	live   column = "live"   // bytes of heap and stacks after a collection
	allocs column = "allocs" // heap allocations
)

// A kind says what a subject is compared as.
type kind int

const (
	ours kind = iota
	peer
	raw // goroutines or calls, without a library
)

// A subject is one way of doing what is measured.
type subject struct {
	name string
	kind kind

	// time measures wall and cpu with n children, and memory live and allocs; nil where that has
	// no meaning. Work is how many children or operations there should be in all, so that it takes
	// long enough.
	time   func(n, work int) (sample, error)
	memory func(n, work int) (sample, error)

	// slow is the number of children from which on one round of time has to do; 0: never.
	slow int
}

// A measure is one thing that is measured with several subjects.
type measure struct {
	name     string
	base     string // the raw subject that ratios are to
	least    int    // smaller numbers of children say nothing; they are left out
	subjects []subject
}

// measures is all there is to measure. Each measure adds itself, from a file of its own; they stand in
// the order of the files.
var measures []measure

func register(m measure) { measures = append(measures, m) }

// find is the figure of that name: measure/n/subject/{time,memory}.
func find(all []measure, id string, work int) (func() (sample, error), error) {
	part := strings.Split(id, "/")
	if len(part) != 4 {
		return nil, fmt.Errorf("%q is not measure/n/subject/{time,memory}", id)
	}
	n, err := strconv.Atoi(part[1])
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%s: %q is not a number of children", id, part[1])
	}
	for _, m := range all {
		for _, s := range m.subjects {
			if m.name != part[0] || s.name != part[2] {
				continue
			}
			take := map[string]func(int, int) (sample, error){"time": s.time, "memory": s.memory}[part[3]]
			if take == nil {
				return nil, fmt.Errorf("%s: there is no such figure", id)
			}
			return func() (sample, error) { return take(n, work) }, nil
		}
	}
	return nil, fmt.Errorf("%s: there is no such measure or subject", id)
}
