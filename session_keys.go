package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/sessionkey"
)

// keyCheck is how often a leader looks whether the session key is due, beside
// the times at which it takes the lead.
const keyCheck = time.Minute

// signing holds the worker's settings for requests between workers (KIP-507).
type signing struct {
	policy    sessionkey.Policy
	algorithm string
	allowed   []string
}

// newSigning makes of inter.worker.* what signs and verifies.
func newSigning(k framework.SessionKeyConfig) (signing, error) {
	policy, err := sessionkey.NewPolicy(k.GenerationAlgorithm, k.Size, k.TTL)
	return signing{policy, k.SignatureAlgorithm, k.VerificationAlgorithms}, err
}

// SignInternal signs the body of a request to another worker by the cluster's
// session key (KIP-507). It returns the values of the headers
// X-Connect-Authorization and X-Connect-Request-Signature-Algorithm. It fails
// with ErrConflict while the worker has read no session key.
func (rt *Runtime) SignInternal(body []byte) (authorization, algorithm string, err error) {
	s, err := rt.sessionKey.Get().Sign(rt.worker.signing.algorithm, body)
	if errors.Is(err, sessionkey.ErrNoKey) {
		err = fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return s.Authorization, s.Algorithm, err
}

// VerifyInternal checks the signature of a request from another worker. It
// fails with ErrBadRequest if there is none that can be checked, with
// ErrForbidden if it is wrong, and with ErrConflict while the worker has read no
// session key. A cluster whose protocol has no sessions signs nothing, and then
// nothing is checked.
func (rt *Runtime) VerifyInternal(authorization, algorithm string, body []byte) error {
	if rt.lead.Get().protocol != ProtocolSessioned {
		return nil
	}
	err := rt.sessionKey.Get().Verify(sessionkey.Signature{Authorization: authorization, Algorithm: algorithm}, body, rt.worker.signing.allowed)
	switch {
	case errors.Is(err, sessionkey.ErrUnsigned):
		return signatureError{err, ErrBadRequest}
	case errors.Is(err, sessionkey.ErrForged):
		return signatureError{err, ErrForbidden}
	case errors.Is(err, sessionkey.ErrNoKey):
		return signatureError{err, ErrConflict}
	}
	return err
}

// A signatureError is what is wrong with a signature, in Java's words, and of which
// kind that is.
type signatureError struct{ cause, kind error }

func (e signatureError) Error() string   { return e.cause.Error() }
func (e signatureError) Unwrap() []error { return []error{e.cause, e.kind} }

// readSessionKey takes note of a session-key record. One that is broken is
// ignored: it must not take the worker down. On the loop.
func (rt *Runtime) readSessionKey(value []byte) {
	key, err := sessionkey.Parse(value)
	if err != nil {
		rt.log.Warn("ignoring a session key", "err", err)
		return
	}
	rt.sessionKey.Set(key)
}

// keepSessionKey has a leader make session keys and replace them in time, until
// ctx ends. A worker that is alone has nobody to show one.
func (rt *Runtime) keepSessionKey(ctx context.Context) {
	if rt.isAlone() {
		return
	}
	for {
		if err := rt.renewSessionKey(ctx); err != nil && ctx.Err() == nil {
			rt.log.WarnContext(ctx, "renewing the session key failed, trying again", "err", err)
		}
		wait := keyCheck
		if expiry := rt.worker.signing.policy.Expiry(rt.sessionKey.Get()); !expiry.IsZero() {
			wait = min(wait, max(time.Until(expiry), time.Second))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-rt.keyDue:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// renewSessionKey writes a new key if this worker leads, and one is due.
func (rt *Runtime) renewSessionKey(ctx context.Context) error {
	lead := rt.lead.Get()
	why, due := rt.worker.signing.policy.Replace(rt.sessionKey.Get(), time.Now())
	if lead.Leadership == nil || lead.protocol != ProtocolSessioned || !due {
		return nil
	}
	rt.log.InfoContext(ctx, "writing a new session key", "why", why)
	key := rt.worker.signing.policy.Generate(time.Now())
	return rt.change(ctx, func(l Leadership, _ cluster.View) error {
		return appendRecords(ctx, l, []cluster.Record{cluster.SessionKeyRecord(key.Record())})
	})
}
