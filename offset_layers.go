package connect

import (
	"context"
	"errors"
	"iter"
	"log/slog"
)

// layeredOffsets puts a connector's own offsets topic (offsets.storage.topic)
// before the worker's, as Java's ConnectorOffsetBackingStore does: reads are
// answered by the primary where it knows a key, writes go to both.
type layeredOffsets struct {
	primary, secondary OffsetStore
	log                *slog.Logger
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
