package cassandra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

const (
	// commitWait is how long a commit waits for what is under way.
	commitWait = 5 * time.Second
	// openWait is how long a task waits for the cluster at its start.
	openWait = time.Minute
	// reopenPause is how long it waits before it tries again.
	reopenPause = time.Second
)

// A task is the sink task.
type task struct {
	c    Config
	open func(ctx context.Context, c *Config, log *slog.Logger) (session, error)

	ctx     connect.SinkContext
	life    context.Context
	end     context.CancelFunc
	db      session
	d       *dispatcher
	auto    *autoTables
	binder  binder
	stats   *stats
	targets map[string][]*target // by topic
	ids     int
	lanes   []string
	writes  []*write
	ignored atomic.Int64 // records that ignoreErrors let go
}

func newTask(c Config) (*task, error) {
	return &task{c: c, open: func(ctx context.Context, c *Config, log *slog.Logger) (session, error) {
		db, err := openSession(ctx, c, log)
		if err != nil {
			return nil, err
		}
		if err := db.checkDC(c.LocalDC, log); err != nil {
			db.close()
			return nil, err
		}
		return db, nil
	}}, nil
}

// Start connects, and reads the tables of the configuration.
func (t *task) Start(ctx context.Context, c connect.SinkContext) error {
	t.ctx = c
	t.life, t.end = context.WithCancel(ctx)
	for _, key := range t.c.driver.unheeded {
		c.Logger().WarnContext(ctx, "a setting of the Java driver has no counterpart and no effect", "key", key)
	}
	opening, cancel := context.WithTimeoutCause(t.life, openWait, errors.New("the cluster does not answer"))
	defer cancel()
	db, err := t.connect(opening)
	if err != nil {
		return err
	}
	t.db = db
	d := newDispatcher(t.life, t.dispatchOptions())
	t.stats = newStats(c.Metrics(), func() *dispatcher { return d })
	d.o.stats, t.d = t.stats, d
	t.auto = &autoTables{c: &t.c.Auto, db: db, task: c.Task().Task, looked: map[*target]time.Time{}}
	t.targets = map[string][]*target{}
	for _, cfg := range t.c.tables {
		x := t.newTarget(cfg)
		if _, err := x.refresh(opening, db, nil); err != nil && !t.mayCreate(cfg, err) {
			return blameTable(cfg, err)
		}
		t.targets[cfg.topic] = append(t.targets[cfg.topic], x)
	}
	return nil
}

// connect opens the session. Nodes that are away are waited for; what is wrong with the configuration is not.
func (t *task) connect(ctx context.Context) (session, error) {
	for tries := 0; ; tries++ {
		db, err := t.open(ctx, &t.c, t.ctx.Logger())
		if err == nil {
			return db, nil
		}
		err = t.c.blame(err)
		if keys, _ := config.KeyErrors(err); len(keys) != 1 || keys[0].Key != "contactPoints" {
			return nil, err
		}
		if tries == 0 {
			t.ctx.Logger().WarnContext(ctx, "the cluster cannot be reached, trying again", "for", openWait.String(), "err", err)
		}
		if wait(ctx, reopenPause) != nil {
			return nil, err
		}
	}
}

// mayCreate tells whether a table that is missing is to be made when its first record comes.
func (t *task) mayCreate(cfg *tableConfig, err error) bool {
	return cfg.mapping == "" && t.c.Auto.Create && errors.Is(err, errNoTable)
}

func (t *task) newTarget(cfg *tableConfig) *target {
	t.ids++
	return newTarget(t.ids, cfg, t.c.codecs[cfg.topic], t.c.driver.serial)
}

func (t *task) dispatchOptions() dispatchOptions {
	return dispatchOptions{
		db: t.db, requests: t.c.MaxRequests, batchCount: t.c.BatchCount, batchBytes: t.c.BatchBytes, maxWaiting: t.c.MaxWaiting, maxBytes: t.c.MemoryBytes,
		retry: t.c.Retry, agreement: t.c.Auto.Agreement, refuse: t.refuse, giveUp: t.giveUp, failed: t.ctx.RequestCommit,
		pause:  func() { t.ctx.Pause(t.ctx.Assignment()...) },
		resume: func() { t.ctx.Resume(t.ctx.Assignment()...) },
	}
}

// Open takes partitions over.
func (t *task) Open(_ context.Context, tps []connect.TopicPartition) error {
	t.d.open(tps...)
	t.d.gate.again()
	return nil
}

// Close gives partitions up. What is still under way is written, and written again by their next owner.
func (t *task) Close(_ context.Context, tps []connect.TopicPartition) error {
	t.d.forget(tps...)
	return nil
}

