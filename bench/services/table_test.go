package main

import (
	"bytes"
	"slices"
	"testing"
)

func TestTable(t *testing.T) {
	m := measure{name: "run", base: "floor"}
	at := func(name string, k kind, taken ...sample) *row {
		return &row{measure: m, n: 10, subject: subject{name: name, kind: k, slow: 0}, taken: taken}
	}
	slow := at("slow", peer, sample{wall: 4e6, cpu: 3e6})
	slow.subject.slow = 10
	other := at("floor", raw, sample{wall: 1, cpu: 1}) // of another number of children
	other.n = 1
	rows := []*row{
		at("floor", raw, sample{wall: 1000, cpu: 2000}, sample{wall: 1200, cpu: 2000}),
		at("ours", ours,
			sample{wall: 3000, cpu: 3000, making: 1000, start: 1500, stop: 500},
			sample{live: 4000.4, allocs: 9.04},
			sample{wall: 9999000, cpu: 3300, making: 1000, start: 1500, stop: 800},
			sample{wall: 3300, cpu: 2700, making: 1000, start: 1500, stop: 200}),
		at("peer", peer, sample{wall: 6600, cpu: 12000}),
		slow,
		other,
	}
	var out bytes.Buffer
	if err := printTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	want := `
| measure |  N | subject        | wall µs |    ×raw |  ×peer | CPU µs |    ×raw |  ×peer | spread | make | start | stop | live B | allocs |
|---------|---:|----------------|--------:|--------:|-------:|-------:|--------:|-------:|-------:|-----:|------:|-----:|-------:|-------:|
| run     | 10 | floor          |    1.10 |    1.00 |   0.17 |   2.00 |    1.00 |   0.17 |     0% |      |       |      |        |        |
| run     | 10 | ours           |    3.30 |    3.00 |   0.50 |   3.00 |    1.50 |   0.25 |    20% | 1.00 |  1.50 | 0.50 |   4000 |    9.0 |
| run     | 10 | peer           |    6.60 |    6.00 |   1.00 |   12.0 |    6.00 |   1.00 |        |      |       |      |        |        |
| run     | 10 | slow (1 round) |    4000 | 3636.36 | 606.06 |   3000 | 1500.00 | 250.00 |        |      |       |      |        |        |
| run     |  1 | floor          |    0.00 |    1.00 |        |   0.00 |    1.00 |        |        |      |       |      |        |        |
`[1:]
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestParseSizes(t *testing.T) {
	got, err := parseSizes("100, 1,10,100")
	if want := []int{1, 10, 100}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestPlan looks at what is compared with what.
func TestPlan(t *testing.T) {
	ids := map[string]bool{}
	for _, m := range measures {
		if !slices.ContainsFunc(m.subjects, func(s subject) bool { return s.name == m.base && s.kind == raw }) {
			t.Errorf("%s: there is no raw subject %s", m.name, m.base)
		}
		if !slices.ContainsFunc(m.subjects, func(s subject) bool { return s.kind == ours }) {
			t.Errorf("%s: nothing of ours", m.name)
		}
	}
	for _, r := range plan(measures, []int{1, 10_000}, everything) {
		if ids[r.id()] {
			t.Errorf("%s is there twice", r.id())
		}
		ids[r.id()] = true
		if r.n < r.measure.least {
			t.Errorf("%s is there", r.id())
		}
	}
	for _, id := range []string{"run/1/octavo", "hooks/10000/octavo", "add+remove/10000/octavo"} {
		if !ids[id] {
			t.Errorf("%s is not there", id)
		}
	}
}
