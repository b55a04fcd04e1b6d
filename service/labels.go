package service

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
)

// label is the key of the profiler label that hooks carry; the value is the path at the start.
const label = "service"

// labelled is the label that the hooks of l carry.
func (l *life) labelled() string {
	path, _ := pprof.Label(pprof.WithLabels(context.Background(), l.labels), label)
	return path
}

// unlabelled runs f on a goroutine that carries no label, whoever starts it.
func unlabelled(f func()) {
	go func() {
		pprof.SetGoroutineLabels(context.Background())
		f()
	}()
}

// takeStacks fills in where the goroutines of the late ones stand, from one profile, and empties the
// list.
func (list *lateList) takeStacks() {
	list.mu.Lock()
	late := list.all
	list.all = nil
	list.mu.Unlock()
	if len(late) == 0 {
		return
	}
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return
	}
	records := strings.Split(profile.String(), "\n\n")
	for _, e := range late {
		mark := fmt.Sprintf("%q:%q", label, e.label)
		var own strings.Builder
		for _, r := range records {
			if _, labels, ok := strings.Cut(r, "\n# labels: {"); ok {
				line, _, _ := strings.Cut(labels, "\n")
				if strings.Contains(line, mark) {
					own.WriteString(r + "\n")
				}
			}
		}
		if own.Len() > 0 {
			stacks := own.String()
			e.stacks.Store(&stacks)
		}
	}
}
