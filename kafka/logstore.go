package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/streamlane/connect"
)

// Configs returns the worker's config store on a topic (Java's
// KafkaConfigBackingStore). The topic, of one partition, is created by OpenStore.
// With exactly.once.source.support preparing or enabled a leader writes in
// transactions, which shut out earlier leaders.
func (b *Broker) Configs(topic string) connect.ConfigStore {
	return &configStore{newTopicLog(&storeTopic{
		b: b, name: topic, prefix: configStorage, single: true, committed: b.stores.eos == eosEnabled,
	}, "configs")}
}

// Status returns the worker's status store on a topic (Java's
// KafkaStatusBackingStore). The topic is created by OpenStore.
func (b *Broker) Status(topic string) connect.StatusStore {
	return newTopicLog(&storeTopic{b: b, name: topic, prefix: statusStorage, news: true}, "statuses")
}

// topicLog is a connect.Log on a compacted topic.
type topicLog struct {
	topic  *storeTopic
	suffix string // of client names
	// turn is held while the log opens or closes.
	turn   chan struct{}
	closed bool

	mu         sync.Mutex
	partitions int // 0: not open
	admin      *admin
	writer     *producer
	follower   *topicReader // nil: nobody follows
	waiters    []*syncWaiter
}

// A syncWaiter is a Sync that waits for the follower to come to target.
type syncWaiter struct {
	target connect.Offsets
	done   chan struct{}
}

var (
	_ connect.StatusStore = (*topicLog)(nil)
	_ connect.StoreOpener = (*topicLog)(nil)
	_ connect.ConfigStore = (*configStore)(nil)
)

func newTopicLog(t *storeTopic, suffix string) *topicLog {
	return &topicLog{topic: t, suffix: suffix, turn: make(chan struct{}, 1)}
}

func (l *topicLog) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("log on topic %q: %w", l.topic.name, err)
}

// OpenStore creates the topic if need be, and checks it.
func (l *topicLog) OpenStore(ctx context.Context) error {
	_, _, err := l.connect(ctx, true)
	return l.wrap(err)
}

// clients returns the log's clients, opened if need be.
func (l *topicLog) clients(ctx context.Context) (*producer, *admin, error) {
	return l.connect(ctx, false)
}

