package connect

import "context"

// Activity says what the worker is doing as a worker, beside running connectors,
// or did last, and since when, for who has to wait for it (KIP-1017). It is empty
// before Run.
func (rt *Runtime) Activity() string { return rt.activity.String() }

// Started reports whether the worker was ever ready, see Ready.
func (rt *Runtime) Started() bool { return rt.joined.Load() }

// Ready returns when the worker answers: it has read its stores, and has its place
// among the workers of its cluster. The error says why ctx ended, or ErrStopped.
func (rt *Runtime) Ready(ctx context.Context) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	if _, err := rt.place(ctx); err != nil {
		return err
	}
	return rt.do(ctx, func() {})
}

// place returns who leads; while nothing has been assigned it waits.
func (rt *Runtime) place(ctx context.Context) (leadership, error) {
	for {
		now, moved := rt.lead.Watch()
		if now.known {
			return now, nil
		}
		select {
		case <-moved:
		case <-rt.ended:
			return leadership{}, ErrStopped
		case <-ctx.Done():
			return leadership{}, context.Cause(ctx)
		}
	}
}
