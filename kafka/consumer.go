package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consumer is the connect.Consumer.
//
// The goroutine that polls owns position and seeks. What the client's goroutines
// and the concurrent methods need is under mu, which is never held across I/O or
// a user's function.
type consumer struct {
	resolved
	group   string
	topics  []string
	match   func(string) bool
	assign  connect.Offsets
	log     *slog.Logger
	recheck time.Duration // how often match is applied to the topics there are

	position connect.Offsets // next offset to deliver, of owned partitions
	seeks    connect.Offsets // seeks that the client has not confirmed yet
	missing  map[string]span // topics that brokers say they do not know
	failing  bool            // the last fetch brought errors that may pass

	mu       sync.Mutex
	sess     *session
	owned    map[connect.TopicPartition]bool // as the user was told; true: paused
	events   []*event
	running  *event // whose function is at work
	failure  error  // to be returned by the next Poll
	woken    bool
	polling  bool
	stopWait context.CancelFunc // of a Poll that waits; nil: none does
	overdue  *time.Timer        // runs between Polls of a group's member
	closed   bool
}

func newConsumer(r *resolved, c connect.ConsumerConfig, log *slog.Logger) (*consumer, error) {
	group := c.Group
	if group == "" && len(c.Assign) == 0 {
		group = r.consumer.group
	}
	con := &consumer{
		resolved: *r, group: group, topics: c.Topics, match: c.Match, assign: c.Assign.Clone(), log: log,
		recheck: r.conn.metadataAge, position: connect.Offsets{}, seeks: connect.Offsets{},
		missing: map[string]span{}, owned: map[connect.TopicPartition]bool{},
	}
	byHand := group == ""
	switch {
	case byHand && len(c.Assign) == 0:
		return nil, errors.New("kafka: consumer: neither a group nor partitions are given")
	case byHand && (len(c.Topics) > 0 || c.Match != nil):
		return nil, errors.New("kafka: consumer: topics need a group")
	case !byHand && len(c.Assign) > 0:
		return nil, fmt.Errorf("kafka: consumer of group %q: partitions are given as well", group)
	case !byHand && (len(c.Topics) > 0) == (c.Match != nil):
		return nil, fmt.Errorf("kafka: consumer of group %q: want topics or a match, one of them", group)
	}
	con.opts = append(con.opts, r.consumer.options()...)
	con.opts = append(con.opts, con.reading()...)
	if err := kgo.ValidateOpts(con.opts...); err != nil {
		return nil, fmt.Errorf("kafka: consumer %q: %w", r.clientID, err)
	}
	if byHand {
		for tp, offset := range c.Assign {
			con.owned[tp] = false
			if offset >= 0 {
				con.position[tp] = offset
			}
		}
	}
	return con, nil
}

// reading are the options that say what to read.
func (c *consumer) reading() []kgo.Opt {
	if c.group == "" {
		parts := map[string]map[int32]kgo.Offset{}
		for tp, offset := range c.assign {
			if parts[tp.Topic] == nil {
				parts[tp.Topic] = map[int32]kgo.Offset{}
			}
			parts[tp.Topic][tp.Partition] = startAt(offset)
		}
		return []kgo.Opt{kgo.ConsumePartitions(parts)}
	}
	opts := c.consumer.groupOptions(c.group)
	if c.match == nil {
		opts = append(opts, kgo.ConsumeTopics(c.topics...))
	}
	return opts
}

func startAt(offset int64) kgo.Offset {
	if offset < 0 {
		return kgo.NewOffset().AtStart()
	}
	return kgo.NewOffset().At(offset)
}

// Poll fills into. See connect.Consumer.
func (c *consumer) Poll(ctx context.Context, into []connect.Message, r connect.Rebalance) (int, error) {
	s, err := c.enter(ctx, r)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	into = into[:min(len(into), c.consumer.pollRecords)]
	for {
		if err := c.rebalance(ctx, r); err != nil {
			return 0, err
		}
		if err := c.takeFailure(); err != nil {
			return 0, err
		}
		if c.interrupted(ctx) || len(into) == 0 {
			return 0, nil
		}
		c.seekAgain(s)
		if n := c.fetch(ctx, s, into); n > 0 {
			return n, nil
		}
	}
}

