package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
)

// configStore is a connect.ConfigStore on a topic.
type configStore struct{ *topicLog }

// leaderID begins the transactional ids of leaders (Java's
// DistributedConfig.transactionalProducerId).
const leaderID = "connect-cluster-"

// endLimit is how long the end of a leader's transaction may take, and its
// goodbye.
const endLimit = 30 * time.Second

// Lead makes the caller the only leader. Without exactly-once support there are no
// transactions, and an earlier leader is not shut out: it must have stopped.
func (s *configStore) Lead(ctx context.Context) (connect.Leadership, error) {
	if _, _, err := s.clients(ctx); err != nil {
		return nil, s.wrap(err)
	}
	if s.topic.b.stores.eos == eosDisabled {
		return plainLeader{s.topicLog}, nil
	}
	p, err := s.topic.producer(s.suffix+"-leader", leaderID+s.topic.b.stores.group)
	if err != nil {
		return nil, s.wrap(err)
	}
	if _, err := p.init(ctx); err != nil {
		closed, cancel := context.WithCancel(context.Background())
		cancel() // nothing was sent
		return nil, s.wrap(errors.Join(err, p.Close(closed)))
	}
	return &leader{topic: s.topic.name, p: p}, nil
}

// plainLeader writes without transactions.
type plainLeader struct{ log *topicLog }

// Append writes entries in order.
func (l plainLeader) Append(ctx context.Context, pairs ...connect.KV) error {
	return l.log.Append(ctx, pairs...)
}

// Close does nothing: the producer is the log's.
func (l plainLeader) Close() error { return nil }

// leader writes in transactions. It is used by one goroutine at a time.
type leader struct {
	topic string
	p     *producer
}

// Append writes entries in one transaction.
func (l *leader) Append(ctx context.Context, pairs ...connect.KV) error {
	if len(pairs) == 0 {
		return nil
	}
	if err := l.p.Begin(ctx); err != nil {
		return fmt.Errorf("write to topic %q as leader: %w", l.topic, err)
	}
	err := sendAll(ctx, l.p, cloneMessages(l.topic, pairs))
	if err == nil {
		err = l.p.End(ctx, true)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, connect.ErrFenced) {
		// The transaction must not stay open, whether or not ctx has ended.
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
		defer cancel()
		err = errors.Join(err, l.p.End(own, false))
	}
	return fmt.Errorf("write to topic %q as leader: %w", l.topic, err)
}

// Close gives the leadership up. Others need not wait for it.
func (l *leader) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	return l.p.Close(ctx)
}
