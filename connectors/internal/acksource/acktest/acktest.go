// Package acktest shows whether a source that acknowledges keeps its contract: what it receives gets to Kafka, is acknowledged when Kafka has it
// and not before, in the order that the protocol wants; nothing is acknowledged beyond a record that failed; no more is in flight than was allowed;
// and what comes again after a lost connection or a new start is neither lost nor, without either, doubled.
//
// The suite is Kafka and the engine, and drives the source by random schedules in testing/synctest bubbles; the source brings its server ([Peer]).
package acktest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/acksource"
)

// Peer is the server of a source. Messages are numbers from 0. Its methods are called by one goroutine.
type Peer interface {
	// Send gives the server the next message.
	Send(n int)
	// Break ends the connections that there are; what the source has written and the server has not read is lost.
	Break()
	// Acked returns what was acknowledged, in the order of acknowledgement.
	Acked() []int
	// InFlight is how many messages were sent and are not acknowledged.
	InFlight() int
}

// Source is a source under test.
type Source struct {
	Peer
	// Start makes and starts a task, as a new process would, on what the server has kept.
	Start func(ctx context.Context) (connect.SourceTask, error)
	// Number reads a message from its record.
	Number func(connect.SourceRecord) (int, error)
	// Order is how messages have to be acknowledged.
	Order acksource.Order
	// MaxInFlight is what the source was told to have in flight at most.
	MaxInFlight int
	// Back is how long the source takes at most to be connected again.
	Back time.Duration
}

// steps is the length of a schedule.
const steps = 300

// Test drives sources by a number of schedules, each with a source of its own, which make returns in the bubble.
func Test(t *testing.T, schedules int, make func(t *testing.T) *Source) {
	var all Counts
	for seed := range uint64(schedules) {
		synctest.Test(t, func(t *testing.T) {
			c, err := Run(t.Context(), make(t), seed)
			if err != nil {
				t.Errorf("schedule %d: %v", seed, err)
			}
			all = Counts{all.Messages + c.Messages, all.Twice + c.Twice, all.Interruptions + c.Interruptions}
		})
	}
	t.Logf("%d schedules: %d messages, %d interruptions, %d messages came again", schedules, all.Messages, all.Interruptions, all.Twice)
}

// Counts say what happened in a schedule.
type Counts struct {
	// Messages were sent, Twice deliveries were not the first, and Interruptions of connections or tasks were the reason.
	Messages, Twice, Interruptions int
}

// Run drives a source by one schedule, in a bubble, and says what it does wrong.
func Run(ctx context.Context, s *Source, seed uint64) (Counts, error) {
	r := &run{s: s, r: rand.New(rand.NewPCG(seed, 0)), kafka: map[int]bool{}, times: map[int]int{}}
	err := r.begin(ctx)
	if err != nil {
		return Counts{}, err
	}
	for i := 0; i < steps && err == nil; i++ {
		if err = r.step(ctx); err == nil {
			err = r.check()
		}
		if err != nil {
			err = fmt.Errorf("step %d, %s: %w", i, r.what, err)
		}
	}
	if err == nil {
		err = r.finish(ctx)
	}
	return Counts{r.sent, r.twice, r.trials - 1}, errors.Join(err, r.end(ctx))
}

// record is one that the source has returned and Kafka has not acknowledged.
type record struct {
	n     int
	token any
}

type run struct {
	s    *Source
	r    *rand.Rand
	what string // the last step

	task   connect.SourceTask
	cancel context.CancelFunc
	sent   int
	out    []record     // in the order of their delivery
	kafka  map[int]bool // what it has
	first  []int        // deliveries, those that came again left out
	trials int          // connections lost and tasks begun
	at     []int        // trials when a message was sent
	times  map[int]int  // deliveries of a message
	twice  int
	failed bool // a record has failed: the engine takes no more of this task
}

func (r *run) begin(ctx context.Context) (err error) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.trials++
	r.failed = false
	if r.task, err = r.s.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	r.settle()
	return nil
}

// end stops the task as the engine does. What it returned and Kafka does not have is gone.
func (r *run) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := r.task.Stop(ctx)
	r.cancel()
	r.out = nil
	r.settle()
	return err
}

