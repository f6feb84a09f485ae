package connect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/outcome"
)

// sinkLetters is a reporter whose outcomes come when the test says so.
type sinkLetters struct {
	mu      sync.Mutex
	letters []string
	pending []*outcome.Outcome
	hold    bool // outcomes are pending until settle
}

func (*sinkLetters) wantsRaw() bool { return true }

func (l *sinkLetters) report(_ context.Context, f *failure) *outcome.Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, fmt.Sprintf("%s %s %v", f.stage, f.at(), f.err))
	if !l.hold {
		return nil
	}
	o := outcome.New()
	l.pending = append(l.pending, o)
	return o
}

func (l *sinkLetters) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.letters
}

// settle gives all pending letters their outcome.
func (l *sinkLetters) settle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.pending {
		o.Settle(err)
	}
	l.pending, l.hold = nil, false
}

var errRefused = errors.New("refused by the target")

// reporting makes the task report each record of Put whose offset is odd.
func (s *plainSink) reporting() {
	s.put = func(ctx context.Context, recs []SinkRecord) error {
		for i := range recs {
			if recs[i].Origin.Offset%2 == 1 {
				if err := s.context.Report(ctx, &recs[i], errRefused); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func (r *sinkRig) tolerant(l *sinkLetters) {
	r.env.errs.set.tolerateAll = true
	r.env.errs.reporters = []reporter{l}
}

func TestSinkReport(t *testing.T) {
	a := tpOf("t", 0)
	t.Run("is awaited before the commit", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.reporting()
			r.start(task)
			assert.Equal(t, []string{"TASK_PUT t-0@1 refused by the target"}, letters.all())
			task.context.RequestCommit()
			r.sleep(sinkFlushTimeout - time.Second)
			assert.Empty(t, r.journal.only("commit"))
			letters.settle(nil)
			r.sleep(time.Millisecond)
			assert.Equal(t, []string{"commit t-0=2"}, r.journal.only("commit"))
			require.NoError(t, r.stop())
			assert.True(t, r.hooks.errs[0].Skipped)
		})
	})
	t.Run("of one partition does not hold up another", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			b := tpOf("t", 1)
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a, b)
			r.consumer.produce(a, 2)
			r.consumer.produce(b, 1)
			task := r.openSink()
			task.reporting()
			r.start(task)
			task.context.RequestCommit()
			r.sleep(sinkFlushTimeout)
			assert.Equal(t, []string{"commit t-1=1"}, r.journal.only("commit"))
			assert.Contains(t, r.log.String(), "reports are outstanding")
			letters.settle(nil)
			require.NoError(t, r.stop())
			assert.Equal(t, Offsets{a: 2, b: 1}, r.consumer.committed)
		})
	})
	t.Run("during Flush counts for that commit", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.flush = func(Offsets) error { return task.context.Report(context.Background(), &task.got[0], errRefused) }
			r.start(task)
			r.endPoll(ErrStopped)
			r.sleep(time.Second)
			assert.Empty(t, r.journal.only("commit"))
			letters.settle(nil)
			require.NoError(t, r.wait())
			assert.Equal(t, Offsets{a: 2}, r.consumer.committed)
		})
	})
	t.Run("that gets lost fails the task", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.reporting()
			r.start(task)
			letters.settle(ErrAuth)
			task.context.RequestCommit()
			err := r.failed(StageTaskPut)
			assert.ErrorIs(t, err, ErrAuth)
			assert.ErrorContains(t, err, "t-0: offset 1")
			assert.Empty(t, r.consumer.committed, "not while closing either")
		})
	})
	t.Run("that gets lost at the end is not committed", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.reporting()
			r.start(task)
			letters.settle(ErrAuth)
			require.NoError(t, r.stop())
			assert.Empty(t, r.consumer.committed)
			assert.Contains(t, r.log.String(), "the report was lost")
		})
	})
	t.Run("that gets lost before a revocation", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{hold: true}
			r.tolerant(letters)
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.reporting()
			r.start(task)
			letters.settle(ErrAuth)
			r.consumer.revoke(a)
			r.sleep(time.Second)
			assert.Empty(t, r.consumer.committed, "the next owner reports it again")
			require.NoError(t, r.stop(), "no reason to fail this task")
		})
	})
	t.Run("without tolerance", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			letters := &sinkLetters{}
			r.env.errs.reporters = []reporter{letters}
			r.consumer.assign(a)
			r.consumer.produce(a, 2)
			task := r.openSink()
			task.reporting()
			r.start(task)
			err := r.failed(StageTaskPut)
			assert.ErrorIs(t, err, errRefused)
			assert.Equal(t, "t-0@1", err.At)
			assert.Len(t, letters.all(), 1, "reported all the same")
			assert.Empty(t, r.consumer.committed)
		})
	})
}

