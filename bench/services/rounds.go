package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// A row is a subject with a number of children, and what was measured of it.
type row struct {
	measure measure
	n       int
	subject subject
	taken   []sample
}

func (r *row) id() string { return fmt.Sprintf("%s/%d/%s", r.measure.name, r.n, r.subject.name) }

// once says whether one round has to do.
func (r *row) once() bool { return r.subject.slow > 0 && r.n >= r.subject.slow }

// plan is the rows of a run, in the order of the table.
func plan(all []measure, ns []int, filter *regexp.Regexp) (rows []*row) {
	for _, m := range all {
		for _, n := range ns {
			if n < m.least {
				continue
			}
			for _, s := range m.subjects {
				if r := (&row{measure: m, n: n, subject: s}); filter.MatchString(r.id()) {
					rows = append(rows, r)
				}
			}
		}
	}
	return rows
}

// takeAll takes the figures of all rows, round by round. Memory hardly varies: one round has to do.
func takeAll(ctx context.Context, rows []*row, rounds, work int, progress io.Writer) error {
	for i := range rounds {
		began := time.Now()
		for _, r := range rows {
			if i > 0 && r.once() {
				continue
			}
			if err := r.take(ctx, "time", work); err != nil {
				return err
			}
			if i == 0 && r.subject.memory != nil && !r.once() {
				if err := r.take(ctx, "memory", work); err != nil {
					return err
				}
			}
		}
		fmt.Fprintf(progress, "round %d of %d took %v\n", i+1, rounds, time.Since(began).Round(time.Second/10))
	}
	return nil
}

// patience is how long a figure may take. It ends a process whose children do not all come.
const patience = 5 * time.Minute

// take takes one figure of r, in a process of its own.
func (r *row) take(ctx context.Context, what string, work int) error {
	id := r.id() + "/" + what
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done within %v", patience))
	defer cancel()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "-one", id, "-work", strconv.Itoa(work))
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w\n%s", id, err, complaints.Bytes())
	}
	var s sample
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	r.taken = append(r.taken, s)
	return nil
}

// all is what was measured in one column, in order of size.
func (r *row) all(c column) (vs []float64) {
	for _, s := range r.taken {
		if v, ok := s[c]; ok {
			vs = append(vs, v)
		}
	}
	slices.Sort(vs)
	return vs
}

// median is that of one column, or false where nothing was measured.
func (r *row) median(c column) (float64, bool) {
	vs := r.all(c)
	if len(vs) == 0 {
		return 0, false
	}
	return (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2, true
}

// spread is the widest difference between rounds, as a share of the median.
func (r *row) spread(c column) (float64, bool) {
	vs := r.all(c)
	m, _ := r.median(c)
	if len(vs) < 2 || m == 0 {
		return 0, false
	}
	return (vs[len(vs)-1] - vs[0]) / m, true
}
