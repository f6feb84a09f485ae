package connect

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/errortail"
	"github.com/streamlane/connect/internal/redactlog"
)

// An ErrorOutcome says what became of the operation that had an error.
type ErrorOutcome string

// The outcomes.
const (
	// ErrorRetried: another attempt followed.
	ErrorRetried ErrorOutcome = "retried"
	// ErrorSkipped: errors.tolerance let the record go.
	ErrorSkipped ErrorOutcome = "skipped"
	// ErrorFailed: the connector or task failed, or a task was told that a record
	// could not be reported.
	ErrorFailed ErrorOutcome = "failed"
)

// A ConnectorError is an error that a connector or one of its tasks had on this
// worker.
type ConnectorError struct {
	// Number counts the errors of the worker since it began, from one.
	Number int64
	// Time of the error; of the first, if it stands for several.
	Time time.Time
	// Count of the errors of the same task, stage and outcome, within a second,
	// that this one stands for; one or more.
	Count int
	// Task is -1 for the connector instance.
	Task int
	// Stage, Plugin and At are empty where they are not known, or where the error
	// is not about a record. At has its coordinates as StageError.At has them.
	Stage      Stage
	Plugin, At string
	Outcome    ErrorOutcome
	// Message is the error without the secrets of the configurations, cut after
	// 4 KiB.
	Message string
}

// An errorTail remembers the last errors of each connector. It is an ErrorHook,
// and safe for concurrent use.
type errorTail struct {
	*errortail.Tail

	mu sync.Mutex
	// told are errors that error handling has told of and that may be why the run
	// fails next.
	told map[workKey]error
}

// newErrorTail keeps so many errors of each connector; see errortail.New.
func newErrorTail(limit int, worker *config.Redactor) *errorTail {
	return &errorTail{Tail: errortail.New(limit, worker), told: make(map[workKey]error)}
}

// OnError takes note of what error handling did.
func (t *errorTail) OnError(e *ErrorEvent) {
	outcome := ErrorFailed
	switch {
	case e.Retry:
		outcome = ErrorRetried
	case e.Skipped:
		outcome = ErrorSkipped
	}
	if outcome == ErrorFailed {
		t.tell(e.Task, e.Err)
	}
	kind := errortail.Kind{Task: e.Task.Task, Stage: string(e.Stage), Outcome: string(outcome)}
	if !t.Counted(e.Task.Connector, kind) {
		t.Add(e.Task.Connector, errortail.Entry{Kind: kind, Plugin: e.Plugin, At: e.At(), Message: e.Err.Error()})
	}
}

// tell takes note of an error that error handling has told of.
func (t *errorTail) tell(key workKey, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told[key] = err
}

// failed takes note of why a run failed, unless error handling has told so.
func (t *errorTail) failed(key workKey, err error) {
	t.mu.Lock()
	told := t.told[key]
	delete(t.told, key)
	t.mu.Unlock()
	if told != nil && errors.Is(err, told) {
		return
	}
	found := errortail.Entry{Message: err.Error()}
	if e, ok := errors.AsType[*StageError](err); ok {
		found.Stage, found.Plugin, found.At, found.Message = string(e.Stage), e.Plugin, e.At, e.Err.Error()
	}
	t.note(key, ErrorFailed, found)
}

// retried takes note of an error outside of a pipeline after which the same is
// tried again.
func (t *errorTail) retried(key workKey, err error) {
	t.note(key, ErrorRetried, errortail.Entry{Message: err.Error()})
}

func (t *errorTail) note(key workKey, outcome ErrorOutcome, e errortail.Entry) {
	e.Task, e.Outcome = key.Task, string(outcome)
	if !t.Counted(key.Connector, e.Kind) {
		t.Add(key.Connector, e)
	}
}

// forget drops what is known of a connector.
func (t *errorTail) forget(connector string) {
	t.Forget(connector)
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.told, func(key workKey, _ error) bool { return key.Connector == connector })
}

// get returns the errors of a connector, oldest first.
func (t *errorTail) get(connector string) []ConnectorError {
	entries := t.Get(connector)
	all := make([]ConnectorError, len(entries))
	for i, e := range entries {
		all[i] = ConnectorError{
			Number: e.Number, Time: e.Time, Count: e.Count, Task: e.Task,
			Stage: Stage(e.Stage), Plugin: e.Plugin, At: e.At, Outcome: ErrorOutcome(e.Outcome), Message: e.Message,
		}
	}
	return all
}

// logOf returns a logger for a run, which shows nobody the secrets of its
// configuration.
func (rt *Runtime) logOf(key workKey) *slog.Logger {
	return slog.New(redactlog.New(rt.log.Handler(), func(text string) string { return rt.tail.Redact(key, text) }))
}

// Errors returns the last errors of the connector and its tasks on this worker,
// oldest first: of each error that error handling dealt with, and of each
// failure. What other workers had, they tell. It fails with ErrNotFound if there
// is neither a connector of the name nor an error.
func (rt *Runtime) Errors(ctx context.Context, name string) ([]ConnectorError, error) {
	found := rt.tail.get(name)
	if len(found) > 0 {
		return found, nil
	}
	if _, err := rt.known(ctx, name); err != nil {
		return nil, err
	}
	return []ConnectorError{}, nil
}

// WorkerID is how states and errors name this worker: host:port of its URL, or
// "embedded" without one.
func (rt *Runtime) WorkerID() string { return rt.worker.workerID }

// URL is Options.URL.
func (rt *Runtime) URL() string { return rt.opts.URL }
