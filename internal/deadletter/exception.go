package deadletter

import (
	"context"
	"errors"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// Exception returns the class of the exception that stands for an error in Java,
// and its message: tools sort dead letters by both. Class is that of the error
// itself, if it is known to whoever asks; "": it is found out.
//
// The message of a data.Error is its own alone: the cause is in the trace.
func Exception(err error, class string) (string, string) {
	message := err.Error()
	if e, ok := err.(*data.Error); ok {
		message = e.Message
	}
	if class != "" {
		return class, message
	}
	const errorsPackage = "org.apache.kafka.connect.errors."
	if _, ok := errors.AsType[*config.KeyError](err); ok {
		return "org.apache.kafka.common.config.ConfigException", message
	}
	if inner := innermost(err); inner != nil {
		return errorsPackage + inner.Reason.String(), message
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "org.apache.kafka.common.errors.TimeoutException", message
	}
	return errorsPackage + "ConnectException", message
}

// innermost returns the data.Error that tells the class: those around it say where.
func innermost(err error) (inner *data.Error) {
	for e, ok := errors.AsType[*data.Error](err); ok; e, ok = errors.AsType[*data.Error](inner.Err) {
		inner = e
	}
	return inner
}
