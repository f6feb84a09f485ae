package connecttest

import (
	"context"
	"sync"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// Member is a connect.Member for coordinators that are driven by hand. It is
// safe for concurrent use.
type Member struct {
	url     string
	mu      sync.Mutex
	view    cluster.View
	owned   cluster.Work
	changed chan struct{}
}

// NewMember returns a member that owns nothing and sees the view.
func NewMember(url string, view cluster.View) *Member {
	return &Member{url: url, view: view, changed: make(chan struct{})}
}

// URL returns the URL given.
func (m *Member) URL() string { return m.url }

// Position returns that of the view.
func (m *Member) Position() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.view.Position
}

// Owned returns what Apply left.
func (m *Member) Owned() cluster.Work {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.owned.Sorted()
}

// View waits until the view's position is at least atLeast.
func (m *Member) View(ctx context.Context, atLeast int64) (cluster.View, error) {
	for {
		m.mu.Lock()
		view, changed := m.view, m.changed
		m.mu.Unlock()
		if ctx.Err() != nil {
			return cluster.View{}, context.Cause(ctx)
		}
		if view.Position >= atLeast {
			return view, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// CatchUp returns at once: the member has read what it sees.
func (m *Member) CatchUp(ctx context.Context) error { return context.Cause(ctx) }

// Settle returns at once: the member runs nothing.
func (m *Member) Settle(context.Context) {}

// SetView changes what the member sees of the cluster.
func (m *Member) SetView(v cluster.View) {
	m.update(func() { m.view = v })
}

// Apply does to Owned what an assignment asks for.
func (m *Member) Apply(a connect.Assignment) {
	m.update(func() { m.owned = m.owned.Minus(a.Revoked).Plus(a.Added) })
}

func (m *Member) update(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
	close(m.changed)
	m.changed = make(chan struct{})
}

// await waits until Owned is what the condition wants.
func (m *Member) await(ctx context.Context, condition func(owned cluster.Work) bool) bool {
	for {
		m.mu.Lock()
		holds, changed := condition(m.owned), m.changed
		m.mu.Unlock()
		if holds {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
