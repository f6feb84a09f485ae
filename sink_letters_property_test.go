package connect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slowPost is the producer of dead letters: it writes them late, in any order, or
// loses them.
type slowPost struct {
	mu      sync.Mutex
	rand    *rand.Rand
	calm    bool
	written map[string]int // letters by t-0@7
}

func (p *slowPost) Send(_ context.Context, batch []Message, acks Acks) error {
	p.mu.Lock()
	delay := time.Duration(p.rand.IntN(3000)) * time.Millisecond
	lost := !p.calm && p.rand.IntN(40) == 0
	p.mu.Unlock()
	headers := make(map[string]string)
	for _, h := range batch[0].Headers {
		headers[strings.TrimPrefix(h.Key, "__connect.errors.")] = string(h.Value)
	}
	at := fmt.Sprintf("%s-%s@%s", headers["topic"], headers["partition"], headers["offset"])
	time.AfterFunc(delay, func() {
		if lost {
			acks.Acked(0, TopicPartition{}, -1, errors.New("lost"))
			return
		}
		p.mu.Lock()
		p.written[at]++
		p.mu.Unlock()
		acks.Acked(0, TopicPartition{}, 0, nil)
	})
	return nil
}

func (p *slowPost) Begin(context.Context) error                           { return nil }
func (p *slowPost) AddOffsets(context.Context, Offsets, GroupToken) error { return nil }
func (p *slowPost) End(context.Context, bool) error                       { return nil }
func (p *slowPost) Close(context.Context) error                           { return nil }

// isBad says which records fail, and where: in the converter, in the transform, or
// by a report of the task.
func isBad(offset int64) (stage Stage, bad bool) {
	switch offset % 5 {
	case 1:
		return StageValueConverter, true
	case 2:
		return StageTransformation, true
	case 3:
		return StageTaskPut, true
	}
	return "", false
}

// letterConsumer refuses commits that pass a letter which is not written.
type letterConsumer struct {
	*sinkConsumer
	t    *testing.T
	post *slowPost
}

func (c *letterConsumer) Commit(ctx context.Context, o Offsets) error {
	c.post.mu.Lock()
	for tp, next := range o {
		for offset := range next {
			if _, bad := isBad(offset); bad && c.post.written[fmt.Sprintf("%s-%d@%d", tp.Topic, tp.Partition, offset)] == 0 {
				c.t.Errorf("commit of %s-%d=%d: the letter of %d is not written", tp.Topic, tp.Partition, next, offset)
			}
		}
	}
	lost := !c.post.calm && c.post.rand.IntN(6) == 0
	c.post.mu.Unlock()
	if lost {
		return errors.New("commit lost")
	}
	return c.sinkConsumer.Commit(ctx, o)
}

// No offset is committed while the letter of a record before it is outstanding,
// or lost; and in the end every record that failed has its letter.
func TestSinkCommitsBehindItsLetters(t *testing.T) {
	for seed := range uint64(100) {
		ok := t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { lettersInterleaving(t, rand.New(rand.NewPCG(seed, 9))) })
		})
		if !ok {
			return
		}
	}
}

