package main

import (
	"runtime"
	"syscall"
	"time"
)

// A meter reads the clocks, from its making on.
type meter struct {
	began, last reading
	phases      sample // CPU of the phases marked
}

type reading struct {
	at  time.Time
	cpu time.Duration
}

func read() reading {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail
	}
	return reading{time.Now(), time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

// newMeter begins with a heap that holds nothing but what is in use.
func newMeter() *meter {
	runtime.GC()
	now := read()
	return &meter{began: now, last: now, phases: sample{}}
}

// mark ends a phase. Reading the clocks takes about a microsecond: so phases are for what takes much
// longer.
func (m *meter) mark(phase column) {
	now := read()
	m.phases[phase] += float64(now.cpu - m.last.cpu)
	m.last = now
}

// sample is what has passed, divided by the number of children or operations.
func (m *meter) sample(by int) sample {
	now := read()
	s := sample{
		wall: float64(now.at.Sub(m.began.at)) / float64(by),
		cpu:  float64(now.cpu-m.began.cpu) / float64(by),
	}
	for phase, d := range m.phases {
		s[phase] = d / float64(by)
	}
	return s
}

// A scale reads the heap, from its making on.
type scale struct {
	live   int64
	allocs int64
}

// weigh collects garbage first. Stacks count, since a goroutine is what a child costs.
func weigh() scale {
	runtime.GC()
	runtime.GC() // what the first one finalised
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return scale{int64(m.HeapAlloc + m.StackInuse), int64(m.Mallocs)}
}

func (s scale) sample(by int) sample {
	now := weigh()
	return sample{
		live:   float64(now.live-s.live) / float64(by),
		allocs: float64(now.allocs-s.allocs) / float64(by),
	}
}
