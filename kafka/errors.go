package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/streamlane/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrClosed is returned by clients that were closed.
var ErrClosed = errors.New("the client is closed")

// The errors of brokers by what they mean to users of a Broker.
var (
	fencedErrors = []error{
		kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.TransactionCoordinatorFenced, kerr.FencedInstanceID,
		kerr.InvalidProducerIDMapping,
	}
	authErrors = []error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism,
		kerr.IllegalSaslState, kerr.DelegationTokenAuthorizationFailed,
	}
	sentinels     = []error{connect.ErrFenced, connect.ErrAuth, connect.ErrRevoked, connect.ErrOutOfRange, ErrClosed}
	revokedErrors = []error{
		kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch,
	}
)

// mapError puts the sentinel of package connect around an error of the client,
// and marks it retriable where Java's exception would be (RetriableException).
// It returns nil for nil.
func mapError(err error) error {
	if err == nil {
		return nil
	}
	if _, marked := connect.RetryAfter(err); marked || is(err, sentinels) {
		return err
	}
	switch {
	case is(err, fencedErrors):
		return both{connect.ErrFenced, err}
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return both{connect.ErrAuth, fmt.Errorf("%w (the credentials are in the key sasl.jaas.config)", err)}
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return both{connect.ErrAuth, fmt.Errorf("%w (it is named by the key sasl.mechanism)", err)}
	case untrusted(err):
		return both{connect.ErrAuth, fmt.Errorf("%w (our certificate is in the keys ssl.keystore.*)", err)}
	case is(err, authErrors):
		return both{connect.ErrAuth, err}
	case is(err, revokedErrors):
		return both{connect.ErrRevoked, err}
	case errors.Is(err, kerr.OffsetOutOfRange):
		return both{connect.ErrOutOfRange, err}
	case errors.Is(err, kgo.ErrClientClosed):
		return both{ErrClosed, err}
	case retriable(err):
		return connect.Retriable(err, 0)
	}
	return err
}

// untrusted tells whether one side of a connection has not shown who it is, so that
// trying again is of no use: the other side by its certificate, or we by ours or by
// a token.
func untrusted(err error) bool {
	if errors.Is(err, connect.ErrAuth) {
		return true
	}
	// The alert itself is of a type of crypto/tls's own. Java takes every failed
	// handshake for a refusal.
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

func is(err error, any []error) bool {
	for _, target := range any {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// retriable tells whether trying again may help: a broker said so, or could not
// be reached.
func retriable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrAborting) {
		return false
	}
	if k, ok := errors.AsType[*kerr.Error](err); ok {
		return k.Retriable
	}
	_, network := errors.AsType[net.Error](err)
	return network || kgo.IsRetryableBrokerErr(err) || errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) || errors.Is(err, kgo.ErrMaxBuffered)
}

// both is an error with a sentinel: errors.Is finds either.
type both struct{ sentinel, cause error }

func (b both) Error() string   { return fmt.Sprintf("%v: %v", b.sentinel, b.cause) }
func (b both) Unwrap() []error { return []error{b.sentinel, b.cause} }
