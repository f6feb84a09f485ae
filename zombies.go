package connect

import (
	"context"
	"fmt"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config/framework"
)

// FenceZombies shuts out the producers of a source connector's earlier tasks, and
// notes how many tasks may have producers from now on, before those of the present
// set begin with transactions (KIP-618). It is the leader's, for requests between
// workers. It fails with ErrConflict if the task set changes meanwhile.
func (rt *Runtime) FenceZombies(ctx context.Context, name string) error {
	var earlier cluster.Connector // whose producers are to be shut out
	err := rt.changeKnown(ctx, name, func(l Leadership, c *cluster.Connector) error {
		if p, err := rt.connectorPlugin(c.Props); err == nil && p.kind != SourcePlugin {
			return fmt.Errorf("connector %q: %w: only source connectors have producers to be fenced out", name, ErrBadRequest)
		}
		switch {
		case !c.PendingFencing:
			return nil
		case c.Fenced < 0, c.Fenced == 1 && len(c.Tasks) == 1: // the only task shuts out its predecessor itself
			return noteFencing(ctx, l, c)
		}
		earlier = *c
		return nil
	})
	if err != nil || earlier.Name == "" {
		return err
	}
	if err := rt.fence(ctx, &earlier); err != nil {
		return fmt.Errorf("connector %q: fencing out earlier tasks: %w", name, err)
	}
	return rt.changeKnown(ctx, name, func(l Leadership, c *cluster.Connector) error {
		if c.Generation != earlier.Generation {
			return fmt.Errorf("connector %q: %w: its task set has changed", name, ErrConflict)
		}
		return noteFencing(ctx, l, c)
	})
}

// fence shuts out the producers of a connector's earlier tasks.
func (rt *Runtime) fence(ctx context.Context, c *cluster.Connector) error {
	return rt.withAdmin(ctx, c, func(a Admin, _ framework.Clients) error {
		ids := make([]string, c.Fenced)
		for i := range ids {
			ids[i] = framework.TransactionalID(rt.groupID(), c.Name, i)
		}
		return a.FenceProducers(ctx, ids...)
	})
}

// noteFencing notes how many tasks may have producers.
func noteFencing(ctx context.Context, l Leadership, c *cluster.Connector) error {
	return appendRecords(ctx, l, []cluster.Record{cluster.FencingRecord(c.Name, len(c.Tasks))})
}
