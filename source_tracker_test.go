package connect

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/outcome"
)

func partition(name string) SourcePartition { return PartitionOf(data.E("p", data.String(name))) }

func position(n int64) SourceOffset { return SourceOffset{data.E("n", data.Int64(n))} }

// submitAll puts records through a batch of their own, as messages.
func submitAll(t *tracker, recs ...SourceRecord) *sourceBatch {
	b := t.newBatch(len(recs))
	for i := range recs {
		if err := b.submit(&recs[i]); err != nil {
			panic(err)
		}
		b.send()
	}
	b.seal()
	return b
}

func rec(p string, n int64) SourceRecord {
	return SourceRecord{SourcePartition: partition(p), SourceOffset: position(n), Token: n}
}

func TestTrackerCommitsTheUnbrokenPrefix(t *testing.T) {
	tr := newTracker(false)
	b := submitAll(tr, rec("a", 1), rec("b", 1), rec("a", 2), rec("a", 3))
	at := TopicPartition{"t", 0}
	require.Empty(t, tr.committable())

	b.Acked(2, at, 0, nil)
	require.Empty(t, tr.committable(), "a@1 is not there yet")
	b.Acked(1, at, 0, nil)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("b"): position(1)}, tr.committable(), "another partition does not wait for it")
	b.Acked(0, at, 0, nil)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(2)}, tr.committable())
	require.Equal(t, 1, tr.inFlight())
	b.Acked(3, at, 0, nil)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(3)}, tr.committable())
	require.Zero(t, tr.inFlight())
}

func TestTrackerPutsBackWhatFailed(t *testing.T) {
	tr := newTracker(false)
	at := TopicPartition{"t", 0}
	b := submitAll(tr, rec("a", 1), rec("b", 1), rec("a", 2))
	b.Acked(0, at, 0, nil)
	b.Acked(1, at, 0, nil)
	failed := tr.committable()
	b.Acked(2, at, 0, nil)
	newer := tr.committable()
	tr.putBack(newer)
	tr.putBack(failed)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(2), partition("b"): position(1)}, tr.committable(), "newer offsets win")
}

func TestTrackerAFailedRecordBlocksItsPartition(t *testing.T) {
	tr := newTracker(false)
	var failed error
	tr.failed = func(err error) { failed = err }
	tr.tolerate = func(_ *SourceRecord, _ *Message, err error) (*outcome.Outcome, error) { return nil, err }
	b := submitAll(tr, rec("a", 1), rec("a", 2))
	b.Acked(1, TopicPartition{"t", 0}, 0, nil)
	b.Acked(0, TopicPartition{"t", 0}, 0, errors.New("refused"))
	require.EqualError(t, failed, "refused")
	require.Empty(t, tr.committable())
	require.Zero(t, tr.inFlight(), "nobody waits for it")
}

func TestTrackerDeliveries(t *testing.T) {
	tr := newTracker(true)
	tr.tolerate = func(*SourceRecord, *Message, error) (*outcome.Outcome, error) { return nil, nil }
	b := submitAll(tr, rec("a", 1), rec("a", 2))
	b.Acked(1, TopicPartition{"t", 3}, 17, nil)
	b.Acked(0, TopicPartition{"t", 3}, 18, errors.New("too large, and tolerated"))
	require.Equal(t, []Delivery{
		{Token: int64(2), SourcePartition: partition("a"), SourceOffset: position(2), To: TopicPartition{"t", 3}, Offset: 17},
		{Token: int64(1), SourcePartition: partition("a"), SourceOffset: position(1), To: TopicPartition{"t", -1}, Offset: -1},
	}, tr.takeDeliveries(), "in the order of acknowledgement")
	require.Empty(t, tr.takeDeliveries())
}

func TestTrackerAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTracker(false)
		b := submitAll(tr, rec("a", 1))
		begun := time.Now()
		tr.await(t.Context(), time.Minute)
		require.Equal(t, time.Minute, time.Since(begun))
		time.AfterFunc(time.Second, func() { b.Acked(0, TopicPartition{"t", 0}, 0, nil) })
		begun = time.Now()
		tr.await(t.Context(), time.Minute)
		require.Equal(t, time.Second, time.Since(begun))
	})
}

// A letter that is written, or lost, decides on its record, dropped or refused;
// lost ones fail the task.
func TestTrackerWaitsForLetters(t *testing.T) {
	tr := newTracker(true)
	var failed []string
	tr.failed = func(err error) { failed = append(failed, err.Error()) }
	refused := outcome.New()
	tr.tolerate = func(*SourceRecord, *Message, error) (*outcome.Outcome, error) { return refused, nil }
	b := submitAll(tr, rec("a", 1), rec("b", 1))
	b.Acked(0, TopicPartition{"t", 0}, -1, errors.New("too large"))
	b.Acked(1, TopicPartition{"t", 0}, 0, nil)
	dropped := outcome.New()
	b = tr.newBatch(2)
	for _, r := range []SourceRecord{rec("b", 2), rec("c", 1)} {
		require.NoError(t, b.submit(&r))
	}
	b.drop(dropped)
	b.seal()
	b.abandon()
	require.Equal(t, 2, tr.inFlight(), "abandon leaves a record to its letter")
	require.Equal(t, map[SourcePartition]SourceOffset{partition("b"): position(1)}, tr.committable())
	refused.Settle(nil)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(1)}, tr.committable())
	require.Equal(t, []string{"t", "t"}, []string{tr.deliveries[0].To.Topic, tr.deliveries[1].To.Topic})
	dropped.Settle(errors.New("no room for the letter"))
	require.Empty(t, tr.committable())
	require.Equal(t, []string{"no room for the letter"}, failed)
	require.Zero(t, tr.inFlight())
	require.Len(t, tr.deliveries, 2, "one whose letter is lost is not delivered")
}

// TestTrackerAgainstAModel compares the tracker with the plainest one: a list
// per partition, of which the acknowledged head may be committed.
func TestTrackerAgainstAModel(t *testing.T) {
	type modelRecord struct {
		n     int64
		acked bool
	}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		tr := newTracker(seed%2 == 0)
		model := map[string][]*modelRecord{}
		type open struct {
			b      *sourceBatch
			i      int
			m      *modelRecord
			letter *outcome.Outcome // under way; nil: the record is
		}
		var inFlight []open
		var next *outcome.Outcome // of what is refused next
		tr.tolerate = func(*SourceRecord, *Message, error) (*outcome.Outcome, error) { return next, nil }
		var n int64
		for range 200 {
			switch rnd.IntN(3) {
			case 0: // a batch, some of which is dropped at once
				var recs []SourceRecord
				var of []*modelRecord
				for range rnd.IntN(6) * (1 + 30*rnd.IntN(2)) {
					n++
					name := string(rune('a' + rnd.IntN(3)))
					recs = append(recs, rec(name, n))
					m := &modelRecord{n: n}
					model[name] = append(model[name], m)
					of = append(of, m)
				}
				b := tr.newBatch(len(recs))
				for i := range recs {
					require.NoError(t, b.submit(&recs[i]))
					switch rnd.IntN(12) {
					case 0, 1, 2:
						b.drop(nil)
						of[i].acked = true
						continue
					case 3: // with a letter that is written at once
						letter := outcome.New()
						letter.Settle(nil)
						b.drop(letter)
						of[i].acked = true
						continue
					case 4, 5:
						inFlight = append(inFlight, open{m: of[i], letter: outcome.New()})
						b.drop(inFlight[len(inFlight)-1].letter)
						continue
					}
					inFlight = append(inFlight, open{b: b, i: len(b.recordOf), m: of[i]})
					b.send()
				}
				b.seal()
			case 1: // any ack
				if len(inFlight) > 0 {
					i := rnd.IntN(len(inFlight))
					o := inFlight[i]
					if o.letter == nil && rnd.IntN(4) == 0 {
						next = outcome.New()
						inFlight[i].letter = next
						o.b.Acked(o.i, TopicPartition{"t", 0}, -1, errors.New("refused"))
						break
					}
					inFlight = append(inFlight[:i], inFlight[i+1:]...)
					if o.letter != nil {
						o.letter.Settle(nil)
					} else {
						o.b.Acked(o.i, TopicPartition{"t", 0}, 0, nil)
					}
					o.m.acked = true
				}
			case 2:
				want := map[SourcePartition]SourceOffset{}
				for name, list := range model {
					for len(list) > 0 && list[0].acked {
						want[partition(name)] = position(list[0].n)
						list = list[1:]
					}
					model[name] = list
				}
				require.Equal(t, want, tr.committable())
			}
			require.Equal(t, len(inFlight), tr.inFlight())
		}
	}
}