// connect opens the clients. A log that was closed is opened by OpenStore only.
func (l *topicLog) connect(ctx context.Context, reopen bool) (*producer, *admin, error) {
	if err := take(ctx, l.turn); err != nil {
		return nil, nil, err
	}
	defer func() { <-l.turn }()
	l.mu.Lock()
	writer, adm, open := l.writer, l.admin, l.partitions > 0
	l.mu.Unlock()
	switch {
	case l.closed && !reopen:
		return nil, nil, ErrClosed
	case open:
		return writer, adm, nil
	}
	adm, err := l.topic.admin()
	if err != nil {
		return nil, nil, err
	}
	partitions, err := l.topic.ensure(ctx, adm)
	if err == nil {
		writer, err = l.topic.producer(l.suffix, "")
	}
	if err != nil {
		return nil, nil, errors.Join(err, adm.Close(ctx))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partitions, l.writer, l.admin, l.closed = partitions, writer, adm, false
	return writer, adm, nil
}

// CloseStore waits for writes under way and closes the clients. A follower must
// have ended before.
func (l *topicLog) CloseStore(ctx context.Context) error {
	if err := take(ctx, l.turn); err != nil {
		return err
	}
	defer func() { <-l.turn }()
	l.closed = true
	l.mu.Lock()
	writer, adm := l.writer, l.admin
	l.writer, l.admin, l.partitions = nil, nil, 0
	l.mu.Unlock()
	if writer == nil {
		return nil
	}
	return l.wrap(errors.Join(writer.Close(ctx), adm.Close(ctx)))
}

// Append writes entries in order.
func (l *topicLog) Append(ctx context.Context, pairs ...connect.KV) error {
	writer, _, err := l.clients(ctx)
	if err == nil {
		err = sendAll(ctx, writer, cloneMessages(l.topic.name, pairs))
	}
	return l.wrap(err)
}

// Sync waits until the follower has seen what is in the topic now.
func (l *topicLog) Sync(ctx context.Context) error {
	_, adm, err := l.clients(ctx)
	if err != nil {
		return l.wrap(err)
	}
	w := &syncWaiter{done: make(chan struct{})}
	err = retry(ctx, nil, func() error {
		w.target, err = adm.EndOffsets(ctx, l.topic.name)
		return err
	})
	if err != nil {
		return l.wrap(err)
	}
	l.mu.Lock()
	l.waiters = append(l.waiters, w)
	if l.follower != nil {
		l.follower.wake()
	}
	l.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters = slices.DeleteFunc(l.waiters, func(other *syncWaiter) bool { return other == w })
	return l.wrap(context.Cause(ctx))
}

// Follow yields all entries, then waits for more. See connect.Log.
func (l *topicLog) Follow(ctx context.Context) iter.Seq2[connect.Entry, error] {
	return func(yield func(connect.Entry, error) bool) {
		f, err := l.attach(ctx)
		if err == nil {
			f.yield = yield
			err = f.run(ctx)
			err = errors.Join(err, l.detach(f))
		}
		if err != nil && ctx.Err() == nil {
			yield(connect.Entry{}, l.wrap(err))
		}
	}
}

// attach makes the caller the follower.
func (l *topicLog) attach(ctx context.Context) (*follower, error) {
	_, adm, err := l.clients(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.follower != nil {
		return nil, errors.New("the log has a follower already")
	}
	r, err := newTopicReader(l.topic, adm, l.suffix, l.partitions)
	if err != nil {
		return nil, err
	}
	l.follower = r
	return &follower{log: l, reader: r, numbered: l.partitions == 1}, nil
}

func (l *topicLog) detach(f *follower) error {
	l.mu.Lock()
	l.follower = nil
	l.mu.Unlock()
	return f.reader.close()
}

// A follower is one run of Follow.
type follower struct {
	log      *topicLog
	reader   *topicReader
	yield    func(connect.Entry, error) bool
	numbered bool  // entries have the offsets of the one partition
	count    int64 // of entries; their offset where there are several partitions
	live     bool
	first    connect.Offsets // end of the log when the follower began
}

// run reads for as long as ctx lives and the loop body wants more.
func (f *follower) run(ctx context.Context) error {
	var err error
	if f.first, err = f.reader.ends(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if !f.live {
			if f.live, err = f.reader.reached(ctx, f.first); err != nil {
				return err
			}
			if f.live && !f.yield(connect.Entry{}, nil) {
				return nil
			}
		}
		target, err := f.settle(ctx)
		if err != nil {
			return err
		}
		n, err := f.reader.poll(ctx, target)
		if err != nil {
			return err
		}
		if !f.deliver(n) {
			return nil
		}
	}
	return nil
}

// deliver yields n messages. It reports false when the loop body has had enough.
func (f *follower) deliver(n int) bool {
	defer clear(f.reader.buf[:n])
	for i := range f.reader.buf[:n] {
		m := &f.reader.buf[i]
		e := connect.Entry{KV: connect.KV{Key: m.Key, Value: m.Value}, Offset: f.count, Time: m.Time, Live: f.live}
		if f.numbered {
			e.Offset = m.Offset
		}
		f.count++
		if m.Key == nil {
			continue // only a foreign writer can have left it; it would read as "caught up"
		}
		if !f.yield(e, nil) {
			return false
		}
	}
	return true
}

// settle releases the Syncs whose target is reached, and returns a target that is
// not, or nil.
func (f *follower) settle(ctx context.Context) (connect.Offsets, error) {
	var ahead connect.Offsets
	if !f.live {
		ahead = f.first
	}
	f.log.mu.Lock()
	waiters := slices.Clone(f.log.waiters)
	f.log.mu.Unlock()
	var done []*syncWaiter
	for _, w := range waiters {
		reached, err := f.reader.reached(ctx, w.target)
		if err != nil {
			return nil, err
		}
		if reached {
			done = append(done, w)
			close(w.done)
			continue
		}
		ahead = w.target
	}
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.log.waiters = slices.DeleteFunc(f.log.waiters, func(w *syncWaiter) bool { return slices.Contains(done, w) })
	return ahead, nil
}
