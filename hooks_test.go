package connect_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/converters"
)

// events remembers what a Runtime tells its hooks.
type events struct {
	mu      sync.Mutex
	batches []connect.BatchEvent
	commits []connect.CommitEvent
	states  []connect.StateEvent
}

func (e *events) OnBatch(ev *connect.BatchEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.batches = append(e.batches, *ev)
}

func (e *events) OnCommit(ev *connect.CommitEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.commits = append(e.commits, *ev)
}

func (e *events) OnState(ev *connect.StateEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = append(e.states, *ev)
}

func TestHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e events
		rt, err := connect.New(connect.Options{
			Plugins: append(converters.All(), lines(), sinkOf(connecttest.SinkTask{})), Broker: connecttest.NewBroker(),
			Worker: config.Props{"key.converter": "StringConverter", "value.converter": "StringConverter", "offset.flush.interval.ms": "2000"},
			Hooks:  []connect.Hook{&e, "a value that is no hook at all"},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- rt.Run(ctx) }()
		_, err = rt.PutConnector(ctx, "source", config.Props{"connector.class": "Lines", "topic": "t"})
		require.NoError(t, err)
		_, err = rt.PutConnector(ctx, "sink", config.Props{"connector.class": "Sink", "topics": "t"})
		require.NoError(t, err)
		time.Sleep(5500 * time.Millisecond)
		cancel()
		require.NoError(t, <-ran)

		sent, put := 0, 0
		for _, b := range e.batches {
			if b.Sink {
				require.Equal(t, "sink", b.Task.Connector)
				put += b.Sent
				continue
			}
			require.Equal(t, cluster.TaskID{Connector: "source"}, b.Task)
			require.Equal(t, time.Second, b.Poll)
			require.Equal(t, int64(1), b.Bytes)
			sent += b.Sent
		}
		require.Equal(t, 5, sent)
		require.Equal(t, 5, put)
		commits := map[bool]int{}
		for _, c := range e.commits {
			require.NoError(t, c.Err)
			commits[c.Sink]++
		}
		require.GreaterOrEqual(t, commits[false], 3)
		require.GreaterOrEqual(t, commits[true], 3)
		var of []cluster.State
		for _, s := range e.states {
			if s.Connector == "source" && s.Task == 0 {
				of = append(of, s.Status.State)
			}
		}
		require.Equal(t, []cluster.State{cluster.Running, cluster.Unassigned}, of)
	})
}

// TestMovesLeaveTheTaskSetAlone moves a connector from one Runtime to the next,
// ten times: its task set in the config log stays as it was first written.
func TestMovesLeaveTheTaskSetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := connect.NewMemoryLog()
		run := func(put bool) (entries int) {
			rt, err := connect.New(connect.Options{
				Plugins: []connect.Plugin{lines()}, Configs: log,
				Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { return nil }),
			})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- rt.Run(ctx) }()
			if put {
				_, err := rt.PutConnector(ctx, "c", config.Props{
					"connector.class": "Lines", "topic": "t", "unknown": "stays ${env:X}", "password": "${file:/nowhere:x}",
				})
				require.NoError(t, err)
			}
			time.Sleep(2 * time.Second)
			c, err := rt.Connector(ctx, "c")
			require.NoError(t, err)
			require.Len(t, c.Tasks, 1)
			require.Equal(t, "stays ${env:X}", c.Tasks[0]["unknown"])
			s, err := rt.Status(ctx, "c")
			require.NoError(t, err)
			require.Equal(t, cluster.Running, s.Tasks[0].State)
			cancel()
			require.NoError(t, <-ran)
			follow, stop := context.WithCancel(t.Context())
			defer stop()
			for e, err := range log.Follow(follow) {
				require.NoError(t, err)
				if e.Key == nil {
					return entries
				}
				entries++
			}
			return entries
		}
		first := run(true)
		require.Equal(t, 3, first, "the connector, its task, one commit")
		for range 10 {
			require.Equal(t, first, run(false))
		}
	})
}
