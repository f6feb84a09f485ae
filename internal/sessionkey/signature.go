package sessionkey

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The headers of a signed request between workers.
const (
	// AuthorizationHeader has the MAC of the body in Base64.
	AuthorizationHeader = "X-Connect-Authorization"
	// AlgorithmHeader names the algorithm of the MAC, such as HmacSHA256.
	AlgorithmHeader = "X-Connect-Request-Signature-Algorithm"
)

// The reasons to refuse a request, for errors.Is. The errors of Verify have texts
// of their own, which may be shown to the sender.
var (
	// ErrUnsigned: there is no signature, or one that cannot be checked: not
	// Base64, or by an algorithm that is unknown or not allowed. HTTP status 400.
	ErrUnsigned = errors.New("request is not signed")
	// ErrNoKey: this worker has not read a session key yet. HTTP status 503.
	ErrNoKey = errors.New("no session key")
	// ErrForged: the signature is not of this body by this key. The key may have
	// been replaced a moment ago. HTTP status 403.
	ErrForged = errors.New("wrong signature")
)

// refusal is an error of Verify.
type refusal struct {
	reason error
	text   string
}

func (e *refusal) Error() string { return e.text }
func (e *refusal) Unwrap() error { return e.reason }

func refuse(reason error, format string, args ...any) error {
	return &refusal{reason, fmt.Sprintf(format, args...)}
}

// Signature is what a signed request says in its two headers.
type Signature struct {
	// Authorization is the value of AuthorizationHeader, empty without one.
	Authorization string
	// Algorithm is the value of AlgorithmHeader, empty without one.
	Algorithm string
}

// Sign signs the body of a request, empty if it has none, by the algorithm of
// inter.worker.signature.algorithm. It fails with ErrNoKey on the zero Key, and
// on algorithms that CheckAlgorithm does not accept.
func (k Key) Sign(algorithm string, body []byte) (Signature, error) {
	a, ok := lookUp(algorithm)
	if !ok {
		return Signature{}, fmt.Errorf("sign: %w", CheckAlgorithm(algorithm))
	}
	if k.IsZero() {
		return Signature{}, fmt.Errorf("sign: %w", ErrNoKey)
	}
	return Signature{base64.StdEncoding.EncodeToString(k.mac(a, body)), a.name}, nil
}

// Verify returns nil if body was signed by this key and an allowed algorithm
// (inter.worker.verification.algorithms). The checks and their order are Java's,
// so that a broken request is told so even without a key; the error is one of
// ErrUnsigned, ErrNoKey and ErrForged.
func (k Key) Verify(s Signature, body []byte, allowed []string) error {
	if s.Authorization == "" || s.Algorithm == "" {
		return refuse(ErrUnsigned, "Internal request missing required signature")
	}
	a, ok := lookUp(s.Algorithm)
	if !ok {
		return refuse(ErrUnsigned, "Algorithm %s not available", s.Algorithm)
	}
	mac, err := base64.StdEncoding.DecodeString(s.Authorization)
	if err != nil {
		return refuse(ErrUnsigned, "The signature of the request is no Base64: %v", err)
	}
	if !contains(allowed, a.name) {
		return refuse(ErrUnsigned, "This worker does not support the '%s' key signing algorithm used by other workers. "+
			"This worker is currently configured to use: [%s]. Check that all workers' configuration files permit the same set of "+
			"signature algorithms, and correct any misconfigured worker and restart it.", s.Algorithm, strings.Join(allowed, ", "))
	}
	if k.IsZero() {
		return refuse(ErrNoKey, "This worker has not read a session key from the config topic yet")
	}
	if !hmac.Equal(mac, k.mac(a, body)) {
		return refuse(ErrForged, "Internal request contained invalid signature.")
	}
	return nil
}

func (k Key) mac(a algorithm, body []byte) []byte {
	m := hmac.New(a.hash, k.secret)
	m.Write(body) // cannot fail
	return m.Sum(nil)
}

func contains(allowed []string, name string) bool {
	for _, a := range allowed {
		if strings.EqualFold(a, name) {
			return true
		}
	}
	return false
}
