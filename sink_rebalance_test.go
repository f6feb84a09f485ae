package connect

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSinkAssignmentStartsAtCommitted(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.produce(a, 10)
		r.consumer.committed[a] = 6
		r.consumer.assign(a)
		task := r.openSink()
		task.open = func(tps []TopicPartition) error {
			assert.Equal(t, tps, task.context.Assignment(), "assigned before Open")
			return nil
		}
		r.start(task)
		assert.Equal(t, "t-0@6..9", task.taken())
		require.NoError(t, r.stop())
	})
}

// A cooperative group passes only what changes; what stays goes on undisturbed.
func TestSinkCooperativeRebalance(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b, c := tpOf("t", 0), tpOf("t", 1), tpOf("t", 2)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 2)
		r.consumer.produce(b, 2)
		task := r.openSink()
		r.start(task)
		r.journal.take()

		r.consumer.revoke(b)
		r.sleep(time.Second)
		assert.Equal(t, []string{"flush t-1=2", "commit t-1=2", "close t-1"}, r.journal.take())
		assert.Equal(t, []TopicPartition{a}, task.context.Assignment())

		r.consumer.assign(c)
		r.sleep(time.Second)
		assert.Equal(t, []string{"open t-2", "resume t-2"}, r.journal.take())
		assert.Equal(t, []TopicPartition{a, c}, task.context.Assignment())

		r.consumer.assign(b)
		r.consumer.produce(b, 1)
		r.sleep(time.Second)
		assert.Equal(t, []string{"open t-1", "resume t-1", "put t-1@2"}, r.journal.take(), "from where it was committed")
		r.consumer.revoke() // nothing changes
		r.consumer.assign()
		r.sleep(time.Second)
		assert.Empty(t, r.journal.take())
		require.NoError(t, r.stop())
		assert.Equal(t, Offsets{a: 2, b: 3}, r.consumer.committed, "nothing was read of c")
	})
}

func TestSinkLostPartitions(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 2)
		r.consumer.produce(b, 2)
		task := r.openSink()
		r.start(task)
		r.journal.take()
		r.consumer.lose(b)
		r.sleep(time.Second)
		assert.Equal(t, []string{"close t-1"}, r.journal.take(), "no commit")
		require.NoError(t, r.stop())
		assert.Equal(t, Offsets{a: 2}, r.consumer.committed)
	})
}

func TestSinkWorkerLostTheTask(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 2)
		r.start(r.openSink())
		r.journal.take()
		r.endPoll(ErrRevoked)
		require.NoError(t, r.wait())
		assert.Equal(t, []string{"close t-0", "stop", "consumer closed"}, r.journal.take())
	})
}

func TestSinkRebalanceDuringRedelivery(t *testing.T) {
	a, b, c := tpOf("t", 0), tpOf("t", 1), tpOf("t", 2)
	begin := func(r *sinkRig) *openSink {
		r.consumer.assign(a, b)
		r.consumer.produce(a, 2)
		r.consumer.produce(b, 2)
		task := r.openSink()
		task.put = func(_ context.Context, recs []SinkRecord) error {
			if len(recs) > 0 {
				return Retriable(errors.New("target away"), time.Second)
			}
			return nil
		}
		r.start(task)
		r.journal.take()
		return task
	}
	t.Run("a part is revoked", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := begin(r)
			r.consumer.revoke(a)
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"flush t-0=0", "close t-0"}, r.journal.take(), "the batch was not put")
			assert.Equal(t, []TopicPartition{b}, r.consumer.pausedNow(), "there is still something to redeliver")
			task.set(func() { task.put = nil })
			r.sleep(time.Second)
			assert.Equal(t, []string{"put t-1@0..1", "resume t-1"}, r.journal.take())
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{b: 2}, r.consumer.committed)
		})
	})
	t.Run("all is revoked", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := begin(r)
			r.consumer.revoke(a, b)
			r.consumer.assign(c)
			task.set(func() { task.put = nil })
			r.consumer.produce(c, 1)
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"flush t-0=0 t-1=0", "close t-0 t-1", "open t-2", "resume t-2", "put t-2@0"}, r.journal.take(),
				"nothing to wait for any more")
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{c: 1}, r.consumer.committed)
		})
	})
	t.Run("all is lost", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			begin(r)
			r.consumer.lose(a, b)
			r.sleep(time.Second)
			assert.Equal(t, []string{"close t-0 t-1", "put "}, r.journal.only("close", "put", "commit", "flush"))
			require.NoError(t, r.stop())
		})
	})
	t.Run("new partitions wait", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := begin(r)
			r.consumer.assign(c)
			r.consumer.produce(c, 1)
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"open t-2", "pause t-2"}, r.journal.take())
			task.set(func() { task.put = nil })
			r.sleep(time.Second)
			assert.Equal(t, []string{"put t-0@0..1 t-1@0..1", "resume t-0 t-1 t-2", "put t-2@0"}, r.journal.take())
			require.NoError(t, r.stop())
		})
	})
	t.Run("the same partition comes back", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := begin(r)
			r.consumer.revoke(a, b)
			r.consumer.assign(b)
			task.set(func() { task.put = nil })
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"put t-1@0..1"}, r.journal.only("put"), "once, and from the committed offset")
			require.NoError(t, r.stop())
		})
	})
}

