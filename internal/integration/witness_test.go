//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	foreign "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// seen is a record as the foreign client has it. Nil is null.
type seen struct {
	Partition int
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []foreign.Header
	Time      time.Time
}

// witness is the client that shares no code with ours. It fetches by its Client,
// for its Reader makes null of what is empty.
type witness struct {
	t      testing.TB
	client *foreign.Client
}

func newWitness(t testing.TB, bootstrap string) *witness {
	t.Helper()
	transport := &foreign.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &witness{t, &foreign.Client{Addr: foreign.TCP(strings.Split(bootstrap, ",")...), Transport: transport, Timeout: patience}}
}

// read reads a topic until there are n records, and returns all there are then,
// partition by partition.
func (w *witness) read(topic string, partitions, n int) []seen {
	w.t.Helper()
	logs := make([][]seen, partitions)
	eventually(w.t, func() bool {
		total := 0
		for p := range logs {
			w.readOn(topic, p, &logs[p])
			total += len(logs[p])
		}
		return total >= n
	}, "the foreign client to see %d records of %s", n, topic)
	var all []seen
	for p := range logs {
		w.readOn(topic, p, &logs[p]) // what is too many
		all = append(all, logs[p]...)
	}
	return all
}

// readOn appends what a partition has beyond the records in log.
func (w *witness) readOn(topic string, partition int, log *[]seen) {
	w.t.Helper()
	next := int64(0)
	if n := len(*log); n > 0 {
		next = (*log)[n-1].Offset + 1
	}
	for {
		found := w.fetch(topic, partition, next)
		if len(found) == 0 {
			return
		}
		*log = append(*log, found...)
		next = found[len(found)-1].Offset + 1
	}
}

// fetch fetches once from an offset on. A leader that is not there has nothing.
func (w *witness) fetch(topic string, partition int, offset int64) []seen {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(within(w.t), 10*time.Second)
	defer cancel()
	resp, err := w.client.Fetch(ctx, &foreign.FetchRequest{
		Topic: topic, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 100 * time.Millisecond,
	})
	if err != nil || resp.Error != nil {
		return nil
	}
	var found []seen
	for {
		r, err := resp.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(w.t, err)
		if r.Offset < offset {
			continue
		}
		s := seen{Partition: partition, Offset: r.Offset, Time: r.Time, Key: readBytes(w.t, r.Key), Value: readBytes(w.t, r.Value)}
		for _, h := range r.Headers {
			s.Headers = append(s.Headers, foreign.Header(h))
		}
		found = append(found, s)
	}
}

func readBytes(t testing.TB, b foreign.Bytes) []byte {
	t.Helper()
	if b == nil {
		return nil
	}
	all, err := foreign.ReadAll(b)
	require.NoError(t, err)
	if all == nil {
		all = []byte{}
	}
	return all
}

// write appends records to a partition as one batch.
func (w *witness) write(topic string, partition int, compression foreign.Compression, records ...foreign.Record) {
	w.t.Helper()
	eventually(w.t, func() bool {
		resp, err := w.client.Produce(within(w.t), &foreign.ProduceRequest{
			Topic: topic, Partition: partition, RequiredAcks: foreign.RequireAll, Compression: compression, Records: foreign.NewRecordReader(records...),
		})
		retry := errors.Is(err, foreign.UnknownTopicOrPartition) || err == nil && errors.Is(resp.Error, foreign.UnknownTopicOrPartition)
		if retry {
			return false // the client has not heard of a new topic
		}
		require.NoError(w.t, err)
		require.NoError(w.t, resp.Error)
		return true
	}, "the foreign client to find topic %s", topic)
}

// bare returns a client of our driver's own library, for what only it can do.
func bare(t testing.TB, bootstrap string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(bootstrap, ",")...))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// makeTopic creates a topic; settings are pairs.
func makeTopic(t testing.TB, bootstrap, topic string, partitions int, settings ...string) {
	t.Helper()
	configs := map[string]*string{}
	for i := 0; i < len(settings); i += 2 {
		configs[settings[i]] = &settings[i+1]
	}
	adm := kadm.NewClient(bare(t, bootstrap))
	resp, err := adm.CreateTopic(within(t), int32(partitions), -1, configs, topic)
	require.NoError(t, err)
	require.NoError(t, resp.Err, resp.ErrMessage)
	eventually(t, func() bool {
		topics, err := adm.ListTopics(within(t), topic)
		return err == nil && topics.Has(topic) && len(topics[topic].Partitions) == partitions && noneMissing(topics[topic])
	}, "topic %s to have leaders", topic)
}

func noneMissing(topic kadm.TopicDetail) bool {
	for _, p := range topic.Partitions {
		if p.Err != nil || p.Leader < 0 {
			return false
		}
	}
	return true
}

// loopback makes sure that an address is this machine's.
func loopback(t testing.TB, address string) {
	t.Helper()
	host, _, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), fmt.Sprintf("%s is not on loopback", address))
}
