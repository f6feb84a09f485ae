//go:build integration

package integration

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// feed is a source whose records a test hands over one by one. It goes on where
// its offset says: the number of records given before.
type feed struct {
	mu      sync.Mutex
	records []connect.Record
	more    chan struct{} // closed when there are more
}

func newFeed() *feed { return &feed{more: make(chan struct{})} }

// add gives the source records to make.
func (f *feed) add(records ...connect.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records = append(f.records, records...)
	close(f.more)
	f.more = make(chan struct{})
}

// from returns records from a number on, and what is closed when there are more.
func (f *feed) from(n int) ([]connect.Record, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.records[min(n, len(f.records)):], f.more
}

// plugin makes the connector Feed of it.
func (f *feed) plugin() connect.Plugin {
	return connecttest.SourcePlugin("Feed", func(config.Props) *feedTask { return &feedTask{feed: f} })
}

type feedTask struct {
	feed *feed
	next int
}

var feedPartition = connect.PartitionOf(data.E("feed", data.String("only")))

func (x *feedTask) Start(ctx context.Context, c connect.SourceContext) error {
	offsets, err := c.Offsets(ctx, feedPartition)
	if err != nil {
		return err
	}
	n, _ := offsets[0].Int("n")
	x.next = int(n)
	return nil
}

// Poll returns at most a hundred records, so that a flow has batches.
func (x *feedTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	for {
		records, more := x.feed.from(x.next)
		if len(records) > 0 {
			return x.take(records[:min(100, len(records))]), nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (x *feedTask) take(records []connect.Record) []connect.SourceRecord {
	polled := make([]connect.SourceRecord, len(records))
	for i, r := range records {
		x.next++
		polled[i] = connect.SourceRecord{
			Record: r, SourcePartition: feedPartition, SourceOffset: connect.SourceOffset{data.E("n", data.Int64(int64(x.next)))},
		}
	}
	return polled
}

func (x *feedTask) Stop(context.Context) error { return nil }

// basket is a sink that keeps what it is given.
type basket struct {
	mu      sync.Mutex
	records []connect.SinkRecord
	opened  int
}

func newBasket() *basket { return &basket{} }

// plugin makes the connector Basket of it.
func (b *basket) plugin() connect.Plugin {
	return connecttest.SinkPlugin("Basket", func(config.Props) basketTask { return basketTask{b} })
}

// got returns what the sink was given so far.
func (b *basket) got() []connect.SinkRecord {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.records)
}

// await waits for n records.
func (b *basket) await(t testing.TB, n int) []connect.SinkRecord {
	t.Helper()
	eventually(t, func() bool { return len(b.got()) >= n }, "%d records to arrive", n)
	return b.got()
}

// openings is how often a partition was opened.
func (b *basket) openings() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

type basketTask struct{ basket *basket }

func (x basketTask) Start(context.Context, connect.SinkContext) error { return nil }

func (x basketTask) Put(_ context.Context, records []connect.SinkRecord) error {
	x.basket.mu.Lock()
	defer x.basket.mu.Unlock()
	for i := range records {
		x.basket.records = append(x.basket.records, records[i].Clone())
	}
	return nil
}

func (x basketTask) Open(_ context.Context, tps []connect.TopicPartition) error {
	x.basket.mu.Lock()
	defer x.basket.mu.Unlock()
	x.basket.opened += len(tps)
	return nil
}

func (x basketTask) Stop(context.Context) error { return nil }
