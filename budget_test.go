package connect

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// bytesConverter is the cheapest converter: bytes as they are.
type bytesConverter struct{}

func (bytesConverter) AppendEncode(_ context.Context, dst []byte, _ *Wire, d Datum) ([]byte, bool, error) {
	b, ok := d.Value.Bytes()
	return append(dst, b...), !ok, nil
}

func (bytesConverter) Decode(_ context.Context, _ *Wire, b []byte) (Datum, error) {
	return Datum{Value: data.Bytes(b)}, nil
}

// ackingProducer acknowledges everything at once.
type ackingProducer struct{ Producer }

func (ackingProducer) Send(_ context.Context, batch []Message, acks Acks) error {
	for i := range batch {
		acks.Acked(i, batch[i].TopicPartition, int64(i), nil)
	}
	return nil
}

// renamer is a transform that costs nothing, to keep the chain in the loop.
type renamer struct{}

func (renamer) Apply(_ context.Context, r *Record) (bool, error) {
	r.Topic = "renamed"
	return true, nil
}

const budgetBatch = 500

// newBudgetPipeline is a source pipeline with everything but a client, and a
// batch for it.
func newBudgetPipeline(stages ...transformStage) (*sourcePipeline, []SourceRecord) {
	env := &taskEnv{log: slog.New(slog.DiscardHandler), hooks: newHookSet(nil), key: bytesConverter{}, value: bytesConverter{}}
	env.errs = &errorHandler{hooks: env.hooks}
	env.chain = &chain{errs: env.errs, stages: stages}
	p := &sourcePipeline{env: env, trans: noTransactions{}, track: newTracker(false)}
	p.out = &kafkaOutput{env: env, producer: ackingProducer{}}
	recs := make([]SourceRecord, budgetBatch)
	value := make([]byte, 100)
	part := PartitionOf(data.E("task", data.Int64(0)))
	for i := range recs {
		recs[i] = SourceRecord{
			Record:          Record{Topic: "t", Value: Datum{Schema: data.BytesSchema, Value: data.Bytes(value)}},
			SourcePartition: part, SourceOffset: position(int64(i)),
		}
	}
	return p, recs
}

// TestSourceAllocationBudget holds the engine's own part to 0.05 allocations a
// record, commits included.
func TestSourceAllocationBudget(t *testing.T) {
	p, recs := newBudgetPipeline(transformStage{transform: renamer{}})
	allocs := testing.AllocsPerRun(100, func() {
		p.stats.begin(p.stats.polled, len(recs))
		if err := p.move(t.Context(), recs); err != nil {
			t.Fatal(err)
		}
		p.track.committable()
	})
	t.Logf("%.4f allocations a record", allocs/budgetBatch)
	require.LessOrEqual(t, allocs/budgetBatch, 0.05)
}

// BenchmarkSourceEngine is the engine's own part of a source pipeline: from
// Poll's result to Send, acks and commit, without a client.
func BenchmarkSourceEngine(b *testing.B) {
	b.Run("no transforms", func(b *testing.B) { benchmarkSourceEngine(b) })
	b.Run("one transform", func(b *testing.B) { benchmarkSourceEngine(b, transformStage{transform: renamer{}}) })
}

func benchmarkSourceEngine(b *testing.B, stages ...transformStage) {
	p, recs := newBudgetPipeline(stages...)
	b.ReportAllocs()
	for n := 0; n < b.N; n += budgetBatch {
		p.stats.begin(p.stats.polled, len(recs))
		if err := p.move(b.Context(), recs); err != nil {
			b.Fatal(err)
		}
		p.track.committable()
	}
}
