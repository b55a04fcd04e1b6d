package service

import "fmt"

// A State says where a service is in its life.
//
//	           Start                    ready
//	┌─ Idle ──────────────► Starting ──────────► Running
//	│   ▲                   │  │   ▲                │
//	│   │   nothing to undo │  │   │ Start          │ Stop, a good end,
//	│   ├───────────────────┤  │   │                │ a failure
//	│   │                   ▼  │   │ or a restart   │
//	│   │                 Failed ──┘                │
//	│   │                   ▲  │                    │
//	│   │    failed, overran│  │ undo               │
//	│   │                   │  ▼                    ▼
//	│   └───────────────── Stopping ◄───────────────┘
//	│        stopped
//	└─ (a service is born Idle)
//
// A start that fails with something to undo goes through Stopping, one with nothing to undo ends at
// once. A group is Starting until all its children run. A service that is to be restarted is Failed
// during the pause, and one that is restarted along with it is Idle.
type State uint8

const (
	Idle     State = iota // not started, or stopped
	Starting              // its start is under way
	Running               // it serves
	Stopping              // its stop is under way, or has overrun and a hook has not returned
	Failed                // it, or one below it, failed: see Err; it may be about to be restarted
)

var stateNames = [...]string{"Idle", "Starting", "Running", "Stopping", "Failed"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// transitions is the drawing above as a table: from each state, where a service may go.
var transitions = [...][]State{
	Idle:     {Starting},
	Starting: {Running, Stopping, Idle, Failed},
	Running:  {Stopping},
	Stopping: {Idle, Failed},
	Failed:   {Starting},
}

// active says whether a service in s has a life under way.
func (s State) active() bool { return s == Starting || s == Running || s == Stopping }

// setState is the one door through which every transition goes. n.mu is held.
func (n *Base) setState(to State, err error) {
	for _, ok := range transitions[n.state] {
		if ok == to {
			n.state, n.err = to, err
			n.wakeLocked()
			return
		}
	}
	panic(fmt.Sprintf("service: %s cannot go from %v to %v", n.Path(), n.state, to))
}