// TestTrackerGivesUp gives up the record that failed, then the batch: both hold
// up their partition for ever, and nobody waits for them.
func TestTrackerGivesUp(t *testing.T) {
	fill := func(tr *tracker) *sourceBatch {
		b := tr.newBatch(3)
		for _, r := range []SourceRecord{rec("a", 1), rec("a", 2)} {
			require.NoError(t, b.submit(&r))
			if r.Token == int64(1) {
				b.send()
			}
		}
		b.seal()
		require.Equal(t, 1, tr.inFlight())
		return b
	}
	at := TopicPartition{"t", 0}
	tr := newTracker(false)
	fill(tr).Acked(0, at, 0, nil)
	require.Zero(t, tr.inFlight())
	submitAll(tr, rec("a", 3)).Acked(0, at, 0, nil)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(1)}, tr.committable())
	require.Empty(t, tr.committable())

	tr = newTracker(false)
	fill(tr).abandon()
	require.Zero(t, tr.inFlight())
	submitAll(tr, rec("a", 3)).Acked(0, at, 0, nil)
	require.Empty(t, tr.committable())
}

// Batches that are over are not kept for the next commit, which may be far off,
// nor are partitions that nothing is known of any more.
func TestTrackerForgets(t *testing.T) {
	tr := newTracker(false)
	at := TopicPartition{"t", 0}
	first := submitAll(tr, rec("a", 1), rec("b", 1))
	var rest []*sourceBatch
	for n := range int64(5) {
		rest = append(rest, submitAll(tr, rec("a", n+2), rec("b", n+2)))
	}
	for _, b := range rest {
		b.Acked(1, at, 0, nil)
		b.Acked(0, at, 0, nil)
	}
	require.Len(t, tr.open, 1)
	require.Same(t, first, tr.queues[partition("a")].head.batch)
	first.Acked(0, at, 0, nil)
	require.Same(t, first, tr.queues[partition("b")].head.batch)
	first.Acked(1, at, 0, nil)
	require.Empty(t, tr.open)
	require.Nil(t, tr.queues[partition("a")].head)
	require.Nil(t, tr.queues[partition("b")].head)
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(6), partition("b"): position(6)}, tr.committable())
	require.Empty(t, tr.queues)
}

// A batch of which nothing is sent is over at once, and moves offsets.
func TestTrackerDropsAll(t *testing.T) {
	tr := newTracker(true)
	b := tr.newBatch(2)
	for _, r := range []SourceRecord{rec("a", 1), {Token: int64(0)}} {
		require.NoError(t, b.submit(&r))
		b.drop(nil)
	}
	require.Len(t, tr.takeDeliveries(), 2)
	b.seal()
	b.abandon() // as if a transaction could not begin: there is nothing left to give up
	require.Zero(t, tr.inFlight())
	require.Equal(t, map[SourcePartition]SourceOffset{partition("a"): position(1)}, tr.committable())
}
