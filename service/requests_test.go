package service_test

import (
	"context"
	"errors"
	"strings"
	"testing/synctest"
	"time"

	"github.com/octavo-go/octavo/service"
)

// The requests that are made of a forest, each of the services and of their model.

// want checks what a request has returned.
func (f *forest) want(got error, want error) {
	if (got == nil) != (want == nil) || !errors.Is(got, want) {
		f.wrong("got the error %v, want %v", got, want)
	}
}

func (f *forest) add(d, p *double) {
	f.say("add %s to %s", d.path(), p.path())
	err := d.SetParent(p.multi)
	f.want(err, f.modelAdd(d.figure, p.figure))
}

func (f *forest) modelAdd(d, p *figure) error {
	switch {
	case !p.group:
		return service.ErrNoParent
	case d.parent != nil:
		return service.ErrHasParent
	case d.above(p):
		return service.ErrCycle
	case d.active():
		return service.ErrBusy
	case p.child(d.name) != nil:
		return service.ErrNameTaken
	}
	d.stay()
	d.link(p)
	return f.modelAttached(d)
}

func (f *forest) modelAttached(d *figure) error {
	if d.parent.active() && !f.model.start(d, false) {
		d.unlink()
		return errSick
	}
	return nil
}

func (f *forest) remove(d *double) {
	f.say("remove %s", d.path())
	err := d.DisownParent().Wait(f.t.Context())
	if d.parent == nil {
		f.want(err, service.ErrNoParent)
		return
	}
	f.want(err, nil)
	f.model.stop(d.figure)
	d.unlink()
}

func (f *forest) move(d, p *double) {
	f.say("move %s to %s", d.path(), p.path())
	err := service.Move(f.t.Context(), d, p.multi)
	switch taken := p.child(d.name); {
	case !p.group:
		f.want(err, service.ErrNoParent)
	case d.above(p.figure):
		f.want(err, service.ErrCycle)
	case d.active() && d.parent == nil:
		f.want(err, service.ErrBusy)
	case taken != nil && taken != d.figure:
		f.want(err, service.ErrNameTaken)
	default:
		f.model.stop(d.figure)
		if d.parent != nil {
			d.unlink()
		}
		d.link(p.figure)
		f.want(err, f.modelAttached(d.figure))
	}
}

func (f *forest) handOver(d, p *double) {
	f.say("hand %s over to %s", d.path(), p.path())
	err := service.Move(f.t.Context(), d, p.multi, service.KeepRunning())
	switch taken := p.child(d.name); {
	case !p.group:
		f.want(err, service.ErrNoParent)
	case d.above(p.figure):
		f.want(err, service.ErrCycle)
	case !d.active() || !p.active() || d.parent == nil || !d.parent.active():
		f.want(err, service.ErrBusy)
	case taken != nil && taken != d.figure:
		f.want(err, service.ErrNameTaken)
	default:
		f.want(err, nil)
		d.unlink()
		d.link(p.figure)
	}
}

func (f *forest) start(d *double, done bool) {
	f.say("start %s, context done: %v", d.path(), done)
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	if done {
		cancel()
	}
	err := d.Start(ctx)
	switch {
	case d.active():
		f.want(err, nil)
	case d.parent != nil && !d.parent.active():
		f.want(err, service.ErrBusy)
	case done:
		f.want(err, context.Canceled)
		d.stay()
		d.failures, d.pauses, d.since, d.state = nil, 0, time.Time{}, service.Failed
	case !f.model.start(d.figure, false):
		f.want(err, errSick)
	default:
		f.want(err, nil)
	}
}

func (f *forest) stop(d *double) {
	f.say("stop %s", d.path())
	f.want(d.Stop(f.t.Context()), nil)
	f.model.stop(d.figure)
}

// end lets the Run of d end.
func (f *forest) end(d *double, err error) {
	if !d.active() {
		return
	}
	if err == errPanic && d.policy != restarts {
		err = errBoom
	}
	f.say("let %s end with %v", d.path(), err)
	d.fails.Load().(chan error) <- err
	if err == nil {
		f.model.endWell(d.figure)
	} else {
		f.model.fail(d.figure)
	}
}

// late stops top while a hook below it hangs, and lets go of that in time or not.
func (f *forest) late(d *double, up int, inTime bool) {
	if at, _ := f.model.next(); !d.active() || !at.IsZero() {
		return
	}
	top := d
	for ; up > 0 && top.parent != nil; up-- {
		for _, p := range f.all {
			if p.figure == top.parent {
				top = p
				break
			}
		}
	}
	f.say("stop %s while %s hangs; in time: %v", top.path(), d.path(), inTime)
	release := make(chan struct{})
	d.hang.Store(&release)
	stopped := later(func() error { return top.Stop(f.t.Context()) })
	if inTime {
		time.Sleep(time.Second)
	} else {
		time.Sleep(time.Minute)
	}
	synctest.Wait()
	for p := d.figure; p != top.figure.parent; p = p.parent {
		if s := f.real(p); s.State() != service.Stopping {
			f.wrong("%s is %v while it hangs", s.Path(), s.State())
		} else if err := s.Start(f.t.Context()); !errors.Is(err, service.ErrBusy) {
			f.wrong("%s can be started while it hangs: %v", s.Path(), err)
		}
	}
	close(release)
	d.hang.Store(nil)
	err := <-stopped
	f.model.stop(top.figure)
	if inTime {
		f.want(err, nil)
		return
	}
	f.want(err, service.ErrStopTimeout)
	if !strings.Contains(err.Error(), d.Path()) {
		f.wrong("%v does not name %s", err, d.Path())
	}
	for p := d.figure; p != top.figure.parent; p = p.parent {
		p.state = service.Failed
	}
}

// sicken makes the starts of d fail, and heals all others.
func (f *forest) sicken(d *double, sick bool) {
	f.say("%s is sick: %v", d.path(), sick)
	for _, o := range f.all {
		o.sick = o == d && sick
	}
}
