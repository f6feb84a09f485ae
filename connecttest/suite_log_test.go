package connecttest

import (
	"context"
	"iter"
	"testing"

	"github.com/streamlane/connect"
)

func TestConfigStoreSuiteOnMemory(t *testing.T) {
	TestConfigStore(t, func(testing.TB) connect.ConfigStore { return connect.NewMemoryLog() })
}

// brokenLog changes what a good log does.
type brokenLog struct {
	*connect.MemoryLog
	append func(l *connect.MemoryLog, ctx context.Context, pairs []connect.KV) error
	follow func(l *connect.MemoryLog, ctx context.Context) iter.Seq2[connect.Entry, error]
	sync   func(l *connect.MemoryLog, ctx context.Context) error
	lead   func(l *connect.MemoryLog) connect.Leadership
}

func (b *brokenLog) Append(ctx context.Context, pairs ...connect.KV) error {
	if b.append == nil {
		return b.MemoryLog.Append(ctx, pairs...)
	}
	return b.append(b.MemoryLog, ctx, pairs)
}

func (b *brokenLog) Follow(ctx context.Context) iter.Seq2[connect.Entry, error] {
	if b.follow == nil {
		return b.MemoryLog.Follow(ctx)
	}
	return b.follow(b.MemoryLog, ctx)
}

func (b *brokenLog) Sync(ctx context.Context) error {
	if b.sync == nil {
		return b.MemoryLog.Sync(ctx)
	}
	return b.sync(b.MemoryLog, ctx)
}

func (b *brokenLog) Lead(ctx context.Context) (connect.Leadership, error) {
	if b.lead == nil {
		return b.MemoryLog.Lead(ctx)
	}
	return b.lead(b.MemoryLog), nil
}

// mapEntries changes, or drops, entries on their way to the follower.
func mapEntries(f func(connect.Entry) (connect.Entry, bool)) func(*connect.MemoryLog, context.Context) iter.Seq2[connect.Entry, error] {
	return func(l *connect.MemoryLog, ctx context.Context) iter.Seq2[connect.Entry, error] {
		return func(yield func(connect.Entry, error) bool) {
			for e, err := range l.Follow(ctx) {
				if e, keep := f(e); keep && !yield(e, err) {
					return
				}
			}
		}
	}
}

type anyLeader struct{ *connect.MemoryLog }

func (anyLeader) Close() error { return nil }
func (a anyLeader) Append(ctx context.Context, pairs ...connect.KV) error {
	return a.MemoryLog.Append(ctx, pairs...)
}

func TestConfigStoreSuiteCatches(t *testing.T) {
	for name, b := range map[string]brokenLog{
		"Sync does not wait":         {sync: func(*connect.MemoryLog, context.Context) error { return nil }},
		"Sync never returns":         {sync: func(_ *connect.MemoryLog, ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		"everybody leads":            {lead: func(l *connect.MemoryLog) connect.Leadership { return anyLeader{l} }},
		"all entries are live":       {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) { e.Live = true; return e, true })},
		"no entry is live":           {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) { e.Live = false; return e, true })},
		"the end is not marked":      {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) { return e, e.Key != nil })},
		"tombstones are not yielded": {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) { return e, e.Key == nil || e.Value != nil })},
		"empty comes back as nil": {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) {
			if len(e.Value) == 0 {
				e.Value = nil
			}
			return e, true
		})},
		"nil comes back as empty": {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) {
			if e.Key != nil {
				e.Value = append([]byte{}, e.Value...)
			}
			return e, true
		})},
		"offsets stand still": {follow: mapEntries(func(e connect.Entry) (connect.Entry, bool) { e.Offset = 7; return e, true })},
		"entries are reversed": {append: func(l *connect.MemoryLog, ctx context.Context, pairs []connect.KV) error {
			for i := len(pairs) - 1; i >= 0; i-- {
				if err := l.Append(ctx, pairs[i]); err != nil {
					return err
				}
			}
			return ctx.Err()
		}},
		"the context is ignored": {append: func(l *connect.MemoryLog, ctx context.Context, pairs []connect.KV) error {
			return l.Append(context.WithoutCancel(ctx), pairs...)
		}},
		"the loop ends with an error": {follow: func(l *connect.MemoryLog, ctx context.Context) iter.Seq2[connect.Entry, error] {
			return func(yield func(connect.Entry, error) bool) {
				for e, err := range l.Follow(ctx) {
					if !yield(e, err) {
						return
					}
				}
				yield(connect.Entry{}, context.Cause(ctx))
			}
		}},
		"the first follower takes all": {follow: followOnce()},
	} {
		catches(t, name, func(t testing.TB) {
			TestConfigStore(t, func(testing.TB) connect.ConfigStore {
				broken := b
				broken.MemoryLog = connect.NewMemoryLog()
				return &broken
			})
		})
	}
}

// followOnce yields live entries only, as if an earlier loop had taken the others.
func followOnce() func(*connect.MemoryLog, context.Context) iter.Seq2[connect.Entry, error] {
	return func(l *connect.MemoryLog, ctx context.Context) iter.Seq2[connect.Entry, error] {
		return mapEntries(func(e connect.Entry) (connect.Entry, bool) { return e, e.Key == nil || e.Live })(l, ctx)
	}
}
