package connect

import (
	"errors"
	"fmt"
	"time"
)

// Errors of the Runtime's operations, and of drivers. Each may come wrapped.
var (
	// ErrNotFound: no such connector, task or plugin.
	ErrNotFound = errors.New("not found")
	// ErrExists: the connector exists already.
	ErrExists = errors.New("already exists")
	// ErrConflict: the request does not fit the present state; trying again
	// later may help (a rebalance is under way, a connector is not stopped).
	ErrConflict = errors.New("conflict")
	// ErrBadRequest: the request itself is wrong.
	ErrBadRequest = errors.New("bad request")
	// ErrForbidden: the worker's configuration does not allow it.
	ErrForbidden = errors.New("forbidden")
	// ErrFenced: another process has taken over.
	ErrFenced = errors.New("fenced")
	// ErrRevoked: the partition or work item is no longer ours.
	ErrRevoked = errors.New("revoked")
	// ErrStopped: the Runtime, or the instance, has ended.
	ErrStopped = errors.New("stopped")
	// ErrDone is returned by SourceTask.Poll when a bounded source has no more
	// records. The task then idles, RUNNING, until it is stopped.
	ErrDone = errors.New("source is done")
	// ErrOutOfRange: a consumer's offset is not in the log any more and
	// auto.offset.reset is none.
	ErrOutOfRange = errors.New("offset out of range")
	// ErrAuth: the broker refuses our credentials or rights.
	ErrAuth = errors.New("not authorized")
)

// A NotLeaderError says that the operation is the leader's, and where it is.
type NotLeaderError struct {
	// URL of the leader's REST interface; empty if it is not known.
	URL string
}

func (e *NotLeaderError) Error() string {
	if e.URL == "" {
		return "this worker is not the leader, and no leader is known"
	}
	return "this worker is not the leader, which is at " + e.URL
}

// Stage names the step of a pipeline in which an error occurred. The names are
// Java's, for they stand in dead letter headers and logs.
type Stage string

// The stages of both pipelines (org.apache.kafka.connect.runtime.errors.Stage).
const (
	StageTaskPoll        Stage = "TASK_POLL"
	StageTaskPut         Stage = "TASK_PUT"
	StageTransformation  Stage = "TRANSFORMATION"
	StageKeyConverter    Stage = "KEY_CONVERTER"
	StageValueConverter  Stage = "VALUE_CONVERTER"
	StageHeaderConverter Stage = "HEADER_CONVERTER"
	StageKafkaProduce    Stage = "KAFKA_PRODUCE"
	StageKafkaConsume    Stage = "KAFKA_CONSUME"
)

// A NotAssignedError says that the operation is for the worker that has the
// connector or task, and where it is. It is an ErrConflict.
type NotAssignedError struct {
	// Run names the connector or task.
	Run string
	// URL of the owner's REST interface; empty if none is known.
	URL string
}

func (e *NotAssignedError) Error() string {
	if e.URL == "" {
		return e.Run + " is not assigned to this worker, and no owner is known"
	}
	return e.Run + " is not assigned to this worker but to the one at " + e.URL
}

// Unwrap returns ErrConflict.
func (e *NotAssignedError) Unwrap() error { return ErrConflict }

// A StageError is an error of one stage of a task's pipeline.
type StageError struct {
	Connector string
	Task      int
	Stage     Stage
	// Plugin is the class that was at work, as configured.
	Plugin string
	// At holds the record's coordinates as text: topic, partition and offset of
	// a sink record; topic and source partition of a source record. May be
	// empty.
	At  string
	Err error
}

func (e *StageError) Error() string {
	at := ""
	if e.At != "" {
		at = " at " + e.At
	}
	return fmt.Sprintf("connector %q task %d: %s by %s%s: %v", e.Connector, e.Task, e.Stage, e.Plugin, at, e.Err)
}

// Unwrap returns the cause.
func (e *StageError) Unwrap() error { return e.Err }

// A PanicError is a panic of a plugin, recovered by the engine. It fails the
// task or connector, never the process.
type PanicError struct {
	// Value that was passed to panic.
	Value any
	// Stack of the panicking goroutine.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// retriable marks an error as worth another try.
type retriable struct {
	err   error
	after time.Duration
}

func (e *retriable) Error() string { return e.err.Error() }
func (e *retriable) Unwrap() error { return e.err }

// Retriable marks err as temporary: the engine tries again, after at least the
// given pause (zero: the engine's own back-off). It returns nil for nil.
// (RetriableException in Java.)
func Retriable(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &retriable{err: err, after: after}
}

// RetryAfter reports whether err is retriable, and the pause it asks for.
func RetryAfter(err error) (after time.Duration, ok bool) {
	if r, found := errors.AsType[*retriable](err); found {
		return r.after, true
	}
	return 0, false
}
