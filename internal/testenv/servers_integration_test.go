//go:build integration

package testenv_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/streamlane/connect/internal/testenv"
)

// limit bounds a step of these tests; it is reached only when something hangs.
const limit = 2 * time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// dial opens a client that is closed before the servers of the test end.
func dial(t *testing.T, bootstrap string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(bootstrap, ",")...))...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

// produce writes one record and waits for the broker's acknowledgement.
func produce(t *testing.T, cl *kgo.Client, topic, value string) {
	t.Helper()
	r := &kgo.Record{Topic: topic, Value: []byte(value)}
	require.NoError(t, cl.ProduceSync(within(t), r).FirstErr())
}

// read returns the next n values of the client's topics.
func read(t *testing.T, cl *kgo.Client, n int) []string {
	t.Helper()
	ctx := within(t)
	var values []string
	for len(values) < n {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func createTopic(t *testing.T, cl *kgo.Client, topic string, replicas int16) {
	t.Helper()
	resp, err := kadm.NewClient(cl).CreateTopic(within(t), 1, replicas, nil, topic)
	require.NoError(t, err)
	require.NoError(t, resp.Err)
}

func TestSharedBrokerServes(t *testing.T) {
	cluster := testenv.Kafka(t)
	assert.Equal(t, cluster.Bootstrap(), testenv.Kafka(t).Bootstrap(), "the second test gets the first one's broker")
	cl := dial(t, cluster.Bootstrap(), kgo.ConsumeTopics("shared"))
	createTopic(t, cl, "shared", 1)
	produce(t, cl, "shared", "one")
	assert.Equal(t, []string{"one"}, read(t, cl, 1))
}

// A node that is killed keeps what was acknowledged, and finds its port again.
func TestNodeComesBackOnItsData(t *testing.T) {
	cluster := testenv.KafkaNodes(t, 1)
	node := cluster.Node(0)
	cl := dial(t, cluster.Bootstrap(), kgo.ConsumeTopics("kept"))
	createTopic(t, cl, "kept", 1)
	produce(t, cl, "kept", "before")

	node.Kill()
	require.Error(t, dial(t, cluster.Bootstrap(), kgo.RetryTimeout(time.Second)).Ping(within(t)), "a killed node does not answer")
	node.Start()
	produce(t, cl, "kept", "between")
	node.Stop()
	node.Start()
	produce(t, cl, "kept", "after")

	assert.Equal(t, []string{"before", "between", "after"}, read(t, cl, 3))
	assert.Equal(t, 3, strings.Count(node.Log(), "Kafka Server started"))
}

func TestLeaderMovesWhenItsNodeIsKilled(t *testing.T) {
	cluster := testenv.KafkaNodes(t, 3)
	cl := dial(t, cluster.Bootstrap(), kgo.ConsumeTopics("moving"))
	createTopic(t, cl, "moving", 3)
	produce(t, cl, "moving", "one")

	topics, err := kadm.NewClient(cl).ListTopics(within(t), "moving")
	require.NoError(t, err)
	leader := topics["moving"].Partitions[0].Leader
	cluster.Node(int(leader)).Kill()
	produce(t, cl, "moving", "two")

	assert.Equal(t, []string{"one", "two"}, read(t, cl, 2))
	topics, err = kadm.NewClient(cl).ListTopics(within(t), "moving")
	require.NoError(t, err)
	assert.NotEqual(t, leader, topics["moving"].Partitions[0].Leader)
	cluster.Start()
}

// A broker behind a proxy is reached by way of it alone.
func TestProxiedBrokerCanBeCutOff(t *testing.T) {
	cluster := testenv.KafkaWith(t, testenv.KafkaOptions{
		Proxied:   true,
		Listeners: []testenv.Listener{{Name: "ASIDE", Protocol: "SASL_PLAINTEXT"}},
		Properties: []string{
			"num.partitions=7",
			"listener.name.aside.sasl.enabled.mechanisms=PLAIN",
			`listener.name.aside.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret";`,
		},
	})
	cl := dial(t, cluster.Bootstrap(), kgo.ConsumeTopics("cut"))
	createTopic(t, cl, "cut", 1)
	produce(t, cl, "cut", "one")

	proxy := cluster.Node(0).Proxy()
	proxy.Break()
	require.Error(t, dial(t, cluster.Bootstrap(), kgo.RetryTimeout(time.Second)).Ping(within(t)))
	login := plain.Auth{User: "ann", Pass: "secret"}
	aside := dial(t, cluster.BootstrapOf("ASIDE"), kgo.SASL(login.AsMechanism()))
	require.NoError(t, aside.Ping(within(t)), "the listener beside the proxy is not cut")
	require.NoError(t, proxy.Restore())
	produce(t, cl, "cut", "two")
	assert.Equal(t, []string{"one", "two"}, read(t, cl, 2))

	login.Pass = "wrong"
	stranger := dial(t, cluster.BootstrapOf("ASIDE"), kgo.SASL(login.AsMechanism()))
	require.ErrorIs(t, stranger.Ping(within(t)), kerr.SaslAuthenticationFailed)
	created, err := kadm.NewClient(aside).CreateTopic(within(t), -1, -1, nil, "plain")
	require.NoError(t, err)
	assert.EqualValues(t, 7, created.NumPartitions, "the further line of server.properties counts")
}

// get reads a JSON answer of a worker's REST interface.
func get(t *testing.T, url string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(into))
}

func TestJavaWorkerServes(t *testing.T) {
	worker := testenv.JavaConnect(t, testenv.Kafka(t), testenv.WorkerOptions{
		Group:      "smoke",
		Properties: map[string]string{"status.storage.topic": "smoke-states"},
	})
	for _, again := range []func(){func() {}, worker.Stop, worker.Kill} {
		again()
		worker.Start()
		var connectors []string
		get(t, worker.URL()+"/connectors", &connectors)
		assert.Empty(t, connectors)
	}
	var root struct {
		Version string `json:"version"`
	}
	get(t, worker.URL()+"/", &root)
	assert.Equal(t, "4.3.1", root.Version)
	assert.Equal(t, "smoke", worker.Group())
	topics, err := kadm.NewClient(dial(t, testenv.Kafka(t).Bootstrap())).ListTopics(within(t))
	require.NoError(t, err)
	assert.Subset(t, topics.Names(), []string{"smoke-configs", "smoke-offsets", "smoke-states"})
}

func TestJavaStandaloneRunsItsConnectors(t *testing.T) {
	input := t.TempDir() + "/lines with a space.txt"
	require.NoError(t, os.WriteFile(input, []byte("first\nsecond\n"), 0o644))
	cluster := testenv.Kafka(t)
	worker := testenv.JavaStandalone(t, cluster, testenv.StandaloneOptions{
		Connectors: []map[string]string{{
			"name":            "lines",
			"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
			"file":            input,
			"topic":           "standalone-lines",
			"value.converter": "org.apache.kafka.connect.storage.StringConverter",
		}},
	})
	cl := dial(t, cluster.Bootstrap(), kgo.ConsumeTopics("standalone-lines"))
	assert.Equal(t, []string{"first", "second"}, read(t, cl, 2))
	var connectors []string
	get(t, worker.URL()+"/connectors", &connectors)
	assert.Equal(t, []string{"lines"}, connectors)
	worker.Stop()
	assert.FileExists(t, worker.Dir()+"/offsets")
}

// TestRegistry: the registry answers Confluent's API, and refuses what is not
// backward compatible.
func TestRegistry(t *testing.T) {
	url := testenv.Registry(t).URL()
	post := func(schema string) int {
		t.Helper()
		body, err := json.Marshal(map[string]string{"schema": schema})
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(within(t), http.MethodPost, url+"/subjects/testenv/versions", strings.NewReader(string(body)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	assert.Equal(t, http.StatusOK, post(`{"type":"record","name":"R","fields":[]}`))
	assert.Equal(t, http.StatusConflict, post(`{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`))
	assert.Equal(t, url, testenv.Registry(t).URL(), "one for the binary")
}
