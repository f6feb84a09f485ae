package connect

import (
	"context"
	"fmt"
	"slices"

	"github.com/streamlane/connect/cluster"
)

// defaultHistory is how many revisions of a configuration are remembered.
const defaultHistory = 20

func newHistory(limit int) *cluster.History {
	if limit == 0 {
		limit = defaultHistory
	}
	return cluster.NewHistory(limit)
}

// Histories returns the connectors of which configurations are remembered, in the
// order of names; deleted ones are among them. See History.
func (rt *Runtime) Histories(ctx context.Context) (all []cluster.HistoryEntry, err error) {
	err = rt.readHistory(ctx, func(h *cluster.History) { all = h.Connectors() })
	return all, err
}

// History returns the last configurations of a connector, oldest first, with
// their secrets (see Mask): those that the config log still had when Run began,
// and all since, Options.History at most. It fails with ErrNotFound if nothing is
// remembered. A deleted connector is remembered until a hundred others were
// deleted after it.
//
// Workers that began at different times remember different things, so the leader
// alone tells; others fail with a *NotLeaderError.
func (rt *Runtime) History(ctx context.Context, name string) ([]cluster.Revision, error) {
	var all []cluster.Revision
	if err := rt.readHistory(ctx, func(h *cluster.History) { all = h.Revisions(name) }); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("history of connector %q: %w", name, ErrNotFound)
	}
	return all, nil
}

func (rt *Runtime) readHistory(ctx context.Context, read func(*cluster.History)) error {
	if _, err := rt.view(ctx); err != nil {
		return err
	}
	if _, err := rt.leader(ctx); err != nil {
		return err
	}
	return rt.do(ctx, func() { read(rt.loop.history) })
}

// Rollback gives a connector the configuration of an earlier revision, named by
// its Offset, as Apply would: it is validated by what the worker knows today, and
// creates the connector if it was deleted. A dry run only tells the plan.
func (rt *Runtime) Rollback(ctx context.Context, name string, revision int64, dryRun bool) (ChangePlan, error) {
	all, err := rt.History(ctx, name)
	if err != nil {
		return ChangePlan{}, err
	}
	i := slices.IndexFunc(all, func(r cluster.Revision) bool { return r.Offset == revision })
	if i < 0 {
		return ChangePlan{}, fmt.Errorf("connector %q: revision %d: %w", name, revision, ErrNotFound)
	}
	if all[i].Props == nil {
		return ChangePlan{}, fmt.Errorf("connector %q: revision %d: %w: it is the deletion of the connector", name, revision, ErrBadRequest)
	}
	return rt.Apply(ctx, ChangeSet{Connectors: map[string]cluster.Desired{name: {Props: all[i].Props}}, DryRun: dryRun})
}
