package connecttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/streamlane/connect"
)

// producer is a connect.Producer of a Broker. Its fields are guarded by
// Broker.mu.
type producer struct {
	b      *Broker
	id     string // transactional; empty: none
	epoch  int    // of the writer; 0 before the first Begin
	tx     *transaction
	sends  int // moves records without a key from batch to batch
	closed bool
}

// writer is what the cluster knows of a transactional id.
type writer struct {
	epoch   int
	current *transaction // nil: none is open
}

// transaction is one transaction.
type transaction struct {
	committed bool
	logs      []*partitionLog
	offsets   map[string]connect.Offsets // by group
}

// sendOp is one Send: its outcome is decided under the lock, its acks are called
// without.
type sendOp struct {
	p     *producer
	batch []connect.Message
	acks  connect.Acks
	tx    *transaction
	seed  int

	at      []connect.TopicPartition
	offsets []int64
	errs    []error
}

// Send appends the batch and calls acks before it returns. While the cluster is
// down it keeps the batch, and Up does both.
func (p *producer) Send(ctx context.Context, batch []connect.Message, acks connect.Acks) error {
	op := &sendOp{p: p, batch: batch, acks: acks,
		at: make([]connect.TopicPartition, len(batch)), offsets: make([]int64, len(batch)), errs: make([]error, len(batch))}
	if err := p.admit(ctx, op); err != nil {
		for i := range op.errs {
			op.errs[i] = err
		}
		op.settle()
		op.ack()
		return err
	}
	p.b.mu.Lock()
	hook := p.b.failProduce
	p.b.mu.Unlock()
	if hook != nil {
		for i := range batch {
			op.errs[i] = hook(batch[i])
		}
	}
	p.b.mu.Lock()
	if p.b.down {
		op.batch = slices.Clone(batch) // the slice is the caller's again
		p.b.pending = append(p.b.pending, op)
		p.b.mu.Unlock()
		return nil
	}
	op.append()
	p.b.change()
	p.b.mu.Unlock()
	op.ack()
	return nil
}

// admit says whether the producer may send.
func (p *producer) admit(ctx context.Context, op *sendOp) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.sends++
	op.seed, op.tx = p.sends, p.tx
	switch {
	case p.closed:
		return fmt.Errorf("producer: %w", connect.ErrStopped)
	case p.id != "" && p.tx == nil:
		return fmt.Errorf("producer with transactional id %q: %w: send outside of a transaction", p.id, connect.ErrConflict)
	}
	return nil
}

// append decides the outcome of each message. It is called under mu.
func (op *sendOp) append() {
	for i := range op.batch {
		if op.errs[i] == nil {
			op.errs[i] = op.p.checkEpoch()
		}
		if op.errs[i] == nil {
			op.at[i], op.offsets[i], op.errs[i] = op.p.b.append(&op.batch[i], op.seed, op.tx)
		}
	}
	op.settle()
}

// settle fills in the coordinates of failed messages.
func (op *sendOp) settle() {
	for i := range op.batch {
		if op.errs[i] != nil {
			op.at[i], op.offsets[i] = op.batch[i].TopicPartition, -1
		}
	}
}

func (op *sendOp) ack() {
	for i := range op.batch {
		op.acks.Acked(i, op.at[i], op.offsets[i], op.errs[i])
	}
}

// checkEpoch is called under mu.
func (p *producer) checkEpoch() error {
	if w := p.b.writers[p.id]; p.id != "" && p.epoch != 0 && w.epoch != p.epoch {
		return fmt.Errorf("producer with transactional id %q: %w", p.id, connect.ErrFenced)
	}
	return nil
}

