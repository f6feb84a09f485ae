package connect

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// restProducer keeps the acks of what it was sent until it is told.
type restProducer struct {
	Producer
	rig *restRig
}

func (p *restProducer) Send(_ context.Context, batch []Message, acks Acks) error {
	n := len(batch)
	p.rig.mu.Lock()
	defer p.rig.mu.Unlock()
	p.rig.pending = append(p.rig.pending, func() {
		for i := range n {
			acks.Acked(i, TopicPartition{"t", 0}, int64(i), nil)
		}
	})
	return nil
}

func (p *restProducer) Close(context.Context) error {
	p.rig.add(-1)
	return nil
}

// A restRig is a source that makes two records a second, until it is done.
type restRig struct {
	SourceTask
	p    *sourcePipeline
	recs []SourceRecord
	most int // polls until it is done; 0: without end

	mu       sync.Mutex
	polls    int
	producer int // how many are open
	pending  []func()
}

func (r *restRig) add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.producer += n
}

// seen returns how often it was polled, how many batches are in flight, and how
// many producers are open.
func (r *restRig) seen() [3]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return [3]int{r.polls, len(r.pending), r.producer}
}

func (r *restRig) Poll(ctx context.Context) ([]SourceRecord, error) {
	if r.most > 0 && r.seen()[0] == r.most {
		return nil, ErrDone
	}
	if err := sleep(ctx, time.Second); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.polls++
	return r.recs[:2], nil
}

// ack acknowledges all that is in flight.
func (r *restRig) ack() {
	r.mu.Lock()
	pending := r.pending
	r.pending = nil
	r.mu.Unlock()
	for _, ack := range pending {
		ack()
	}
	synctest.Wait()
}

func restBubble(t *testing.T, most int, f func(t *testing.T, r *restRig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &restRig{most: most}
		r.p, r.recs = newBudgetPipeline()
		r.p.task = r
		r.p.env.gate = newPauseGate(false)
		r.p.env.running, r.p.env.paused = func(context.Context) {}, func(context.Context) {}
		out := r.p.out.(*kafkaOutput)
		out.producer, out.open = nil, func(context.Context) (Producer, error) {
			r.add(1)
			return &restProducer{rig: r}, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.p.pump(ctx, t.Context()) }()
		synctest.Wait()
		f(t, r)
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, r.p.out.rest(t.Context()))
		require.Zero(t, r.seen()[2])
	})
}

// step lets time pass.
func step(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestPausedSourceHasNoProducer(t *testing.T) {
	restBubble(t, 0, func(t *testing.T, r *restRig) {
		assert.Equal(t, [3]int{0, 0, 0}, r.seen(), "none before the first record")
		step(2500 * time.Millisecond)
		assert.Equal(t, [3]int{2, 2, 1}, r.seen())
		r.p.env.gate.set(true)
		step(time.Minute)
		assert.Equal(t, [3]int{3, 2, 1}, r.seen(), "what was polled meanwhile is held back; the producer stays for what is in flight")
		r.ack()
		assert.Equal(t, [3]int{3, 0, 0}, r.seen())
		r.p.env.gate.set(false)
		step(time.Millisecond)
		assert.Equal(t, [3]int{3, 1, 1}, r.seen(), "the batch that was held back")
		r.ack()
		assert.Len(t, r.p.track.committable(), 1)
	})
}

func TestSourceResumedInFlightKeepsItsProducer(t *testing.T) {
	restBubble(t, 0, func(t *testing.T, r *restRig) {
		step(1500 * time.Millisecond)
		r.p.env.gate.set(true)
		step(time.Minute)
		r.p.env.gate.set(false)
		step(time.Millisecond)
		assert.Equal(t, [3]int{2, 2, 1}, r.seen())
		r.ack()
		assert.Equal(t, [3]int{2, 0, 1}, r.seen())
	})
}

func TestSourcePausedAgainAtOnce(t *testing.T) {
	restBubble(t, 0, func(t *testing.T, r *restRig) {
		step(1500 * time.Millisecond)
		r.p.env.gate.set(true)
		step(time.Minute)
		r.p.env.gate.set(false)
		r.p.env.gate.set(true)
		step(time.Minute)
		assert.Equal(t, [3]int{2, 1, 1}, r.seen())
		r.ack()
		assert.Equal(t, [3]int{2, 0, 0}, r.seen())
	})
}

func TestSourceStoppedWhilePaused(t *testing.T) {
	restBubble(t, 0, func(t *testing.T, r *restRig) {
		step(1500 * time.Millisecond)
		r.p.env.gate.set(true)
		step(time.Minute)
		assert.Equal(t, [3]int{2, 1, 1}, r.seen(), "in flight to the end")
	})
}

func TestDoneSourceHasNoProducer(t *testing.T) {
	restBubble(t, 2, func(t *testing.T, r *restRig) {
		step(time.Minute)
		assert.Equal(t, [3]int{2, 2, 1}, r.seen())
		r.ack()
		assert.Equal(t, [3]int{2, 0, 0}, r.seen())
	})
}
