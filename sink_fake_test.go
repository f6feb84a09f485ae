package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// sinkJournal is what happened, in order, on all sides of a sink pipeline.
type sinkJournal struct {
	mu    sync.Mutex
	lines []string
}

func (j *sinkJournal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns the lines since the last call.
func (j *sinkJournal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// only returns those that begin with one of the words, since the last call.
func (j *sinkJournal) only(words ...string) []string {
	return slices.DeleteFunc(j.take(), func(line string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(line, w) })
	})
}

// sinkConsumer is a Consumer over logs in memory, with rebalances on command.
type sinkConsumer struct {
	journal *sinkJournal
	notify  chan struct{} // wakes a Poll, or the next one

	mu        sync.Mutex
	logs      map[TopicPartition][]Message
	position  Offsets // of what is assigned
	committed Offsets
	paused    map[TopicPartition]bool
	events    []func(ctx context.Context, r Rebalance) error
	pollErrs  []error
	// positionErrs and commitErr make calls fail.
	positionErrs []error
	commitErr    func(ctx context.Context, o Offsets) error
	polls, wakes int
	woken        bool
	closed       bool
}

func newSinkConsumer(j *sinkJournal) *sinkConsumer {
	return &sinkConsumer{
		journal: j, notify: make(chan struct{}, 1),
		logs:     make(map[TopicPartition][]Message),
		position: make(Offsets), committed: make(Offsets), paused: make(map[TopicPartition]bool),
	}
}

func tpOf(topic string, partition int32) TopicPartition {
	return TopicPartition{Topic: topic, Partition: partition}
}

// do runs f under the lock and wakes the poll.
func (c *sinkConsumer) do(f func()) {
	c.mu.Lock()
	f()
	c.mu.Unlock()
	signal(c.notify)
}

// produce appends n records to the partition.
func (c *sinkConsumer) produce(at TopicPartition, n int) {
	c.do(func() {
		for range n {
			c.appendMessage(Message{TopicPartition: at})
		}
	})
}

// appendMessage completes and appends m; an offset in it makes a gap.
func (c *sinkConsumer) appendMessage(m Message) {
	log := c.logs[m.TopicPartition]
	if len(log) > 0 {
		m.Offset = max(m.Offset, log[len(log)-1].Offset+1)
	}
	if m.Value == nil {
		m.Value = fmt.Appendf(nil, "%s-%d@%d", m.Topic, m.Partition, m.Offset)
	}
	if m.Time.IsZero() {
		m.Time = time.UnixMilli(1000 + m.Offset)
	}
	c.logs[m.TopicPartition] = append(log, m)
}

// assign, revoke and lose are rebalances of the next poll.
func (c *sinkConsumer) assign(tps ...TopicPartition) {
	c.event(func(ctx context.Context, r Rebalance) error {
		c.mu.Lock()
		for _, tp := range tps {
			c.position[tp] = c.committed[tp]
		}
		c.mu.Unlock()
		return r.Assigned(ctx, tps)
	})
}

func (c *sinkConsumer) revoke(tps ...TopicPartition) { c.takeAway(tps, Rebalance.revoke) }
func (c *sinkConsumer) lose(tps ...TopicPartition)   { c.takeAway(tps, Rebalance.lose) }

func (r Rebalance) revoke(ctx context.Context, tps []TopicPartition) error {
	return r.Revoked(ctx, tps)
}
func (r Rebalance) lose(ctx context.Context, tps []TopicPartition) error { return r.Lost(ctx, tps) }

func (c *sinkConsumer) takeAway(tps []TopicPartition, tell func(Rebalance, context.Context, []TopicPartition) error) {
	c.event(func(ctx context.Context, r Rebalance) error {
		err := tell(r, ctx, tps)
		c.mu.Lock()
		for _, tp := range tps {
			delete(c.position, tp)
		}
		c.mu.Unlock()
		return err
	})
}

func (c *sinkConsumer) event(e func(context.Context, Rebalance) error) {
	c.do(func() { c.events = append(c.events, e) })
}

func (c *sinkConsumer) Poll(ctx context.Context, into []Message, r Rebalance) (int, error) {
	c.mu.Lock()
	c.polls++
	c.mu.Unlock()
	for {
		event, err := c.next()
		if err != nil {
			return 0, err
		}
		if event != nil {
			if err := event(ctx, r); err != nil {
				return 0, fmt.Errorf("rebalance: %w", err)
			}
			continue
		}
		if n := c.fetch(into); n > 0 {
			return n, nil
		}
		if c.isWoken() {
			return 0, nil
		}
		select {
		case <-c.notify:
		case <-ctx.Done():
			return 0, nil
		}
	}
}

