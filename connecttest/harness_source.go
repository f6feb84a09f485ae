package connecttest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// SourceHarness runs a source connector on a real Runtime without Kafka. The
// test takes its records one by one, so that it decides how far the connector
// gets. Its methods are for the test's goroutine.
type SourceHarness struct {
	*runner
	faults *faults
	store  *watchedOffsets

	// guarded by watch
	ready []delivery // what tasks have handed over, until the test has taken it
	taken int        // from ready[0]
	over  bool       // the Runtime stops: nothing will be taken any more
}

// delivery is one call of Receive. It is answered when the test has taken its
// records, so only records that were taken count as delivered.
type delivery struct {
	records []connect.SourceRecord
	answer  chan error
}

// Source runs the connector, under Name, until the test ends. props need no
// connector.class; tasks.max is 1 unless they say otherwise. More plugins are
// those that props name, such as transforms. Offsets are committed at short
// intervals.
func Source(t testing.TB, plugin connect.Plugin, props config.Props, more ...connect.Plugin) *SourceHarness {
	t.Helper()
	h := &SourceHarness{faults: newFaults()}
	h.store = &watchedOffsets{MemoryOffsets: connect.NewMemoryOffsets(), faults: h.faults}
	h.runner = newRunner(t, plugin, withFault(props), connect.Options{
		Plugins: append(slices.Clone(more), h.faults.transform()), Receiver: receiver{h}, Offsets: h.store,
	})
	h.store.changed, h.ending = h.update, h.refuse
	h.begin()
	return h
}

// receiver is the harness as the Runtime sees it.
type receiver struct{ h *SourceHarness }

func (r receiver) Receive(ctx context.Context, records []connect.SourceRecord) error {
	for range records {
		if err := r.h.faults.pass(connect.StageKafkaProduce); err != nil {
			return err
		}
	}
	d := delivery{records: make([]connect.SourceRecord, len(records)), answer: make(chan error, 1)}
	for i := range records { // the slice is the engine's again afterwards
		d.records[i] = records[i]
		d.records[i].Record = cloneRecord(&records[i].Record)
	}
	r.h.update(func() {
		if r.h.over {
			d.answer <- errNotTaken
			return
		}
		r.h.ready = append(r.h.ready, d)
	})
	select {
	case err := <-d.answer:
		return err
	case <-ctx.Done():
		r.h.update(func() { r.h.withdraw(d) })
		return context.Cause(ctx)
	}
}

// errNotTaken answers what was handed over when the test stops the Runtime: a
// graceful stop would wait for its delivery.
var errNotTaken = fmt.Errorf("%w: the test did not take the records", connect.ErrStopped)

// refuse tells the tasks of a Runtime that stops that nobody takes their
// records.
func (h *SourceHarness) refuse(over bool) {
	h.update(func() {
		h.over = over
		for _, d := range h.ready {
			d.answer <- errNotTaken
		}
		h.ready, h.taken = nil, 0
	})
}

// withdraw takes back a delivery that nobody waits for any more. It is called
// under the watch.
func (h *SourceHarness) withdraw(d delivery) {
	i := slices.IndexFunc(h.ready, func(o delivery) bool { return o.answer == d.answer })
	if i == 0 {
		h.taken = 0
	}
	if i >= 0 {
		h.ready = slices.Delete(h.ready, i, i+1)
	}
}

// Next takes the next n records, in the order of their arrival, after the
// transforms. It waits for them; a task that fails meanwhile fails the test.
// Records count as delivered once all of their batch were taken.
func (h *SourceHarness) Next(n int) []connect.SourceRecord {
	h.t.Helper()
	var got []connect.SourceRecord
	for len(got) < n {
		h.awaitOrFail(fmt.Sprintf("record %d of %d", len(got)+1, n), func() bool {
			got = h.take(got, n)
			return len(got) == n
		})
	}
	return got
}

// take moves records to the test. It is called under the watch.
func (h *SourceHarness) take(got []connect.SourceRecord, n int) []connect.SourceRecord {
	for len(got) < n && len(h.ready) > 0 {
		d := &h.ready[0]
		some := d.records[h.taken:min(len(d.records), h.taken+n-len(got))]
		got, h.taken = append(got, some...), h.taken+len(some)
		if h.taken == len(d.records) {
			d.answer <- nil
			h.ready, h.taken = h.ready[1:], 0
		}
	}
	return got
}

// Committed returns the connector's committed offsets.
func (h *SourceHarness) Committed() map[connect.SourcePartition]connect.SourceOffset {
	h.t.Helper()
	o, err := h.rt.Offsets(bounded(h.t), Name)
	require.NoError(h.t, err, "Offsets")
	return o
}

// AwaitCommitted waits until the committed offsets are what the condition wants.
func (h *SourceHarness) AwaitCommitted(condition func(map[connect.SourcePartition]connect.SourceOffset) bool) {
	h.t.Helper()
	ctx := bounded(h.t)
	for {
		writes := 0
		h.update(func() { writes = h.store.writes })
		if condition(h.Committed()) {
			return
		}
		if !h.wait(ctx, func() bool { return h.store.writes != writes }) {
			require.Fail(h.t, "waited for committed offsets in vain", "found %v", h.Committed())
		}
	}
}

// Restart stops the Runtime as an operator would, and starts another on the
// same offsets and configuration. Records that were handed over but not taken
// come again.
func (h *SourceHarness) Restart() {
	h.t.Helper()
	h.end()
	h.begin()
}

// FailAt makes the n-th pass of a stage from now fail once with err:
// TRANSFORMATION and KAFKA_PRODUCE count records; one that waits to be taken by
// Next has passed them already. Other stages are the plugin's own and fail the
// test.
func (h *SourceHarness) FailAt(stage connect.Stage, n int, err error) {
	h.t.Helper()
	switch stage {
	case connect.StageTransformation, connect.StageKafkaProduce:
		h.faults.at(stage, n, err)
	default:
		require.Fail(h.t, "FailAt", "found the stage %s, want %s or %s", stage, connect.StageTransformation, connect.StageKafkaProduce)
	}
}

// FailCommit makes the n-th write of offsets from now fail once with err.
func (h *SourceHarness) FailCommit(n int, err error) { h.faults.at(stageCommit, n, err) }

// stageCommit is no stage of a pipeline, but is counted like one.
const stageCommit connect.Stage = "commit"

// AwaitFailure waits until the connector or a task is FAILED and returns the
// trace.
func (h *SourceHarness) AwaitFailure() (trace string) { h.t.Helper(); return h.awaitFailure() }

// Status returns the published state of the connector and its tasks.
func (h *SourceHarness) Status() connect.ConnectorStatus { h.t.Helper(); return h.status() }

// Runtime returns the running Runtime, to pause the connector and such. After
// Restart it is another.
func (h *SourceHarness) Runtime() *connect.Runtime { return h.rt }

// watchedOffsets is a store that tells of its writes and can fail them.
type watchedOffsets struct {
	*connect.MemoryOffsets
	faults  *faults
	changed func(func())
	writes  int // guarded by the harness's watch
}

func (s *watchedOffsets) Set(ctx context.Context, pairs []connect.KV) error {
	if err := s.faults.pass(stageCommit); err != nil {
		return err
	}
	err := s.MemoryOffsets.Set(ctx, pairs)
	s.changed(func() { s.writes++ })
	return err
}
