//go:build integration

package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/sessionkey"
)

// sessionKey returns the newest session key of the group.
func (j *joint) sessionKey() sessionkey.Key {
	j.t.Helper()
	var key sessionkey.Key
	for _, r := range j.configRecords() {
		if string(r.Key) == "session-key" {
			var err error
			key, err = sessionkey.Parse(r.Value)
			require.NoError(j.t, err)
		}
	}
	require.False(j.t, key.IsZero(), "there is a session key")
	return key
}

// taskSet returns the task set of a connector as a worker posts it to the leader.
func (p restPeer) taskSet(name string) []byte {
	p.t.Helper()
	var tasks []struct {
		Config config.Props `json:"config"`
	}
	p.do(http.MethodGet, "/connectors/"+name+"/tasks", nil).into(p.t, &tasks)
	var set []config.Props
	for _, task := range tasks {
		set = append(set, task.Config)
	}
	body, err := json.Marshal(set)
	require.NoError(p.t, err)
	return body
}

// post posts a task set with a signature.
func (p restPeer) post(name string, set []byte, signature sessionkey.Signature) answer {
	p.t.Helper()
	var headers []string
	if signature.Authorization != "" {
		headers = append(headers, sessionkey.AuthorizationHeader, signature.Authorization)
	}
	if signature.Algorithm != "" {
		headers = append(headers, sessionkey.AlgorithmHeader, signature.Algorithm)
	}
	return p.ask(http.MethodPost, "/connectors/"+name+"/tasks", set, headers...)
}

// signatures posts task sets as another worker would, and as one that is none of
// the cluster. The session key is replaced by the leader every three seconds, and
// all follow.
func signatures(t *testing.T, j *joint, follower, leader restPeer, name string) {
	j, follower, leader = j.on(t), follower.on(t), leader.on(t)
	set := leader.taskSet(name)
	signed := func(k sessionkey.Key, algorithm string, body []byte) sessionkey.Signature {
		s, err := k.Sign(algorithm, body)
		require.NoError(t, err)
		return s
	}
	first := j.sessionKey()
	good := signed(first, "HmacSHA256", set)
	policy, err := sessionkey.NewPolicy("HmacSHA256", 0, 0)
	require.NoError(t, err)
	stranger := policy.Generate(time.Now())
	for _, c := range []struct {
		name      string
		signature sessionkey.Signature
		status    int
	}{
		{"unsigned", sessionkey.Signature{}, http.StatusBadRequest},
		{"no algorithm", sessionkey.Signature{Authorization: good.Authorization}, http.StatusBadRequest},
		{"no signature", sessionkey.Signature{Algorithm: good.Algorithm}, http.StatusBadRequest},
		{"no Base64", sessionkey.Signature{Authorization: "*", Algorithm: good.Algorithm}, http.StatusBadRequest},
		{"an algorithm that is not allowed", signed(first, "HmacSHA512", set), http.StatusBadRequest},
		{"an algorithm that is not known", sessionkey.Signature{Authorization: good.Authorization, Algorithm: "HmacMine"}, http.StatusBadRequest},
		{"another key", signed(stranger, "HmacSHA256", set), http.StatusForbidden},
		{"another body", signed(first, "HmacSHA256", []byte("[]")), http.StatusForbidden},
		{"no MAC", sessionkey.Signature{Authorization: base64.StdEncoding.EncodeToString([]byte("mac")), Algorithm: good.Algorithm}, http.StatusForbidden},
	} {
		for who, p := range map[string]restPeer{"follower": follower, "leader": leader} {
			a := p.post(name, set, c.signature)
			assert.Equal(t, c.status, a.status, "%s, to the %s: %s", c.name, who, a.text)
		}
	}

	sets := len(j.taskSets())
	key := first
	for range 2 {
		// The newest key is good everywhere. (A follower passes the request on without
		// its signature, so that the leader misses it.)
		eventually(t, func() bool {
			s := signed(j.sessionKey(), "HmacSHA256", set)
			return leader.post(name, set, s).status == http.StatusNoContent && follower.post(name, set, s).status == http.StatusBadRequest
		}, "the newest key to be good")
		eventually(t, func() bool { return fmt.Sprint(j.sessionKey()) != fmt.Sprint(key) }, "the leader to replace the key")
		eventually(t, func() bool {
			s := signed(key, "HmacSHA256", set)
			return leader.post(name, set, s).status == http.StatusForbidden && follower.post(name, set, s).status == http.StatusForbidden
		}, "the key before to be bad")
		key = j.sessionKey()
	}
	assert.Greater(t, len(j.taskSets()), sets, "what was signed is written")
	eventually(t, func() bool { return follower.running(name) }, "connector %s to run", name)
}
