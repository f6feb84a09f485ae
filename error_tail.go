package connect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect/config"
)

const (
	// defaultErrorTail is how many errors of a connector a worker remembers.
	defaultErrorTail = 50
	// errorWindow is how long an error stands for others like it.
	errorWindow = time.Second
	// longestError cuts the message of one error.
	longestError = 4 << 10
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
	limit  int
	worker *config.Redactor

	mu      sync.Mutex
	number  int64
	tails   map[string][]ConnectorError // by connector, oldest first
	secrets map[workKey]*config.Redactor
	// told are errors that error handling has told of and that may be why the run
	// fails next.
	told map[workKey]error
}

// newErrorTail keeps so many errors of each connector: zero is the default,
// negative none.
func newErrorTail(limit int, worker *config.Redactor) *errorTail {
	if limit == 0 {
		limit = defaultErrorTail
	}
	return &errorTail{
		limit: limit, worker: worker, tails: make(map[string][]ConnectorError),
		secrets: make(map[workKey]*config.Redactor), told: make(map[workKey]error),
	}
}

// protect says which secrets the errors of a run must not show.
func (t *errorTail) protect(key workKey, r *config.Redactor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets[key] = r
}

// forget drops what is known of a connector.
func (t *errorTail) forget(connector string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tails, connector)
	for key := range t.secrets {
		if key.Connector == connector {
			delete(t.secrets, key)
			delete(t.told, key)
		}
	}
}

// get returns the errors of a connector, oldest first.
func (t *errorTail) get(connector string) []ConnectorError {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.tails[connector])
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
	if !t.counted(e.Task, outcome, e.Stage) {
		t.add(e.Task, ConnectorError{Outcome: outcome, Stage: e.Stage, Plugin: e.Plugin, At: e.At(), Message: e.Err.Error()})
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
	found := ConnectorError{Outcome: ErrorFailed, Message: err.Error()}
	if e, ok := errors.AsType[*StageError](err); ok {
		found.Stage, found.Plugin, found.At, found.Message = e.Stage, e.Plugin, e.At, e.Err.Error()
	}
	if !t.counted(key, ErrorFailed, found.Stage) {
		t.add(key, found)
	}
}

// add adds an error that does not count for another one.
func (t *errorTail) add(key workKey, e ConnectorError) {
	e.Time, e.Count, e.Task = time.Now(), 1, key.Task
	t.mu.Lock()
	secrets := t.secrets[key]
	t.mu.Unlock()
	e.Message, e.At = t.clean(e.Message, secrets), t.clean(e.At, secrets)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	e.Number = t.number
	tail := append(t.tails[key.Connector], e)
	if len(tail) > t.limit {
		tail = slices.Delete(tail, 0, len(tail)-t.limit)
	}
	t.tails[key.Connector] = tail
}

// counted counts an error for the last one of its task if that is like it and
// young. What is said of it need not be known then, so that a flood of bad records
// costs little and leaves older errors in place. If none are kept, all are
// counted.
func (t *errorTail) counted(key workKey, outcome ErrorOutcome, stage Stage) bool {
	if t.limit < 0 {
		return true
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	tail := t.tails[key.Connector]
	for i := len(tail) - 1; i >= 0; i-- {
		e := &tail[i]
		if e.Task != key.Task {
			continue
		}
		if e.Outcome != outcome || e.Stage != stage || now.Sub(e.Time) >= errorWindow {
			return false
		}
		e.Count++
		return true
	}
	return false
}

// clean takes the secrets out of a text, and cuts it.
func (t *errorTail) clean(text string, secrets *config.Redactor) string {
	text = t.worker.Redact(secrets.Redact(text))
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "") + "..."
	}
	return text
}

// retried takes note of an error outside of a pipeline after which the same is
// tried again.
func (t *errorTail) retried(key workKey, err error) {
	if !t.counted(key, ErrorRetried, "") {
		t.add(key, ConnectorError{Outcome: ErrorRetried, Message: err.Error()})
	}
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
