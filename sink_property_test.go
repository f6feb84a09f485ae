package connect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// sinkModel is a target that buffers, and forgets its buffer whenever it may:
// when it cannot flush, when a partition is closed, when the task is rewound. It
// knows naively what the engine must never do: commit an offset before which
// something is not durable, skip a record, or put records out of order.
type sinkModel struct {
	*sinkConsumer
	t    *testing.T
	rand *rand.Rand
	calm atomic.Bool // no more failures

	durable  map[TopicPartition]map[int64]bool
	buffered map[TopicPartition]map[int64]bool
	expected Offsets // the next offset that may be put
	allowed  Offsets // by the last PreCommit
}

// log returns all messages of a partition.
func (m *sinkModel) log(tp TopicPartition) []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logs[tp] // grows, does not change
}

// stored returns the committed offset.
func (m *sinkModel) stored(tp TopicPartition) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.committed[tp]
}

// dropped says which records the transform drops.
func (m *sinkModel) dropped(offset int64) bool { return offset%7 == 3 }

func (m *sinkModel) Seek(next Offsets) error {
	for tp, offset := range next {
		m.expected[tp] = offset
		m.buffered[tp] = map[int64]bool{}
	}
	return m.sinkConsumer.Seek(next)
}

func (m *sinkModel) Commit(ctx context.Context, o Offsets) error {
	for tp, offset := range o {
		require.LessOrEqual(m.t, offset, m.allowed[tp], "%v: beyond what PreCommit allowed", tp)
		for _, msg := range m.log(tp) {
			if msg.Offset < offset && !m.dropped(msg.Offset) {
				require.True(m.t, m.durable[tp][msg.Offset], "%v: commit of %d, but %d is not durable", tp, offset, msg.Offset)
			}
		}
	}
	if !m.calm.Load() && m.rand.IntN(4) == 0 {
		return errors.New("commit lost")
	}
	return m.sinkConsumer.Commit(ctx, o)
}

func (m *sinkModel) Start(context.Context, SinkContext) error { return nil }
func (m *sinkModel) Stop(context.Context) error               { return nil }

// Put takes the batch or, at random, nothing of it.
func (m *sinkModel) Put(_ context.Context, records []SinkRecord) error {
	if !m.calm.Load() && m.rand.IntN(3) == 0 {
		return Retriable(errors.New("busy"), time.Duration(m.rand.IntN(300))*time.Millisecond)
	}
	for i := range records {
		at := records[i].Origin
		for _, msg := range m.log(at.TopicPartition) {
			if msg.Offset >= m.expected[at.TopicPartition] && msg.Offset < at.Offset {
				require.True(m.t, m.dropped(msg.Offset), "%v: %d was put, %d before it was skipped", at.TopicPartition, at.Offset, msg.Offset)
			}
		}
		require.GreaterOrEqual(m.t, at.Offset, m.expected[at.TopicPartition], "%v: again, without a reason", at.TopicPartition)
		m.expected[at.TopicPartition] = at.Offset + 1
		m.buffered[at.TopicPartition][at.Offset] = true
	}
	return nil
}

func (m *sinkModel) Open(_ context.Context, tps []TopicPartition) error {
	for _, tp := range tps {
		m.expected[tp] = m.stored(tp)
		m.buffered[tp] = map[int64]bool{}
	}
	return nil
}

// PreCommit makes a prefix of the buffer durable and allows that, fails, or
// answers nonsense.
func (m *sinkModel) PreCommit(_ context.Context, current Offsets) (Offsets, error) {
	what := m.rand.IntN(8)
	if m.calm.Load() {
		what = 7
	}
	if what == 0 {
		for tp := range current {
			m.buffered[tp] = map[int64]bool{}
		}
		return nil, errors.New("cannot flush")
	}
	answer := make(Offsets)
	for tp, offset := range current {
		upTo := offset
		if what < 3 { // a part, as far as it was put at all
			upTo = min(offset, m.stored(tp)+int64(m.rand.IntN(4)))
		}
		for at := range m.buffered[tp] {
			if at < upTo {
				m.durable[tp][at] = true
			}
		}
		answer[tp], m.allowed[tp] = upTo, upTo
		if what == 3 {
			answer[tp] = offset + 1 + int64(m.rand.IntN(3))
		}
	}
	return answer, nil
}

func (m *sinkModel) Close(_ context.Context, tps []TopicPartition) error {
	for _, tp := range tps {
		m.buffered[tp] = nil // a late record would panic
	}
	return nil
}