func TestSinkReportIsRefused(t *testing.T) {
	a := tpOf("t", 0)
	for _, how := range []string{"revoked", "lost", "stopped"} {
		t.Run(how, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				letters := &sinkLetters{}
				r.tolerant(letters)
				r.consumer.assign(a)
				r.consumer.produce(a, 2)
				task := r.openSink()
				r.start(task)
				switch how {
				case "revoked":
					r.consumer.revoke(a)
				case "lost":
					r.consumer.lose(a)
				case "stopped":
					require.NoError(t, r.stop())
				}
				r.sleep(time.Millisecond)
				err := task.context.Report(t.Context(), &task.got[1], errRefused)
				require.ErrorIs(t, err, ErrRevoked)
				assert.ErrorContains(t, err, "t-0@1")
				assert.Empty(t, letters.all())
				if how != "stopped" {
					require.NoError(t, r.stop())
				}
			})
		})
	}
	t.Run("nonsense", func(t *testing.T) {
		sinkBubble(t, func(t *testing.T, r *sinkRig) {
			r.consumer.assign(a)
			r.consumer.produce(a, 1)
			task := r.openSink()
			r.start(task)
			report := task.context.Report
			assert.ErrorIs(t, report(t.Context(), nil, errRefused), ErrBadRequest)
			assert.ErrorIs(t, report(t.Context(), &task.got[0], nil), ErrBadRequest)
			byHand := SinkRecord{Origin: Origin{TopicPartition: a}}
			assert.ErrorIs(t, report(t.Context(), &byHand, errRefused), ErrBadRequest)
			require.NoError(t, r.stop())
		})
	})
}

// While a task closes partitions it may still find a record that the target
// refuses; after a loss its records are another's.
func TestSinkReportDuringClose(t *testing.T) {
	a := tpOf("t", 0)
	for how, want := range map[string]error{"revoked": nil, "lost": ErrRevoked} {
		t.Run(how, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				letters := &sinkLetters{}
				r.tolerant(letters)
				r.consumer.assign(a)
				r.consumer.produce(a, 1)
				task := r.openSink()
				var got error
				task.close = func([]TopicPartition) error {
					got = task.context.Report(context.Background(), &task.got[0], errRefused)
					return nil
				}
				r.start(task)
				if how == "lost" {
					r.consumer.lose(a)
				} else {
					r.consumer.revoke(a)
				}
				r.sleep(time.Millisecond)
				assert.ErrorIs(t, got, want)
				require.NoError(t, r.stop())
			})
		})
	}
}

func TestSinkLossForgetsReports(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		letters := &sinkLetters{hold: true}
		r.tolerant(letters)
		r.consumer.assign(a)
		r.consumer.produce(a, 2)
		task := r.openSink()
		task.reporting()
		r.start(task)
		r.consumer.lose(a)
		r.consumer.assign(a)
		task.set(func() { task.put = nil })
		r.sleep(time.Millisecond)
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"commit t-0=2"}, r.journal.only("commit"), "nobody waits for reports of the first ownership")
		require.NoError(t, r.stop())
	})
}

