package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// transaction is the state of a transactional producer. As in Java's, one failed
// message leaves nothing but to abort, and being fenced is final.
type transaction struct {
	mu      sync.Mutex
	open    bool
	failed  error // of a message of this transaction
	fenced  error
	offsets bool // offsets were added
}

// note hears of a failed message.
func (t *transaction) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
	if errors.Is(err, connect.ErrFenced) && t.fenced == nil {
		t.fenced = err
	}
}

// check returns what stands against going on.
func (t *transaction) check(want bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.fenced != nil:
		return t.fenced
	case t.open != want:
		return fmt.Errorf("transaction: open is %v, want %v", t.open, want)
	}
	return nil
}

// settle maps an error and remembers if it is final.
func (t *transaction) settle(err error) error {
	err = mapError(err)
	if errors.Is(err, connect.ErrFenced) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.fenced = err
	}
	return err
}

var errNotTransactional = errors.New("the producer has no transactional.id")

// init fences every earlier producer of the transactional id (Java's
// initTransactions).
func (p *producer) init(ctx context.Context) (*kgo.Client, error) {
	if p.txnID == "" {
		return nil, errNotTransactional
	}
	client, err := p.handle.get()
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		return nil, fmt.Errorf("init transactions of %q: %w", p.txnID, p.txn.settle(err))
	}
	return client, nil
}

// Begin starts a transaction.
func (p *producer) Begin(ctx context.Context) error {
	if err := p.txn.check(false); err != nil {
		return err
	}
	client, err := p.init(ctx)
	if err != nil {
		return err
	}
	if err := client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction of %q: %w", p.txnID, p.txn.settle(err))
	}
	p.txn.mu.Lock()
	defer p.txn.mu.Unlock()
	p.txn.open, p.txn.failed, p.txn.offsets = true, nil, false
	return nil
}

// AddOffsets makes offsets of a consumer group part of the transaction.
func (p *producer) AddOffsets(ctx context.Context, o connect.Offsets, g connect.GroupToken) error {
	if err := p.txn.check(true); err != nil {
		return err
	}
	client, err := p.handle.get()
	if err != nil {
		return err
	}
	if err := p.addOffsets(ctx, client, o, g); err != nil {
		err = p.txn.settle(err)
		p.txn.note(err)
		return fmt.Errorf("add offsets of group %q to the transaction of %q: %w", g.Group, p.txnID, err)
	}
	p.txn.mu.Lock()
	defer p.txn.mu.Unlock()
	p.txn.offsets = true
	return nil
}

func (p *producer) addOffsets(ctx context.Context, client *kgo.Client, o connect.Offsets, g connect.GroupToken) error {
	id, epoch, err := client.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = p.txnID, id, epoch, g.Group
	err = retry(ctx, []error{kerr.ConcurrentTransactions}, func() error {
		added, err := add.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(added.ErrorCode)
	})
	if err != nil {
		return err
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.Group, commit.ProducerID, commit.ProducerEpoch = p.txnID, g.Group, id, epoch
	commit.Generation, commit.MemberID = g.Generation, g.MemberID
	if g.InstanceID != "" {
		commit.InstanceID = &g.InstanceID
	}
	if commit.Topics, err = txnOffsets(ctx, client, o); err != nil {
		return err
	}
	committed, err := commit.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, t := range committed.Topics {
		for _, part := range t.Partitions {
			if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
				return fmt.Errorf("topic %q partition %d: %w", t.Topic, part.Partition, err)
			}
		}
	}
	return nil
}

// txnOffsets is o in the form of the protocol, which names topics by their ids in
// its newer versions.
func txnOffsets(ctx context.Context, client *kgo.Client, o connect.Offsets) ([]kmsg.TxnOffsetCommitRequestTopic, error) {
	parts := map[string][]kmsg.TxnOffsetCommitRequestTopicPartition{}
	for tp, offset := range o {
		part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset, part.LeaderEpoch = tp.Partition, offset, -1
		parts[tp.Topic] = append(parts[tp.Topic], part)
	}
	names := slices.Sorted(maps.Keys(parts))
	details, err := kadm.NewClient(client).ListTopicsWithInternal(ctx, names...)
	if err != nil {
		return nil, err
	}
	var topics []kmsg.TxnOffsetCommitRequestTopic
	for _, name := range names {
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic, t.TopicID, t.Partitions = name, details[name].ID, parts[name]
		topics = append(topics, t)
	}
	return topics, nil
}

// End commits or aborts. After an error other than being fenced, abort.
func (p *producer) End(ctx context.Context, commit bool) error {
	if err := p.txn.check(true); err != nil {
		return err
	}
	client, err := p.handle.get()
	if err != nil {
		return err
	}
	p.txn.mu.Lock()
	failed, offsets := p.txn.failed, p.txn.offsets
	p.txn.mu.Unlock()
	if commit && failed != nil {
		return fmt.Errorf("commit transaction of %q: it can only be aborted: %w", p.txnID, failed)
	}
	if err := p.endWith(ctx, client, commit, offsets); err != nil {
		return fmt.Errorf("end transaction of %q (commit %v): %w", p.txnID, commit, p.txn.settle(err))
	}
	p.txn.mu.Lock()
	defer p.txn.mu.Unlock()
	p.txn.open = false
	return nil
}

func (p *producer) endWith(ctx context.Context, client *kgo.Client, commit, offsets bool) error {
	flush := client.Flush
	if !commit {
		p.handle.forgive()
		flush = client.AbortBufferedRecords
	}
	if err := flush(ctx); err != nil {
		return err
	}
	id, epoch, err := client.ProducerID(ctx)
	if err != nil && commit {
		return err
	}
	before := p.handle.ends.sent.Load()
	err = client.EndTransaction(ctx, kgo.TransactionEndTry(commit))
	switch {
	case errors.Is(err, kerr.InvalidTxnState):
		return both{connect.ErrFenced, err} // somebody else has ended the transaction
	case err != nil || !offsets || p.handle.ends.sent.Load() != before:
		return err
	}
	return p.endOffsets(ctx, client, id, epoch, commit)
}

// endOffsets ends a transaction that holds nothing but offsets. The client does
// not know of them, and has not ended it.
func (p *producer) endOffsets(ctx context.Context, client *kgo.Client, id int64, epoch int16, commit bool) error {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.txnID, id, epoch, commit
	for {
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if err = kerr.ErrorForCode(resp.ErrorCode); errors.Is(err, kerr.ConcurrentTransactions) {
			if err := sleep(ctx, concurrentPause); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			p.handle.renew() // the broker may have given out an epoch that the client does not know
		}
		return err
	}
}

// concurrentPause is the pause while a broker is at work on the transaction before.
const concurrentPause = 20 * time.Millisecond

// endWatch counts the ends of transactions that the client asks for: it ends only
// those that it knows to hold records, and does not say which.
type endWatch struct{ sent atomic.Int64 }

// OnBrokerWrite is called after each request.
func (w *endWatch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.EndTxn) && err == nil {
		w.sent.Add(1)
	}
}