// enter begins a Poll: it sees to it that there is a client, and that partitions
// are given up if the Poll comes too late.
func (c *consumer) enter(ctx context.Context, r connect.Rebalance) (*session, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	c.polling = true
	if c.overdue != nil {
		c.overdue.Stop()
	}
	s := c.sess
	c.mu.Unlock()
	if s != nil && s.expired() {
		if err := c.forfeit(ctx, s, r); err != nil {
			c.leave()
			return nil, err
		}
		s = nil
	}
	if s != nil {
		return s, nil
	}
	s, err := c.open()
	if err != nil {
		c.leave()
		return nil, fmt.Errorf("kafka: open consumer %q: %w", c.clientID, err)
	}
	return s, nil
}

// leave ends a Poll. From here the member's clock runs.
func (c *consumer) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.polling = false
	if c.group == "" || c.sess == nil || c.closed {
		return
	}
	if c.overdue == nil {
		c.overdue = time.AfterFunc(c.consumer.pollInterval, c.expire)
		return
	}
	c.overdue.Reset(c.consumer.pollInterval)
}

// interrupted tells whether the Poll is to end without messages.
func (c *consumer) interrupted(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	woken := c.woken
	if woken || ctx.Err() != nil {
		c.woken = false
		return true
	}
	return false
}

// fetch waits for messages, until something else is to be done.
func (c *consumer) fetch(ctx context.Context, s *session, into []connect.Message) int {
	wait, stop := context.WithCancel(ctx)
	defer stop()
	c.mu.Lock()
	if c.woken || c.failure != nil || len(c.events) > 0 {
		c.mu.Unlock()
		return 0
	}
	c.stopWait = stop
	c.mu.Unlock()
	fetches := s.client.PollRecords(wait, len(into))
	c.mu.Lock()
	c.stopWait = nil
	c.mu.Unlock()
	c.failing = false
	n := c.convert(fetches, into)
	if n == 0 && c.failing {
		c.pause(ctx)
	}
	return n
}

// pause waits for retry.backoff.ms, or until something is to be done. Brokers
// refuse at once, and would be asked again at once.
func (c *consumer) pause(ctx context.Context) {
	wait, stop := context.WithTimeout(ctx, max(c.conn.backoff, time.Millisecond))
	defer stop()
	c.mu.Lock()
	if c.woken || c.failure != nil || len(c.events) > 0 {
		stop()
	}
	c.stopWait = stop
	c.mu.Unlock()
	<-wait.Done()
	c.mu.Lock()
	c.stopWait = nil
	c.mu.Unlock()
}

// nudge makes a waiting Poll look again. It is called under mu.
func (c *consumer) nudge() {
	if c.stopWait != nil {
		c.stopWait()
	}
}

// convert turns what the client fetched into messages. Their keys and values stay
// where they are: the client never uses a buffer again.
func (c *consumer) convert(fetches kgo.Fetches, into []connect.Message) int {
	n := 0
	headers := headerSlab{}
	for f := range fetches {
		for t := range fetches[f].Topics {
			topic := &fetches[f].Topics[t]
			for p := range topic.Partitions {
				part := &topic.Partitions[p]
				tp := connect.TopicPartition{Topic: topic.Topic, Partition: part.Partition}
				if part.Err != nil {
					c.fetchFailed(tp, part.Err)
				}
				n += c.convertRecords(tp, part.Records, into[n:], &headers)
			}
		}
	}
	return n
}

func (c *consumer) convertRecords(tp connect.TopicPartition, records []*kgo.Record, into []connect.Message, headers *headerSlab) int {
	if _, elsewhere := c.seeks[tp]; elsewhere {
		return 0 // fetched before the client took the seek
	}
	n := 0
	for i, r := range records {
		if r.Attrs.IsControl() {
			continue
		}
		m := &into[n]
		fill(m, tp, r)
		if len(r.Headers) > 0 {
			m.Headers = headers.convert(r.Headers, records[i:])
		}
		n++
	}
	if len(records) > 0 {
		c.position[tp] = records[len(records)-1].Offset + 1
	}
	return n
}

