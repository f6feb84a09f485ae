package cassandra

import "sync"

// A gate pauses and resumes the flow of records, in the order in which that was found to be needed.
type gate struct {
	pause, resume func()

	mu   sync.Mutex
	shut bool
}

// set brings the gate to where want says, given where it is. Its lock is held meanwhile, so that pauses and resumptions do not overtake each other;
// neither waits for anything.
func (g *gate) set(want func(shut bool) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	shut := want(g.shut)
	if shut == g.shut {
		return
	}
	g.shut = shut
	if shut {
		g.pause()
	} else {
		g.resume()
	}
}

// again pauses what has come since the gate was shut.
func (g *gate) again() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		g.pause()
	}
}
