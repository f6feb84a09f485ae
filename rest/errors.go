package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/internal/sessionkey"
)

// A StatusError decides the answer to a request.
type StatusError struct {
	// Status is the HTTP status code.
	Status int
	// ErrorCode is what the body shows; zero: Status.
	ErrorCode int
	// Message is what the body shows.
	Message string
	// RetryAfter says when trying again may help; zero: nothing is said.
	RetryAfter time.Duration
	// Err is the cause, for the log; it may be nil.
	Err error
}

func (e *StatusError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("status %d: %s", e.Status, e.Message)
	}
	return fmt.Sprintf("status %d: %s: %v", e.Status, e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Err }

// Java's messages about requests that another worker, or another time, would
// suit.
const (
	messageConflict = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
	messageNoLeader = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
	messageTimeout  = "Request timed out"
)

// Messages of our own.
const (
	messageStarting     = "Worker is still starting up." // Java's, of /health
	messageUnauthorized = "User cannot access the resource."
)

// What clients are told to wait before they try again.
const (
	startingPause  = time.Second     // for a worker that starts
	rebalancePause = 2 * time.Second // for a rebalance to be over
	leavingPause   = 5 * time.Second // for a worker to be there again
)

// seconds is a pause as the header Retry-After has it.
func seconds(pause time.Duration) string {
	return strconv.Itoa(max(1, int((pause + time.Second - 1).Seconds())))
}

// starting is the answer of a worker that has not read its stores yet.
func starting() *StatusError {
	return &StatusError{Status: http.StatusServiceUnavailable, Message: messageStarting + " Try again in a moment.", RetryAfter: startingPause}
}

// later adds when to try again.
func (e *StatusError) later(pause time.Duration) *StatusError {
	e.RetryAfter = pause
	return e
}

// failure is an error with its cause, for errors.Is and the log.
func failure(status int, cause error, format string, args ...any) *StatusError {
	return &StatusError{Status: status, Message: fmt.Sprintf(format, args...), Err: cause}
}

func badRequest(format string, args ...any) *StatusError {
	return failure(http.StatusBadRequest, nil, format, args...)
}

// plain is the answer of Java's HTTP layer, by status alone.
func plain(status int) *StatusError {
	return failure(status, nil, "HTTP %d %s", status, http.StatusText(status))
}

// statusOf is the table from errors to answers. The first line that fits counts.
func statusOf(err error) *StatusError {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*connect.InvalidConfigError](err); ok {
		return failure(http.StatusBadRequest, err, "%s", invalidConfig(e))
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return failure(http.StatusRequestEntityTooLarge, err, "the body is larger than %d bytes", e.Limit)
	}
	if _, ok := errors.AsType[*connect.NotLeaderError](err); ok {
		return failure(http.StatusConflict, err, messageNoLeader).later(rebalancePause)
	}
	for _, line := range []struct {
		is      error
		status  int
		message string // "": the error's own
		pause   time.Duration
	}{
		{context.DeadlineExceeded, http.StatusInternalServerError, messageTimeout, 0},
		{sessionkey.ErrUnsigned, http.StatusBadRequest, "", 0},
		{sessionkey.ErrForged, http.StatusForbidden, "", 0},
		{sessionkey.ErrNoKey, http.StatusServiceUnavailable, "", rebalancePause},
		{connect.ErrExists, http.StatusConflict, "", 0},
		{connect.ErrForbidden, http.StatusForbidden, "", 0},
		{connect.ErrBadRequest, http.StatusBadRequest, "", 0}, // also where a class is not found
		{connect.ErrNotFound, http.StatusNotFound, "", 0},
		{connect.ErrConflict, http.StatusConflict, messageConflict, rebalancePause},
		{connect.ErrFenced, http.StatusConflict, messageConflict, rebalancePause},
		{connect.ErrRevoked, http.StatusConflict, messageConflict, rebalancePause},
		{connect.ErrStopped, http.StatusServiceUnavailable, "The worker is shutting down", leavingPause},
	} {
		if !errors.Is(err, line.is) {
			continue
		}
		if line.message == "" {
			line.message = err.Error()
		}
		return failure(line.status, err, "%s", line.message).later(line.pause)
	}
	return failure(http.StatusInternalServerError, err, "%s", err.Error())
}

// invalidConfig lists what a validation found in Java's words
// (AbstractHerder.maybeAddConfigErrors).
func invalidConfig(e *connect.InvalidConfigError) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Connector configuration is invalid and contains the following %d error(s):", e.Result.ErrorCount)
	for _, c := range e.Result.Configs {
		for _, text := range c.Value.Errors {
			b.WriteString("\n" + text)
		}
	}
	b.WriteString("\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`")
	return b.String()
}

// notFound gives the error about a connector or task that is not there Java's
// words; other errors stay, those about a class that is not found too.
func notFound(err error, format string, args ...any) error {
	if !errors.Is(err, connect.ErrNotFound) || errors.Is(err, connect.ErrBadRequest) {
		return err
	}
	return failure(http.StatusNotFound, err, format, args...)
}