// lettersInterleaving runs in a bubble.
func lettersInterleaving(t *testing.T, random *rand.Rand) {
	tps := []TopicPartition{tpOf("t", 0), tpOf("t", 1), tpOf("u", 0)}
	post := &slowPost{rand: rand.New(rand.NewPCG(random.Uint64(), 7)), written: make(map[string]int)}
	consumer := newSinkConsumer(&sinkJournal{})
	owned := make(map[TopicPartition]bool)
	run := lettersRun(t, consumer, post)
	for range 100 {
		tp := tps[random.IntN(len(tps))]
		switch random.IntN(6) {
		case 0, 1:
			consumer.produce(tp, 1+random.IntN(8))
		case 2:
			switch {
			case !owned[tp]:
				consumer.assign(tp)
			case random.IntN(3) == 0:
				consumer.lose(tp)
			default:
				consumer.revoke(tp)
			}
			owned[tp] = !owned[tp]
		case 3:
			run.pipeline.context.RequestCommit()
		default:
			run.sleep(time.Duration(random.IntN(700)) * time.Millisecond)
		}
		run = lettersRestart(t, run, consumer, post, owned)
	}
	post.mu.Lock()
	post.calm = true
	post.mu.Unlock()
	for _, tp := range tps {
		if !owned[tp] {
			consumer.assign(tp)
			owned[tp] = true
		}
	}
	for range 4 { // a letter that is lost already may end one more run
		run.sleep(30 * time.Second)
		run = lettersRestart(t, run, consumer, post, owned)
	}
	require.NoError(t, run.stop())
	for _, tp := range tps {
		if log := consumer.logs[tp]; len(log) > 0 {
			require.Equal(t, log[len(log)-1].Offset+1, consumer.committed[tp], "%v: the end is committed", tp)
		}
		for _, m := range consumer.logs[tp] {
			_, bad := isBad(m.Offset)
			require.Equal(t, bad, post.written[fmt.Sprintf("%s-%d@%d", tp.Topic, tp.Partition, m.Offset)] > 0, "letter of %v@%d", tp, m.Offset)
		}
	}
}

// lettersRun starts a pipeline whose records fail as isBad says, in a bubble.
func lettersRun(t *testing.T, consumer *sinkConsumer, post *slowPost) *sinkRig {
	r := newSinkRig(t)
	r.consumer, r.journal = consumer, consumer.journal
	r.broker.consumer = &letterConsumer{consumer, t, post}
	r.env.timing = taskTiming{flushInterval: time.Second, flushTimeout: 500 * time.Millisecond}
	box := &letterBox{set: letterSettings{"dlq", true}, task: r.env.id, log: r.env.log, hooks: r.env.hooks, producer: post}
	r.env.errs.set.tolerateAll = true
	r.env.errs.reporters = []reporter{sinkLetterReporter{box}}
	offsetOf := func(text string) int64 {
		n, err := strconv.ParseInt(text[strings.LastIndexByte(text, '@')+1:], 10, 64)
		require.NoError(t, err)
		return n
	}
	r.env.value = sinkBytes{fail: func(b []byte) error {
		if stage, _ := isBad(offsetOf(string(b))); stage == StageValueConverter {
			return errRefused
		}
		return nil
	}}
	r.env.chain.stages = []transformStage{{class: "Fails", transform: sinkTransform(func(_ context.Context, rec *Record) (bool, error) {
		if stage, _ := isBad(rec.Offset); stage == StageTransformation {
			return false, errRefused
		}
		return true, nil
	})}}
	task := r.openSink()
	task.put = func(ctx context.Context, recs []SinkRecord) error {
		for i := range recs {
			if stage, _ := isBad(recs[i].Origin.Offset); stage == StageTaskPut {
				if err := task.context.Report(ctx, &recs[i], errRefused); err != nil {
					return err
				}
			}
		}
		return nil
	}
	r.start(task)
	return r
}

// lettersRestart starts the pipeline anew if a lost letter has ended it, with the
// partitions that it had, in a bubble.
func lettersRestart(t *testing.T, r *sinkRig, consumer *sinkConsumer, post *slowPost, owned map[TopicPartition]bool) *sinkRig {
	synctest.Wait()
	select {
	case err := <-r.ended:
		r.endLife(nil)
		require.ErrorContains(t, err, "lost")
	default:
		return r
	}
	consumer.mu.Lock()
	consumer.events = nil // what it did not hear of, the next one need not
	clear(consumer.position)
	consumer.mu.Unlock()
	for _, tp := range slices.SortedFunc(func(yield func(TopicPartition) bool) {
		for tp, mine := range owned {
			if mine && !yield(tp) {
				return
			}
		}
	}, compareTopicPartitions) {
		consumer.assign(tp)
	}
	return lettersRun(t, consumer, post)
}
