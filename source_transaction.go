package connect

import "context"

// A transactor decides where the transactions of a source task begin and end.
// It is chosen when the task starts, from exactly.once.source.support and
// transaction.boundary.
type transactor interface {
	// preamble shuts out earlier runs of the task before it starts.
	preamble(ctx context.Context) error
	// begin is called before each batch is sent.
	begin(ctx context.Context) error
	// afterBatch is called when a batch was handed to the producer.
	afterBatch(ctx context.Context, recs []SourceRecord) error
}

// noTransactions is at-least-once delivery: offsets follow the acks.
type noTransactions struct{}

func (noTransactions) preamble(context.Context) error                   { return nil }
func (noTransactions) begin(context.Context) error                      { return nil }
func (noTransactions) afterBatch(context.Context, []SourceRecord) error { return nil }
