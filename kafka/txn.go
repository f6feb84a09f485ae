package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

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
	added, err := add.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(added.ErrorCode); err != nil {
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
		flush = client.AbortBufferedRecords
	}
	if err := flush(ctx); err != nil {
		return err
	}
	before, beforeEpoch, err := client.ProducerID(ctx)
	if err != nil && commit {
		return err
	}
	err = client.EndTransaction(ctx, kgo.TransactionEndTry(commit))
	if errors.Is(err, kerr.InvalidTxnState) {
		return both{connect.ErrFenced, err} // somebody else has ended the transaction
	}
	if err != nil {
		return err
	}
	if !offsets {
		return nil
	}
	// The client does not know of the offsets. If it had nothing of its own to
	// end, the transaction is still open.
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = p.txnID, before, beforeEpoch, commit
	if id, epoch, err := client.ProducerID(ctx); err == nil && (id != before || epoch != beforeEpoch) {
		return nil // ended: the broker has given out a new epoch
	}
	resp, err := end.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(resp.ErrorCode)
	if errors.Is(err, kerr.InvalidTxnState) {
		err = nil // it had been ended with the client's records
	}
	p.handle.renew() // the broker may have given out an epoch that the client does not know
	return err
}
