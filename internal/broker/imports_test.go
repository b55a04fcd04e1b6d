package broker

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// A proxy has a pointer in it, as real ones do: the runtime may keep tiny values without one alive.
type proxy struct {
	info *Info
	clid int64
}

type given struct {
	clid  int64
	count uint64
}

func newImports() (*Imports[proxy], chan given) {
	back := make(chan given, 1000)
	return NewImports[proxy](func(clid int64, count uint64) { back <- given{clid, count} }), back
}

func receive(t *Imports[proxy], clid int64, info *Info) *proxy {
	return t.Receive(clid, info, func(i Info) *proxy { return &proxy{info: &i, clid: clid} })
}

// collect runs the garbage collector until something is given back.
func collect(t *testing.T, back <-chan given) given {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		runtime.GC()
		select {
		case g := <-back:
			return g
		case <-time.After(time.Millisecond):
		}
	}
	t.Fatal("nothing is given back")
	return given{}
}

func TestSameNumberIsTheSameProxyWhileItLives(t *testing.T) {
	imports, back := newImports()
	p := receive(imports, 1, &Info{Interface: "RI", FURL: "pb://x"})
	q := receive(imports, 2, nil)
	for range 3 {
		runtime.GC()
		if receive(imports, 1, nil) != p || receive(imports, 2, nil) != q {
			t.Fatal("another proxy for the same number")
		}
	}
	if p == q || *p.info != (Info{"RI", "pb://x"}) || *q.info != (Info{}) || imports.Len() != 2 {
		t.Errorf("got %+v, %+v, %d numbers", p, q, imports.Len())
	}
	select {
	case g := <-back:
		t.Errorf("given back while in use: %+v", g)
	default:
	}
	runtime.KeepAlive(p)
	runtime.KeepAlive(q)
}

func TestCollectedProxyIsGivenBackAsOftenAsItCame(t *testing.T) {
	imports, back := newImports()
	keep := receive(imports, 7, nil)
	for range 5 {
		receive(imports, 3, nil)
	}
	// The five may have been one proxy or several.
	total := uint64(0)
	for total < 5 {
		g := collect(t, back)
		if g.clid != 3 || g.count == 0 {
			t.Fatalf("given back: %+v", g)
		}
		total += g.count
		imports.Released(g.clid)
	}
	if total != 5 || imports.Len() != 1 {
		t.Errorf("%d of 5 were given back, %d numbers are known", total, imports.Len())
	}
	runtime.KeepAlive(keep)
}

func TestNumberReceivedAgainWhileItIsGivenBackIsKept(t *testing.T) {
	imports, back := newImports()
	receive(imports, 1, &Info{Interface: "RI"})
	if g := collect(t, back); g != (given{1, 1}) {
		t.Fatalf("given back: %+v", g)
	}
	p := receive(imports, 1, nil) // the peer still knew it
	imports.Released(1)
	if imports.Len() != 1 || p.info.Interface != "RI" || receive(imports, 1, nil) != p {
		t.Errorf("got %+v, %d numbers", p.info, imports.Len())
	}
	runtime.KeepAlive(p)
	p = nil
	if g := collect(t, back); g != (given{1, 2}) {
		t.Errorf("given back: %+v", g)
	}
	imports.Released(1)
	if imports.Len() != 0 {
		t.Errorf("%d numbers are known", imports.Len())
	}
}

// The answer to one decref must not forget what the next one is still about.
func TestInformationIsKeptUntilAllIsTakenBack(t *testing.T) {
	imports, back := newImports()
	want := Info{Interface: "RI", FURL: "pb://x"}
	receive(imports, 1, &want)
	collect(t, back)
	receive(imports, 1, nil)
	collect(t, back)
	imports.Released(1) // the first; the peer counted 1 more then and sent no information since
	p := receive(imports, 1, nil)
	if *p.info != want {
		t.Errorf("got %+v, want %+v", *p.info, want)
	}
	runtime.KeepAlive(p)
}

// Clean-ups run in any order, and as late as they like.
func TestLateCleanUpDoesNotTouchALaterProxy(t *testing.T) {
	imports, back := newImports()
	receive(imports, 1, nil)
	collect(t, back)
	imports.Released(1)
	p := receive(imports, 1, nil)
	imports.collected(life{clid: 1, n: 1}) // of a proxy before
	imports.collected(life{clid: 2, n: 1}) // of a number that is not known
	select {
	case g := <-back:
		t.Errorf("given back while in use: %+v", g)
	default:
	}
	runtime.KeepAlive(p)
}

// An owner is the peer: it counts, tells what an object is once, and forgets what is given back.
type owner struct {
	last  int64
	count uint64
}

func TestWhatIsReceivedIsGivenBackInAnyOrderOfEvents(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 0))
		imports, back := newImports()
		var peer owner
		var held *proxy
		var decrefs, answers []given
		info := Info{Interface: "RI"}
		for step := range 300 {
			switch rng.IntN(6) {
			case 0, 1: // the peer sends its object
				var i *Info
				if peer.count == 0 {
					peer.last++
					i = &info
				}
				peer.count++
				p := receive(imports, peer.last, i)
				if *p.info != info {
					t.Fatalf("seed %d, step %d: the proxy has lost its information", seed, step)
				}
				if held = nil; rng.IntN(2) == 0 {
					held = p
				}
			case 2: // we lose it
				held = nil
			case 3:
				runtime.GC()
			case 4: // the peer reads a decref
				if len(decrefs) > 0 {
					if g := decrefs[0]; g.clid == peer.last {
						if g.count > peer.count {
							t.Fatalf("seed %d, step %d: %d given back of %d", seed, step, g.count, peer.count)
						}
						peer.count -= g.count
					}
					answers, decrefs = append(answers, decrefs[0]), decrefs[1:]
				}
			case 5: // we read its answer
				if len(answers) > 0 {
					imports.Released(answers[0].clid)
					answers = answers[1:]
				}
			}
			for len(back) > 0 {
				decrefs = append(decrefs, <-back)
			}
		}
		runtime.KeepAlive(held)
	}
}
