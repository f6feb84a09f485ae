//go:build integration

package s3

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/rest"
)

// refusals answers requests for what a test wants to be refused, as AWS does.
func refusals(t *testing.T, target string) *httptest.Server {
	t.Helper()
	g := newGateway(t, target)
	answer := func(w http.ResponseWriter, status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>") // to a test
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begins := r.Method == http.MethodPost && r.URL.Query().Has("uploads")
		switch {
		case strings.HasSuffix(r.URL.Path, "-elsewhere"):
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			w.WriteHeader(http.StatusMovedPermanently)
		case strings.HasSuffix(r.URL.Path, "-failing"):
			w.WriteHeader(http.StatusServiceUnavailable)
		case begins && r.Header.Get("X-Amz-Storage-Class") != "":
			answer(w, http.StatusBadRequest, "InvalidStorageClass")
		case begins && r.Header.Get("X-Amz-Server-Side-Encryption") == "aws:kms":
			answer(w, http.StatusBadRequest, "KMS.NotFoundException")
		case begins && r.Header.Get("X-Amz-Acl") != "":
			answer(w, http.StatusBadRequest, "AccessControlListNotSupported")
		case begins && strings.Contains(r.URL.Path, "/readonly/"):
			answer(w, http.StatusForbidden, "AccessDenied")
		default:
			g.Config.Handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// What is wrong with the world is in the answer of the REST interface, beside the key that is about it; secrets are not. Looking leaves nothing behind.
func TestValidationNamesTheKey(t *testing.T) {
	p := newPlace(t, testenv.S3(t))
	refused := refusals(t, p.server.URL)
	gone := testenv.Proxy(t, strings.TrimPrefix(p.server.URL, "http://"))
	gone.Break()
	rt, err := connect.New(connect.Options{Broker: connecttest.NewBroker(), Plugins: Plugins(), Configs: connect.NewMemoryLog(), Status: connect.NewMemoryLog()})
	require.NoError(t, err)
	api := rest.Handler(rt, nil)
	aiven := config.Props{
		"connector.class": "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector", "aws.s3.bucket.name": p.bucket, "aws.s3.endpoint": p.server.URL,
		"aws.access.key.id": p.server.AccessKey, "aws.secret.access.key": p.server.SecretKey,
	}
	lenses := config.Props{
		"connector.class": "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector", "connect.s3.kcql": "INSERT INTO " + p.bucket + " SELECT * FROM t",
		"connect.s3.custom.endpoint": p.server.URL, "connect.s3.aws.auth.mode": "Credentials", "connect.s3.aws.access.key": p.server.AccessKey, "connect.s3.aws.secret.key": p.server.SecretKey,
	}
	own := p.props().Merge(config.Props{"connector.class": "io.confluent.connect.s3.S3SinkConnector"})
	for _, c := range []struct {
		base, change config.Props
		key, want    string
	}{
		{base: own},
		{own, config.Props{"s3.bucket.name": "no-such-bucket"}, "s3.bucket.name", "there is no such bucket"},
		{own, config.Props{"aws.secret.access.key": "wr0ng"}, "aws.access.key.id", "refuses these credentials"},
		{own, config.Props{"store.url": "http://" + gone.Addr()}, "store.url", "cannot be reached"},
		{own, config.Props{"s3.region": "eu-west-1"}, "s3.region", "in another region"},
		{own, config.Props{"store.url": refused.URL, "s3.bucket.name": p.bucket + "-elsewhere"}, "s3.region", "in the region eu-central-1"},
		{own, config.Props{"store.url": refused.URL, "s3.bucket.name": p.bucket + "-failing"}, "store.url", "the store fails"},
		{own, config.Props{"store.url": refused.URL, "topics.dir": "readonly"}, "aws.access.key.id", "the right s3:PutObject is missing"},
		{own, config.Props{"store.url": refused.URL, "s3.storage.class": "GLACIER"}, "s3.storage.class", "does not know it"},
		{own, config.Props{"store.url": refused.URL, "s3.ssea.name": "aws:kms", "s3.sse.kms.key.id": "k"}, "s3.sse.kms.key.id", "cannot encrypt"},
		{own, config.Props{"store.url": refused.URL, "s3.acl.canned": "private"}, "s3.acl.canned", "access control lists"},
		{base: aiven},
		{aiven, config.Props{"aws.s3.bucket.name": "no-such-bucket"}, "aws.s3.bucket.name", "there is no such bucket"},
		{aiven, config.Props{"aws.secret.access.key": "wr0ng"}, "aws.access.key.id", "refuses these credentials"},
		{aiven, config.Props{"aws.s3.endpoint": "http://" + gone.Addr()}, "aws.s3.endpoint", "cannot be reached"},
		{base: lenses},
		{lenses, config.Props{"connect.s3.kcql": "INSERT INTO no-such-bucket SELECT * FROM t"}, "connect.s3.kcql", "there is no such bucket"},
		{lenses, config.Props{"connect.s3.aws.secret.key": "wr0ng"}, "connect.s3.aws.access.key", "refuses these credentials"},
		{lenses, config.Props{"connect.s3.aws.region": "eu-west-1"}, "connect.s3.aws.region", "in another region"},
	} {
		body, err := json.Marshal(c.base.Merge(config.Props{"name": "n", "topics": "t", "s3.part.retries": "0"}).Merge(c.change))
		require.NoError(t, err)
		class := c.base["connector.class"][strings.LastIndexByte(c.base["connector.class"], '.')+1:]
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/connector-plugins/"+class+"/config/validate", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		var answer struct {
			Count   int `json:"error_count"`
			Configs []struct {
				Value struct {
					Name   string
					Errors []string
				}
			}
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		found := map[string]string{}
		for _, k := range answer.Configs {
			if len(k.Value.Errors) > 0 {
				found[k.Value.Name] = strings.Join(k.Value.Errors, "; ")
			}
		}
		assert.NotContains(t, w.Body.String(), "wr0ng")
		if c.key == "" {
			assert.Empty(t, found, "%v", c.base)
			continue
		}
		assert.Len(t, found, 1, "%v: %v", c.change, found)
		assert.Contains(t, found[c.key], c.want, "%v: %v", c.change, found)
	}
	assert.Empty(t, p.keys(t))
	p.noUploads(t)
}