// Consumer and task have methods of the same name; each gets its own view.
type (
	modelConsumer struct{ *sinkModel }
	modelTask     struct{ m *sinkModel }
)

func (c modelConsumer) Close(ctx context.Context) error { return c.sinkConsumer.Close(ctx) }

func (s modelTask) Start(ctx context.Context, c SinkContext) error { return s.m.Start(ctx, c) }
func (s modelTask) Stop(ctx context.Context) error                 { return s.m.Stop(ctx) }
func (s modelTask) Put(ctx context.Context, r []SinkRecord) error  { return s.m.Put(ctx, r) }
func (s modelTask) Open(ctx context.Context, tps []TopicPartition) error {
	return s.m.Open(ctx, tps)
}
func (s modelTask) Close(ctx context.Context, tps []TopicPartition) error { return s.m.Close(ctx, tps) }
func (s modelTask) PreCommit(ctx context.Context, o Offsets) (Offsets, error) {
	return s.m.PreCommit(ctx, o)
}

func TestSinkNeitherSkipsNorCommitsTooMuch(t *testing.T) {
	for seed := range uint64(150) {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sinkBubble(t, func(t *testing.T, r *sinkRig) { sinkInterleaving(t, r, rand.New(rand.NewPCG(seed, 42))) })
		})
		if !ok {
			return
		}
	}
}

// sinkInterleaving does random things to a pipeline, then lets it come to an
// end in peace: everything must be durable and committed.
func sinkInterleaving(t *testing.T, r *sinkRig, random *rand.Rand) {
	tps := []TopicPartition{tpOf("t", 0), tpOf("t", 1), tpOf("u", 0)}
	m := &sinkModel{
		sinkConsumer: r.consumer, t: t, rand: rand.New(rand.NewPCG(random.Uint64(), 7)),
		durable: map[TopicPartition]map[int64]bool{}, buffered: map[TopicPartition]map[int64]bool{},
		expected: Offsets{}, allowed: Offsets{},
	}
	for _, tp := range tps {
		m.durable[tp] = map[int64]bool{}
	}
	r.broker.consumer = modelConsumer{m}
	r.settings.consumer.Props["max.poll.records"] = fmt.Sprint(1 + random.IntN(8))
	r.env.timing.flushInterval = time.Second
	r.env.chain.stages = []transformStage{{class: "Drop", transform: sinkTransform(func(_ context.Context, rec *Record) (bool, error) {
		rec.Topic = "other"
		return !m.dropped(rec.Offset), nil
	})}}
	r.start(modelTask{m})
	owned := map[TopicPartition]bool{}
	for range 120 {
		sinkMove(r, m, random, tps, owned)
		if random.IntN(3) > 0 {
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
			synctest.Wait()
		}
	}
	synctest.Wait()
	m.calm.Store(true)
	r.env.gate.set(false)
	for _, tp := range tps {
		if !owned[tp] {
			r.consumer.assign(tp)
		}
		r.pipeline.context.Resume(tp)
	}
	r.sleep(time.Minute)
	r.pipeline.context.Resume(tps...)
	r.sleep(time.Minute)
	require.NoError(t, r.stop())
	for _, tp := range tps {
		log := m.log(tp)
		if len(log) > 0 {
			require.Equal(t, log[len(log)-1].Offset+1, m.stored(tp), "%v", tp)
		}
	}
}

// sinkMove does one random thing.
func sinkMove(r *sinkRig, m *sinkModel, random *rand.Rand, tps []TopicPartition, owned map[TopicPartition]bool) {
	tp := tps[random.IntN(len(tps))]
	context := r.pipeline.context
	switch random.IntN(10) {
	case 0, 1, 2:
		r.consumer.produce(tp, 1+random.IntN(10))
	case 3, 4:
		if !owned[tp] {
			r.consumer.assign(tp)
		} else if random.IntN(3) == 0 {
			r.consumer.lose(tp)
		} else {
			r.consumer.revoke(tp)
		}
		owned[tp] = !owned[tp]
	case 5:
		context.RequestCommit()
	case 6: // to where nothing before is missing
		synctest.Wait()
		context.Rewind(Offsets{tp: max(0, m.stored(tp)-int64(random.IntN(3)))})
	case 7:
		context.Pause(tp)
	case 8:
		context.Resume(tp)
	case 9:
		r.env.gate.set(random.IntN(2) == 0)
	}
}
