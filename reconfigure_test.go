package connect

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// A new task set starts when all workers have read of it: until then its
// predecessor stands still, and a coordinator that asks is told when it does.
func TestTaskSetsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slow := shifting{make(chan Assignment)}, &slowStops{}
		rt, stop := start(t, Options{Plugins: []Plugin{slow.plugin()}, Receiver: &collector{}, Coordinator: s})
		defer stop()
		m := member{rt}
		all := cluster.Work{Connectors: []string{"c"}, Tasks: []cluster.TaskID{{Connector: "c"}}}
		s.next <- Assignment{Generation: 1}
		put := func(value string) {
			_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Slow", "value": value})
			require.NoError(t, err)
		}
		put("a")
		s.next <- Assignment{Generation: 2, Added: all, Position: m.Position()}
		synctest.Wait()
		s.next <- Assignment{Generation: 3, Position: m.Position()}
		synctest.Wait()
		require.Equal(t, []string{"start a"}, slow.take())

		before := m.Position()
		put("b")
		synctest.Wait()
		require.Equal(t, []string{"stop a"}, slow.take(), "at once")
		begun := time.Now()
		m.Settle(t.Context())
		require.Equal(t, 2*time.Second, time.Since(begun), "it takes so long")
		require.Equal(t, []string{"stopped a"}, slow.take())
		s.next <- Assignment{Generation: 4, Position: before}
		time.Sleep(time.Minute)
		require.Empty(t, slow.take(), "that was assigned by the set before")
		s.next <- Assignment{Generation: 5, Position: m.Position()}
		synctest.Wait()
		require.Equal(t, []string{"start b"}, slow.take())
		m.Settle(t.Context())
	})
}

// slowStops are tasks that take two seconds to stop, and note what they do.
type slowStops struct {
	mu    sync.Mutex
	noted []string
}

func (s *slowStops) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noted = append(s.noted, text)
}

func (s *slowStops) take() (noted []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	noted, s.noted = s.noted, nil
	return noted
}

type slowConfig struct{ Value string }

func (c *slowConfig) Describe(d *config.Def) { config.String(d, &c.Value, "value").Doc("Any text.") }

func (s *slowStops) plugin() Plugin {
	return Source(Info{Class: "Slow", Version: "1.0"}, OneTask[slowConfig], func(c slowConfig) (*slowTask, error) {
		return &slowTask{s, c.Value}, nil
	})
}

type slowTask struct {
	of    *slowStops
	value string
}

func (t *slowTask) Start(context.Context, SourceContext) error {
	t.of.note("start " + t.value)
	return nil
}

func (t *slowTask) Poll(ctx context.Context) ([]SourceRecord, error) { <-ctx.Done(); return nil, nil }

// Stop takes its time, in a bubble.
func (t *slowTask) Stop(context.Context) error {
	t.of.note("stop " + t.value)
	time.Sleep(2 * time.Second)
	t.of.note("stopped " + t.value)
	return nil
}
