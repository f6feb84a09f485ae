package sessionkey_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/sessionkey"
)

// vectorKey has the bytes 00 to 1f.
const vectorKey = `{"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","algorithm":"HmacSHA256","creation-timestamp":1000}`

func parse(t *testing.T, record string) sessionkey.Key {
	t.Helper()
	k, err := sessionkey.Parse([]byte(record))
	require.NoError(t, err)
	return k
}

func policy(t *testing.T, algorithm string, bits int, ttl time.Duration) sessionkey.Policy {
	t.Helper()
	p, err := sessionkey.NewPolicy(algorithm, bits, ttl)
	require.NoError(t, err)
	return p
}

// TestJavaRecords: records in the config topics of Java's workers (each line is a
// record as it was recorded) are read and written again as they are, but for the
// one that was broken on purpose.
func TestJavaRecords(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "session-key.jsonl"))
	require.NoError(t, err)
	whole, broken := 0, 0
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var line struct {
			Value []byte `json:"value"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		k, err := sessionkey.Parse(line.Value)
		if strings.Contains(string(line.Value), `"now"`) {
			require.Error(t, err)
			broken++
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, string(line.Value), string(k.Record()))
		assert.Equal(t, "HmacSHA256", k.Algorithm)
		whole++
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, []int{7, 1}, []int{whole, broken})
}

func TestParse(t *testing.T) {
	k := parse(t, `{"more":[1],"creation-timestamp":1795375633323,"algorithm":"AES","key":"AAAA"}`)
	assert.Equal(t, "AES", k.Algorithm)
	assert.Equal(t, time.UnixMilli(1795375633323), k.Created)
	assert.False(t, k.IsZero())

	for _, record := range []string{
		``, `null`, `7`, `[]`, `{`, vectorKey + `x`,
		`{"algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":"AAAA","creation-timestamp":1}`,
		`{"key":"AAAA","algorithm":"HmacSHA256"}`,
		`{"key":null,"algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":"","algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":"*","algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":"AAA","algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":[0,1],"algorithm":"HmacSHA256","creation-timestamp":1}`,
		`{"key":"AAAA","algorithm":7,"creation-timestamp":1}`,
		`{"key":"AAAA","algorithm":"HmacSHA256","creation-timestamp":"1"}`,
		`{"key":"AAAA","algorithm":"HmacSHA256","creation-timestamp":1.5}`,
		`{"key":"AAAA","algorithm":"HmacSHA256","creation-timestamp":99999999999999999999}`,
	} {
		k, err := sessionkey.Parse([]byte(record))
		require.Error(t, err, record)
		assert.ErrorContains(t, err, "session key: ", record)
		assert.True(t, k.IsZero(), record)
	}
}

// TestSecretIsNotShown: a key lands in a log sooner or later.
func TestSecretIsNotShown(t *testing.T) {
	k := parse(t, vectorKey)
	const want = "session key of 256 bits for HmacSHA256, created 1970-01-01T00:00:01Z"
	assert.Equal(t, want, k.String())
	assert.Equal(t, "no session key", sessionkey.Key{}.String())
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k)
	for _, text := range []string{fmt.Sprintf("%v", k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), log.String()} {
		assert.NotContains(t, text, "0 1 2 3")
		assert.NotContains(t, text, "0x1, 0x2")
		assert.NotContains(t, text, "AAEC")
	}
	for _, record := range []string{`{"key":"c2VjcmV0*"}`, `{"key":"c2VjcmV0*","algorithm":"x","creation-timestamp":1}`} {
		_, err := sessionkey.Parse([]byte(record))
		assert.NotContains(t, err.Error(), "c2Vj")
	}
}

// TestKeySizes: what Java's key generators make, by default and of a number of bits.
func TestKeySizes(t *testing.T) {
	now := time.Unix(1_700_000_000, 123_456_789)
	for algorithm, size := range map[string]int{
		"HmacMD5": 64, "HmacSHA1": 64, "HmacSHA224": 28, "HmacSHA256": 32, "HmacSHA384": 48, "HmacSHA512": 64,
		"HmacSHA512/224": 28, "HmacSHA512/256": 32,
		"HmacSHA3-224": 28, "HmacSHA3-256": 32, "HmacSHA3-384": 48, "HmacSHA3-512": 64,
	} {
		for bits, size := range map[int]int{0: size, 40: 5, 41: 6, 100: 13, 1024: 128} {
			p := policy(t, strings.ToUpper(algorithm), bits, time.Hour)
			k := p.Generate(now)
			assert.Equal(t, algorithm, k.Algorithm)
			assert.Contains(t, k.String(), fmt.Sprintf("of %d bits", 8*size), algorithm)
			assert.Equal(t, now.Truncate(time.Millisecond), k.Created)
			assert.Equal(t, k, parse(t, string(k.Record())))
			assert.NotEqual(t, k.Record(), p.Generate(now).Record(), "keys are random")
		}
	}
}

func TestPolicyRefuses(t *testing.T) {
	for _, c := range []struct {
		algorithm string
		bits      int
		ttl       time.Duration
		want      string
	}{
		{"AES", 0, 0, `session keys: algorithm "AES": want one of HmacSHA1, HmacSHA224,`},
		{"HmacSHA256", 39, 0, "session keys: size: found 39 bits, want 40 to 65536"},
		{"HmacSHA256", -1, 0, "session keys: size: found -1 bits, want 40 to 65536"},
		{"HmacSHA256", 1 << 30, 0, "found 1073741824 bits"},
		{"HmacSHA256", 0, -time.Second, "session keys: time to live: found -1s, want none below zero"},
	} {
		_, err := sessionkey.NewPolicy(c.algorithm, c.bits, c.ttl)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestReplace(t *testing.T) {
	made := time.UnixMilli(1_700_000_000_000)
	key := policy(t, "HmacSHA256", 0, time.Hour).Generate(made)
	lower := parse(t, strings.Replace(string(key.Record()), "HmacSHA256", "hmacsha256", 1))
	for _, c := range []struct {
		name   string
		policy sessionkey.Policy
		key    sessionkey.Key
		age    time.Duration
		want   string
	}{
		{"none", policy(t, "HmacSHA256", 0, time.Hour), sessionkey.Key{}, 0, "there is no session key yet"},
		{"fresh", policy(t, "HmacSHA256", 0, time.Hour), key, 0, ""},
		{"of the future", policy(t, "HmacSHA256", 0, time.Hour), key, -time.Hour, ""},
		{"beyond its time before it was made", policy(t, "HmacSHA256", 0, time.Hour), key, -time.Hour - 1, "the session key is from the future"},
		{"future of one for ever", policy(t, "HmacSHA256", 0, 0), key, -10000 * time.Hour, ""},
		{"at the last", policy(t, "HmacSHA256", 0, time.Hour), key, time.Hour - 1, ""},
		{"expired", policy(t, "HmacSHA256", 0, time.Hour), key, time.Hour, "the session key has expired"},
		{"good for ever", policy(t, "HmacSHA256", 0, 0), key, 10000 * time.Hour, ""},
		{"of the size that is set", policy(t, "HmacSHA256", 256, time.Hour), key, 0, ""},
		{"of another size", policy(t, "HmacSHA256", 512, time.Hour), key, 0, "the session key is of another algorithm or size than configured"},
		{"of another algorithm", policy(t, "HmacSHA512/256", 0, time.Hour), key, 0, "the session key is of another algorithm or size than configured"},
		{"name in another case", policy(t, "HMACSHA256", 0, time.Hour), lower, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reason, due := c.policy.Replace(c.key, made.Add(c.age))
			assert.Equal(t, c.want, reason)
			assert.Equal(t, c.want != "", due)
		})
	}
	assert.Equal(t, made.Add(time.Hour), policy(t, "HmacSHA256", 0, time.Hour).Expiry(key))
	assert.Zero(t, policy(t, "HmacSHA256", 0, 0).Expiry(key))
	assert.Zero(t, policy(t, "HmacSHA256", 0, time.Hour).Expiry(sessionkey.Key{}))
}

// TestSignatures: MACs that Java's workers and platforms made.
func TestSignatures(t *testing.T) {
	const body = `[{"a":"b"}]`
	k := parse(t, vectorKey)
	for _, c := range []struct{ algorithm, body, want string }{
		{"HmacSHA256", "", "04tCCW2A9F+Ca0Sp1WB95ySWpBXT9KGoyI47udqNwcs="},
		{"HmacSHA256", body, "Eroe1tB3QaSe5EJ0n/U/3E2UQZRh4D5G73yb9AU1xkM="},
		{"HmacMD5", body, "EFF+oUqUOkbAj4r1kGC/Eg=="},
		{"HmacSHA1", body, "jjpl6CSTd6XoLM8PBWGhNkBJrp8="},
		{"HmacSHA224", body, "hcDXriL+duRT/waSroN3Lb+NAEa97V4AoxMTdg=="},
		{"HmacSHA384", body, "mGbLiEgFmb0/8P/30EYYyizsa7iwzNB1EsgF0ckDGEbECTWV33lla6KmpTFetThG"},
		{"HmacSHA512", body, "e9iBgPCMpzQiuIVywfrFCrCnHzZhwbDZ91zz9Mq+1waA5KgPsqUd5P1Nl9JRe7xEHg7YpXmpATp6YrVo+z9tog=="},
		{"HmacSHA512/224", body, "OyUauxp2BULtVwrAO23T8fIXkDLyoGtwrWh3Nw=="},
		{"HmacSHA512/256", body, "jvwTShLN7lQzQ5fHOxKUCbDZiHCy4k/13U+WJtbcRAc="},
		{"HmacSHA3-224", body, "onJJ34/N65gtzA+2P2ZvkuFyV1AkSOjF6mYnLQ=="},
		{"HmacSHA3-256", body, "EYhb+kjjc0BU1mElIB5XDloIR2gKz+6Nu6DwOxGw/gY="},
		{"HmacSHA3-384", body, "tGZmkKwLwJLibdXshiQ8GMuWlLbQrdkGQea9j766/jX0FrSzej2iyQ8CB/jdKLK1"},
		{"HmacSHA3-512", body, "mnFQ8/XGtYKFPa0n94JGc4h29qcaDdMSjzkls57he9NlFC3uB1yN8n3W4lMwoJl7r91IE9Dh/Rlmno5D2FrB/g=="},
	} {
		t.Run(c.algorithm, func(t *testing.T) {
			s, err := k.Sign(strings.ToLower(c.algorithm), []byte(c.body))
			require.NoError(t, err)
			assert.Equal(t, sessionkey.Signature{Authorization: c.want, Algorithm: c.algorithm}, s)
			require.NoError(t, k.Verify(s, []byte(c.body), []string{"HmacSHA999", c.algorithm}))
			require.ErrorIs(t, k.Verify(s, []byte(c.body+" "), []string{c.algorithm}), sessionkey.ErrForged)
			require.NoError(t, sessionkey.CheckAlgorithm(c.algorithm))
		})
	}
	_, err := k.Sign("Nope", nil)
	require.ErrorContains(t, err, `sign: algorithm "Nope": want one of HmacSHA1, `)
	_, err = sessionkey.Key{}.Sign("HmacSHA256", nil)
	require.ErrorIs(t, err, sessionkey.ErrNoKey)
}

// TestRefusals: the checks in Java's order, each with Java's words (recorded from
// POST /connectors/file-src/tasks), but for the text about Base64.
func TestRefusals(t *testing.T) {
	body := []byte(`[{"a":"b"}]`)
	k := parse(t, vectorKey)
	good, err := k.Sign("HmacSHA256", body)
	require.NoError(t, err)
	for _, c := range []struct {
		name                     string
		authorization, algorithm string
		key                      sessionkey.Key
		reason                   error
		text                     string
	}{
		{"no headers", "", "", sessionkey.Key{}, sessionkey.ErrUnsigned, "Internal request missing required signature"},
		{"no algorithm", good.Authorization, "", k, sessionkey.ErrUnsigned, "Internal request missing required signature"},
		{"no signature", "", "HmacSHA256", k, sessionkey.ErrUnsigned, "Internal request missing required signature"},
		{"unknown algorithm", "*", "Nope", sessionkey.Key{}, sessionkey.ErrUnsigned, "Algorithm Nope not available"},
		{"no Base64", "*", "HmacMD5", sessionkey.Key{}, sessionkey.ErrUnsigned, "The signature of the request is no Base64: illegal base64 data at input byte 0"},
		{"algorithm not allowed", "AAAA", "HmacMD5", sessionkey.Key{}, sessionkey.ErrUnsigned, "This worker does not support the 'HmacMD5' key signing algorithm used by other workers. This worker is currently configured to use: [HmacSHA256]. Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it."},
		{"no key", good.Authorization, "HmacSHA256", sessionkey.Key{}, sessionkey.ErrNoKey, "This worker has not read a session key from the config topic yet"},
		{"wrong", "AAAA", "HmacSHA256", k, sessionkey.ErrForged, "Internal request contained invalid signature."},
		{"of another key", good.Authorization, "HmacSHA256", policy(t, "HmacSHA256", 0, 0).Generate(time.Time{}), sessionkey.ErrForged, "Internal request contained invalid signature."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sessionkey.Signature{Authorization: c.authorization, Algorithm: c.algorithm}
			err := c.key.Verify(s, body, []string{"HmacSHA256"})
			require.EqualError(t, err, c.text)
			for _, reason := range []error{sessionkey.ErrUnsigned, sessionkey.ErrNoKey, sessionkey.ErrForged} {
				assert.Equal(t, reason == c.reason, errors.Is(err, reason), reason)
			}
		})
	}
	require.NoError(t, k.Verify(good, body, []string{"hmacsha256"}))
	assert.Equal(t, "X-Connect-Authorization", sessionkey.AuthorizationHeader)
	assert.Equal(t, "X-Connect-Request-Signature-Algorithm", sessionkey.AlgorithmHeader)
}

// FuzzParse: a record is broken, or is a key that survives being written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(vectorKey))
	f.Add([]byte(`{"key":"AAAA","algorithm":"<\"","creation-timestamp":-1}`))
	f.Add([]byte(`{"key":"*"}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		k, err := sessionkey.Parse(record)
		if err != nil {
			assert.True(t, k.IsZero())
			return
		}
		again, err := sessionkey.Parse(k.Record())
		require.NoError(t, err)
		assert.Equal(t, k, again)
		s, err := k.Sign("HmacSHA256", record)
		require.NoError(t, err)
		require.NoError(t, k.Verify(s, record, []string{"HmacSHA256"}))
	})
}

// FuzzVerify: nothing that a stranger may send is taken for a signature.
func FuzzVerify(f *testing.F) {
	f.Add("AAAA", "HmacSHA256", []byte("{}"))
	f.Add("", "Nope", []byte(nil))
	k, err := sessionkey.Parse([]byte(vectorKey))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, authorization, algorithm string, body []byte) {
		require.Error(t, k.Verify(sessionkey.Signature{Authorization: authorization, Algorithm: algorithm}, body, []string{"HmacSHA256"}))
	})
}
