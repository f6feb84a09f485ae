package connect_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

func TestPatchConnector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, lines())
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		require.ErrorIs(t, w.PatchConnector(t.Context(), "c", nil), connect.ErrNotFound)
		w.put(t, "c", config.Props{"connector.class": "Lines", "topic": "t", "x": "1", "y": "2"})
		require.NoError(t, w.PatchConnector(t.Context(), "c", config.Props{"x": config.Null, "y": "3"}))
		c, err := w.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, config.Props{"connector.class": "Lines", "topic": "t", "y": "3", "name": "c"}, c.Props)
		err = w.PatchConnector(t.Context(), "c", config.Props{"tasks.max": "many"})
		require.ErrorContains(t, err, "tasks.max")
		require.ErrorIs(t, err, connect.ErrBadRequest)
	})
}

func TestAlterSourceOffsets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, lines())
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.put(t, "c", config.Props{"connector.class": "Lines", "topic": "t"})
		time.Sleep(3500 * time.Millisecond)
		part := connect.PartitionOf(data.E("lines", data.String("x")))
		at := func(n int64) map[connect.SourcePartition]connect.SourceOffset {
			return map[connect.SourcePartition]connect.SourceOffset{part: {data.E("n", data.Int64(n))}}
		}
		_, err := w.AlterOffsets(t.Context(), "c", at(7))
		require.ErrorIs(t, err, connect.ErrBadRequest)
		require.ErrorContains(t, err, "STOPPED")
		require.NoError(t, w.Stop(t.Context(), "c"))
		synctest.Wait()
		_, err = w.AlterOffsets(t.Context(), "c", nil)
		require.ErrorIs(t, err, connect.ErrBadRequest)
		handled, err := w.AlterOffsets(t.Context(), "c", at(7))
		require.NoError(t, err)
		require.False(t, handled)
		require.NoError(t, w.Resume(t.Context(), "c"))
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []string{"1", "2", "3", "8"}, values(w.broker, "t"))

		require.NoError(t, w.Stop(t.Context(), "c"))
		synctest.Wait()
		_, err = w.ResetOffsets(t.Context(), "c")
		require.NoError(t, err)
		offsets, err := w.Offsets(t.Context(), "c")
		require.NoError(t, err)
		require.Empty(t, offsets)
		require.NoError(t, w.Resume(t.Context(), "c"))
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []string{"1", "2", "3", "8", "1"}, values(w.broker, "t"))
	})
}

// vetoing is a sink connector with something to say about its offsets.
type vetoing struct {
	connecttest.Connector[connecttest.Props]
	asked *map[connect.TopicPartition]*int64
}

func (v vetoing) AlterOffsets(_ context.Context, change map[connect.TopicPartition]*int64) (bool, error) {
	*v.asked = change
	for _, o := range change {
		if o != nil && *o == 13 {
			return false, errors.New("never thirteen")
		}
	}
	return true, nil
}

func (v vetoing) TaskConfigs(context.Context, int) ([]connecttest.Props, error) {
	return []connecttest.Props{{}}, nil
}

func TestAlterSinkOffsets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var asked map[connect.TopicPartition]*int64
		plugin := connect.Sink(connect.Info{Class: "Sink"},
			func(connecttest.Props) (vetoing, error) { return vetoing{asked: &asked}, nil },
			func(connecttest.Props) (connecttest.SinkTask, error) {
				return connecttest.SinkTask{PutFunc: func(_ context.Context, recs []connect.SinkRecord) error {
					for _, r := range recs {
						s, _ := r.Value.Value.Str()
						got = append(got, s)
					}
					return nil
				}}, nil
			})
		w := newWorld(t, plugin)
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		for _, n := range numbers(1, 5) {
			require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte(n)}))
		}
		w.put(t, "c", config.Props{"connector.class": "Sink", "topics": "t"})
		time.Sleep(time.Second)
		require.NoError(t, w.Stop(t.Context(), "c"))
		time.Sleep(time.Second)
		require.Equal(t, cluster.Stopped, w.status(t, "c").Connector.State)
		tp := connect.TopicPartition{Topic: "t"}
		offsets, err := w.SinkOffsets(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, connect.Offsets{tp: 5}, offsets)

		three, thirteen, below := int64(3), int64(13), int64(-1)
		_, err = w.AlterSinkOffsets(t.Context(), "c", map[connect.TopicPartition]*int64{tp: &thirteen})
		require.ErrorContains(t, err, "never thirteen")
		_, err = w.AlterSinkOffsets(t.Context(), "c", map[connect.TopicPartition]*int64{tp: &below})
		require.ErrorIs(t, err, connect.ErrBadRequest)
		handled, err := w.AlterSinkOffsets(t.Context(), "c", map[connect.TopicPartition]*int64{tp: &three})
		require.NoError(t, err)
		require.True(t, handled)
		got = nil
		require.NoError(t, w.Resume(t.Context(), "c"))
		time.Sleep(time.Second)
		require.NoError(t, w.Stop(t.Context(), "c"))
		time.Sleep(time.Second)
		require.Equal(t, []string{"4", "5"}, got)

		handled, err = w.ResetOffsets(t.Context(), "c")
		require.NoError(t, err)
		require.True(t, handled)
		require.Equal(t, map[connect.TopicPartition]*int64{tp: nil}, asked)
		offsets, err = w.SinkOffsets(t.Context(), "c")
		require.NoError(t, err)
		require.Empty(t, offsets)
	})
}

func TestActiveTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, lines(), sinkOf(connecttest.SinkTask{}))
		defer w.stop()
		topics := func(name string) []string {
			t.Helper()
			synctest.Wait()
			got, err := w.Topics(t.Context(), name)
			require.NoError(t, err)
			return got
		}
		w.broker.CreateTopic("t", 1)
		require.Empty(t, topics("c"))
		w.put(t, "c", config.Props{"connector.class": "Lines", "topic": "t"})
		w.put(t, "s", config.Props{"connector.class": "Sink", "topics": "t,u"})
		time.Sleep(3500 * time.Millisecond)
		require.Equal(t, []string{"t"}, topics("c"))
		require.Equal(t, []string{"t"}, topics("s"), "u had no records")
		require.NoError(t, w.ResetTopics(t.Context(), "c"))
		require.Empty(t, topics("c"))
		time.Sleep(time.Second)
		require.Equal(t, []string{"t"}, topics("c"), "it is in use")
		require.NoError(t, w.DeleteConnector(t.Context(), "c"))
		time.Sleep(time.Second)
		require.Empty(t, topics("c"))
	})
}

func TestTopicTrackingTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for key, resetOnly := range map[string]bool{"topic.tracking.enable": false, "topic.tracking.allow.reset": true} {
			rt, err := connect.New(connect.Options{Worker: config.Props{key: "false"}})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- rt.Run(ctx) }()
			_, err = rt.Topics(ctx, "c")
			require.Equal(t, !resetOnly, errors.Is(err, connect.ErrForbidden))
			require.ErrorIs(t, rt.ResetTopics(ctx, "c"), connect.ErrForbidden)
			cancel()
			require.NoError(t, <-ran)
		}
	})
}

func TestConnectorsOfTheOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := connect.NewMemoryLog()
		run := func(connectors map[string]config.Props) (*connect.Runtime, func() error) {
			rt, err := connect.New(connect.Options{
				Plugins: []connect.Plugin{lines()}, Configs: log, Connectors: connectors,
				Receiver: connect.ReceiverFunc(func(context.Context, []connect.SourceRecord) error { return nil }),
			})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- rt.Run(ctx) }()
			synctest.Wait()
			return rt, func() error { cancel(); return <-ran }
		}
		good := map[string]config.Props{"a": {"connector.class": "Lines", "topic": "t"}, "b": {"connector.class": "Lines", "topic": "t"}}
		rt, stop := run(good)
		names, err := rt.Connectors(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, names)
		require.NoError(t, stop())

		good["b"]["topic"] = "u"
		rt, stop = run(good)
		a, err := rt.Connector(t.Context(), "a")
		require.NoError(t, err)
		b, err := rt.Connector(t.Context(), "b")
		require.NoError(t, err)
		require.Equal(t, []int{0, 1}, []int{a.Generation, b.Generation}, "what is as it was is left alone")
		require.NoError(t, stop())

		_, stop = run(map[string]config.Props{"c": {"connector.class": "Lines", "tasks.max": "0"}})
		err = stop()
		require.ErrorContains(t, err, "tasks.max")
	})
}
