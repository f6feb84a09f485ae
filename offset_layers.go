package connect

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config/framework"
)

// layeredOffsets puts a connector's own offsets topic (offsets.storage.topic)
// before the worker's, as Java's ConnectorOffsetBackingStore does: reads are
// answered by the primary where it knows a key, writes go to both.
type layeredOffsets struct {
	primary, secondary OffsetStore
	log                *slog.Logger
}

// sourceOffsets returns the store of a source connector's offsets: the worker's,
// and before it the topic that the connector names, if the worker's is a topic too.
func (rt *Runtime) sourceOffsets(ctx context.Context, c *cluster.Connector, log *slog.Logger) (OffsetStore, error) {
	opener, can := rt.opts.Broker.(OffsetTopicOpener)
	if !can || !rt.offsetsOnTopic() || c.Props[ownOffsetsKey] == "" {
		return rt.opts.Offsets, nil
	}
	props, err := rt.resolve(ctx, c.Props)
	if err != nil {
		return nil, err
	}
	topic, p := props[ownOffsetsKey], framework.Clients{Worker: rt.worker.props, Connector: props, Name: c.Name, Task: -1}.OffsetsConsumer().Props
	if topic == rt.worker.props["offset.storage.topic"] && p["bootstrap.servers"] == rt.worker.props["bootstrap.servers"] {
		return rt.opts.Offsets, nil
	}
	own, err := opener.OffsetTopic(ctx, topic, ClientConfig{ClientID: p["client.id"], Props: p})
	return &layeredOffsets{primary: own, secondary: rt.opts.Offsets, log: log}, err
}

const ownOffsetsKey = "offsets.storage.topic"

// offsetsOnTopic tells whether the worker's offsets are on a topic, as a distributed
// worker's are: only there may connectors name topics of their own.
func (rt *Runtime) offsetsOnTopic() bool {
	_, is := rt.opts.Offsets.(Messenger)
	return is
}

// Scan yields the union. A pair of the primary hides the secondary's.
func (l *layeredOffsets) Scan(ctx context.Context, prefix []byte) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) {
		seen := make(map[string]bool)
		for kv, err := range l.primary.Scan(ctx, prefix) {
			seen[string(kv.Key)] = true
			if !yield(kv, err) || err != nil {
				return
			}
		}
		for kv, err := range l.secondary.Scan(ctx, prefix) {
			if err == nil && seen[string(kv.Key)] {
				continue
			}
			if !yield(kv, err) || err != nil {
				return
			}
		}
	}
}

// Set writes to the primary, whose outcome counts, then to the secondary with
// its best effort. Deletions go to the secondary first and must succeed there:
// otherwise the secondary would bring a deleted offset back.
func (l *layeredOffsets) Set(ctx context.Context, pairs []KV) error {
	var deletes, writes []KV
	for _, kv := range pairs {
		if kv.Value == nil {
			deletes = append(deletes, kv)
		} else {
			writes = append(writes, kv)
		}
	}
	if len(deletes) > 0 {
		if err := l.secondary.Set(ctx, deletes); err != nil {
			return err
		}
	}
	if err := l.primary.Set(ctx, pairs); err != nil {
		return err
	}
	if len(writes) > 0 {
		if err := l.secondary.Set(ctx, writes); err != nil {
			l.log.WarnContext(ctx, "copying offsets to the worker's own store failed", "err", err)
		}
	}
	return nil
}

// OpenStore opens both stores.
func (l *layeredOffsets) OpenStore(ctx context.Context) error { return openStore(ctx, l.primary) }

// CloseStore closes the connector's store; the worker's is the worker's.
func (l *layeredOffsets) CloseStore(ctx context.Context) error { return closeStore(ctx, l.primary) }

func openStore(ctx context.Context, stores ...any) error {
	for i, s := range stores {
		o, ok := s.(StoreOpener)
		if !ok {
			continue
		}
		if err := o.OpenStore(ctx); err != nil {
			return errors.Join(err, closeStore(context.WithoutCancel(ctx), stores[:i]...))
		}
	}
	return nil
}

func closeStore(ctx context.Context, stores ...any) error {
	var errs []error
	for _, s := range stores {
		if o, ok := s.(StoreOpener); ok {
			errs = append(errs, o.CloseStore(ctx))
		}
	}
	return errors.Join(errs...)
}
