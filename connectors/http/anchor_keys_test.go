package http

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// What becomes of an anchor's key.
const (
	works   = "works"
	refused = "refused" // with the value beside it
	warned  = "warned"
)

// A documented key is one of the anchor's public documentation.
type documented struct {
	fate string
	// def is the documented default; "": none, or not looked at.
	def string
	// value is one that is refused, or stands there with a warning.
	value string
}

// sharedKeys are of both of Confluent's sources.
var sharedKeys = map[string]documented{
	"auth.type": {works, "NONE", ""}, "connection.user": {fate: works}, "connection.password": {fate: works}, "bearer.token": {fate: works},
	"oauth2.token.url": {fate: works}, "oauth2.client.id": {fate: works}, "oauth2.client.secret": {fate: works}, "oauth2.client.scope": {works, "any", ""},
	"oauth2.token.property": {refused, "access_token", "id_token"}, "oauth2.client.auth.mode": {works, "header", ""},
	"http.proxy.host": {fate: works}, "http.proxy.port": {fate: works}, "http.proxy.user": {fate: works}, "http.proxy.password": {fate: works},
	"https.ssl.enabled": {warned, "false", "true"}, "https.ssl.protocol": {warned, "TLSv1.3", "TLSv1.3"},
	"https.ssl.keystorefile": {refused, "", "data:xyz"}, "https.ssl.truststorefile": {refused, "", "data:xyz"},
	"https.ssl.keystore.password": {fate: works}, "https.ssl.key.password": {fate: works}, "https.ssl.truststore.password": {fate: works},
	"output.data.format": {warned, "", "JSON_SR"}, "kafka.auth.mode": {warned, "", "KAFKA_API_KEY"}, "kafka.api.key": {warned, "", "k"}, "kafka.api.secret": {warned, "", "s"},
	"kafka.service.account.id": {warned, "", "sa"}, "datapreview.schemas.enable": {warned, "", "true"}, "schema.context.name": {warned, "", "default"}, "sr.service.account.id": {warned, "", "sa"},
	"connection.disallow.local.ips": {warned, "", "false"}, "connection.disallow.private.ips": {warned, "", "false"}, "connection.disallow.class.e.ips": {warned, "", "true"},
	"connection.disallow.cidr.ranges": {warned, "", "x"}, "connection.allow.cidr.ranges": {warned, "", "x"},
}

// requestKeys are of both, in HTTP source V2 below apiN.
var requestKeys = map[string]documented{
	"http.request.method": {works, "GET", ""}, "http.request.headers": {fate: works}, "http.request.headers.separator": {works, "|", ""}, "http.request.sensitive.headers": {fate: works},
	"http.request.parameters": {fate: works}, "http.request.parameters.separator": {works, "&", ""}, "http.request.body": {fate: works},
	"http.initial.offset": {fate: works}, "http.offset.json.pointer": {fate: works}, "http.next.page.json.pointer": {fate: works}, "http.response.data.json.pointer": {fate: works},
	"retry.backoff.ms": {works, "3000", ""}, "retry.on.status.codes": {works, "400-", ""},
}

var v2Keys = map[string]documented{
	"http.api.base.url": {fate: works}, "apis.num": {works, "1", ""}, "behavior.on.error": {works, "FAIL", ""}, "reporter.error.topic.name": {fate: works},
	"api.key.location": {works, "HEADER", ""}, "api.key.name": {works, "X-API-KEY", ""}, "api.key.value": {fate: works},
	"api.chaining.parent.child.relationship": {refused, "", "api1::api2"}, "csfle.enabled": {refused, "false", "true"},
	"oauth2.flow.type": {works, "CLIENT_CREDENTIALS_FLOW", ""}, "oauth2.refresh.token": {fate: works}, "oauth2.client.headers": {fate: works}, "oauth2.client.header.separator": {works, "|", ""},
	"oauth2.jwt.enabled": {refused, "false", "true"}, "oauth2.jwt.keystore.path": {warned, "", "x"}, "oauth2.jwt.keystore.password": {warned, "", "x"}, "oauth2.jwt.keystore.type": {warned, "", "JKS"}, "oauth2.jwt.claimset": {warned, "", "{}"},
	"gcp.credentials.json": {refused, "", "{}"}, "oauth2.auth.endpoint": {warned, "", "http://a"}, "oauth2.query.params": {warned, "", "x"}, "oauth2.auth.button": {warned, "", "x"}, "oauth2.session.id": {warned, "", "x"}, "oauth.config.map": {warned, "", "x"},
	"report.errors.as": {warned, "", "Error string"}, "reporter.bootstrap.servers": {warned, "", "b:9092"}, "reporter.error.topic.replication.factor": {warned, "", "1"},
	"reporter.result.topic.name": {warned, "", "r"}, "reporter.result.topic.replication.factor": {warned, "", "1"}, "reporter.result.topic.value.format": {warned, "", "string"},
}

