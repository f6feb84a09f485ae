package kafka

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probe asks the leader of a partition what follows at. It returns the offset up
// to which there is nothing, or at itself if there are records.
func (r *topicReader) probe(ctx context.Context, tp connect.TopicPartition, at int64) (int64, error) {
	s, err := r.c.session()
	if err != nil {
		return 0, err
	}
	limit, cancel := context.WithTimeout(ctx, r.c.apiLimit)
	defer cancel()
	topics, err := kadm.NewClient(s.client).ListTopicsWithInternal(limit, tp.Topic)
	if err != nil {
		return 0, err
	}
	detail := topics[tp.Topic]
	part, ok := detail.Partitions[tp.Partition]
	if !ok {
		return 0, kerr.UnknownTopicOrPartition
	}
	req := probeRequest(detail.ID, tp, at, r.topic.committed)
	resp, err := s.client.Broker(int(part.Leader)).RetriableRequest(limit, req)
	if err != nil {
		return 0, err
	}
	fetched, ok := resp.(*kmsg.FetchResponse)
	if !ok || len(fetched.Topics) != 1 || len(fetched.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("answer to a fetch of one partition: %T", resp)
	}
	return afterEmpty(&fetched.Topics[0].Partitions[0], at, r.topic.committed)
}

func probeRequest(id [16]byte, tp connect.TopicPartition, at int64, committed bool) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 0, 0, 1<<20, -1
	if committed {
		req.IsolationLevel = 1
	}
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = tp.Topic, id
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = tp.Partition, at, 1<<20
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// Positions in a record batch (KIP-98): its first offset, the length of what
// follows, the last offset relative to the first, the number of records.
const (
	batchLength     = 8
	batchMagic      = 16
	batchLastDelta  = 23
	batchCount      = 57
	batchHeaderSize = 61
)

// afterEmpty returns the offset after the empty batches of a fetch, or at itself
// if one of them holds records. If there is no batch at all, there is nothing up
// to the end that the reader may see.
func afterEmpty(p *kmsg.FetchResponseTopicPartition, at int64, committed bool) (int64, error) {
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		return 0, err
	}
	raw := p.RecordBatches
	if len(raw) == 0 {
		if committed {
			return max(at, p.LastStableOffset), nil
		}
		return max(at, p.HighWatermark), nil
	}
	next := at
	for len(raw) >= batchHeaderSize && raw[batchMagic] == 2 {
		if binary.BigEndian.Uint32(raw[batchCount:]) > 0 {
			return at, nil
		}
		first := int64(binary.BigEndian.Uint64(raw))
		next = max(next, first+int64(binary.BigEndian.Uint32(raw[batchLastDelta:]))+1)
		size := int64(batchLength) + 4 + int64(binary.BigEndian.Uint32(raw[batchLength:]))
		if size > int64(len(raw)) {
			break
		}
		raw = raw[size:]
	}
	return next, nil
}
