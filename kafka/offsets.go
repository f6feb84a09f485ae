package kafka

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/streamlane/connect"
)

// Offsets returns the worker's offset store on a topic (Java's
// KafkaOffsetBackingStore). The topic is created by OpenStore, with the worker's
// offset.storage.* settings.
func (b *Broker) Offsets(topic string) connect.OffsetStore {
	return newOffsetStore(&storeTopic{
		b: b, name: topic, prefix: offsetStorage, committed: b.stores.eos == eosEnabled,
	})
}

// OffsetTopic opens the offset store of a connector that names its topic itself
// (offsets.storage.topic, KIP-618), on the cluster of c's Props. The topic is
// created with the worker's offset.storage.* settings. Records of open
// transactions are not seen.
func (b *Broker) OffsetTopic(_ context.Context, topic string, c connect.ClientConfig) (connect.OffsetStore, error) {
	if _, err := b.resolve(ConsumerClient, c); err != nil {
		return nil, err
	}
	return newOffsetStore(&storeTopic{b: b, name: topic, prefix: offsetStorage, committed: true, client: c}), nil
}

// offsetStore is a connect.OffsetStore on a compacted topic. It holds all pairs in
// memory; a Scan reads what has come since the last one, so that no goroutine is
// needed to follow the topic.
type offsetStore struct {
	topic *storeTopic
	// turn is held while reader and pairs are used, and while the store opens.
	turn   chan struct{}
	open   bool
	closed bool
	admin  *admin
	writer *producer
	reader *topicReader
	pairs  map[string][]byte
}

var (
	_ connect.OffsetStore = (*offsetStore)(nil)
	_ connect.StoreOpener = (*offsetStore)(nil)
	_ connect.Messenger   = (*offsetStore)(nil)
)

func newOffsetStore(t *storeTopic) *offsetStore {
	return &offsetStore{topic: t, turn: make(chan struct{}, 1), pairs: map[string][]byte{}}
}

// enter takes the turn, and opens the store if need be. A store that was closed
// is opened by OpenStore only.
func (s *offsetStore) enter(ctx context.Context, reopen bool) error {
	if err := take(ctx, s.turn); err != nil {
		return err
	}
	if s.closed && !reopen {
		<-s.turn
		return ErrClosed
	}
	if s.open {
		return nil
	}
	if err := s.start(ctx); err != nil {
		_ = s.release(ctx)
		<-s.turn
		return err
	}
	s.open, s.closed = true, false
	return nil
}

// start opens the clients.
func (s *offsetStore) start(ctx context.Context) (err error) {
	if s.admin, err = s.topic.admin(); err != nil {
		return err
	}
	partitions, err := s.topic.ensure(ctx, s.admin)
	if err != nil {
		return err
	}
	if s.writer, err = s.topic.producer("offsets", ""); err != nil {
		return err
	}
	s.reader, err = newTopicReader(s.topic, s.admin, "offsets", partitions)
	return err
}

// release closes what is open.
func (s *offsetStore) release(ctx context.Context) error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close(ctx))
	}
	if s.admin != nil {
		errs = append(errs, s.admin.Close(ctx))
	}
	s.reader, s.writer, s.admin, s.open = nil, nil, nil, false
	clear(s.pairs)
	return errors.Join(errs...)
}

// OpenStore creates the topic if need be, checks that it is compacted, and reads
// it.
func (s *offsetStore) OpenStore(ctx context.Context) error {
	if err := s.enter(ctx, true); err != nil {
		return fmt.Errorf("offset store on topic %q: %w", s.topic.name, err)
	}
	defer func() { <-s.turn }()
	if err := s.reader.toEnd(ctx, s.apply); err != nil {
		return fmt.Errorf("offset store on topic %q: %w", s.topic.name, err)
	}
	return nil
}

// CloseStore waits for writes under way and closes the clients.
func (s *offsetStore) CloseStore(ctx context.Context) error {
	if err := take(ctx, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	s.closed = true
	return s.release(ctx)
}

// apply enters one record.
func (s *offsetStore) apply(m *connect.Message) {
	if m.Value == nil {
		delete(s.pairs, string(m.Key))
		return
	}
	s.pairs[string(m.Key)] = bytes.Clone(m.Value) // a record would keep its whole fetch
}

// Scan reads the topic to its end and yields the pairs in order of their keys.
func (s *offsetStore) Scan(ctx context.Context, prefix []byte) iter.Seq2[connect.KV, error] {
	return func(yield func(connect.KV, error) bool) {
		found, err := s.scan(ctx, string(prefix))
		if err != nil {
			yield(connect.KV{}, fmt.Errorf("offset store on topic %q: %w", s.topic.name, err))
			return
		}
		for _, kv := range found {
			if !yield(kv, nil) {
				return
			}
		}
	}
}

func (s *offsetStore) scan(ctx context.Context, prefix string) ([]connect.KV, error) {
	if err := s.enter(ctx, false); err != nil {
		return nil, err
	}
	defer func() { <-s.turn }()
	if err := s.reader.toEnd(ctx, s.apply); err != nil {
		return nil, err
	}
	var found []connect.KV
	for _, key := range slices.SortedFunc(maps.Keys(s.pairs), cmp.Compare[string]) {
		if strings.HasPrefix(key, prefix) {
			found = append(found, connect.KV{Key: []byte(key), Value: bytes.Clone(s.pairs[key])})
		}
	}
	return found, nil
}

// Set writes the pairs, each to the partition of its key, and waits until all
// replicas in sync have them.
func (s *offsetStore) Set(ctx context.Context, pairs []connect.KV) error {
	if err := s.enter(ctx, false); err != nil {
		return fmt.Errorf("offset store on topic %q: %w", s.topic.name, err)
	}
	writer := s.writer
	<-s.turn
	if err := sendAll(ctx, writer, cloneMessages(s.topic.name, pairs)); err != nil {
		return fmt.Errorf("offset store on topic %q: %w", s.topic.name, err)
	}
	return nil
}

// Messages turns pairs into messages for the topic.
func (s *offsetStore) Messages(pairs []connect.KV) []connect.Message {
	return messagesOf(s.topic.name, pairs)
}

func messagesOf(topic string, pairs []connect.KV) []connect.Message {
	msgs := make([]connect.Message, len(pairs))
	for i, kv := range pairs {
		msgs[i] = connect.Message{TopicPartition: connect.TopicPartition{Topic: topic, Partition: anyPartition}, Key: kv.Key, Value: kv.Value}
	}
	return msgs
}

// cloneMessages is messagesOf with bytes of its own: a write may outlive the call
// that its context ended.
func cloneMessages(topic string, pairs []connect.KV) []connect.Message {
	msgs := messagesOf(topic, pairs)
	for i := range msgs {
		msgs[i].Key, msgs[i].Value = bytes.Clone(msgs[i].Key), bytes.Clone(msgs[i].Value)
	}
	return msgs
}