// Put enqueues the writes of records.
func (t *task) Put(ctx context.Context, records []connect.SinkRecord) error {
	if err := t.d.failure(); err != nil {
		return err
	}
	defer t.d.pump() // all at once, so that what goes to one partition goes together
	for i := range records {
		if err := t.take(ctx, &records[i]); err != nil {
			return err
		}
	}
	return t.d.failure()
}

// take enqueues the writes of one record: all or none.
func (t *task) take(ctx context.Context, r *connect.SinkRecord) error {
	targets, err := t.targetsOf(r.Topic)
	if err != nil {
		return t.unfit(ctx, r, err)
	}
	t.writes, t.lanes = t.writes[:0], t.lanes[:0]
	for _, x := range targets {
		p, err := t.auto.ensure(ctx, x, r)
		if err != nil {
			if errors.Is(err, errNoColumn) || errors.Is(err, errNoSchema) {
				return t.unfit(ctx, r, err)
			}
			return blameTable(x.cfg, err)
		}
		w, lane, err := t.binder.bind(x, p, r)
		if err != nil {
			return t.unfit(ctx, r, err)
		}
		t.writes, t.lanes = append(t.writes, w), append(t.lanes, string(lane))
	}
	t.d.enqueue(r.Origin.TopicPartition, r.Origin.Offset, t.writes, t.lanes)
	clear(t.writes)
	return nil
}

// targetsOf returns the tables of a topic.
func (t *task) targetsOf(topic string) ([]*target, error) {
	if found := t.targets[topic]; found != nil {
		return found, nil
	}
	cfg := t.c.autoTable(topic)
	if cfg == nil {
		return nil, fmt.Errorf("the topic %q has no table: there are neither keys topic.%s.KEYSPACE.TABLE.mapping nor keyspace", topic, topic)
	}
	t.targets[topic] = []*target{t.newTarget(cfg)}
	return t.targets[topic], nil
}

// unfit reports a record that cannot become a write.
func (t *task) unfit(ctx context.Context, r *connect.SinkRecord, cause error) error {
	return t.report(ctx, r, cause, t.c.IgnoreErrors == ignoreAll)
}

// refuse reports a record whose write is refused, or not known to have happened.
func (t *task) refuse(ctx context.Context, w *write, cause error) error {
	return t.report(ctx, &w.record, fmt.Errorf("write to %s: %w", w.target.name(), cause), t.c.IgnoreErrors != ignoreNone)
}

// giveUp fails the task, unless such errors are to be ignored.
func (t *task) giveUp(ctx context.Context, w *write, cause error) error {
	if t.c.IgnoreErrors == ignoreNone {
		return cause
	}
	return t.report(ctx, &w.record, cause, true)
}

// report hands a record over as errors.tolerance says. With ignore, the record is let go even if that is none.
func (t *task) report(ctx context.Context, r *connect.SinkRecord, cause error, ignore bool) error {
	t.stats.refused.Add(1)
	err := t.ctx.Report(ctx, r, cause)
	if errors.Is(err, connect.ErrRevoked) { // the next owner of its partition gets it, and reports it
		return nil
	}
	if err == nil || !ignore || ctx.Err() != nil {
		return err
	}
	t.stats.skipped.Add(1)
	if n := t.ignored.Add(1); n&(n-1) == 0 { // the log is not to fill with them
		t.ctx.Logger().WarnContext(ctx, "a record was skipped, for ignoreErrors says so", "records", n, "topic", r.Origin.Topic, "partition", r.Origin.Partition,
			"offset", r.Origin.Offset, "err", cause)
	}
	return nil
}

// PreCommit returns the offsets up to which everything is written. It waits a little for what is under way.
func (t *task) PreCommit(ctx context.Context, current connect.Offsets) (connect.Offsets, error) {
	t.d.drain(ctx, commitWait)
	return t.d.safeOffsets(current), nil
}

// Stop ends what is under way.
func (t *task) Stop(context.Context) error {
	if t.end == nil {
		return nil
	}
	t.end()
	if t.d != nil {
		t.d.close()
	}
	if t.db != nil {
		t.db.close()
	}
	return nil
}

// blameTable puts the error of reading a table beside the key that it is about.
func blameTable(cfg *tableConfig, err error) error {
	var key *config.KeyError
	switch {
	case errors.As(err, &key):
		return err
	case errors.Is(err, errNoKeyspace), errors.Is(err, errNoTable):
		return keyError(cfg.key(mappingSetting), cfg.mapping, "%w", err)
	}
	return fmt.Errorf("%s: %w", cfg.prefix+"*", err)
}
