package data

import (
	"fmt"
	"strings"
)

// Reason says which of Kafka Connect's exceptions an [Error] stands for.
type Reason uint8

// The reasons. All three exceptions are DataExceptions in Java.
const (
	ReasonData       Reason = iota // DataException: a value does not fit
	ReasonSchema                   // SchemaBuilderException: a schema can not be built
	ReasonProjection               // SchemaProjectorException: a value can not be projected
)

// String returns the simple name of the Java exception.
func (r Reason) String() string {
	switch r {
	case ReasonSchema:
		return "SchemaBuilderException"
	case ReasonProjection:
		return "SchemaProjectorException"
	default:
		return "DataException"
	}
}

// Error is the error of every function in this package: the twin of Kafka Connect's DataException and its two subclasses. Find it with
// [errors.As].
type Error struct {
	Reason  Reason
	Message string // what was found, where, and what is allowed
	Err     error  // the cause; nil for none
}

// Error returns the message, and the cause after it.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Message
	case strings.HasSuffix(e.Message, ": "): // as texts of Java's do that are followed by nothing
		return e.Message + e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// dataError makes an Error of [ReasonData].
func dataError(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// schemaError makes an Error of [ReasonSchema].
func schemaError(format string, args ...any) error {
	return &Error{Reason: ReasonSchema, Message: fmt.Sprintf(format, args...)}
}

// projectionError makes an Error of [ReasonProjection].
func projectionError(format string, args ...any) error {
	return &Error{Reason: ReasonProjection, Message: fmt.Sprintf(format, args...)}
}
