package framework_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/toperule"
)

// minimal is the least that a distributed worker needs.
func minimal(more ...config.Props) config.Props {
	return config.Props{
		"bootstrap.servers": "localhost:9092", "key.converter": "JsonConverter", "value.converter": "JsonConverter",
		"group.id": "g", "offset.storage.topic": "o", "config.storage.topic": "c", "status.storage.topic": "s",
	}.Merge(more...)
}

func TestDistributedDefaults(t *testing.T) {
	var c framework.DistributedConfig
	require.NoError(t, config.Decode(minimal(), &c))
	assert.Equal(t, []string{"localhost:9092"}, c.BootstrapServers)
	assert.Equal(t, 5*time.Minute, c.RebalanceMaxDelay)
	assert.Equal(t, framework.ProtocolSessioned, c.Protocol)
	assert.Equal(t, framework.SupportDisabled, c.ExactlyOnce)
	assert.Equal(t, time.Hour, c.SessionKey.TTL)
	assert.Equal(t, []string{"http://:8083"}, c.REST.Listeners)
	assert.False(t, c.REST.AdminListenersGiven)
	policy, err := c.OverridePolicy()
	require.NoError(t, err)
	assert.Equal(t, "All", policy.String())
	assert.Equal(t, minimal(), config.Encode(&c), "defaults are not written")
}

func TestDistributedReads(t *testing.T) {
	var c framework.DistributedConfig
	p := minimal(config.Props{
		"exactly.once.source.support": "PREPARING", "admin.listeners": "", "config.providers": "f, e",
		"config.providers.f.class": "file", "config.providers.f.param.allowed.paths": "/x", "config.providers.e.class": "env",
		"connector.client.config.override.policy": "Allowlist", "connector.client.config.override.allowlist": "acks",
		"producer.acks": "1", "key.converter.schemas.enable": "false", "ssl.truststore.password": "pw", "security.protocol": "sasl_ssl",
		"sasl.oauthbearer.client.credentials.client.secret": "s", "listeners.https.ssl.keystore.location": "/k",
		"offset.storage.cleanup.policy": "delete", "offset.storage.segment.bytes": "1", "config.storage.partitions": "9",
	})
	require.NoError(t, config.Decode(p, &c))
	assert.Equal(t, framework.SupportPreparing, c.ExactlyOnce)
	assert.True(t, c.REST.AdminListenersGiven)
	assert.Empty(t, c.REST.AdminListeners)
	assert.Equal(t, []framework.ProviderConfig{
		{Alias: "f", Class: "file", Params: config.Props{"allowed.paths": "/x"}}, {Alias: "e", Class: "env", Params: config.Props{}},
	}, c.ConfigProviders)
	policy, err := c.OverridePolicy()
	require.NoError(t, err)
	require.NoError(t, policy.Check("acks"))
	require.Error(t, policy.Check("linger.ms"))
	assert.Equal(t, config.Props{"acks": "1"}, c.Producer)
	assert.Equal(t, config.Props{"schemas.enable": "false"}, c.KeyConverter.Config)
	assert.Equal(t, "pw", c.TLS.TruststorePassword.Reveal())
	assert.Equal(t, "SASL_SSL", c.Client.SecurityProtocol)
	assert.Equal(t, "s", c.Client.SASL.OAuth.ClientSecret.Reveal())
	assert.Equal(t, config.Props{"ssl.keystore.location": "/k"}, c.REST.HTTPS)
	assert.Equal(t, toperule.Topic{Name: "o", Partitions: 25, ReplicationFactor: 3, Configs: map[string]string{"cleanup.policy": "compact", "segment.bytes": "1"}},
		c.OffsetStorage.Creation())
	assert.Equal(t, toperule.Topic{Name: "c", Partitions: 1, ReplicationFactor: 3, Configs: map[string]string{"cleanup.policy": "compact"}},
		c.ConfigStorage.Creation())
	assert.Empty(t, config.Unknown(p, new(framework.DistributedConfig)))
	assert.Equal(t, []config.IgnoredKey{{Key: "config.storage.partitions", Reason: "the config topic has one partition."}},
		config.Ignored(p, new(framework.DistributedConfig)))
}