func (c *sinkConsumer) next() (event func(context.Context, Rebalance) error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pollErrs) > 0 {
		err, c.pollErrs = c.pollErrs[0], c.pollErrs[1:]
		return nil, err
	}
	if len(c.events) > 0 {
		event, c.events = c.events[0], c.events[1:]
	}
	return event, nil
}

// pending returns what is left of a partition's log.
func (c *sinkConsumer) pending(tp TopicPartition) []Message {
	if c.paused[tp] {
		return nil
	}
	log := c.logs[tp]
	i, _ := slices.BinarySearchFunc(log, c.position[tp], func(m Message, at int64) int { return int(m.Offset - at) })
	return log[i:]
}

func (c *sinkConsumer) isWoken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	woken := c.woken
	c.woken = false
	return woken
}

func (c *sinkConsumer) fetch(into []Message) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range slices.SortedFunc(maps.Keys(c.position), compareTopicPartitions) {
		log := c.pending(tp)
		taken := copy(into[n:], log)
		n += taken
		if taken > 0 {
			c.position[tp] = log[taken-1].Offset + 1
		}
	}
	return n
}

func (c *sinkConsumer) Seek(next Offsets) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.journal.add("seek %s", offsetsText(next))
	for tp, offset := range next {
		if _, ok := c.position[tp]; !ok {
			return fmt.Errorf("seek in %v, which is not assigned", tp)
		}
		c.position[tp] = offset
	}
	return nil
}

func (c *sinkConsumer) Pause(tps ...TopicPartition)  { c.setPaused("pause", tps, true) }
func (c *sinkConsumer) Resume(tps ...TopicPartition) { c.setPaused("resume", tps, false) }

func (c *sinkConsumer) setPaused(what string, tps []TopicPartition, paused bool) {
	c.journal.add("%s %s", what, tpsText(tps))
	c.do(func() {
		for _, tp := range tps {
			c.paused[tp] = paused
		}
	})
}

func (c *sinkConsumer) Position(_ context.Context, tps ...TopicPartition) (Offsets, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.positionErrs) > 0 {
		err := c.positionErrs[0]
		c.positionErrs = c.positionErrs[1:]
		return nil, err
	}
	next := make(Offsets)
	for _, tp := range tps {
		if offset, ok := c.position[tp]; ok {
			next[tp] = offset
		}
	}
	return next, nil
}

func (c *sinkConsumer) Commit(ctx context.Context, o Offsets) error {
	c.mu.Lock()
	fail := c.commitErr
	c.mu.Unlock()
	c.journal.add("commit %s", offsetsText(o))
	if fail != nil {
		if err := fail(ctx, o); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.committed, o)
	return nil
}

func (c *sinkConsumer) Token() GroupToken { return GroupToken{} }

func (c *sinkConsumer) Wake() { c.do(func() { c.wakes, c.woken = c.wakes+1, true }) }

func (c *sinkConsumer) Close(context.Context) error {
	c.journal.add("consumer closed")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// counted returns a counter under the lock.
func (c *sinkConsumer) counted(n *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *n
}

// pausedNow lists the assigned partitions that are paused.
func (c *sinkConsumer) pausedNow() (tps []TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range slices.SortedFunc(maps.Keys(c.position), compareTopicPartitions) {
		if c.paused[tp] {
			tps = append(tps, tp)
		}
	}
	return tps
}

func tpsText(tps []TopicPartition) string {
	var parts []string
	for _, tp := range tps {
		parts = append(parts, fmt.Sprintf("%s-%d", tp.Topic, tp.Partition))
	}
	return strings.Join(parts, " ")
}

func offsetsText(o Offsets) string {
	var parts []string
	for _, tp := range slices.SortedFunc(maps.Keys(o), compareTopicPartitions) {
		parts = append(parts, fmt.Sprintf("%s-%d=%d", tp.Topic, tp.Partition, o[tp]))
	}
	return strings.Join(parts, " ")
}

// sinkBroker opens the one consumer.
type sinkBroker struct {
	consumer Consumer
	config   ConsumerConfig
	err      error
}

func (b *sinkBroker) Consumer(_ context.Context, c ConsumerConfig) (Consumer, error) {
	b.config = c
	return b.consumer, b.err
}

func (b *sinkBroker) Producer(context.Context, ClientConfig) (Producer, error) {
	return nil, errors.ErrUnsupported
}

func (b *sinkBroker) Admin(context.Context, ClientConfig) (Admin, error) {
	return nil, errors.ErrUnsupported
}

// plainSink is a sink task without optional abilities.
type plainSink struct {
	journal *sinkJournal
	context SinkContext
	life    context.Context

	start func(SinkContext) error
	put   func(ctx context.Context, records []SinkRecord) error
	stop  func() error

	mu  sync.Mutex   // for got, and for functions changed while the pipeline runs
	got []SinkRecord // what Put took
}

// set changes functions of a task that runs.
func (s *plainSink) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// current returns a function as it is now.
func current[F any](s *plainSink, f *F) F {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *f
}

func (s *plainSink) Start(ctx context.Context, c SinkContext) error {
	s.journal.add("start")
	s.context, s.life = c, ctx
	if s.start != nil {
		return s.start(c)
	}
	return nil
}

func (s *plainSink) Put(ctx context.Context, records []SinkRecord) error {
	s.journal.add("put %s", recordsText(records))
	if put := current(s, &s.put); put != nil {
		if err := put(ctx, records); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, records...)
	return nil
}

func (s *plainSink) Stop(context.Context) error {
	s.journal.add("stop")
	if s.stop != nil {
		return s.stop()
	}
	return nil
}

// taken returns what Put took, as text.
func (s *plainSink) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return recordsText(s.got)
}