// settle lets everything come to rest.
func (r *run) settle() {
	synctest.Wait()
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

func (r *run) step(ctx context.Context) (err error) {
	switch x := r.r.IntN(100); {
	case x < 30:
		r.what = "send"
		for range 1 + r.r.IntN(8) {
			r.at = append(r.at, r.trials)
			r.s.Send(r.sent)
			r.sent++
		}
	case x < 60:
		r.what = "poll"
		err = r.poll(ctx)
	case x < 88:
		r.what = "Kafka acknowledges"
		err = r.acknowledge(ctx, 1+r.r.IntN(6))
	case x < 93:
		r.what = "connection lost"
		r.s.Break()
		r.trials++
		if r.r.IntN(2) == 0 { // half of the time more happens before it is there again
			time.Sleep(r.s.Back)
		}
	case x < 95:
		r.what = "a record fails"
		if len(r.out) > 0 {
			i := r.r.IntN(len(r.out))
			r.out = slices.Delete(r.out, i, i+1)
			r.failed = true
		}
	case x < 98:
		r.what = "restart"
		err = errors.Join(r.end(ctx), r.begin(ctx))
	default:
		r.what = "crash"
		r.s.Break()
		err = errors.Join(r.end(ctx), r.begin(ctx))
	}
	r.settle()
	return err
}

// poll takes what there is.
func (r *run) poll(ctx context.Context) error {
	if r.failed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	records, err := r.task.Poll(ctx)
	if _, retriable := connect.RetryAfter(err); err != nil && !retriable && ctx.Err() == nil {
		return err
	}
	for _, x := range records {
		n, err := r.s.Number(x)
		if err != nil {
			return err
		}
		if err := r.delivered(n); err != nil {
			return err
		}
		r.out = append(r.out, record{n, x.Token})
	}
	return nil
}

// delivered notes a delivery.
func (r *run) delivered(n int) error {
	if n < 0 || n >= r.sent {
		return fmt.Errorf("found message %d, which was not sent", n)
	}
	if r.times[n]++; r.times[n] == 1 {
		r.first = append(r.first, n)
		return nil
	}
	if may := r.trials - r.at[n]; r.times[n] > 1+may {
		return fmt.Errorf("message %d came %d times, with %d connections lost since it was sent", n, r.times[n], may)
	}
	r.twice++
	return nil
}

// acknowledge has Kafka acknowledge some records, in order within each of three partitions.
func (r *run) acknowledge(ctx context.Context, n int) error {
	c, ok := r.task.(connect.DeliveryCommitter)
	if !ok {
		return errors.New("the task has no CommitRecords")
	}
	var done []connect.Delivery
	for ; n > 0 && len(r.out) > 0; n-- {
		partition := r.out[r.r.IntN(len(r.out))].n % 3
		i := slices.IndexFunc(r.out, func(x record) bool { return x.n%3 == partition })
		x := r.out[i]
		r.out = slices.Delete(r.out, i, i+1)
		r.kafka[x.n] = true
		done = append(done, connect.Delivery{Token: x.token})
	}
	if len(done) == 0 {
		return nil
	}
	return c.CommitRecords(ctx, done)
}

// check looks at what the server has seen so far.
func (r *run) check() error {
	acked := r.s.Acked()
	seen := map[int]bool{}
	for i, n := range acked {
		if !r.kafka[n] {
			return fmt.Errorf("message %d was acknowledged, and Kafka does not have it", n)
		}
		if r.s.Order == acksource.InOrder && !seen[n] && n != len(seen) {
			return fmt.Errorf("acknowledgement %d is for message %d, and due is %d", i, n, len(seen))
		}
		seen[n] = true
	}
	if n := r.s.InFlight(); n > r.s.MaxInFlight {
		return fmt.Errorf("%d messages are in flight, allowed are %d", n, r.s.MaxInFlight)
	}
	if r.s.Order == acksource.InOrder && !slices.IsSorted(r.first) {
		return fmt.Errorf("messages are out of order: %v", r.first)
	}
	return nil
}

// finish has everything delivered and acknowledged.
func (r *run) finish(ctx context.Context) error {
	r.what = "the end"
	if r.failed {
		if err := errors.Join(r.end(ctx), r.begin(ctx)); err != nil {
			return err
		}
	}
	time.Sleep(r.s.Back)
	for range 10 * (r.sent + 100) {
		if err := errors.Join(r.poll(ctx), r.acknowledge(ctx, 5)); err != nil {
			return err
		}
		r.settle()
		if err := r.check(); err != nil {
			return fmt.Errorf("at the end: %w", err)
		}
		if len(r.first) == r.sent && len(r.out) == 0 && r.s.InFlight() == 0 && r.allAcked() {
			return nil
		}
	}
	return fmt.Errorf("of %d messages %d were delivered; %d are in flight, %d acknowledged", r.sent, len(r.first), r.s.InFlight(), len(r.s.Acked()))
}

func (r *run) allAcked() bool {
	acked := slices.Clone(r.s.Acked())
	slices.Sort(acked)
	return len(slices.Compact(acked)) == r.sent
}