var v2APIKeys = map[string]documented{
	"http.api.path": {fate: works}, "topics": {fate: works}, "http.offset.mode": {refused, "SIMPLE_INCREMENTING", "SNAPSHOT_PAGINATION"},
	"request.interval.ms": {works, "60000", ""}, "max.retries": {works, "5", ""}, "retry.backoff.policy": {works, "EXPONENTIAL_WITH_JITTER", ""},
	"http.connect.timeout.ms": {works, "30000", ""}, "http.request.timeout.ms": {works, "30000", ""}, "http.path.parameters": {fate: works}, "http.path.parameters.separator": {works, "|", ""},
	"http.response.schema": {refused, "", "{}"}, "http.response.schema.enforce": {refused, "NONE", "STRICT"},
	"enable.cursor.pagination.with.timestamp.mode": {refused, "false", "true"}, "chaining.with.timestamp.mode": {refused, "false", "true"}, "http.offset.json.primary.key.pointer": {refused, "", "/id"},
	"http.timestamp.json.pointer": {warned, "", "/at"}, "initial.start.timestamp.value": {warned, "", "1"}, "initial.end.timestamp.value": {warned, "", "1"}, "timestamp.format": {warned, "", "x"}, "timestamp.interval.format": {warned, "", "Days"},
	"http.timestamp.interval": {warned, "", "1"}, "time.range.request.delay": {warned, "", "1"}, "http.cursor.pagination.parameter.name": {warned, "", "x"}, "http.chaining.pagination.parameter.name": {warned, "", "x"},
	"chaining.with.timestamp.mode.record.ordering": {warned, "", "Global"}, "is.next.page.token.absolute.url": {warned, "", "true"}, "test.api": {warned, "", "false"},
}

var v1Keys = map[string]documented{
	"url": {fate: works}, "entity.names": {fate: works}, "topic.name.pattern": {fate: works}, "http.offset.mode": {works, "SIMPLE_INCREMENTING", ""}, "oauth2.client.mode": {fate: works},
	"request.interval.ms": {works, "15000", ""}, "max.retries": {works, "10", ""}, "use.http.offset.json.pointer.as.string": {warned, "true", "false"},
	"https.ssl.enabled.protocols": {fate: works}, "https.ssl.keystore.type": {works, "JKS", ""}, "https.ssl.keystore.location": {fate: works}, "https.ssl.truststore.type": {works, "JKS", ""}, "https.ssl.truststore.location": {fate: works},
	"https.ssl.endpoint.identification.algorithm": {works, "https", ""}, "https.ssl.keymanager.algorithm": {warned, "", "SunX509"}, "https.ssl.trustmanager.algorithm": {warned, "", "SunX509"}, "https.ssl.secure.random.implementation": {warned, "", "x"},
	"confluent.license": {warned, "", "x"}, "confluent.topic": {warned, "", "_confluent-command"}, "confluent.topic.bootstrap.servers": {warned, "", "b:9092"}, "confluent.topic.replication.factor": {warned, "", "1"},
}

