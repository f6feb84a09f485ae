package connect

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSinkRewind(t *testing.T) {
	a, b := tpOf("t", 0), tpOf("t", 1)
	t.Run("from another goroutine", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a, b)
			r.consumer.produce(a, 4)
			r.consumer.produce(b, 1)
			task := r.openSink()
			r.start(task)
			task.context.Rewind(Offsets{a: 0, b: 1})
			task.context.Rewind(Offsets{a: 1})
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"seek t-0=1 t-1=1", "put t-0@1..3"}, onlyFull(r.journal.only("seek", "put")[1:]), "the last word counts, at once")
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 4}, r.consumer.committed, "b: where it was rewound to counts as committed")
		})
	})
	t.Run("in Open", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 4)
			r.consumer.committed[a] = 1
			task := r.openSink()
			task.open = func([]TopicPartition) error { task.context.Rewind(Offsets{a: 3}); return nil }
			r.start(task)
			assert.Equal(t, "t-0@3", task.taken())
			require.NoError(t, r.stop())
		})
	})
	t.Run("in a Put that fails", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a, b)
			r.consumer.produce(a, 2)
			r.consumer.produce(b, 2)
			task := r.openSink()
			task.put = func(context.Context, []SinkRecord) error {
				task.put = nil
				task.context.Rewind(Offsets{a: 1})
				return Retriable(errors.New("later"), time.Second)
			}
			r.start(task)
			r.sleep(time.Second)
			assert.Equal(t, "t-1@0..1 t-0@1", task.taken(), "a's records come from where it said")
			require.NoError(t, r.stop())
		})
	})
	t.Run("before a commit", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 4)
			task := r.openSink()
			task.put = func(context.Context, []SinkRecord) error {
				task.put = nil
				task.context.RequestCommit()
				task.context.Rewind(Offsets{a: 2})
				return nil
			}
			r.start(task)
			assert.Equal(t, []string{"put t-0@0..3", "seek t-0=2", "flush t-0=2", "put t-0@2..3"}, r.journal.only("put", "seek", "flush", "commit"),
				"what was rewound is not committed")
			require.NoError(t, r.stop())
		})
	})
	t.Run("nonsense", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			task := r.openSink()
			r.start(task)
			task.context.Rewind(nil)
			assert.Zero(t, r.consumer.counted(&r.consumer.wakes))
			task.context.Rewind(Offsets{a: -1, b: 3})
			r.sleep(time.Millisecond)
			assert.Empty(t, r.journal.only("seek"))
			require.NoError(t, r.stop())
		})
	})
}

// onlyFull leaves out puts of nothing.
func onlyFull(lines []string) []string {
	var full []string
	for _, line := range lines {
		if line != "put " {
			full = append(full, line)
		}
	}
	return full
}

func TestSinkTaskPausesPartitions(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b, c := tpOf("t", 0), tpOf("t", 1), tpOf("t", 2)
		r.consumer.assign(a, b)
		task := r.openSink()
		r.start(task)
		r.journal.take()
		task.context.Pause(a, c) // c is not assigned
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"pause t-0"}, onlyFull(r.journal.take()))
		r.consumer.produce(a, 1)
		r.consumer.produce(b, 1)
		r.sleep(time.Millisecond)
		assert.Equal(t, "t-1@0", task.taken())

		r.consumer.assign(c)
		r.sleep(time.Millisecond)
		assert.Equal(t, []TopicPartition{a}, r.consumer.pausedNow())
		task.context.Resume(a)
		r.sleep(time.Millisecond)
		assert.Equal(t, "t-1@0 t-0@0", task.taken())

		r.journal.take()
		before := r.consumer.counted(&r.consumer.wakes)
		task.context.Resume(a, b)
		task.context.Pause()
		assert.Equal(t, before, r.consumer.counted(&r.consumer.wakes), "nothing new")
		require.NoError(t, r.stop())
	})
}

func TestSinkTaskPausesInOpen(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		task := r.openSink()
		task.open = func(tps []TopicPartition) error { task.context.Pause(tps...); return nil }
		r.start(task)
		r.sleep(time.Minute)
		assert.Empty(t, task.taken(), "not one record gets through")
		require.NoError(t, r.stop())
	})
}

func TestSinkTargetStatePaused(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 1)
		task := r.openSink()
		r.start(task)
		r.journal.take()
		task.context.Pause(b)
		r.sleep(time.Millisecond)

		r.env.gate.set(true)
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"pause t-1", "pause t-0", "PAUSED", "flush t-0=1 t-1=0", "commit t-0=1"}, onlyFull(r.journal.take()))
		r.consumer.produce(a, 1)
		r.consumer.produce(b, 1)
		before := r.consumer.counted(&r.consumer.polls)
		r.sleep(2 * sinkFlushInterval)
		assert.Equal(t, []string{"put ", "put "}, r.journal.only("put"), "work by the clock goes on")
		assert.Greater(t, r.consumer.counted(&r.consumer.polls), before)

		task.context.Resume(a) // not paused by the task: no effect on the target state
		r.sleep(time.Millisecond)
		assert.Equal(t, "t-0@0", task.taken())

		r.env.gate.set(false)
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"resume t-0", "RUNNING", "put t-0@1"}, onlyFull(r.journal.only("resume", "RUNNING", "put")),
			"what the task paused stays paused")
		require.NoError(t, r.stop())
	})
}