// recordsText lists records by partition: t-0@0..2 u-0@7.
func recordsText(records []SinkRecord) string {
	var parts []string
	for i := 0; i < len(records); {
		first := records[i].Origin
		last := first
		for i++; i < len(records) && records[i].Origin.TopicPartition == first.TopicPartition && records[i].Origin.Offset == last.Offset+1; i++ {
			last = records[i].Origin
		}
		text := fmt.Sprintf("%s-%d@%d", first.Topic, first.Partition, first.Offset)
		if last.Offset > first.Offset {
			text += fmt.Sprintf("..%d", last.Offset)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// openSink also hears of partitions, and flushes.
type openSink struct {
	plainSink
	open, close func(tps []TopicPartition) error
	flush       func(o Offsets) error
}

func (s *openSink) Open(_ context.Context, tps []TopicPartition) error {
	s.journal.add("open %s", tpsText(tps))
	if open := current(&s.plainSink, &s.open); open != nil {
		return open(tps)
	}
	return nil
}

func (s *openSink) Close(_ context.Context, tps []TopicPartition) error {
	s.journal.add("close %s", tpsText(tps))
	if close := current(&s.plainSink, &s.close); close != nil {
		return close(tps)
	}
	return nil
}

func (s *openSink) Flush(_ context.Context, o Offsets) error {
	s.journal.add("flush %s", offsetsText(o))
	if flush := current(&s.plainSink, &s.flush); flush != nil {
		return flush(o)
	}
	return nil
}

// preCommitSink decides on offsets itself.
type preCommitSink struct {
	openSink
	preCommit func(Offsets) (Offsets, error)
}

func (s *preCommitSink) PreCommit(_ context.Context, o Offsets) (Offsets, error) {
	s.journal.add("precommit %s", offsetsText(o))
	if preCommit := current(&s.plainSink, &s.preCommit); preCommit != nil {
		return preCommit(o)
	}
	return o, nil
}

// claimSink keeps offsets with its data.
type claimSink struct {
	preCommitSink
	claim func(tps []TopicPartition) (Offsets, error)
}

func (s *claimSink) Claim(_ context.Context, tps []TopicPartition) (Offsets, error) {
	s.journal.add("claim %s", tpsText(tps))
	return s.claim(tps)
}

// sinkBytes hands bytes through, as ByteArrayConverter does.
type sinkBytes struct {
	fail func(b []byte) error
}

func (c sinkBytes) AppendEncode(_ context.Context, dst []byte, _ *Wire, _ Datum) ([]byte, bool, error) {
	return dst, true, errors.ErrUnsupported
}

func (c sinkBytes) Decode(_ context.Context, _ *Wire, b []byte) (Datum, error) {
	if c.fail != nil {
		if err := c.fail(b); err != nil {
			return Datum{}, err
		}
	}
	if b == nil {
		return Datum{}, nil
	}
	return Datum{Value: data.Bytes(b)}, nil
}

func (c sinkBytes) AppendEncodeHeader(dst []byte, _, _ string, _ Datum) ([]byte, bool, error) {
	return dst, true, errors.ErrUnsupported
}

func (c sinkBytes) DecodeHeader(_, _ string, b []byte) (Datum, error) {
	return c.Decode(context.Background(), nil, b)
}

// sinkTransform is a Transform.
type sinkTransform func(ctx context.Context, r *Record) (bool, error)

func (f sinkTransform) Apply(ctx context.Context, r *Record) (bool, error) { return f(ctx, r) }

// sinkHooks gathers events.
type sinkHooks struct {
	mu      sync.Mutex
	batches []BatchEvent
	commits []CommitEvent
	errs    []ErrorEvent
}

func (h *sinkHooks) OnBatch(e *BatchEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.batches = append(h.batches, *e)
}

func (h *sinkHooks) OnCommit(e *CommitEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits = append(h.commits, *e)
}

func (h *sinkHooks) OnError(e *ErrorEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, *e)
}

func (h *sinkHooks) lastCommit() CommitEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.commits[len(h.commits)-1]
}

// sinkLog is a log for tests.
type sinkLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *sinkLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *sinkLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A sinkRig runs a pipeline inside a bubble.
type sinkRig struct {
	t        *testing.T
	journal  *sinkJournal
	consumer *sinkConsumer
	broker   *sinkBroker
	hooks    *sinkHooks
	log      *sinkLog
	env      *taskEnv
	settings sinkSettings
	contexts taskContexts
	endPoll  context.CancelCauseFunc
	endGrace context.CancelCauseFunc
	endLife  context.CancelCauseFunc
	pipeline *sinkPipeline
	ended    chan error
}

const (
	sinkFlushInterval = time.Minute
	sinkFlushTimeout  = 5 * time.Second
)

func newSinkRig(t *testing.T) *sinkRig {
	journal := &sinkJournal{}
	r := &sinkRig{t: t, journal: journal, consumer: newSinkConsumer(journal), hooks: &sinkHooks{}, log: &sinkLog{}}
	r.broker = &sinkBroker{consumer: r.consumer}
	r.settings = sinkSettings{consumer: ConsumerConfig{Group: "connect-sink", Topics: []string{"t"}, ClientConfig: ClientConfig{Props: config.Props{}}}}
	id := cluster.TaskID{Connector: "sink", Task: 3}
	hooks := newHookSet([]Hook{r.hooks})
	errs := &errorHandler{task: id, hooks: hooks}
	r.env = &taskEnv{
		id: id, log: slog.New(slog.NewTextHandler(r.log, nil)), hooks: hooks,
		plugin: Plugin{info: Info{Class: "TestSink"}},
		key:    sinkBytes{}, value: sinkBytes{}, header: sinkBytes{},
		keyClass: "KeyConv", valueClass: "ValueConv", headerClass: "HeaderConv",
		chain: &chain{errs: errs}, errs: errs, broker: r.broker,
		timing:  taskTiming{flushInterval: sinkFlushInterval, flushTimeout: sinkFlushTimeout},
		gate:    newPauseGate(false),
		running: func(context.Context) { journal.add("RUNNING") },
		paused:  func(context.Context) { journal.add("PAUSED") },
	}
	var c taskContexts
	c.life, r.endLife = context.WithCancelCause(context.Background())
	c.grace, r.endGrace = context.WithCancelCause(c.life)
	c.poll, r.endPoll = context.WithCancelCause(c.grace)
	r.contexts = c
	return r
}

// start runs the pipeline and waits until it is idle.
func (r *sinkRig) start(task SinkTask) {
	r.pipeline = newSinkPipeline(r.env, task, r.settings).(*sinkPipeline)
	r.ended = make(chan error, 1)
	go func() { r.ended <- sinkGuard(func() error { return r.pipeline.run(r.contexts) }) }()
	synctest.Wait()
}

func sinkGuard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v}
		}
	}()
	return f()
}

