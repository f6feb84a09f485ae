package testing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// fakeFeed is a Feed in memory. It can be told to fail.
type fakeFeed struct {
	mu       sync.Mutex
	articles []Article
	failures int // requests to fail from now on
}

func newFakeFeed(articles int) *fakeFeed {
	f := &fakeFeed{}
	for n := range articles {
		f.articles = append(f.articles, Article{int64(n + 1), fmt.Sprint("article ", n+1)})
	}
	return f
}

func (f *fakeFeed) After(ctx context.Context, n int64, limit int) ([]Article, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("502 Bad Gateway")
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	rest := f.articles[min(int(n), len(f.articles)):]
	return rest[:min(limit, len(rest))], nil
}

// The declaration: documented keys, valid defaults, a configuration that survives
// decoding and encoding.
func TestFeedPlugin(t *testing.T) {
	connecttest.TestPlugin(t, FeedSource(newFakeFeed(0)), config.Props{"topic": "articles", "limit": "7"})
}

// The task by hand: what it does with a stored offset.
func TestFeedGoesOnFromItsOffset(t *testing.T) {
	task, err := FeedSource(newFakeFeed(5)).NewSourceTask(config.Props{"topic": "articles"})
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), &connecttest.SourceContext{
		Stored: map[connect.SourcePartition]connect.SourceOffset{
			feedPartition(): {data.E("number", data.Int64(3))},
		},
	}))
	records, err := task.Poll(t.Context())
	require.NoError(t, err)
	require.Len(t, records, 2)
	assert.Equal(t, `{"number":4}`, records[0].SourceOffset.String())
	text, _ := records[1].Value.Value.Str()
	assert.Equal(t, "article 5", text)
	require.NoError(t, task.Stop(t.Context()))
}

// The contract of source tasks: resuming at every record, ending with its
// contexts, leaving no goroutine.
func TestFeedKeepsTheContract(t *testing.T) {
	connecttest.TestSourceTask(t, FeedSource(newFakeFeed(10)), connecttest.SourceOptions{
		Props:   config.Props{"topic": "articles", "limit": "3", "every.ms": "5"},
		Records: 10,
	})
}
