package http

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Cursors of pages without records are offsets too: a restart goes on from the newest.
func TestOffsetsWithoutRecords(t *testing.T) {
	props := config.Props{"path": "?c=${cursor}", "pagination": "cursor", "pagination.path": "/next", "records.path": "/items", "record.key.path": "/id"}
	var asked []string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("c"))
		_, _ = fmt.Fprintf(w, `{"items":[],"next":"c%d"}`, len(asked))
	})
	var stored connect.SourceOffset
	inBubble(t, props, nil, h, func(r *rig) {
		for range 2 {
			records, err := r.task.Poll(context.Background())
			require.NoError(t, err)
			require.Len(t, records, 1)
			assert.True(t, records[0].OffsetOnly)
			assert.NoError(t, records[0].Err)
			stored = records[0].SourceOffset
		}
	})
	inBubble(t, props, stored, h, func(r *rig) {
		_, err := r.task.Poll(context.Background())
		require.NoError(t, err)
	})
	assert.Equal(t, []string{"", "c1", "c2"}, asked)
}

// Where nothing is new no offset is either, however often it is asked.
func TestNoOffsetsWithoutNews(t *testing.T) {
	for name, props := range ways {
		t.Run(name, func(t *testing.T) {
			for _, end := range []string{endContinue, endRestart} {
				inBubble(t, props.Merge(config.Props{"after.end": end, "dedup.window.records": "100", "record.id.path": "/id"}), nil, api(items(10), 4), func(r *rig) {
					n := 0
					for n < 10 {
						n += len(r.poll())
					}
					ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
					defer cancel()
					for polls := 0; ; polls++ {
						records, err := r.task.Poll(ctx)
						if err != nil {
							require.ErrorIs(t, err, context.DeadlineExceeded)
							assert.LessOrEqual(t, polls, 2, "%s: the end of the first round may be told", end)
							break
						}
						require.Empty(t, texts(records))
					}
				})
			}
		})
	}
}

// By default errors.tolerance decides: the engine gets what was read, with the error, and the offset behind it.
func TestToleranceDecides(t *testing.T) {
	inBubble(t, config.Props{"response.format": "ndjson"}, nil, answer("1\nbad\n3\n"), func(r *rig) {
		records, err := r.task.Poll(context.Background())
		require.NoError(t, err)
		require.Len(t, records, 3)
		require.ErrorContains(t, records[1].Err, "record 2 of the page")
		text, _ := records[1].Value.Value.Bytes()
		assert.Equal(t, "bad", string(text))
		p, err := parsePosition(records[1].SourceOffset)
		require.NoError(t, err)
		assert.Equal(t, 2, p.index)
	})
	inBubble(t, config.Props{"retry.max.attempts": "2"}, nil, answer("<p>", "<p>", "[1]"), func(r *rig) {
		require.ErrorContains(t, r.fails(), "no JSON")
		assert.Equal(t, []string{"1"}, r.poll(), "it goes on if the engine lets it")
	})
}