// A consumer may remember that a partition was paused when it had it before.
func TestSinkPauseDoesNotOutliveAnAssignment(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		task := r.openSink()
		r.start(task)
		task.context.Pause(a)
		r.sleep(time.Millisecond)
		r.consumer.revoke(a)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		r.sleep(time.Millisecond)
		assert.Equal(t, "t-0@0", task.taken())
		require.NoError(t, r.stop())
	})
}

func TestSinkRebalanceFunctionsFail(t *testing.T) {
	boom := errors.New("boom")
	a := tpOf("t", 0)
	t.Run("open", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			task := r.openSink()
			task.open = func([]TopicPartition) error { return boom }
			r.start(task)
			assert.ErrorIs(t, r.failed(StageTaskPut), boom)
			assert.Equal(t, []string{"start", "RUNNING", "open t-0", "flush t-0=0", "close t-0", "stop", "consumer closed"}, r.journal.take())
		})
	})
	t.Run("close", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			task := r.openSink()
			task.close = func([]TopicPartition) error { return boom }
			r.start(task)
			r.consumer.revoke(a)
			assert.ErrorIs(t, r.failed(StageTaskPut), boom)
			assert.Equal(t, Offsets{a: 1}, r.consumer.committed)
			assert.Equal(t, []string{"close t-0"}, r.journal.only("close"), "once")
		})
	})
	t.Run("close after a loss", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			task := r.openSink()
			task.close = func([]TopicPartition) error { return boom }
			r.start(task)
			r.consumer.lose(a)
			assert.ErrorIs(t, r.failed(StageTaskPut), boom)
		})
	})
	t.Run("close at the end", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			task := r.openSink()
			task.close = func([]TopicPartition) error { return boom }
			r.start(task)
			require.NoError(t, r.stop(), "worth a line, no more")
			assert.Contains(t, r.log.String(), "boom")
		})
	})
	t.Run("position", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.positionErrs = []error{ErrOutOfRange}
			r.start(r.openSink())
			assert.ErrorIs(t, r.failed(StageKafkaConsume), ErrOutOfRange)
			assert.Empty(t, r.journal.only("open", "close"))
		})
	})
	t.Run("position missing", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.event(func(ctx context.Context, rb Rebalance) error { return rb.Assigned(ctx, []TopicPartition{a}) })
			r.start(r.openSink())
			assert.ErrorContains(t, r.failed(StageKafkaConsume), "no position in t-0")
		})
	})
	t.Run("position for a while", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			away := Retriable(errors.New("coordinator away"), 0)
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			r.consumer.positionErrs = []error{away, away}
			task := r.openSink()
			r.start(task)
			r.sleep(300 * time.Millisecond)
			assert.Equal(t, "t-0@0", task.taken())
			require.NoError(t, r.stop())
		})
	})
	t.Run("position until the end", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.positionErrs = []error{Retriable(errors.New("coordinator away"), time.Hour)}
			r.start(r.openSink())
			r.consumer.do(func() { r.consumer.positionErrs = []error{context.Canceled} })
			require.NoError(t, r.stop())
			assert.Empty(t, r.journal.only("open", "close", "commit"))
		})
	})
}

