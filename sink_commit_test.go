package connect

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSinkCommitTiming(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 3)
		task := r.openSink()
		r.start(task)
		r.sleep(sinkFlushInterval - time.Second)
		r.consumer.produce(a, 1) // records do not hasten it
		r.sleep(500 * time.Millisecond)
		assert.Empty(t, r.journal.only("flush", "commit"))
		r.sleep(500 * time.Millisecond)
		assert.Equal(t, []string{"flush t-0=4", "commit t-0=4"}, r.journal.only("flush", "commit"))
		commit := r.hooks.lastCommit()
		assert.Equal(t, 1, commit.Partitions)
		assert.True(t, commit.Sink)

		r.sleep(30 * time.Second)
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"flush t-0=4"}, r.journal.only("flush", "commit"), "nothing changed: no request")
		assert.Zero(t, r.hooks.lastCommit().Partitions)
		require.NoError(t, r.hooks.lastCommit().Err)
		r.sleep(59 * time.Second)
		assert.Empty(t, r.journal.only("flush"), "a commit asked for puts off the next")
		r.sleep(time.Second)
		assert.Equal(t, []string{"flush t-0=4"}, r.journal.only("flush", "commit"))
		require.NoError(t, r.stop())
	})
}

func TestSinkPlainTaskCommitsWhatItTook(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		r.consumer.assign(tpOf("t", 0))
		r.consumer.produce(tpOf("t", 0), 3)
		r.start(&plainSink{journal: r.journal})
		require.NoError(t, r.stop())
		assert.Equal(t, []string{"put t-0@0..2", "commit t-0=3", "stop", "consumer closed"}, r.journal.only("put", "commit", "stop", "consumer"))
	})
}

// Compaction and transaction markers leave holes: the next offset counts.
func TestSinkCommitOverGaps(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		for _, offset := range []int64{5, 9, 10, 100} {
			r.consumer.appendMessage(Message{TopicPartition: a, Offset: offset})
		}
		task := r.preCommitSink()
		r.start(task)
		task.set(func() { task.preCommit = func(Offsets) (Offsets, error) { return Offsets{a: 10}, nil } })
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		task.set(func() { task.preCommit = nil })
		require.NoError(t, r.stop())
		assert.Equal(t, []string{"precommit t-0=101", "commit t-0=10", "precommit t-0=101", "commit t-0=101"}, r.journal.only("precommit", "commit"))
	})
}

func TestSinkPreCommit(t *testing.T) {
	a, b, c := tpOf("t", 0), tpOf("t", 1), tpOf("x", 0)
	cases := map[string]struct {
		answer Offsets
		commit string // empty: no request
		warn   string
	}{
		"all":                 {Offsets{a: 3, b: 2}, "t-0=3 t-1=2", ""},
		"a part":              {Offsets{a: 3}, "t-0=3", ""},
		"less":                {Offsets{a: 1, b: 2}, "t-0=1 t-1=2", ""},
		"nothing":             {Offsets{}, "", ""},
		"nil":                 {nil, "", ""},
		"beyond what was put": {Offsets{a: 4, b: 2}, "t-1=2", "records before it were not put yet"},
		"unassigned":          {Offsets{a: 3, c: 1}, "t-0=3", "the partition is not assigned"},
		"negative":            {Offsets{a: -1, b: 2}, "t-1=2", "it is negative"},
		"what is committed":   {Offsets{a: 0, b: 0}, "", ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				r.consumer.assign(a, b)
				r.consumer.produce(a, 3)
				r.consumer.produce(b, 2)
				task := r.preCommitSink()
				task.preCommit = func(Offsets) (Offsets, error) { return test.answer, nil }
				r.start(task)
				r.sleep(sinkFlushInterval)
				want := []string{"precommit t-0=3 t-1=2"}
				if test.commit != "" {
					want = append(want, "commit "+test.commit)
				}
				assert.Equal(t, want, r.journal.only("precommit", "commit", "flush", "seek"))
				if test.warn == "" {
					assert.NotContains(t, r.log.String(), "WARN")
				} else {
					assert.Contains(t, r.log.String(), test.warn)
				}
				require.NoError(t, r.stop())
			})
		})
	}
}

// What a task does to the map it is given is its own affair.
func TestSinkPreCommitMayScribble(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 3)
		task := r.preCommitSink()
		task.preCommit = func(o Offsets) (Offsets, error) { o[a] = 99; return o, nil }
		r.start(task)
		require.NoError(t, r.stop())
		assert.Empty(t, r.consumer.committed)
		assert.Contains(t, r.log.String(), "not put yet")
	})
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		r.consumer.assign(a)
		r.consumer.produce(a, 3)
		task := r.openSink()
		task.set(func() { task.flush = func(o Offsets) error { o[a] = 99; return nil } })
		r.start(task)
		require.NoError(t, r.stop())
		assert.Equal(t, Offsets{a: 3}, r.consumer.committed)
	})
}