// Begin starts a transaction; the first one shuts out earlier producers of the
// same transactional id.
func (p *producer) Begin(ctx context.Context) error {
	if p.id == "" {
		return fmt.Errorf("begin a transaction: %w: the producer has no transactional id", connect.ErrConflict)
	}
	if err := p.b.reach(ctx); err != nil {
		return err
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	switch {
	case p.closed:
		return fmt.Errorf("producer: %w", connect.ErrStopped)
	case p.tx != nil:
		return fmt.Errorf("begin a transaction: %w: one is open", connect.ErrConflict)
	}
	if p.epoch == 0 {
		p.epoch = p.b.fence(p.id)
	}
	if err := p.checkEpoch(); err != nil {
		return err
	}
	p.tx = &transaction{offsets: make(map[string]connect.Offsets)}
	p.b.writers[p.id].current = p.tx
	return nil
}

// fence shuts out the producers of a transactional id, aborts their transaction
// and returns the epoch of the next. It is called under mu.
func (b *Broker) fence(id string) (epoch int) {
	w := b.writers[id]
	if w == nil {
		w = &writer{}
		b.writers[id] = w
	}
	if w.current != nil {
		b.endTransaction(w, false)
	}
	w.epoch++
	return w.epoch
}

// endTransaction is called under mu.
func (b *Broker) endTransaction(w *writer, commit bool) {
	tx := w.current
	w.current = nil
	tx.committed = commit
	for _, log := range tx.logs {
		log.leave(tx)
	}
	if commit {
		for name, offsets := range tx.offsets {
			maps.Copy(b.group(name).committed, offsets)
		}
	}
	b.change()
}

// AddOffsets makes offsets of a group part of the transaction.
func (p *producer) AddOffsets(ctx context.Context, o connect.Offsets, g connect.GroupToken) error {
	if err := p.b.reach(ctx); err != nil {
		return err
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if p.tx == nil {
		return fmt.Errorf("add offsets: %w: no transaction is open", connect.ErrConflict)
	}
	if err := p.checkEpoch(); err != nil {
		return err
	}
	if m := p.b.group(g.Group).members[g.MemberID]; g.MemberID != "" && m == nil {
		return fmt.Errorf("add offsets of group %q: member %q: %w", g.Group, g.MemberID, connect.ErrRevoked)
	}
	if p.tx.offsets[g.Group] == nil {
		p.tx.offsets[g.Group] = make(connect.Offsets)
	}
	maps.Copy(p.tx.offsets[g.Group], o)
	return nil
}

// End commits or aborts the transaction.
func (p *producer) End(ctx context.Context, commit bool) error {
	if err := p.b.reach(ctx); err != nil {
		return err
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if p.tx == nil {
		return fmt.Errorf("end a transaction: %w: none is open", connect.ErrConflict)
	}
	if err := p.checkEpoch(); err != nil {
		return err
	}
	p.tx = nil
	p.b.endTransaction(p.b.writers[p.id], commit)
	return nil
}

// Close waits for what was sent while the cluster is down. When ctx ends first,
// the messages that are left hear ErrStopped. An open transaction stays open
// until a producer of the same id fences it, as if the process had ended.
func (p *producer) Close(ctx context.Context) error {
	p.b.mu.Lock()
	p.closed = true
	p.b.mu.Unlock()
	for {
		p.b.mu.Lock()
		mine, changed := p.takePending(ctx.Err() != nil), p.b.waiter()
		p.b.mu.Unlock()
		if len(mine) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return abandon(ctx, mine)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// takePending returns what the producer has waiting, and takes it from the queue
// if asked to. It is called under mu.
func (p *producer) takePending(remove bool) (mine []*sendOp) {
	for _, op := range p.b.pending {
		if op.p == p {
			mine = append(mine, op)
		}
	}
	if remove {
		p.b.pending = slices.DeleteFunc(p.b.pending, func(op *sendOp) bool { return op.p == p })
	}
	return mine
}

// abandon tells the messages that nobody will send them.
func abandon(ctx context.Context, ops []*sendOp) error {
	err := fmt.Errorf("producer closed before the message was sent: %w", errors.Join(connect.ErrStopped, context.Cause(ctx)))
	for _, op := range ops {
		for i := range op.errs {
			op.errs[i] = err
		}
		op.settle()
		op.ack()
	}
	return err
}