func TestSinkClaim(t *testing.T) {
	a, b := tpOf("t", 0), tpOf("t", 1)
	t.Run("goes on where the target ends", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := &claimSink{preCommitSink: *r.preCommitSink()}
			task.claim = func([]TopicPartition) (Offsets, error) { return Offsets{a: 4}, nil }
			r.consumer.produce(a, 6)
			r.consumer.produce(b, 3)
			r.consumer.committed[a], r.consumer.committed[b] = 2, 1
			r.consumer.assign(a, b)
			r.start(task)
			assert.Equal(t, "t-0@4..5 t-1@1..2", task.taken())
			require.NoError(t, r.stop())
			assert.Equal(t, []string{"claim t-0 t-1", "seek t-0=4", "open t-0 t-1", "commit t-0=6 t-1=3"},
				r.journal.only("claim", "seek", "open", "commit"))
		})
	})
	t.Run("of more than is assigned", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := &claimSink{preCommitSink: *r.preCommitSink()}
			task.claim = func([]TopicPartition) (Offsets, error) { return Offsets{b: 4}, nil }
			r.consumer.assign(a)
			r.start(task)
			require.NoError(t, r.stop())
			assert.Contains(t, r.log.String(), "ignoring a rewind")
		})
	})
	t.Run("fails", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			task := &claimSink{preCommitSink: *r.preCommitSink()}
			task.claim = func([]TopicPartition) (Offsets, error) { return nil, ErrFenced }
			r.consumer.assign(a)
			r.start(task)
			assert.ErrorIs(t, r.failed(StageTaskPut), ErrFenced)
		})
	})
}

func TestSinkRecordOfForeignPartition(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a)
		r.consumer.produce(b, 1)
		r.consumer.do(func() { r.consumer.position[b] = 0 }) // the consumer has it, we were not told
		task := r.openSink()
		r.start(task)
		assert.Empty(t, task.taken())
		assert.Contains(t, r.log.String(), "not assigned")
		require.NoError(t, r.stop())
		assert.Empty(t, r.consumer.committed)
	})
}

// What went wrong in a rebalance function counts, even if the consumer's Poll
// says nothing of it.
func TestSinkRebalanceErrorIsNotSwallowed(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		task := r.openSink()
		task.open = func([]TopicPartition) error { return ErrFenced }
		r.consumer.do(func() { r.consumer.position[tpOf("t", 0)] = 0 })
		r.consumer.event(func(ctx context.Context, rb Rebalance) error {
			_ = rb.Assigned(ctx, []TopicPartition{tpOf("t", 0)})
			return Retriable(errors.New("something else"), 0)
		})
		r.start(task)
		assert.ErrorIs(t, r.failed(StageTaskPut), ErrFenced)
	})
}

func TestSinkForgetsPartitions(t *testing.T) {
	a := tpOf("t", 0)
	t.Run("records after the revocation", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			task := r.openSink()
			r.start(task)
			r.consumer.event(func(ctx context.Context, rb Rebalance) error { return rb.Revoked(ctx, []TopicPartition{a}) })
			r.consumer.produce(a, 1)
			r.sleep(time.Millisecond)
			assert.Equal(t, "t-0@0", task.taken())
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 1}, r.consumer.committed)
		})
	})
	t.Run("assigned again without a revocation", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			r.start(r.openSink())
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			r.sleep(time.Millisecond)
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 2}, r.consumer.committed)
		})
	})
	t.Run("rewinds asked for in Close", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 3)
			task := r.openSink()
			task.close = func([]TopicPartition) error { task.context.Rewind(Offsets{a: 0}); return nil }
			r.start(task)
			r.consumer.revoke(a)
			r.consumer.assign(a)
			r.sleep(time.Millisecond)
			assert.Equal(t, "t-0@0..2", task.taken(), "they do not reach the next assignment")
			require.NoError(t, r.stop())
		})
	})
}
