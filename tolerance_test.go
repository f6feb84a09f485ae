package connect

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/outcome"
)

// errorRecorder is a hook and a reporter that remember.
type errorRecorder struct {
	events  []ErrorEvent
	reports []failure
}

func (r *errorRecorder) OnError(e *ErrorEvent) { r.events = append(r.events, *e) }

func (*errorRecorder) wantsRaw() bool { return false }

func (r *errorRecorder) report(_ context.Context, f *failure) *outcome.Outcome {
	r.reports = append(r.reports, *f)
	return nil
}

func newTestHandler(set errorSettings) (*errorHandler, *errorRecorder) {
	rec := &errorRecorder{}
	return &errorHandler{
		task: cluster.TaskID{Connector: "c", Task: 2}, set: set,
		reporters: []reporter{rec}, hooks: newHookSet([]Hook{rec}),
	}, rec
}

func TestErrorHandlerPauses(t *testing.T) {
	h, _ := newTestHandler(errorSettings{retryTimeout: -1, retryDelayMax: time.Minute})
	for attempt, want := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400} {
		pause, ok := h.pause(attempt+1, time.Hour)
		require.True(t, ok)
		require.Equal(t, want*time.Millisecond, pause)
	}
	for attempt := 9; attempt < 200; attempt++ { // no overflow, however many
		pause, ok := h.pause(attempt, 0)
		require.True(t, ok)
		require.Less(t, pause, time.Minute)
		require.GreaterOrEqual(t, pause, time.Duration(0))
	}
	h.set.retryTimeout = 0
	_, ok := h.pause(1, 0)
	require.False(t, ok, "zero is no retry")
	h.set.retryTimeout = time.Second
	pause, ok := h.pause(3, 900*time.Millisecond)
	require.True(t, ok)
	require.Equal(t, 100*time.Millisecond, pause, "no longer than what is left")
}

func TestErrorHandlerSettle(t *testing.T) {
	bad, busy := errors.New("bad"), Retriable(errors.New("busy"), 0)
	tests := []struct {
		name     string
		set      errorSettings
		first    error
		again    []error // the outcomes of retries; then success
		skip     bool
		err      string
		took     time.Duration
		retries  int
		reported int
	}{
		{name: "fails", first: bad, err: `connector "c" task 2: VALUE_CONVERTER by X at topic "t": bad`, reported: 1},
		{name: "tolerated", set: errorSettings{tolerateAll: true}, first: bad, skip: true, reported: 1},
		{name: "retriable without retries fails", first: busy, err: "busy", reported: 1},
		{name: "retriable without retries is tolerated", set: errorSettings{tolerateAll: true}, first: busy, skip: true, reported: 1},
		{name: "retried with success", set: errorSettings{retryTimeout: -1, retryDelayMax: time.Minute}, first: busy, again: []error{busy, busy}, took: 2100 * time.Millisecond, retries: 3},
		{name: "retried, then bad", set: errorSettings{retryTimeout: -1, retryDelayMax: time.Minute}, first: busy, again: []error{busy, bad}, err: "bad", took: 900 * time.Millisecond, retries: 2, reported: 1},
		{name: "given up", set: errorSettings{retryTimeout: time.Second, retryDelayMax: time.Minute, tolerateAll: true}, first: busy, again: []error{busy, busy, busy, busy}, skip: true, took: time.Second, retries: 3, reported: 1},
		{name: "given up, not tolerated", set: errorSettings{retryTimeout: time.Second, retryDelayMax: time.Minute}, first: busy, again: []error{busy, busy, busy, busy}, err: "busy", took: time.Second, retries: 3, reported: 1},
		{name: "longer pause asked for", set: errorSettings{retryTimeout: -1, retryDelayMax: time.Minute}, first: Retriable(bad, 5*time.Second), took: 5 * time.Second, retries: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, rec := newTestHandler(tt.set)
				begun := time.Now()
				f := failure{stage: StageValueConverter, plugin: "X", record: &SourceRecord{Record: Record{Topic: "t"}}, err: tt.first}
				skip, err := h.settle(t.Context(), f, func() error {
					if len(tt.again) == 0 {
						return nil
					}
					err := tt.again[0]
					tt.again = tt.again[1:]
					return err
				})
				assert.Equal(t, tt.skip, skip)
				if tt.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, tt.err)
					stage, ok := errors.AsType[*StageError](err)
					require.True(t, ok)
					require.Equal(t, StageValueConverter, stage.Stage)
				}
				assert.Equal(t, tt.took, time.Since(begun))
				retries := 0
				for _, e := range rec.events {
					if e.Retry {
						retries++
					}
				}
				assert.Equal(t, tt.retries, retries)
				assert.Len(t, rec.reports, tt.reported)
			})
		})
	}
}

func TestErrorHandlerStopsRetryingOnStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, rec := newTestHandler(errorSettings{retryTimeout: -1, retryDelayMax: time.Hour, tolerateAll: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(errStopRequested) })
		busy := Retriable(errors.New("busy"), 0)
		skip, err := h.settle(ctx, failure{stage: StageTransformation, err: busy}, func() error { return busy })
		require.False(t, skip, "a stop is no reason to let a record go")
		require.ErrorIs(t, err, ErrStopped)
		require.Empty(t, rec.reports)
	})
}

func TestLogReporter(t *testing.T) {
	var log bytes.Buffer
	l := logReporter{log: slog.New(slog.NewTextHandler(&log, nil))}
	f := &failure{stage: StageTaskPut, plugin: "X", err: errors.New("bad"), origin: &Origin{TopicPartition: TopicPartition{"t", 1}, Offset: 7}}
	require.NoError(t, l.report(t.Context(), f).Wait(t.Context()))
	require.Contains(t, log.String(), "TASK_PUT")
	require.NotContains(t, log.String(), "t-1@7")
	l.records = true
	l.report(t.Context(), f)
	require.Contains(t, log.String(), "t-1@7")
}

// upper fails on records without a topic and changes others.
type upper struct{ failures int }

func (u *upper) Apply(_ context.Context, r *Record) (bool, error) {
	r.Topic = strings.ToUpper(r.Topic)
	r.Headers = append(r.Headers, Header{Key: "upper"})
	if u.failures > 0 {
		u.failures--
		return false, Retriable(errors.New("not now"), 0)
	}
	return r.Topic != "DROP", nil
}

type hasTopic string

func (p hasTopic) Test(_ context.Context, r *Record) (bool, error) { return r.Topic == string(p), nil }

func TestChain(t *testing.T) {
	newChain := func(stages ...transformStage) *chain {
		h, _ := newTestHandler(errorSettings{retryTimeout: -1, retryDelayMax: time.Millisecond})
		return &chain{stages: stages, errs: h}
	}
	apply := func(c *chain, topic string) (Record, bool) {
		headers := make([]Header, 1, 8)
		r := Record{Topic: topic, Headers: headers}
		keep, err := c.apply(t.Context(), &r, failure{})
		require.NoError(t, err)
		require.Empty(t, headers[:2][1].Key, "the task's own slice was written to")
		return r, keep
	}
	r, keep := apply(newChain(transformStage{transform: &upper{}}), "a")
	require.True(t, keep)
	require.Equal(t, "A", r.Topic)
	_, keep = apply(newChain(transformStage{transform: &upper{}}), "drop")
	require.False(t, keep)

	r, _ = apply(newChain(transformStage{transform: &upper{}, predicate: hasTopic("b")}), "a")
	require.Equal(t, "a", r.Topic)
	r, _ = apply(newChain(transformStage{transform: &upper{}, predicate: hasTopic("b"), negate: true}), "a")
	require.Equal(t, "A", r.Topic)

	r, keep = apply(newChain(transformStage{transform: &upper{failures: 3}}), "a")
	require.True(t, keep)
	require.Len(t, r.Headers, 2, "each attempt starts from the record as it was")

	h, rec := newTestHandler(errorSettings{tolerateAll: true})
	c := &chain{stages: []transformStage{{transform: &upper{failures: 1}, class: "Upper"}}, errs: h}
	in := Record{Topic: "a"}
	keep, err := c.apply(t.Context(), &in, failure{})
	require.NoError(t, err)
	require.False(t, keep)
	require.Equal(t, "a", in.Topic, "a failure leaves the record as it was")
	require.Equal(t, "Upper", rec.reports[0].plugin)
}
