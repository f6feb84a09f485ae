package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// plain logs without the time.
func plain(b *buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func batch(connector string, task, sent, dropped int) *connect.BatchEvent {
	return &connect.BatchEvent{Task: cluster.TaskID{Connector: connector, Task: task}, Sent: sent, Dropped: dropped, Bytes: int64(10 * sent)}
}

func TestProgressTellsWhatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		p := newProgress(plain(&out))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.run(ctx, 10*time.Second) }()

		tick := func(want ...string) {
			t.Helper()
			before := len(out.String())
			time.Sleep(10 * time.Second)
			synctest.Wait()
			assert.Equal(t, strings.Join(want, ""), out.String()[before:])
		}
		tick() // idle: nothing to tell
		p.OnBatch(batch("b", 0, 100, 0))
		p.OnBatch(batch("b", 1, 50, 5))
		p.OnBatch(batch("a", 0, 20, 0))
		tick("msg=records connector=a records=20 per_second=2 dropped=0 bytes=200 total=20\n",
			"msg=records connector=b records=150 per_second=15 dropped=5 bytes=1500 total=150\n")
		tick()
		p.OnBatch(batch("a", 0, 0, 0)) // an empty put moves nothing
		tick()
		p.OnBatch(batch("b", 0, 10, 0))
		tick("msg=records connector=b records=10 per_second=1 dropped=0 bytes=100 total=160\n")
		cancel()
		<-done
		before := len(out.String())
		p.sum()
		assert.Equal(t, "msg=\"records in all\" connector=a records=20 dropped=0 bytes=200\n"+
			"msg=\"records in all\" connector=b records=160 dropped=5 bytes=1600\n", out.String()[before:])
	})
}

func TestStatesAreTold(t *testing.T) {
	var out buffer
	log := stateLog{plain(&out)}
	for _, s := range []cluster.State{cluster.Running, cluster.Paused, cluster.Stopped, cluster.Unassigned, cluster.Failed, cluster.Destroyed} {
		log.OnState(&connect.StateEvent{Connector: "a", Task: -1, Status: cluster.Status{State: s}})
	}
	log.OnState(&connect.StateEvent{Connector: "a", Task: 0, Status: cluster.Status{State: cluster.Running}})
	assert.Equal(t, "msg=running connector=a\nmsg=paused connector=a\nmsg=stopped connector=a\nmsg=running connector=a task=0\n", out.String())
}

func TestFirstStates(t *testing.T) {
	f := newFirstStates()
	a, b := f.expect("a"), f.expect("b")
	tell := func(connector string, task int, s cluster.State) {
		f.OnState(&connect.StateEvent{Connector: connector, Task: task, Status: cluster.Status{State: s}})
	}
	tell("a", 0, cluster.Running)
	tell("a", -1, cluster.Unassigned)
	tell("c", -1, cluster.Running)
	assert.Empty(t, a)
	tell("a", -1, cluster.Failed)
	tell("a", -1, cluster.Running) // nobody takes it: it must not block
	assert.Equal(t, cluster.Failed, (<-a).State)
	assert.Empty(t, a)
	assert.Empty(t, b)
}
