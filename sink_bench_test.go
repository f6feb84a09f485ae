package connect

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// loopConsumer returns the same full batch for ever: the engine's part is all
// that is left to measure.
type loopConsumer struct {
	*sinkConsumer
	batch    []Message
	assigned bool
	next     int64
}

func (c *loopConsumer) Poll(ctx context.Context, into []Message, r Rebalance) (int, error) {
	if !c.assigned {
		c.assigned = true
		return 0, r.Assigned(ctx, []TopicPartition{c.batch[0].TopicPartition, c.batch[len(c.batch)-1].TopicPartition})
	}
	n := copy(into, c.batch)
	for i := range into[:n] {
		into[i].Offset = c.next
		c.next++
	}
	return n, nil
}

// nullSink takes everything.
type nullSink struct{ plainSink }

func (*nullSink) Put(context.Context, []SinkRecord) error { return nil }

// newSinkLoop returns a pipeline that has its partitions, and moves one batch a
// turn.
func newSinkLoop(tb testing.TB, batch, headers int) (turn func()) {
	consumer := &loopConsumer{sinkConsumer: newSinkConsumer(&sinkJournal{})}
	for i := range batch {
		m := Message{TopicPartition: tpOf("orders", int32(2*i/batch)), Key: []byte("key"), Value: []byte("a value of some bytes"), Time: time.UnixMilli(1)}
		for range headers {
			m.Headers = append(m.Headers, RawHeader{Key: "h", Value: []byte("v")})
		}
		consumer.batch = append(consumer.batch, m)
		consumer.position[m.TopicPartition] = 0
	}
	hooks := newHookSet(nil)
	errs := &errorHandler{hooks: hooks}
	schema := data.NewBuilder(data.KindBytes).Optional().MustBuild()
	env := &taskEnv{
		log: slog.New(slog.NewTextHandler(io.Discard, nil)), hooks: hooks, errs: errs,
		key: schemaBytes{schema}, value: schemaBytes{schema}, header: sinkBytes{},
		chain:  &chain{errs: errs, stages: []transformStage{{class: "Keep", transform: sinkTransform(func(context.Context, *Record) (bool, error) { return true, nil })}}},
		broker: &sinkBroker{consumer: consumer}, gate: newPauseGate(false),
		timing:  taskTiming{flushInterval: time.Hour, flushTimeout: time.Second},
		running: func(context.Context) {}, paused: func(context.Context) {},
	}
	p := newSinkPipeline(env, &nullSink{}, sinkSettings{}).(*sinkPipeline)
	c := taskContexts{poll: context.Background(), grace: context.Background(), life: context.Background()}
	p.consumer, p.rebalance = consumer, p.rebalances(c)
	p.pollMax, p.fetch = batch, make([]Message, batch)
	p.nextCommit = time.Now().Add(time.Hour)
	turn = func() {
		require.NoError(tb, p.heed(c))
		n, err := p.poll(c)
		require.NoError(tb, err)
		require.NoError(tb, p.convert(c.poll, n))
		require.NoError(tb, p.deliver(c.grace))
	}
	turn() // the assignment
	return turn
}

// schemaBytes is sinkBytes with a schema, as ByteArrayConverter has it.
type schemaBytes struct{ schema *data.Schema }

func (c schemaBytes) AppendEncode(context.Context, []byte, *Wire, Datum) ([]byte, bool, error) {
	panic("not used")
}

func (c schemaBytes) Decode(_ context.Context, _ *Wire, b []byte) (Datum, error) {
	return Datum{Schema: c.schema, Value: data.Bytes(b)}, nil
}

// The engine's own part may allocate for each batch, not for each record.
func TestSinkAllocationBudget(t *testing.T) {
	const batch, budget = 500, 0.05
	for name, headers := range map[string]int{"plain": 0, "headers": 3} {
		t.Run(name, func(t *testing.T) {
			turn := newSinkLoop(t, batch, headers)
			perRecord := testing.AllocsPerRun(100, turn) / batch
			t.Logf("%.4f allocations a record", perRecord)
			require.LessOrEqual(t, perRecord, budget)
		})
	}
}

func BenchmarkSinkPipeline(b *testing.B) {
	for _, bench := range []struct {
		name           string
		batch, headers int
	}{{"500", 500, 0}, {"500 with 3 headers", 500, 3}, {"10", 10, 0}} {
		b.Run(bench.name, func(b *testing.B) {
			turn := newSinkLoop(b, bench.batch, bench.headers)
			b.ReportAllocs()
			for b.Loop() {
				turn()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*bench.batch), "ns/record")
		})
	}
}
