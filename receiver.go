package connect

import "context"

// A Receiver takes the records of sources in place of Kafka, so that a program
// can embed a source connector without a broker. Records have been through the
// transforms, not through converters: they arrive as data.
//
// Receive is called from the tasks' goroutines, at the same time for different
// tasks, in order for one. When it returns nil the records count as delivered
// and their source offsets may be committed. An error that wraps Retriable is
// tried again; any other fails the task. The slice is valid until return.
type Receiver interface {
	Receive(ctx context.Context, records []SourceRecord) error
}

// ReceiverFunc makes a function a Receiver.
type ReceiverFunc func(ctx context.Context, records []SourceRecord) error

// Receive calls f.
func (f ReceiverFunc) Receive(ctx context.Context, records []SourceRecord) error {
	return f(ctx, records)
}
