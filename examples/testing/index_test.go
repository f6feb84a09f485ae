package testing

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// fakeIndex is an Index in memory. It can be told to be busy.
type fakeIndex struct {
	mu        sync.Mutex
	documents map[int64]string
	busy      int // requests to refuse from now on
}

func newFakeIndex() *fakeIndex { return &fakeIndex{documents: make(map[int64]string)} }

func (f *fakeIndex) Put(ctx context.Context, documents map[int64]string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f.busy > 0 {
		f.busy--
		return ErrBusy
	}
	for n, text := range documents {
		f.documents[n] = text
	}
	return nil
}

func (f *fakeIndex) all() map[int64]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[int64]string)
	for n, text := range f.documents {
		all[n] = text
	}
	return all
}

// article makes a record as the source makes it.
func article(n int64, text string) connect.Record {
	return connect.Record{
		Key:   connect.Datum{Schema: data.Int64Schema, Value: data.Int64(n)},
		Value: connect.Datum{Schema: data.StringSchema, Value: data.String(text)},
	}
}

// The task by hand: a document that is too long is reported and left out, the
// others are put.
func TestIndexReportsLongDocuments(t *testing.T) {
	index := newFakeIndex()
	task, err := IndexSink(index).NewSinkTask(config.Props{"max.length": "5"})
	require.NoError(t, err)
	ctx := &connecttest.SinkContext{}
	require.NoError(t, task.Start(t.Context(), ctx))
	require.NoError(t, task.Put(t.Context(), []connect.SinkRecord{
		{Record: article(1, "short")},
		{Record: article(2, "too long")},
	}))
	assert.Equal(t, map[int64]string{1: "short"}, index.all())
	require.Len(t, ctx.Reports(), 1)
	assert.ErrorContains(t, ctx.Reports()[0].Cause, "article 2: found 8 bytes, want max.length of 5")
	require.NoError(t, task.Stop(t.Context()))
}

// A busy index is asked again, by the engine; other errors are final.
func TestIndexIsAskedAgainWhenBusy(t *testing.T) {
	index := newFakeIndex()
	index.busy = 1
	task, err := IndexSink(index).NewSinkTask(nil)
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), &connecttest.SinkContext{}))
	err = task.Put(t.Context(), []connect.SinkRecord{{Record: article(1, "text")}})
	_, retriable := connect.RetryAfter(err)
	assert.True(t, retriable, "found %v", err)
}

// The contract of sink tasks.
func TestIndexKeepsTheContract(t *testing.T) {
	connecttest.TestPlugin(t, IndexSink(newFakeIndex()), config.Props{"max.length": "5"})
	index := newFakeIndex()
	records := make([]connect.SinkRecord, 10)
	for i := range records {
		records[i].Record = article(int64(i), strings.Repeat("x", i))
	}
	connecttest.TestSinkTask(t, IndexSink(index), connecttest.SinkOptions{
		Records: records,
		Written: func(t testing.TB, _ config.Props, records []connect.SinkRecord) {
			all := index.all()
			for i := range records {
				n, _ := records[i].Key.Value.Int()
				assert.Contains(t, all, n)
			}
		},
	})
}
