package connect

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// States of workers of another life of the group, whose generations are higher,
// do not hide those of now.
func TestStatesFromTheFuture(t *testing.T) {
	fails := Source(Info{Class: "Fails", Version: "1.0"}, OneTask[slowConfig], func(slowConfig) (*slowTask, error) {
		return nil, errors.New("no such wheel")
	})
	slow := &slowStops{}
	for class, want := range map[string]cluster.State{"Slow": cluster.Running, "Fails": cluster.Failed} {
		synctest.Test(t, func(t *testing.T) {
			states, configs := NewMemoryLog(), NewMemoryLog()
			id := cluster.TaskID{Connector: "c"}
			old := cluster.Status{State: cluster.Running, WorkerID: "gone:8083", Generation: 50}
			for _, r := range []cluster.Record{cluster.ConnectorStatusRecord("c", old), cluster.TaskStatusRecord(id, old)} {
				require.NoError(t, states.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
			}
			props := config.Props{"name": "c", "connector.class": class, "value": "v"}
			set := append(cluster.TaskRecords("c", []config.Props{{"task.class": class, "value": "v"}}), cluster.CommitRecord("c", 1))
			for _, r := range append([]cluster.Record{cluster.ConnectorRecord("c", props)}, set...) {
				require.NoError(t, configs.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
			}
			s := shifting{make(chan Assignment)}
			rt, stop := start(t, Options{Plugins: []Plugin{slow.plugin(), fails}, Receiver: &collector{}, Coordinator: s, Configs: configs, Status: states})
			defer stop()
			s.next <- Assignment{Generation: 1, Added: cluster.Work{Connectors: []string{"c"}, Tasks: []cluster.TaskID{id}}}
			time.Sleep(time.Minute)
			s.next <- Assignment{Generation: 2} // the set is made anew
			time.Sleep(time.Minute)
			synctest.Wait()
			got, err := rt.Status(t.Context(), "c")
			require.NoError(t, err)
			require.Equal(t, cluster.Running, got.Connector.State)
			require.Equal(t, "embedded", got.Connector.WorkerID)
			require.Equal(t, want, got.Tasks[0].State, class)
			require.Equal(t, "embedded", got.Tasks[0].WorkerID)
		})
	}
}

// levelsHeard is a hook that notes levels.
type levelsHeard struct {
	mu  sync.Mutex
	all []LevelEvent
}

func (l *levelsHeard) OnLevel(e *LevelEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, *e)
}

// A level that is set on all workers reaches the hooks of those that run, and
// none that starts later.
func TestClusterLevels(t *testing.T) {
	log := NewMemoryLog()
	r := cluster.LoggerRecord("earlier", "TRACE")
	require.NoError(t, log.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
	heard := &levelsHeard{}
	rt, err := New(Options{Configs: log, Hooks: []Hook{heard}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	require.NoError(t, rt.SetClusterLevel(t.Context(), "org.x", "DEBUG"))
	for _, broken := range []string{`{}`, `{"level":[]}`, `x`} {
		require.NoError(t, log.Append(t.Context(), KV{[]byte(r.Key), []byte(broken)}))
	}
	require.NoError(t, rt.SetClusterLevel(t.Context(), "root", "made up"))
	require.Equal(t, []LevelEvent{{"org.x", "DEBUG"}, {"root", "made up"}}, heard.all)
	cancel()
	require.NoError(t, <-ended)
}
