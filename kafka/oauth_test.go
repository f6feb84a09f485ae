package kafka

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// firstMessage builds the mechanism and returns what it would send to a broker.
func firstMessage(t testing.TB, props config.Props) (string, error) {
	t.Helper()
	s := settings{kind: AdminClient}
	err := config.Decode(config.Props{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}.Merge(props), &s)
	if err != nil {
		return "", err
	}
	m, err := s.sasl.build()
	require.NoError(t, err)
	_, first, err := m.Authenticate(bounded(t), "broker")
	return string(first), err
}

// jwt makes a token that ends at a time.
func jwt(exp time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, exp.Unix())) + ".sig"
}

func TestTokensOfAnEndpoint(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		id, secret, _ := r.BasicAuth()
		if id != "me" || secret != "p:ss" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600}`, jwt(time.Now().Add(time.Hour)))
	}))
	defer server.Close()
	const module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
	props := config.Props{
		"sasl.oauthbearer.token.endpoint.url": server.URL, "sasl.login.retry.backoff.ms": "1",
		"sasl.jaas.config": module + `clientId="me" clientSecret="p:ss" scope="kafka" extension_pool="x";`,
	}
	first, err := firstMessage(t, props)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(first, "n,,\x01auth=Bearer ey"), "%q", first)
	assert.True(t, strings.HasSuffix(first, "\x01pool=x\x01\x01"), "%q", first)
	assert.EqualValues(t, 2, asked.Load(), "an endpoint that is busy is asked again")

	wrong := props.Merge(config.Props{"sasl.oauthbearer.client.credentials.client.secret": "wrong"})
	_, err = firstMessage(t, wrong)
	assert.ErrorContains(t, err, "401")
	assert.EqualValues(t, 3, asked.Load(), "one that refuses is not")
	_, err = firstMessage(t, props.Merge(config.Props{"sasl.jaas.config": module + `clientId="me";`}))
	assert.ErrorContains(t, err, "clientSecret")
}

func TestTokenOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("abc\n"), 0o600))
	first, err := firstMessage(t, config.Props{"sasl.oauthbearer.token.endpoint.url": "file://" + file})
	require.NoError(t, err)
	assert.Equal(t, "n,,\x01auth=Bearer abc\x01\x01", first)
}

func TestUnsecuredToken(t *testing.T) {
	first, err := firstMessage(t, config.Props{"sasl.jaas.config": `OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";`})
	require.NoError(t, err)
	token := strings.TrimSuffix(strings.TrimPrefix(first, "n,,\x01auth=Bearer "), "\x01\x01")
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	assert.Contains(t, string(claims), `"sub":"alice"`)
}

func TestTokenIsReplacedInTime(t *testing.T) {
	o := &oauthSettings{window: 0.8, buffer: 300}
	now := time.Unix(1_700_000_000, 0)
	assert.Equal(t, 48*time.Minute, o.replaceAt(jwt(now.Add(time.Hour)), now).Sub(now), "the window")
	assert.Equal(t, 5*time.Minute, o.replaceAt(jwt(now.Add(10*time.Minute)), now).Sub(now), "the buffer")
	assert.Equal(t, 48*time.Second, o.replaceAt(jwt(now.Add(time.Minute)), now).Sub(now), "shorter than the buffer")
	for _, opaque := range []string{"opaque", "a.b.c", "a.e30.c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1e300}`)) + ".c"} {
		assert.Zero(t, o.replaceAt(opaque, now), opaque)
	}
}