func TestWorkerRefuses(t *testing.T) {
	tests := []struct {
		name  string
		props config.Props
		want  string
	}{
		{"no brokers", config.Props{"bootstrap.servers": ""}, "Configuration 'bootstrap.servers' must not be empty"},
		{"listener", config.Props{"listeners": "localhost"}, `listener "localhost" must be http:// or https://`},
		{"no listener", config.Props{"listeners": ""}, "at least one URL is expected"},
		{"blank listener", config.Props{"admin.listeners": ",http://:1"}, "Empty URL found"},
		{"header rule", config.Props{"response.http.headers.config": "set X"}, "Invalid format of header config"},
		{"policy", config.Props{"connector.client.config.override.policy": "Nope"}, `unknown policy "Nope", want one of All, None, Principal, Allowlist`},
		{"partitions", config.Props{"offset.storage.partitions": "0"}, "Number of partitions must be positive"},
		{"replicas", config.Props{"status.storage.replication.factor": "-2"}, "Replication factor must be positive"},
		{"algorithm", config.Props{"inter.worker.signature.algorithm": "HmacMD5"}, "Invalid value HmacMD5 for configuration inter.worker.signature.algorithm"},
		{"not verified", config.Props{"inter.worker.signature.algorithm": "HmacSHA512"}, "must be present in inter.worker.verification.algorithms"},
		{"provider without class", config.Props{"config.providers": "v"}, `Missing required configuration "config.providers.v.class"`},
		{"protocol", config.Props{"connect.protocol": "Eager"}, "String must be one of: eager, compatible, sessioned"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorContains(t, config.Decode(minimal(tt.props), new(framework.DistributedConfig)), tt.want)
		})
	}
}

func TestStandalone(t *testing.T) {
	var c framework.StandaloneConfig
	require.NoError(t, config.Decode(config.Props{"bootstrap.servers": "b:1", "key.converter": "K", "value.converter": "V",
		"offset.storage.file.filename": "/o", "header.converter": "H", "internal.key.converter": "I", "plugin.path": "/p"}, &c))
	assert.Equal(t, "/o", c.OffsetFile)
	assert.Equal(t, "H", c.HeaderConverter.Class)
	assert.Equal(t, []string{"plugin.path", "internal.key.converter"}, ignoredKeys(config.Props{"internal.key.converter": "I", "plugin.path": "/p"}))
}

func ignoredKeys(p config.Props) (keys []string) {
	for _, k := range config.Ignored(p, new(framework.StandaloneConfig)) {
		keys = append(keys, k.Key)
	}
	return keys
}

func TestParseHeaderRules(t *testing.T) {
	rules, err := framework.ParseHeaderRules(`set X-One: a, add X-Two: b, setDate X-Expires: 31540000000, "add Cache-Control: no-cache, no-store"`)
	require.NoError(t, err)
	assert.Equal(t, []framework.HeaderRule{{"set", "X-One", "a"}, {"add", "X-Two", "b"}, {"setDate", "X-Expires", "31540000000"},
		{"add", "Cache-Control", "no-cache, no-store"}}, rules)
	rules, err = framework.ParseHeaderRules(" ")
	require.NoError(t, err)
	assert.Empty(t, rules)
	for _, bad := range []string{"X: a", "put X: a", "set X Y: a", "set X: a:b", "set X", "set X: a,", ","} {
		_, err = framework.ParseHeaderRules(bad)
		assert.Error(t, err, bad)
	}
}

func TestOverridePolicies(t *testing.T) {
	tests := []struct {
		name    string
		list    []string
		is      string
		allowed map[string]bool
	}{
		{"All", nil, "All", map[string]bool{"acks": true, "sasl.jaas.config": true}},
		{"None", []string{"acks"}, "None", map[string]bool{"acks": false, "sasl.jaas.config": false}},
		{"Principal", nil, "Principal", map[string]bool{"acks": false, "sasl.jaas.config": true, "security.protocol": true, "sasl.mechanism": true}},
		{"Allowlist", []string{"acks"}, "Allowlist", map[string]bool{"acks": true, "sasl.jaas.config": false}},
		{"Allowlist", nil, "Allowlist", map[string]bool{"acks": false}},
		{"org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy", nil, "None", map[string]bool{"acks": false}},
		{"PrincipalConnectorClientConfigOverridePolicy", nil, "Principal", map[string]bool{"acks": false}},
	}
	for _, tt := range tests {
		p, err := framework.ParseOverridePolicy(tt.name, tt.list)
		require.NoError(t, err)
		assert.Equal(t, tt.is, p.String())
		for key, want := range tt.allowed {
			assert.Equal(t, want, p.Check(key) == nil, "%s: %s", tt.name, key)
		}
	}
	_, err := framework.ParseOverridePolicy("all", nil)
	require.Error(t, err)
	var zero framework.OverridePolicy
	require.NoError(t, zero.Check("acks"))

	none, err := framework.ParseOverridePolicy("None", nil)
	require.NoError(t, err)
	errs := none.CheckAll(framework.ProducerOverridePrefix, config.Props{"b": "1", "a": "2"})
	require.Len(t, errs, 2)
	var ke *config.KeyError
	require.ErrorAs(t, errs[0], &ke)
	assert.Equal(t, "producer.override.a", ke.Key)
	assert.EqualError(t, ke.Err, "The 'None' policy does not allow 'a' to be overridden in the connector configuration.")
}

func FuzzParseHeaderRules(f *testing.F) {
	f.Add(`set X: a, "add Y: b, c"`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := framework.ParseHeaderRules(text)
		if err != nil {
			return
		}
		for _, r := range rules {
			if r.Name == "" || strings.ContainsAny(r.Name+r.Value, "\r\n") {
				t.Fatalf("%q gave %+v", text, r)
			}
		}
	})
}
