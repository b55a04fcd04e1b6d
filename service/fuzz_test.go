package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

var errSick = errors.New("sick")

// A double is a service and the figure of it in the model.
type double struct {
	*figure
	service.Service
	multi *service.MultiService

	fails atomic.Value // chan error: what its Run returns, or panics with
	hang  atomic.Pointer[chan struct{}]
	owed  atomic.Int32
	runs  atomic.Int32
}

var errPanic = errors.New("panic with it")

func (d *double) hooks(f *forest) service.Hooks {
	return service.Hooks{
		Start: func(ctx context.Context) error {
			if d.sick {
				return errSick
			}
			if d.owed.Add(1) != 1 {
				f.wrong("%s: a second copy is started", d.name)
			}
			f.journal.write("+" + d.name)
			return nil
		},
		Run: func(ctx context.Context) error {
			if d.runs.Add(1) != 1 || d.owed.Load() != 1 {
				f.wrong("%s: a second copy runs", d.name)
			}
			defer d.runs.Add(-1)
			c := make(chan error)
			d.fails.Store(c)
			select {
			case err := <-c:
				if err == errPanic {
					panic(err)
				}
				return err
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		},
		Stop: func(ctx context.Context) error {
			if d.owed.Add(-1) != 0 || d.runs.Load() != 0 {
				f.wrong("%s: Stop out of turn", d.name)
			}
			f.journal.write("-" + d.name)
			if hang := d.hang.Load(); hang != nil {
				<-*hang
			}
			return nil
		},
	}
}

// A forest is the trees of one run, made of bytes, and their model.
type forest struct {
	t       *testing.T
	bytes   []byte
	all     []*double
	model   model
	journal journal
	ordered bool // no group goes side by side
	steps   []string

	mu     sync.Mutex
	wrongs []string // guarded by mu
}

func (f *forest) wrong(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrongs = append(f.wrongs, fmt.Sprintf(format, args...))
}

// draw takes the next byte, as a number below n.
func (f *forest) draw(n int) int {
	if len(f.bytes) == 0 {
		return 0
	}
	b := f.bytes[0]
	f.bytes = f.bytes[1:]
	return int(b) % n
}

func newForest(t *testing.T, bytes []byte) *forest {
	f := &forest{t: t, bytes: bytes, ordered: true}
	for i := range 5 + f.draw(10) {
		d := &double{figure: &figure{
			name: fmt.Sprint("n", i%11), group: i%5 < 2, policy: f.draw(3), special: f.draw(5) == 0,
			strategy: service.Group(f.draw(3)),
			backoff: service.Backoff{
				Initial: time.Second + time.Duration(i)*(137*time.Millisecond+time.Microsecond),
				Stable:  10 * time.Second, Limit: 2, Within: 30 * time.Second,
			},
		}}
		d.backoff.Max = 3 * d.backoff.Initial
		opts := []service.Option{service.OnFailure([]service.Policy{service.Escalate, service.Ignore, service.Restart(d.backoff)}[d.policy])}
		if d.special {
			opts = append(opts, service.Significant())
		}
		if !d.group {
			d.Service = service.New(d.name, d.hooks(f), opts...)
		} else {
			opts = append(opts, service.Strategy(d.strategy))
			if f.draw(6) == 0 {
				opts = append(opts, service.SideBySide())
				f.ordered = false
			}
			d.multi = service.NewMultiBase(nil, d.name, d.hooks(f), opts...)
			d.Service = d.multi
		}
		f.all = append(f.all, d)
		f.model.all = append(f.model.all, d.figure)
	}
	for i, d := range f.all[1:] { // below one of those before it, mostly
		if p := f.all[f.draw(i+1)]; f.draw(8) > 0 {
			f.add(d, p)
		}
	}
	return f
}

// real is the service that the figure stands for.
func (f *forest) real(fig *figure) service.Service {
	for _, d := range f.all {
		if d.figure == fig {
			return d.Service
		}
	}
	return nil
}

func (f *forest) say(format string, args ...any) {
	f.steps = append(f.steps, fmt.Sprintf(format, args...))
}

// step makes one request and checks all.
func (f *forest) step() bool {
	d, p := f.all[f.draw(len(f.all))], f.all[f.draw(len(f.all))]
	switch f.draw(20) {
	case 0, 1:
		f.add(d, p)
	case 2:
		f.remove(d)
	case 3:
		f.move(d, p)
	case 4, 5:
		f.handOver(d, p)
	case 6, 7, 8, 9:
		f.start(d, f.draw(8) == 0)
	case 10:
		f.stop(d)
	case 11, 12, 13, 14:
		f.end(d, errBoom)
	case 15:
		f.end(d, errPanic)
	case 16:
		f.end(d, nil)
	case 17:
		f.late(d, f.draw(4), f.draw(2) == 0)
	case 18:
		f.sicken(d, f.draw(3) > 0)
	case 19:
		f.start(f.all[0], false)
	}
	synctest.Wait()
	f.check()
	f.pass([]time.Duration{0, time.Microsecond, 3 * time.Second, 15 * time.Second}[f.draw(4)])
	f.check()
	return len(f.wrongs) == 0
}

// pass lets the time go by, from one restart to the next.
func (f *forest) pass(d time.Duration) {
	for until := time.Now().Add(d); ; {
		at, happen := f.model.next()
		if happen == nil || at.After(until) {
			time.Sleep(time.Until(until))
			synctest.Wait()
			return
		}
		time.Sleep(time.Until(at))
		synctest.Wait()
		f.say("restart at %v", at.Format("04:05.000000"))
		happen()
		f.check()
	}
}

func (f *forest) check() {
	lines, want := f.journal.take(), strings.Join(f.model.journal, " ")
	ordered := f.ordered && !f.model.loose
	f.model.journal, f.model.loose = nil, false
	if ordered && lines != want {
		f.wrong("hooks: %s\n      want: %s", lines, want)
	}
	for _, d := range f.all {
		if got := d.State(); got != d.figure.state {
			f.wrong("%s is %v, want %v (%v)", d.path(), got, d.figure.state, d.Err())
		}
		if got := d.Path(); got != d.path() {
			f.wrong("%s has the path %s", d.path(), got)
		}
		if err := d.Err(); (err != nil) != (d.figure.state == service.Failed) {
			f.wrong("%s is %v with the error %v", d.path(), d.figure.state, err)
		}
		running := int32(0)
		if d.active() {
			running = 1
		}
		if owed, runs := d.owed.Load(), d.runs.Load(); owed != running || runs != running {
			f.wrong("%s is %v, owes %d stops and has %d runs", d.path(), d.State(), owed, runs)
		}
		if (d.Parent() == nil) != (d.figure.parent == nil) || d.Parent() != nil && d.Parent().Self() != f.real(d.figure.parent) {
			f.wrong("%s has the parent %v", d.path(), d.Parent())
		}
		if d.multi == nil {
			continue
		}
		if got := collect(d.multi); !slices.EqualFunc(got, d.figure.children, func(s service.Service, c *figure) bool { return s == f.real(c) }) {
			f.wrong("%s has the children %v", d.path(), got)
		}
		for _, c := range d.figure.children {
			if d.multi.Child(c.name) != f.real(c) {
				f.wrong("%s is not found by its name", c.path())
			}
		}
	}
}

// treeOf makes a forest of the bytes, lets them drive it, and returns how many steps that were.
func treeOf(t *testing.T, bytes []byte) (steps int) {
	var f *forest
	defer guard(t, func() string { return f.String() })()
	synctest.Test(t, func(t *testing.T) {
		fullPauses(t)
		f = newForest(t, bytes)
		for len(f.bytes) > 0 && f.step() {
			steps++
		}
		for _, d := range f.all {
			if len(f.wrongs) == 0 {
				f.stop(d)
				f.check()
			} else {
				d.Stop(t.Context())
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(f.wrongs) > 0 {
			t.Errorf("%s\nafter:\n%s", strings.Join(f.wrongs, "\n"), f)
		}
	})
	return steps
}

// String is the last steps, what should be and what is.
func (f *forest) String() string {
	if f == nil {
		return "nothing"
	}
	s := strings.Join(f.steps[max(0, len(f.steps)-30):], "\n") + "\n\nmodel:\n" + f.model.String() + "\ntree:\n"
	for _, d := range f.all {
		if d.figure.parent == nil {
			s += service.Dump(d)
		}
	}
	return s
}

func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// All invariants after each of 10,000 random requests to random trees.
func TestRandomRequestsAgainstTheModel(t *testing.T) {
	seed := rand.Uint64()
	for steps := 0; steps < 10_000 && !t.Failed(); seed++ {
		steps += treeOf(t, random(seed, 1000))
	}
	if t.Failed() {
		t.Logf("the seed was %d", seed-1)
	}
}

// FuzzTree does the same with requests that the fuzzer makes up.
func FuzzTree(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(random(seed, 200))
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { treeOf(t, bytes[:min(len(bytes), 2000)]) })
}