// Every key of the public documentation works, is refused by its name, or is warned about; its default is the documented one; and no key is of our own invention.
func TestKeysOfConfluent(t *testing.T) {
	for _, c := range []struct {
		name   string
		into   func() config.Describer
		props  config.Props
		keys   map[string]documented
		prefix string
		perAPI map[string]documented
	}{
		{name: "V2", into: func() config.Describer { return new(confluent) }, props: config.Props{"http.api.base.url": "http://a.test", "api1.topics": "t"}, keys: v2Keys, prefix: "api1.", perAPI: v2APIKeys},
		{name: "V1", into: func() config.Describer { return new(confluentV1) }, props: config.Props{"url": "http://a.test", "topic.name.pattern": "t"}, keys: v1Keys},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := maps.Clone(sharedKeys)
			maps.Copy(all, c.keys)
			for _, keys := range []map[string]documented{requestKeys, c.perAPI} {
				for key, k := range keys {
					all[c.prefix+key] = k
				}
			}
			declared := map[string]config.KeyInfo{}
			for _, v := range config.Validate(t.Context(), c.props.Merge(config.Props{"validate.requests": "false"}), c.into()).Configs {
				if v.Definition != nil {
					declared[v.Definition.Name] = *v.Definition
				}
			}
			for key, want := range all {
				checkKey(t, key, want, declared, c.props, c.into)
			}
			for key := range declared {
				if _, ok := all[key]; !ok && key != "validate.requests" && !strings.HasPrefix(key, "https.ssl.") {
					t.Errorf("%s is declared, and stands in no documentation", key)
				}
			}
		})
	}
}

func checkKey(t *testing.T, key string, want documented, declared map[string]config.KeyInfo, props config.Props, into func() config.Describer) {
	t.Helper()
	k, ok := declared[key]
	if !assert.True(t, ok, "%s is not declared", key) {
		return
	}
	if want.def != "" {
		if assert.NotNil(t, k.Default, key) {
			assert.Equal(t, want.def, *k.Default, "default of %s", key)
		}
	}
	given := props.Merge(config.Props{key: want.value})
	names := func() (wrong, ignored []string) {
		keys, _ := config.KeyErrors(config.Decode(given, into()))
		for _, k := range keys {
			wrong = append(wrong, k.Key)
		}
		for _, k := range config.Ignored(given, into()) {
			ignored = append(ignored, k.Key)
		}
		return wrong, ignored
	}
	switch want.fate {
	case works:
		assert.Empty(t, config.Ignored(props.Merge(config.Props{key: "x"}), into()), key)
	case refused:
		wrong, _ := names()
		assert.Contains(t, wrong, key)
	case warned:
		wrong, ignored := names()
		assert.Empty(t, wrong, key)
		assert.Equal(t, []string{key}, ignored)
	}
}

