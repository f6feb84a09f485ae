package connect

import (
	"context"

	"github.com/streamlane/connect/internal/outcome"
)

// A sinkLetterReporter sends the dead letters of a sink: the records as they were
// consumed (DeadLetterQueueReporter in Java).
type sinkLetterReporter struct{ *letterBox }

func (l sinkLetterReporter) report(ctx context.Context, f *failure) *outcome.Outcome {
	raw := f.origin.raw
	m := Message{Key: raw.Key, Value: raw.Value, Headers: raw.Headers}
	if raw.TimeType != NoTimestamp {
		m.Time = raw.Time
	}
	return l.write(f, m, nil).post(ctx)
}

func (sinkLetterReporter) wantsRaw() bool { return true }
