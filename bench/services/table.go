package main

import (
	"fmt"
	"io"
	"strings"
)

var heads = []string{
	"measure", "N", "subject",
	"wall µs", "×raw", "×peer",
	"CPU µs", "×raw", "×peer", "spread",
	"make", "start", "stop",
	"live B", "allocs",
}

// printTable prints the medians, as Markdown that is legible as it stands.
func printTable(w io.Writer, rows []*row) error {
	lines := [][]string{heads}
	for _, r := range rows {
		lines = append(lines, r.cells(rows))
	}
	widths := make([]int, len(heads))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for i, line := range lines {
		for j, cell := range line {
			pad := strings.Repeat(" ", widths[j]-len([]rune(cell)))
			if leftward(j) {
				b.WriteString("| " + cell + pad + " ")
			} else {
				b.WriteString("| " + pad + cell + " ")
			}
		}
		b.WriteString("|\n")
		if i == 0 {
			for j, width := range widths {
				if leftward(j) {
					b.WriteString("|" + strings.Repeat("-", width+2))
				} else {
					b.WriteString("|" + strings.Repeat("-", width+1) + ":")
				}
			}
			b.WriteString("|\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// leftward says whether a column is words.
func leftward(column int) bool { return heads[column] == "measure" || heads[column] == "subject" }

func (r *row) cells(rows []*row) []string {
	name := r.subject.name
	if r.once() {
		name += " (1 round)"
	}
	return []string{
		r.measure.name, fmt.Sprint(r.n), name,
		r.micros(wall), r.ratio(wall, rows, isBase), r.ratio(wall, rows, isPeer),
		r.micros(cpu), r.ratio(cpu, rows, isBase), r.ratio(cpu, rows, isPeer), r.percent(cpu),
		r.micros(making), r.micros(start), r.micros(stop),
		r.whole(live), r.tenths(allocs),
	}
}

func isBase(r *row) bool { return r.subject.name == r.measure.base }
func isPeer(r *row) bool { return r.subject.kind == peer }

// ratio is that of r to the cheapest row of the same measure and number that is one of those.
func (r *row) ratio(c column, rows []*row, those func(*row) bool) string {
	mine, ok := r.median(c)
	best := 0.0
	for _, o := range rows {
		if o.measure.name != r.measure.name || o.n != r.n || !those(o) {
			continue
		}
		if v, ok := o.median(c); ok && (best == 0 || v < best) {
			best = v
		}
	}
	if !ok || best == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", mine/best)
}

func (r *row) micros(c column) string {
	ns, ok := r.median(c)
	us := ns / 1000
	switch {
	case !ok:
		return ""
	case us < 9.995:
		return fmt.Sprintf("%.2f", us)
	case us < 99.95:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.0f", us)
}

func (r *row) percent(c column) string {
	if share, ok := r.spread(c); ok {
		return fmt.Sprintf("%.0f%%", 100*share)
	}
	return ""
}

func (r *row) whole(c column) string {
	if v, ok := r.median(c); ok {
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

func (r *row) tenths(c column) string {
	if v, ok := r.median(c); ok {
		return fmt.Sprintf("%.1f", v)
	}
	return ""
}
