package connect

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/metric"
)

// gauging is a source task that counts its polls.
type gauging struct {
	polls  *metric.Counter
	polled chan struct{}
}

func (g *gauging) Start(_ context.Context, c SourceContext) error {
	g.polls = c.Metrics().Counter("polls", "Polls of the task.")
	return nil
}

func (g *gauging) Poll(context.Context) ([]SourceRecord, error) {
	g.polls.Add(1)
	close(g.polled)
	return nil, ErrDone
}

func (g *gauging) Stop(context.Context) error { return nil }

// metricsLog notes what a MetricsHook hears.
type metricsLog struct {
	mu     sync.Mutex
	events []MetricsEvent
	ended  chan struct{}
}

func (l *metricsLog) OnMetrics(e *MetricsEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, *e)
	if e.Ended {
		close(l.ended)
	}
}

// A hook gets the set of a task before it starts, and hears of its end.
func TestMetricsOfTasks(t *testing.T) {
	heard, polled := &metricsLog{ended: make(chan struct{})}, make(chan struct{})
	plugin := Source(Info{Class: "Gauging", Version: "1.0", Doc: "Counts its polls."}, OneTask[counterConfig],
		func(counterConfig) (*gauging, error) { return &gauging{polled: polled}, nil })
	rt, stop := start(t, Options{Plugins: []Plugin{plugin}, Receiver: &collector{}, Hooks: []Hook{heard}})
	defer stop()
	_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Gauging", "topic": "t"})
	require.NoError(t, err)
	<-polled
	require.NoError(t, rt.DeleteConnector(t.Context(), "c"))
	<-heard.ended
	require.Len(t, heard.events, 2)
	assert.Equal(t, "c-0", heard.events[0].Task.String())
	assert.Equal(t, "Gauging", heard.events[0].Class)
	assert.False(t, heard.events[0].Ended)
	assert.Same(t, heard.events[0].Set, heard.events[1].Set)
	assert.Equal(t, []metric.Metric{{Name: "polls", Doc: "Polls of the task.", Kind: metric.CounterKind, Value: 1}}, heard.events[1].Set.All())
}
