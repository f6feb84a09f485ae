package sessionkey

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Key is a session key. The zero value is no key. It is immutable, and does not
// show its secret when it is printed or logged.
type Key struct {
	secret []byte
	// Algorithm for which the key was generated, in Java's spelling. Signatures
	// may be made by another.
	Algorithm string
	// Created is when, to the millisecond.
	Created time.Time
}

// record is the JSON of a key, with its members in the order of Java's workers.
type record struct {
	Key       *string `json:"key"`
	Algorithm *string `json:"algorithm"`
	Created   *int64  `json:"creation-timestamp"`
}

// Parse reads the value of a session-key record in the config topic. Members that
// it does not know are ignored. An error says what is broken about the record,
// and nothing of the secret; the worker should log it and keep the key it has.
func Parse(value []byte) (Key, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return Key{}, fmt.Errorf("session key: %w", err)
	}
	if r.Key == nil || r.Algorithm == nil || r.Created == nil {
		return Key{}, errors.New("session key: want key, algorithm and creation-timestamp")
	}
	secret, err := base64.StdEncoding.DecodeString(*r.Key)
	if err != nil {
		return Key{}, fmt.Errorf("session key: key: %w", err)
	}
	if len(secret) == 0 {
		return Key{}, errors.New("session key: key: it is empty")
	}
	return Key{secret: secret, Algorithm: *r.Algorithm, Created: time.UnixMilli(*r.Created)}, nil
}

// Record returns the value of the session-key record that Parse reads, byte for
// byte as Java writes it.
func (k Key) Record() []byte {
	secret, created := base64.StdEncoding.EncodeToString(k.secret), k.Created.UnixMilli()
	b, _ := json.Marshal(record{&secret, &k.Algorithm, &created}) // texts and numbers cannot fail
	return b
}

// IsZero reports whether k is no key.
func (k Key) IsZero() bool { return len(k.secret) == 0 }

// String describes the key without its secret.
func (k Key) String() string {
	if k.IsZero() {
		return "no session key"
	}
	return fmt.Sprintf("session key of %d bits for %s, created %s", 8*len(k.secret), k.Algorithm, k.Created.UTC().Format(time.RFC3339))
}

// GoString keeps %#v from showing the secret.
func (k Key) GoString() string { return "sessionkey.Key{" + k.String() + "}" }
