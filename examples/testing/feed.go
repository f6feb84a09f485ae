package testing

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// An Article is what a Feed has.
type Article struct {
	Number int64
	Text   string
}

// A Feed is what the source reads: a client of some web service.
type Feed interface {
	// After returns at most limit articles with numbers above n, in order. With
	// none it returns at once.
	After(ctx context.Context, n int64, limit int) ([]Article, error)
}

// FeedSource returns the plugin of a source that reads feed.
func FeedSource(feed Feed) connect.Plugin {
	return connect.Source(connect.Info{Class: "FeedSource", Version: "1.0.0", Doc: "Reads an article feed."},
		connect.OneTask[feedConfig],
		func(c feedConfig) (*feedTask, error) { return &feedTask{cfg: c, feed: feed}, nil })
}

type feedConfig struct {
	Topic string
	Limit int
	Every time.Duration
}

func (c *feedConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Importance(config.High).Check(config.NonEmpty()).Doc("Topic that the articles are written to.")
	config.Int(d, &c.Limit, "limit").Default(100).Check(config.Between(1, 1000)).Doc("Number of articles in a request at most.")
	config.Millis(d, &c.Every, "every.ms").Default(time.Second).Check(config.AtLeast(time.Millisecond)).
		Doc("Pause after a request that found nothing, in milliseconds.")
}

type feedTask struct {
	cfg  feedConfig
	feed Feed
	last int64 // number of the article read last
}

// feedPartition is the only partition: a feed is read in one order.
func feedPartition() connect.SourcePartition {
	return connect.PartitionOf(data.E("feed", data.String("articles")))
}

func (t *feedTask) Start(ctx context.Context, c connect.SourceContext) error {
	offsets, err := c.Offsets(ctx, feedPartition())
	if err != nil {
		return err
	}
	t.last, _ = offsets[0].Int("number")
	return nil
}

func (t *feedTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	articles, err := t.feed.After(ctx, t.last, t.cfg.Limit)
	if err != nil {
		return nil, connect.Retriable(fmt.Errorf("feed after article %d: %w", t.last, err), 0)
	}
	if len(articles) == 0 {
		return nil, pause(ctx, t.cfg.Every)
	}
	records := make([]connect.SourceRecord, len(articles))
	for i, a := range articles {
		records[i] = connect.SourceRecord{
			Record: connect.Record{
				Topic: t.cfg.Topic,
				Key:   connect.Datum{Schema: data.Int64Schema, Value: data.Int64(a.Number)},
				Value: connect.Datum{Schema: data.StringSchema, Value: data.String(a.Text)},
			},
			SourcePartition: feedPartition(),
			SourceOffset:    connect.SourceOffset{data.E("number", data.Int64(a.Number))},
		}
	}
	t.last = articles[len(articles)-1].Number
	return records, nil
}

func (t *feedTask) Stop(context.Context) error { return nil }

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