// Every key of castorm's definition is declared, with its default; those of the framework are the engine's.
func TestKeysOfCastorm(t *testing.T) {
	f, err := os.Open("testdata/castorm-http.keys.jsonl")
	require.NoError(t, err)
	defer func() { _ = f.Close() }() // read only
	own := map[string]config.KeyInfo{}
	for _, k := range config.Keys(new(castorm)) {
		own[k.Name] = k
	}
	reference, err := os.ReadFile("../../docs/reference/source-connectors.md")
	require.NoError(t, err)
	n, framework := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var k struct {
			Name    string `json:"name"`
			Default string `json:"default_value"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &k))
		if !strings.HasPrefix(k.Name, "http.") {
			framework++
			assert.Contains(t, string(reference), "`"+k.Name+"`", "of the framework")
			continue
		}
		n++
		if assert.Contains(t, own, k.Name) && k.Default != "" {
			require.NotNil(t, own[k.Name].Default, k.Name)
			assert.Equal(t, k.Default, *own[k.Name].Default, k.Name)
		}
	}
	assert.Equal(t, []int{7, 24}, []int{n, framework})
}

// castormKeys are those of its classes, from its source.
func castormKeys() map[string]documented {
	own := func(class string) documented { return documented{refused, castormPackage + class, "org.example.Own"} }
	return map[string]documented{
		"http.request.url": {fate: works}, "http.request.method": {works, "GET", ""}, "http.request.headers": {fate: works}, "http.request.params": {fate: works}, "http.request.body": {fate: works}, "kafka.topic": {fate: works},
		"http.offset.initial": {fate: works}, "http.response.list.pointer": {works, "/", ""}, "http.response.record.pointer": {refused, "/", "/value"}, "http.response.record.key.pointer": {fate: works},
		"http.response.record.offset.pointer": {fate: works}, "http.response.record.timestamp.pointer": {fate: works},
		"http.response.policy.codes.process": {refused, "200..299", "200..404"}, "http.response.policy.codes.skip": {works, "300..399", ""}, "http.response.list.order.direction": {refused, "IMPLICIT", "DESC"},
		"http.auth.type": {works, "NONE", ""}, "http.auth.user": {fate: works}, "http.auth.password": {fate: works},
		"http.timer.interval.millis": {works, "60000", ""}, "http.timer.catchup.interval.millis": {works, "30000", ""},
		"http.throttler.interval.millis": {warned, "60000", "1"}, "http.throttler.catchup.interval.millis": {warned, "30000", "1"}, // they work, and are deprecated
		"http.client.connection.timeout.millis": {works, "2000", ""}, "http.client.read.timeout.millis": {works, "2000", ""}, "http.client.ttl.millis": {warned, "300000", "1"}, "http.client.max-idle": {warned, "1", "5"},
		"http.client.proxy.host": {fate: works}, "http.client.proxy.port": {works, "3128", ""}, "http.client.proxy.username": {fate: works}, "http.client.proxy.password": {fate: works},
		"http.client.keystore": {refused, "", "/a.p12"}, "http.client.keystore.password": {warned, "", "x"},
		"http.response.record.timestamp.parser.pattern": {refused, "yyyy-MM-dd'T'HH:mm:ss[.SSS]X", "yyyy"}, "http.response.record.timestamp.parser.zone": {refused, "UTC", "Europe/Zurich"}, "http.response.record.timestamp.parser.regex": {refused, ".*", "x.*"},
		"http.timer": own("timer.AdaptableIntervalTimer"), "http.client": own("http.client.okhttp.OkHttpClient"), "http.request.factory": own("http.request.template.TemplateHttpRequestFactory"),
		"http.request.template.factory": own("http.request.template.freemarker.BackwardsCompatibleFreeMarkerTemplateFactory"), "http.auth": own("http.auth.ConfigurableHttpAuthenticator"),
		"http.response.parser": own("http.response.PolicyHttpResponseParser"), "http.response.policy": own("http.response.StatusCodeHttpResponsePolicy"), "http.response.policy.parser": own("http.response.KvHttpResponseParser"),
		"http.response.record.parser": own("http.response.jackson.JacksonKvRecordHttpResponseParser"), "http.response.record.mapper": own("http.record.SchemedKvSourceRecordMapper"),
		"http.response.record.timestamp.parser": own("http.response.timestamp.EpochMillisOrDelegateTimestampParser"), "http.response.record.timestamp.parser.delegate": own("http.response.timestamp.DateTimeFormatterTimestampParser"),
		"http.record.sorter": own("http.record.OrderDirectionSourceRecordSorter"), "http.record.filter.factory": own("http.record.OffsetRecordFilterFactory"),
	}
}

// Every key of castorm's classes works, is refused by its name, or is warned about, and its default is castorm's.
func TestKeysOfCastormsClasses(t *testing.T) {
	declared := map[string]config.KeyInfo{}
	for _, k := range config.Keys(new(castorm)) {
		declared[k.Name] = k
	}
	keys := castormKeys()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		checkKey(t, key, keys[key], declared, config.Props{"http.request.url": "http://a.test/", "kafka.topic": "t"}, func() config.Describer { return new(castorm) })
	}
	for key := range declared {
		if _, ok := keys[key]; !ok && key != "validate.requests" {
			t.Errorf("%s is declared, and is none of castorm's", key)
		}
	}
}
