package connect

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// slowLog is a config store whose reader is always a second behind, in a bubble.
type slowLog struct{ *MemoryLog }

// Follow lags, in a bubble.
func (l slowLog) Follow(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range l.MemoryLog.Follow(ctx) {
			if e.Live {
				time.Sleep(time.Second)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Any worker may write a target state, so a leader reads to the end of the log
// before it judges by one.
func TestLeaderHeedsWhatOthersHaveJustWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewMemoryLog()
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Configs: slowLog{log}})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		stopAndRest := func() {
			require.NoError(t, rt.Stop(t.Context(), "c"))
			time.Sleep(time.Minute)
		}
		retarget := func(target cluster.TargetState) { // as another worker does
			r := cluster.TargetStateRecord("c", target)
			require.NoError(t, log.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
		}

		time.Sleep(time.Minute)
		stopAndRest()
		retarget(cluster.TargetStarted)
		_, err = rt.ResetOffsets(t.Context(), "c")
		require.ErrorIs(t, err, ErrBadRequest, "its tasks are about to start")

		stopAndRest()
		retarget(cluster.TargetStarted)
		require.NoError(t, rt.PutTaskConfigs(t.Context(), "c", []config.Props{{"a": "b"}}), "another worker has started it")
	})
}
