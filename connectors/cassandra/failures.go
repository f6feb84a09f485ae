package cassandra

import (
	"context"
	"errors"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// A class says what a failed request means.
type class int

const (
	// written: it did not fail.
	written class = iota
	// untouched: nothing was written; it is tried again.
	untouched
	// overloaded: nothing was written, for there is too much to do; it is tried again, with fewer requests at the same time.
	overloaded
	// unknown: it may have been written, or may yet be; it is tried again if that cannot change the result.
	unknown
	// slow is unknown, and there is too much to do.
	slow
	// tooLarge: the batch is refused for its size.
	tooLarge
	// refused: the database does not take this data.
	refused
	// changed: the table is not what it was when the statement was made, or not known to all nodes.
	changed
	// fatal: no request can be better.
	fatal
	// stopped: the task ends.
	stopped
)

// String names the class in metrics and logs.
func (c class) String() string {
	return [...]string{"written", "unavailable", "overloaded", "unknown", "timeout", "too large", "refused", "schema", "fatal", "stopped"}[c]
}

// classify tells what an error of the driver means.
func classify(err error) class {
	if err == nil {
		return written
	}
	if r, ok := errors.AsType[gocql.RequestError](err); ok {
		return classifyAnswer(r)
	}
	text := err.Error()
	switch {
	case errors.Is(err, gocql.ErrNoConnections), errors.Is(err, gocql.ErrNoConnectionsStarted), errors.Is(err, gocql.ErrUnavailable):
		return untouched
	case errors.Is(err, gocql.ErrNoStreams):
		return overloaded
	case errors.Is(err, gocql.ErrTimeoutNoResponse), errors.Is(err, context.DeadlineExceeded):
		return slow
	case errors.Is(err, gocql.ErrSessionClosed), errors.Is(err, context.Canceled):
		return stopped
	case errors.Is(err, gocql.ErrFrameTooBig), errors.Is(err, gocql.ErrTooManyStmts):
		return tooLarge
	case strings.Contains(text, "values send got"): // the driver has the parameters of the table as it was
		return changed
	}
	return unknown // connections that break
}

// classifyAnswer goes by what a node says.
func classifyAnswer(r gocql.RequestError) class {
	switch r.Code() {
	case gocql.ErrCodeUnavailable, gocql.ErrCodeBootstrapping, gocql.ErrCodeTruncate, gocql.ErrCodeUnprepared:
		return untouched
	case gocql.ErrCodeOverloaded:
		return overloaded
	case gocql.ErrCodeWriteTimeout, gocql.ErrCodeReadTimeout, gocql.ErrCodeCASWriteUnknown:
		return slow
	case gocql.ErrCodeServer, gocql.ErrCodeWriteFailure, gocql.ErrCodeReadFailure, gocql.ErrCodeCDCWriteFailure:
		return unknown
	case gocql.ErrCodeInvalid:
		return classifyInvalid(r.Message())
	case gocql.ErrCodeConfig:
		return classifyInvalid(r.Message())
	case gocql.ErrCodeFunctionFailure:
		return refused
	}
	return fatal // syntax, rights, credentials, protocol
}

// goneWords are in the messages about tables and columns that are not there: of Cassandra 3, 4, 5 and Scylla.
var goneWords = []string{
	"undefined column", "unknown identifier", "unconfigured table", "unconfigured columnfamily", "does not exist", "no such table", "unknown keyspace", "undefined name",
	"unable to find table", "couldn't find column",
}

// classifyInvalid goes by the message, for the code is the same.
func classifyInvalid(message string) class {
	text := strings.ToLower(message)
	if strings.Contains(text, "batch too large") {
		return tooLarge
	}
	for _, words := range goneWords {
		if strings.Contains(text, words) {
			return changed
		}
	}
	return refused
}