// Dead letters of converters and transforms are awaited as well. One that gets
// lost fails the task, so that its record comes again: nothing is lost in silence.
func TestSinkDeadLettersOfStagesAreAwaited(t *testing.T) {
	for name, result := range map[string]error{"written": nil, "lost": ErrAuth} {
		t.Run(name, func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) {
				a := tpOf("t", 0)
				letters := &sinkLetters{hold: true}
				r.tolerant(letters)
				r.env.value = sinkBytes{fail: func([]byte) error { return errRefused }}
				r.consumer.assign(a)
				r.consumer.produce(a, 1)
				task := r.openSink()
				r.start(task)
				task.context.RequestCommit()
				r.sleep(time.Second)
				assert.Equal(t, []string{"VALUE_CONVERTER t-0@0 refused by the target"}, letters.all())
				assert.Empty(t, r.journal.only("commit"))
				letters.settle(result)
				r.sleep(time.Millisecond)
				if result != nil {
					assert.ErrorIs(t, r.failed(StageTaskPut), result)
					assert.Empty(t, r.consumer.committed)
					return
				}
				assert.Equal(t, []string{"commit t-0=1"}, r.journal.only("commit"))
				require.NoError(t, r.stop())
			})
		})
	}
}

// A letter holds back its own offset and those behind it, not those before it.
func TestSinkCommitsUpToALetter(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		letters := &sinkLetters{hold: true}
		r.tolerant(letters)
		r.env.value = sinkBytes{fail: func(b []byte) error {
			if string(b) == "t-0@3" {
				return errRefused
			}
			return nil
		}}
		r.consumer.assign(a)
		r.consumer.produce(a, 5)
		task := r.preCommitSink()
		upTo := int64(3)
		task.preCommit = func(Offsets) (Offsets, error) { return Offsets{a: upTo}, nil }
		r.start(task)
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"commit t-0=3"}, r.journal.only("commit"))
		task.set(func() { upTo = 4 })
		task.context.RequestCommit()
		r.sleep(sinkFlushTimeout)
		assert.Empty(t, r.journal.only("commit"))
		letters.settle(nil)
		task.context.RequestCommit()
		r.sleep(time.Millisecond)
		assert.Equal(t, []string{"commit t-0=4"}, r.journal.only("commit"))
		require.NoError(t, r.stop())
	})
}

func TestSinkConcurrentReports(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a, b := tpOf("t", 0), tpOf("t", 1)
		letters := &sinkLetters{}
		r.tolerant(letters)
		r.consumer.assign(a, b)
		r.consumer.produce(a, 100)
		r.consumer.produce(b, 100)
		task := r.openSink()
		task.put = func(ctx context.Context, recs []SinkRecord) error {
			var workers sync.WaitGroup
			for i := range recs {
				workers.Go(func() { assert.NoError(t, task.context.Report(ctx, &recs[i], errRefused)) })
			}
			task.context.RequestCommit()
			workers.Wait()
			return nil
		}
		r.start(task)
		require.NoError(t, r.stop())
		assert.Len(t, letters.all(), 200)
		assert.Equal(t, Offsets{a: 100, b: 100}, r.consumer.committed)
	})
}

// Reports that are over are not kept until the next commit.
func TestSinkReportsAreBounded(t *testing.T) {
	sinkBubble(t, func(t *testing.T, r *sinkRig) {
		a := tpOf("t", 0)
		letters := &sinkLetters{}
		r.tolerant(letters)
		r.consumer.assign(a)
		r.consumer.produce(a, 1)
		task := r.openSink()
		r.start(task)
		for range 10_000 {
			require.NoError(t, task.context.Report(t.Context(), &task.got[0], errRefused))
		}
		assert.LessOrEqual(t, cap(r.pipeline.context.owned[a].reports), 8)
		require.NoError(t, r.stop())
	})
}

func TestSinkReportWaitPrefersTheOutcome(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := func(err error) *outcome.Outcome {
		o := outcome.New()
		o.Settle(err)
		return o
	}
	told := make(chan struct{})
	close(told)
	for range 100 { // a select among ready cases would pick either
		r := &sinkReport{told: told, outcomes: []*outcome.Outcome{nil, done(nil)}}
		require.NoError(t, r.wait(ctx))
		r.outcomes = append(r.outcomes, done(ErrAuth))
		require.ErrorIs(t, r.wait(ctx), ErrAuth)
	}
	r := &sinkReport{told: told, outcomes: []*outcome.Outcome{outcome.New()}}
	require.ErrorIs(t, r.wait(ctx), errReportsPending)
	assert.False(t, r.over())
	r = &sinkReport{told: make(chan struct{})}
	require.ErrorIs(t, r.wait(ctx), errReportsPending)
	assert.False(t, r.over())
}