func TestSinkPreCommitOfRevokedOnly(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 3)
		r.consumer.produce(b, 2)
		task := r.preCommitSink()
		task.preCommit = func(Offsets) (Offsets, error) { return Offsets{a: 3, b: 2}, nil }
		r.start(task)
		r.journal.take()
		r.consumer.revoke(a)
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"precommit t-0=3", "commit t-0=3", "close t-0"}, r.journal.take(), "b is not what this commit is about")
		assert.NotContains(t, r.log.String(), "WARN")
		require.NoError(t, r.stop())
	})
}

func TestSinkCannotFlush(t *testing.T) {
	a := tpOf("t", 0)
	boom := errors.New("disk full")
	t.Run("goes back to what is committed", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.committed[a] = 2
			r.consumer.produce(a, 5)
			r.consumer.assign(a)
			task := r.openSink()
			task.flush = func(Offsets) error { return boom }
			r.start(task)
			r.sleep(sinkFlushInterval)
			task.set(func() { task.flush = nil })
			assert.Equal(t, []string{"put t-0@2..4", "put ", "flush t-0=5", "seek t-0=2", "put t-0@2..4"}, r.journal.only("put", "flush", "seek", "commit"))
			assert.ErrorIs(t, r.hooks.lastCommit().Err, boom)
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 5}, r.consumer.committed)
		})
	})
	t.Run("with a batch that waits", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.produce(a, 2)
			r.consumer.assign(a)
			task := r.openSink()
			r.start(task)
			task.set(func() {
				task.put = func(context.Context, []SinkRecord) error { return Retriable(errors.New("later"), time.Minute) }
			})
			r.consumer.produce(a, 2)
			r.sleep(time.Millisecond)
			task.set(func() { task.flush = func(Offsets) error { return boom } })
			task.set(func() { task.put = nil })
			task.context.RequestCommit()
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"put t-0@0..1", "put t-0@2..3", "flush t-0=2", "seek t-0=0", "put t-0@0..3"}, r.journal.only("put", "flush", "seek"),
				"in order, without what waited")
			task.set(func() { task.flush = nil })
			require.NoError(t, r.stop())
		})
	})
	t.Run("at the end", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.produce(a, 2)
			r.consumer.assign(a)
			task := r.openSink()
			task.flush = func(Offsets) error { return boom }
			r.start(task)
			require.NoError(t, r.stop())
			assert.Equal(t, []string{"flush t-0=2", "close t-0"}, r.journal.only("seek", "flush", "commit", "close"))
			assert.Contains(t, r.log.String(), "disk full")
		})
	})
}

func TestSinkCommitFails(t *testing.T) {
	a := tpOf("t", 0)
	t.Run("goes with the next", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			boom := errors.New("coordinator away")
			r.consumer.commitErr = func(context.Context, Offsets) error { return boom }
			r.consumer.produce(a, 2)
			r.consumer.assign(a)
			r.start(r.openSink())
			r.sleep(sinkFlushInterval)
			assert.ErrorIs(t, r.hooks.lastCommit().Err, boom)
			assert.Equal(t, 1, strings.Count(r.log.String(), "coordinator away"))
			r.consumer.do(func() { r.consumer.commitErr = nil })
			r.sleep(sinkFlushInterval)
			assert.Equal(t, []string{"commit t-0=2", "commit t-0=2"}, r.journal.only("commit", "seek"))
			assert.NoError(t, r.hooks.lastCommit().Err)
			require.NoError(t, r.stop())
		})
	})
	t.Run("takes too long", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.commitErr = func(ctx context.Context, _ Offsets) error { <-ctx.Done(); return context.Cause(ctx) }
			r.consumer.produce(a, 2)
			r.consumer.assign(a)
			task := r.openSink()
			r.start(task)
			r.sleep(sinkFlushInterval)
			r.consumer.produce(a, 1)
			r.sleep(sinkFlushTimeout - 1)
			assert.Equal(t, "t-0@0..1", task.taken())
			r.sleep(1)
			assert.Equal(t, "t-0@0..2", task.taken(), "it goes on")
			assert.ErrorContains(t, r.hooks.lastCommit().Err, "offset.flush.timeout.ms of 5s")
			assert.Equal(t, sinkFlushTimeout, r.hooks.lastCommit().Took)
			r.consumer.do(func() { r.consumer.commitErr = nil })
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 3}, r.consumer.committed)
		})
	})
	t.Run("at revocation", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.commitErr = func(context.Context, Offsets) error { return ErrFenced }
			r.consumer.produce(a, 2)
			r.consumer.assign(a)
			r.start(r.openSink())
			r.consumer.revoke(a)
			r.sleep(time.Second)
			assert.Equal(t, []string{"commit t-0=2", "close t-0"}, r.journal.only("commit", "close"))
			require.NoError(t, r.stop(), "the task lives")
		})
	})
}
