package cassandra

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/goldentest"
)

func decode(t testing.TB, props config.Props) *Config {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(props, &c))
	return &c
}

const mapped = "topic.t.ks.tbl.mapping"

func TestConfigIsRefused(t *testing.T) {
	for _, c := range []struct {
		key, want string
		props     config.Props
	}{
		{"topics", `the topic "u" has no table`, config.Props{"topics": "t,u", mapped: "a=key"}},
		{"topic.t.ks.tbl.maping", "is no setting: want topic.TOPIC.KEYSPACE.TABLE.SETTING", config.Props{"topic.t.ks.tbl.maping": "a=key"}},
		{"topic.t.codec.zone", "is no setting", config.Props{"topic.t.codec.zone": "UTC"}},
		{"topic.t.codec.timeZone", "nowhere", config.Props{"topic.t.codec.timeZone": "nowhere", mapped: "a=key"}},
		{"topic.t.ks.tbl.consistencyLevel", "must be one of", config.Props{mapped: "a=key", "topic.t.ks.tbl.consistencyLevel": "SERIAL"}},
		{"topic.t.ks.tbl.ttl", "", config.Props{mapped: "a=key", "topic.t.ks.tbl.ttl": "-2"}},
		{"topic.t.ks.tbl.ttlTimeUnit", "", config.Props{mapped: "a=key", "topic.t.ks.tbl.ttlTimeUnit": "WEEKS"}},
		{"topic.t.ks.tbl.deletesEnabled", "does not go with query", config.Props{mapped: "a=key", "topic.t.ks.tbl.query": "x", "topic.t.ks.tbl.deletesEnabled": "true"}},
		{"topic.t.ks.tbl.mapping", "is needed for query", config.Props{"topic.t.ks.tbl.query": "x"}},
		{mapped, "twice", config.Props{mapped: "a=key", `topic.t.ks."tbl".mapping`: "a=key"}},
		{"topic.t.ks.tbl.mapping", "column a", config.Props{mapped: "a=key, a=value"}},
		{"cloud.secureConnectBundle", "bundles of Astra are not supported", config.Props{"cloud.secureConnectBundle": "/bundle.zip"}},
		{"auth.provider", "GSSAPI is not supported", config.Props{"auth.provider": "GSSAPI"}},
		{"auth.username", "is missing beside auth.password", config.Props{"auth.password": "p"}},
		{"auth.username", "is needed", config.Props{"auth.provider": "plain"}},
		{"ssl.openssl.privateKey", "one of them is missing", config.Props{"ssl.provider": "OpenSSL", "ssl.openssl.keyCertChain": "c.pem"}},
		{"ssl.cipherSuites", `the suite "ROT13" is not known`, config.Props{"ssl.provider": "JDK", "ssl.cipherSuites": "ROT13"}},
		{"ssl.truststore.path", "no/such/file", config.Props{"ssl.provider": "JDK", "ssl.truststore.path": "no/such/file.jks", "ssl.truststore.password": "x"}},
		{"retry.backoff.max.ms", "is less than", config.Props{"retry.backoff.max.ms": "5"}},
		{"auto.create.primary.key", "is not closed", config.Props{"auto.create.primary.key": "(a,b"}},
		{"auto.create.primary.key", "not understood", config.Props{"auto.create.primary.key": "a,(b)"}},
		{"compression", "must be one of", config.Props{"compression": "zstd"}},
		{"datastax-java-driver.advanced.retry-policy.class", "changes what is written", config.Props{"datastax-java-driver.advanced.retry-policy.class": "ConsistencyDowngradingRetryPolicy"}},
		{"datastax-java-driver.basic.request.timeout", "want a duration", config.Props{"datastax-java-driver.basic.request.timeout": "soon"}},
		{"datastax-java-driver.basic.cloud.secure-connect-bundle", "not supported", config.Props{"datastax-java-driver.basic.cloud.secure-connect-bundle": "b.zip"}},
	} {
		t.Run(c.key+" "+c.want, func(t *testing.T) {
			err := config.Decode(c.props, new(Config))
			keys, rest := config.KeyErrors(err)
			assert.Empty(t, rest)
			require.Len(t, keys, 1, "%v", err)
			assert.Equal(t, c.key, keys[0].Key)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestTablesOfTopics(t *testing.T) {
	c := decode(t, config.Props{
		"topic.a.b.c.ks.tbl.mapping": "x=key", "topic.a.b.c.ks.tbl.ttl": "5", `topic.a.b.c."KS"."Tbl".mapping`: "y=value", "topic.a.b.c.codec.locale": "en_US",
		"topic.other.ks.tbl.consistencyLevel": "local_quorum", "keyspace": "auto", "table.name": "x_${topic}",
	})
	found := c.tablesOf("a.b.c")
	require.Len(t, found, 2)
	assert.Equal(t, "KS Tbl y=value -1", fmt.Sprint(found[0].keyspace, " ", found[0].table, " ", found[0].mapping, " ", found[0].ttl))
	assert.Equal(t, "ks tbl x=key 5", fmt.Sprint(found[1].keyspace, " ", found[1].table, " ", found[1].mapping, " ", found[1].ttl))
	assert.Equal(t, gocql.LocalOne, found[0].level())
	assert.Equal(t, gocql.LocalQuorum, c.tablesOf("other")[0].level())
	assert.Equal(t, "en_US", c.codecs["a.b.c"].Locale)
	auto := c.tablesOf("some.topic-1")
	require.Len(t, auto, 1)
	assert.Equal(t, "auto x_some_topic_1 true true", fmt.Sprint(auto[0].keyspace, " ", auto[0].table, " ", auto[0].deletes, " ", auto[0].nullToUnset))
	assert.Empty(t, decode(t, config.Props{}).tablesOf("t"))
}

func TestDriverSettings(t *testing.T) {
	const d = "datastax-java-driver."
	props := config.Props{
		d + "basic.contact-points.0": "one:9043", d + "basic.contact-points.1": "two", d + "basic.load-balancing-policy.local-datacenter": "dc2",
		d + "basic.request.timeout": "5 seconds", d + "basic.request.serial-consistency": "LOCAL_SERIAL", d + "advanced.connection.pool.local.size": "2",
		d + "advanced.protocol.compression": "lz4", d + "advanced.auth-provider.class": "PlainTextAuthProvider", d + "advanced.auth-provider.username": "u",
		d + "advanced.auth-provider.password": "p", d + "advanced.heartbeat.interval": "30 seconds", d + "advanced.protocol.version": "V5",
	}
	c := decode(t, props)
	assert.Equal(t, []string{"one:9043", "two"}, c.ContactPoints)
	assert.Equal(t, "dc2 5s LOCAL_SERIAL 2 LZ4 PLAIN u p 5", fmt.Sprint(c.LocalDC, " ", c.Timeout, " ", c.driver.serial, " ", c.PoolSize, " ", c.Compression, " ",
		c.Auth.Provider, " ", c.Auth.Username, " ", c.Auth.Password.Reveal(), " ", c.driver.protocol))
	assert.Equal(t, []string{d + "advanced.heartbeat.interval"}, c.driver.unheeded)
	c = decode(t, props.Merge(config.Props{"loadBalancing.localDc": "dc1", "contactPoints": "three", "queryExecutionTimeout": "7"}))
	assert.Equal(t, "[three] dc1 7s", fmt.Sprint(c.ContactPoints, " ", c.LocalDC, " ", c.Timeout), "the connector's own keys come first")
}

// Every key of DataStax' connector is known, with its default.
func TestKeysOfTheAnchor(t *testing.T) {
	known := map[string]config.KeyInfo{}
	for _, k := range config.Keys(new(Config)) {
		known[k.Name] = k
	}
	n := 0
	goldentest.Each(t, filepath.Join("testdata", "datastax-cassandra.keys.jsonl"), func(t *testing.T, k struct {
		Name    string  `json:"name"`
		Default *string `json:"default_value"`
		Order   int     `json:"order_in_group"`
	}) {
		if k.Order != -1 { // the framework's
			return
		}
		n++
		have, ok := known[k.Name]
		require.True(t, ok, k.Name)
		if k.Default != nil {
			require.NotNil(t, have.Default, k.Name)
			assert.Equal(t, *k.Default, *have.Default, k.Name)
		}
	})
	assert.Equal(t, 13, n)
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		err  error
		want class
	}{
		{nil, written},
		{fmt.Errorf("wrapped: %w", answer{gocql.ErrCodeUnavailable, ""}), untouched},
		{answer{gocql.ErrCodeBootstrapping, ""}, untouched}, {answer{gocql.ErrCodeOverloaded, ""}, overloaded},
		{answer{gocql.ErrCodeWriteTimeout, ""}, slow}, {answer{gocql.ErrCodeCASWriteUnknown, ""}, slow},
		{answer{gocql.ErrCodeWriteFailure, ""}, unknown}, {answer{gocql.ErrCodeServer, ""}, unknown}, {answer{gocql.ErrCodeCDCWriteFailure, ""}, unknown},
		{answer{gocql.ErrCodeInvalid, "Batch too large"}, tooLarge},
		{answer{gocql.ErrCodeInvalid, "Undefined column name w in table ks.t"}, changed},
		{answer{gocql.ErrCodeInvalid, "unconfigured table t"}, changed}, {answer{gocql.ErrCodeInvalid, "table t does not exist"}, changed},
		{answer{gocql.ErrCodeInvalid, "Keyspace ks does not exist"}, changed},
		{answer{gocql.ErrCodeInvalid, "Key may not be empty"}, refused}, {answer{gocql.ErrCodeFunctionFailure, ""}, refused},
		{answer{gocql.ErrCodeSyntax, ""}, fatal}, {answer{gocql.ErrCodeUnauthorized, ""}, fatal}, {answer{gocql.ErrCodeCredentials, ""}, fatal},
		{gocql.ErrNoConnections, untouched}, {gocql.ErrNoStreams, overloaded}, {gocql.ErrTimeoutNoResponse, slow},
		{gocql.ErrConnectionClosed, unknown}, {&net.OpError{Op: "read", Err: errors.New("reset")}, unknown},
		{gocql.ErrSessionClosed, stopped}, {errors.New("gocql: expected 3 values send got 4"), changed},
	} {
		assert.Equal(t, c.want, classify(c.err), "%v", c.err)
	}
}

func TestTLSOfFiles(t *testing.T) {
	c := decode(t, config.Props{"ssl.provider": "JDK", "ssl.hostnameValidation": "false"})
	made, err := c.TLS.config()
	require.NoError(t, err)
	assert.True(t, made.InsecureSkipVerify)
	assert.NotNil(t, made.VerifyConnection, "the chain is verified all the same")
	made, err = decode(t, config.Props{"ssl.provider": "JDK", "ssl.cipherSuites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}).TLS.config()
	require.NoError(t, err)
	assert.False(t, made.InsecureSkipVerify)
	assert.Len(t, made.CipherSuites, 1)
	bad := filepath.Join(t.TempDir(), "trust.pem")
	require.NoError(t, os.WriteFile(bad, []byte("no certificate"), 0o644))
	err = config.Decode(config.Props{"ssl.provider": "JDK", "ssl.truststore.path": bad}, new(Config))
	assert.ErrorContains(t, err, "ssl.truststore.path")
	made, err = decode(t, config.Props{}).TLS.config()
	require.NoError(t, err)
	assert.Nil(t, made)
}

func TestDurationsOfTheDriver(t *testing.T) {
	for text, want := range map[string]time.Duration{"30 seconds": 30 * time.Second, "500 ms": 500 * time.Millisecond, "2m": 2 * time.Minute, "10": 10 * time.Millisecond} {
		var d time.Duration
		require.NoError(t, setDuration(&d, 0, text))
		assert.Equal(t, want, d, text)
	}
}

// No configuration of a table makes the sink panic, and each error names a key.
func FuzzTableKeys(f *testing.F) {
	for _, s := range [][2]string{{"t.ks.tbl.mapping", "a=key"}, {"a.b.\"K\".\"T\".ttl", "5"}, {"t.codec.date", "yyyy"}, {"...", ""}, {"t.ks.tbl.query", "x"}} {
		f.Add(s[0], s[1], "(a,b),c")
	}
	f.Fuzz(func(t *testing.T, key, value, primary string) {
		err := config.Decode(config.Props{"topic." + key: value, "auto.create.primary.key": primary}, new(Config))
		_, rest := config.KeyErrors(err)
		assert.Empty(t, rest)
	})
}