// stop asks the pipeline to end and returns its error.
func (r *sinkRig) stop() error {
	r.endPoll(ErrStopped)
	return r.wait()
}

func (r *sinkRig) wait() error {
	err := <-r.ended
	r.endLife(nil)
	return err
}

// sleep lets bubble time pass and the pipeline come to rest.
func (r *sinkRig) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// failed requires that the pipeline has ended with a StageError.
func (r *sinkRig) failed(stage Stage) *StageError {
	r.t.Helper()
	synctest.Wait()
	select {
	case err := <-r.ended:
		r.endLife(nil)
		stageErr, ok := errors.AsType[*StageError](err)
		require.True(r.t, ok, "%v", err)
		require.Equal(r.t, stage, stageErr.Stage)
		require.Equal(r.t, "sink", stageErr.Connector)
		require.Equal(r.t, 3, stageErr.Task)
		require.True(r.t, r.consumer.closed)
		return stageErr
	default:
		require.Fail(r.t, "the pipeline runs on", "%v", r.journal.take())
		return nil
	}
}

// sinkBubble runs f inside a synctest bubble.
func sinkBubble(t *testing.T, f func(t *testing.T, r *sinkRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newSinkRig(t)) })
}

// newOpenSink returns a task that journals.
func (r *sinkRig) openSink() *openSink {
	return &openSink{plainSink: plainSink{journal: r.journal}}
}

func (r *sinkRig) preCommitSink() *preCommitSink {
	return &preCommitSink{openSink: openSink{plainSink: plainSink{journal: r.journal}}}
}
