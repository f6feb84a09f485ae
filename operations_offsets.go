package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config/framework"
)

// Offsets returns the committed offsets of a source connector.
func (rt *Runtime) Offsets(ctx context.Context, name string) (offsets map[SourcePartition]SourceOffset, err error) {
	c, err := rt.known(ctx, name)
	if err != nil {
		return nil, err
	}
	a, err := rt.offsetAccess(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	return a.all(ctx)
}

// SinkOffsets returns the offsets that the group of a sink connector has
// committed.
func (rt *Runtime) SinkOffsets(ctx context.Context, name string) (Offsets, error) {
	c, err := rt.known(ctx, name)
	if err != nil {
		return nil, err
	}
	var offsets Offsets
	err = rt.withGroup(ctx, c, func(a Admin, group string) (err error) {
		offsets, err = a.GroupOffsets(ctx, group)
		return err
	})
	return offsets, err
}

// AlterOffsets stores offsets of a source connector, which must be stopped
// (KIP-875); a nil offset resets its partition. The connector is asked first,
// and may veto. It reports whether the connector took note of the change itself
// (SourceOffsetAlterer), or whether only the framework's record of it changed.
func (rt *Runtime) AlterOffsets(ctx context.Context, name string, change map[SourcePartition]SourceOffset) (handled bool, err error) {
	if len(change) == 0 {
		return false, fmt.Errorf("connector %q: %w: no partitions and offsets are given", name, ErrBadRequest)
	}
	return rt.alterStopped(ctx, name, func(c *cluster.Connector, inst connectorInstance) (bool, error) {
		return rt.alterSource(ctx, c, inst, change)
	})
}

// AlterSinkOffsets sets the offsets that a sink connector goes on from; a nil
// offset resets its partition. See AlterOffsets.
func (rt *Runtime) AlterSinkOffsets(ctx context.Context, name string, change map[TopicPartition]*int64) (handled bool, err error) {
	if len(change) == 0 {
		return false, fmt.Errorf("connector %q: %w: no partitions and offsets are given", name, ErrBadRequest)
	}
	for tp, offset := range change {
		if tp.Topic == "" || tp.Partition < 0 || offset != nil && *offset < 0 {
			return false, fmt.Errorf("connector %q: %w: partition %s-%d: want a topic, a partition and an offset that are not negative", name, ErrBadRequest, tp.Topic, tp.Partition)
		}
	}
	return rt.alterStopped(ctx, name, func(c *cluster.Connector, inst connectorInstance) (bool, error) {
		handled, err := alterSink(ctx, inst, change)
		if err != nil {
			return false, err
		}
		return handled, rt.withGroup(ctx, c, func(a Admin, group string) error { return a.AlterGroupOffsets(ctx, group, change) })
	})
}

// ResetOffsets forgets all offsets of a connector, source or sink. See
// AlterOffsets.
func (rt *Runtime) ResetOffsets(ctx context.Context, name string) (handled bool, err error) {
	return rt.alterStopped(ctx, name, func(c *cluster.Connector, inst connectorInstance) (bool, error) {
		p, err := rt.connectorPlugin(c.Props)
		if err != nil {
			return false, err
		}
		if p.kind == SinkPlugin {
			return rt.resetSink(ctx, c, inst)
		}
		all, err := rt.Offsets(ctx, name)
		if err != nil {
			return false, err
		}
		for partition := range all {
			all[partition] = nil
		}
		return rt.alterSource(ctx, c, inst, all)
	})
}

// alterStopped runs f with a connector that is stopped, and with an instance of
// it that was built, not started.
func (rt *Runtime) alterStopped(ctx context.Context, name string, f func(*cluster.Connector, connectorInstance) (bool, error)) (handled bool, err error) {
	err = rt.changeKnown(ctx, name, func(_ Leadership, c *cluster.Connector) error {
		if c.Target != cluster.TargetStopped || len(c.Tasks) > 0 {
			return fmt.Errorf("connector %q: %w: it must be in the STOPPED state before its offsets can be changed; stop it first", name, ErrBadRequest)
		}
		p, err := rt.connectorPlugin(c.Props)
		if err != nil {
			return err
		}
		resolved, err := rt.resolve(ctx, c.Props)
		if err != nil {
			return err
		}
		return guard(func() error {
			inst, err := p.connector(resolved, c.Props)
			if err != nil {
				return err
			}
			if handled, err = f(c, inst); err != nil {
				return fmt.Errorf("connector %q: %w", name, err)
			}
			return nil
		})
	})
	return handled, err
}

func (rt *Runtime) alterSource(ctx context.Context, c *cluster.Connector, inst connectorInstance, change map[SourcePartition]SourceOffset) (handled bool, err error) {
	if alterer, ok := inst.value.(SourceOffsetAlterer); ok {
		if handled, err = alterer.AlterOffsets(ctx, change); err != nil {
			return false, err
		}
	}
	a, err := rt.offsetAccess(ctx, c)
	if err != nil {
		return false, err
	}
	return handled, errors.Join(a.alter(ctx, change), a.close(ctx))
}

func alterSink(ctx context.Context, inst connectorInstance, change map[TopicPartition]*int64) (handled bool, err error) {
	if alterer, ok := inst.value.(SinkOffsetAlterer); ok {
		return alterer.AlterOffsets(ctx, change)
	}
	return false, nil
}

func (rt *Runtime) resetSink(ctx context.Context, c *cluster.Connector, inst connectorInstance) (handled bool, err error) {
	err = rt.withGroup(ctx, c, func(a Admin, group string) error {
		offsets, err := a.GroupOffsets(ctx, group)
		if err != nil {
			return err
		}
		change := make(map[TopicPartition]*int64, len(offsets))
		for tp := range offsets {
			change[tp] = nil
		}
		if handled, err = alterSink(ctx, inst, change); err != nil {
			return err
		}
		return a.DeleteGroup(ctx, group)
	})
	return handled, err
}

// withGroup runs f with an admin client of a sink connector and the name of its
// group.
func (rt *Runtime) withGroup(ctx context.Context, c *cluster.Connector, f func(Admin, string) error) (err error) {
	return rt.withAdmin(ctx, c, func(a Admin, clients framework.Clients) error {
		group, _ := clients.SinkGroupOf()
		return f(a, group)
	})
}

// withAdmin runs f with an admin client of a connector.
func (rt *Runtime) withAdmin(ctx context.Context, c *cluster.Connector, f func(Admin, framework.Clients) error) (err error) {
	if rt.opts.Broker == nil {
		return fmt.Errorf("connector %q: %w: the runtime has no Broker", c.Name, ErrBadRequest)
	}
	resolved, err := rt.resolve(ctx, c.Props)
	if err != nil {
		return err
	}
	clients := framework.Clients{Worker: rt.worker.props, Connector: resolved, Name: c.Name, Task: -1}
	props := clients.Admin().Props
	a, err := rt.opts.Broker.Admin(ctx, ClientConfig{ClientID: props["client.id"], Props: props})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()
	return f(a, clients)
}