func TestSinkTargetStateChangesQuickly(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.start(r.openSink())
		r.journal.take()
		for range 10 {
			r.env.gate.set(true)
			r.env.gate.set(false)
		}
		r.env.gate.set(true)
		r.sleep(time.Millisecond)
		assert.Equal(t, []TopicPartition{a}, r.consumer.pausedNow())
		r.consumer.assign(tpOf("t", 1))
		r.sleep(time.Millisecond)
		assert.Equal(t, []TopicPartition{a, tpOf("t", 1)}, r.consumer.pausedNow(), "new partitions of a paused task")
		r.env.gate.set(false)
		r.sleep(time.Millisecond)
		assert.Empty(t, r.consumer.pausedNow())
		require.NoError(t, r.stop())
	})
}

func TestSinkPausedDuringRedelivery(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		task := r.openSink()
		task.put = func(context.Context, []SinkRecord) error {
			task.put = nil
			return Retriable(errors.New("later"), time.Second)
		}
		r.start(task)
		r.env.gate.set(true)
		r.sleep(time.Second)
		assert.Equal(t, "t-0@0", task.taken(), "the batch is offered all the same")
		assert.Equal(t, []TopicPartition{a}, r.consumer.pausedNow(), "but the task stays paused")
		r.env.gate.set(false)
		r.sleep(time.Millisecond)
		assert.Empty(t, r.consumer.pausedNow())
		require.NoError(t, r.stop())
	})
}

// A task that asks for a commit in each Put, or in each Flush, gets them; but
// the loop still waits for records in between.
func TestSinkCommitRequestsDoNotSpin(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		task := r.openSink()
		task.put = func(context.Context, []SinkRecord) error { task.context.RequestCommit(); return nil }
		task.flush = func(Offsets) error { task.context.RequestCommit(); return nil }
		r.start(task)
		r.sleep(time.Second)
		assert.Equal(t, []string{"put t-0@0", "flush t-0=1", "commit t-0=1", "flush t-0=1"}, r.journal.only("put", "flush", "commit"))
		r.consumer.produce(a, 1)
		r.sleep(time.Second)
		assert.Equal(t, []string{"put t-0@1", "flush t-0=2", "commit t-0=2", "flush t-0=2"}, r.journal.only("put", "flush", "commit"))
		task.set(func() { task.put = nil })
		r.consumer.produce(a, 1)
		r.sleep(time.Second)
		assert.Equal(t, []string{"put t-0@2", "flush t-0=3", "commit t-0=3", "flush t-0=3"}, r.journal.only("put", "flush", "commit"),
			"the request of the last Flush was put off, not lost")
		task.set(func() { task.flush = nil })
		require.NoError(t, r.stop())
	})
}

// What is asked for while a commit runs must not wait for the next records.
func TestSinkRequestDuringCommit(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 3)
		task := r.openSink()
		r.start(task)
		first := true
		r.consumer.do(func() {
			r.consumer.commitErr = func(context.Context, Offsets) error {
				if first {
					first = false
					task.context.RequestCommit()
					task.context.Rewind(Offsets{a: 1})
					task.context.Pause(a)
				}
				return nil
			}
		})
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"flush t-0=3", "commit t-0=3", "seek t-0=1", "flush t-0=1", "pause t-0"}, r.journal.only("flush", "commit", "seek", "pause"))
		require.NoError(t, r.stop())
	})
}

func TestSinkContextIsSafeForConcurrentUse(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		tps := []TopicPartition{tpOf("t", 0), tpOf("t", 1)}
		r.consumer.assign(tps...)
		task := r.openSink()
		r.start(task)
		var users sync.WaitGroup
		for range 8 {
			users.Go(func() {
				for i := range 50 {
					c := task.context
					c.Pause(tps[i%2])
					c.Rewind(Offsets{tps[i%2]: int64(i % 3)})
					c.RequestCommit()
					c.Resume(c.Assignment()...)
					_ = c.Logger()
				}
			})
		}
		for range 20 {
			r.consumer.produce(tps[0], 3)
			r.consumer.revoke(tps[1])
			r.consumer.assign(tps[1])
			synctest.Wait()
		}
		users.Wait()
		r.sleep(time.Second)
		assert.Empty(t, r.consumer.pausedNow())
		require.NoError(t, r.stop())
		assert.Equal(t, int64(60), r.consumer.committed[tps[0]])
	})
}