// fill makes m of r, save for its headers. What m holds of the message before is
// left alone where it is the same: while the garbage collector marks, storing a
// pointer costs many times what comparing it does.
func fill(m *connect.Message, tp connect.TopicPartition, r *kgo.Record) {
	if m.Topic != tp.Topic {
		m.Topic = tp.Topic
	}
	if m.Key != nil || r.Key != nil {
		m.Key = r.Key
	}
	if m.Headers != nil {
		m.Headers = nil
	}
	m.Partition, m.Offset, m.Value = tp.Partition, r.Offset, r.Value
	m.TimeType = connect.TimestampType(r.Attrs.TimestampType())
	when := r.Timestamp
	if m.TimeType == connect.NoTimestamp {
		when = time.Time{}
	}
	if m.Time != when {
		m.Time = when
	}
}

// A headerSlab holds the headers of many messages in few slices.
type headerSlab struct{ free []connect.RawHeader }

// convert returns h in the form of messages. If there is no room, it makes room
// for the headers of all the records that follow.
func (s *headerSlab) convert(h []kgo.RecordHeader, rest []*kgo.Record) []connect.RawHeader {
	if len(s.free) < len(h) {
		n := 0
		for _, r := range rest {
			n += len(r.Headers)
		}
		s.free = make([]connect.RawHeader, n)
	}
	out := s.free[:len(h):len(h)]
	s.free = s.free[len(h):]
	for i := range h {
		out[i] = connect.RawHeader(h[i])
	}
	return out
}

// fetchFailed judges an error that came in place of messages: those that go away
// by themselves are the client's business, the others end the next Poll.
func (c *consumer) fetchFailed(tp connect.TopicPartition, err error) {
	loss, lost := errors.AsType[*kgo.ErrDataLoss](err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return
	case lost && c.consumer.reset != "none":
		c.log.Warn("offset is beyond the end of the log; records may have been lost",
			"topic", loss.Topic, "partition", loss.Partition, "consumed", loss.ConsumedTo, "reset", loss.ResetTo)
		return
	case lost:
		c.fail(fmt.Errorf("%w: %w", connect.ErrOutOfRange, err))
		return
	}
	unknown := errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)
	if unknown && c.gone(tp.Topic, time.Now()) {
		c.topicGone(tp.Topic, err)
		return
	}
	mapped := mapError(err)
	_, again := connect.RetryAfter(mapped)
	if _, group := errors.AsType[*kgo.ErrGroupSession](err); group {
		again = joinsAgain(err)
	}
	if again {
		c.failing = true
		c.log.Debug("fetch failed, trying again", "topic", tp.Topic, "partition", tp.Partition, "error", err)
		return
	}
	if tp.Topic != "" {
		mapped = fmt.Errorf("topic %q partition %d: %w", tp.Topic, tp.Partition, mapped)
	}
	c.fail(mapped)
}

// joinsAgain tells whether a member that could not join or stay in its group may
// try again, as the client does by itself. A group that went on without it is none
// of the reasons for which Java's consumer gives up (JoinGroupResponseHandler).
func joinsAgain(err error) bool {
	if k, ok := errors.AsType[*kerr.Error](err); ok {
		return k.Retriable || is(k, []error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.MemberIDRequired})
	}
	return !untrusted(err)
}

// A span is the time from one event to another.
type span struct{ first, last time.Time }

// goneAfter is how long brokers must not know a topic until it counts as deleted:
// they do not know new ones for a moment.
const goneAfter = 5 * time.Second

// gone notes that a broker does not know a topic, and tells whether that has been
// so for long enough.
func (c *consumer) gone(topic string, now time.Time) bool {
	s, ok := c.missing[topic]
	if !ok || now.Sub(s.last) > goneAfter {
		s.first = now
	}
	s.last = now
	c.missing[topic] = s
	if s.last.Sub(s.first) < goneAfter {
		return false
	}
	delete(c.missing, topic)
	return true
}

// fail makes the next Poll return err.
func (c *consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure = fmt.Errorf("kafka: consumer %q: %w", c.clientID, err)
	}
	c.nudge()
}

func (c *consumer) takeFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.failure
	c.failure = nil
	return err
}
