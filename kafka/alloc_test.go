package kafka

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
)

type noAcks struct{}

func (noAcks) Acked(int, connect.TopicPartition, int64, error) {}

// What the adapter does to a batch on its way out, and to its acks, allocates
// nothing; on its way in it allocates one slice for all headers.
func TestAdapterAllocatesPerBatch(t *testing.T) {
	p := producerOf(t, newBroker(t, unreachable, nil), nil)
	msgs := make([]connect.Message, 500)
	for i := range msgs {
		msgs[i] = message("t", "value")
		msgs[i].Headers = []connect.RawHeader{{Key: "k", Value: []byte("v")}, {Key: "l"}}
	}
	var acks connect.Acks = noAcks{}
	perBatch := testing.AllocsPerRun(100, func() {
		b, size := p.newBatch(msgs, acks)
		p.begin()
		p.room.TryAcquire(size)
		for i := range msgs {
			b.fill(i, &msgs[i])
		}
		for i := range b.slots {
			p.promise(&b.slots[i].record, nil)
		}
		b.finish(1)
	})
	assert.Less(t, perBatch, 2.0, "a pool may be emptied now and then")

	c := readerOf(t, newBroker(t, unreachable, nil), "t", 1, nil)
	records := make([]*kgo.Record, len(msgs))
	for i := range records {
		records[i] = &kgo.Record{Topic: "t", Offset: int64(i), Value: msgs[i].Value, Headers: []kgo.RecordHeader{{Key: "k"}, {Key: "l"}}}
	}
	fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: []kgo.FetchPartition{{Records: records}}}}}}
	into := make([]connect.Message, len(msgs))
	perPoll := testing.AllocsPerRun(100, func() { c.convert(fetches, into) })
	assert.LessOrEqual(t, perPoll, 2.0)
	assert.Equal(t, "l", into[499].Headers[1].Key)
	assert.EqualValues(t, 499, into[499].Offset)
}
