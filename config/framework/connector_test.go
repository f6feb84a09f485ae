package framework_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/javaregex"
)

func TestSourceConfigReads(t *testing.T) {
	c := framework.SourceConnectorConfig{}
	c.Plugins = goldenPlugins()
	p := config.Props{
		"name": " n ", "connector.class": fileSource, "transforms": "a", "transforms.a.type": "Cast$Value",
		"transforms.a.spec": "x:int8,y:string", "transforms.a.predicate": "p", "transforms.a.negate": "true",
		"predicates": "p", "predicates.p.type": "TopicNameMatches", "predicates.p.pattern": "x.*",
		"errors.retry.timeout": "-1", "transaction.boundary": "Interval", "transaction.boundary.interval.ms": "0",
		"producer.override.acks": "1", "key.converter": "JsonConverter", "key.converter.schemas.enable": "false",
		"topic.creation.default.partitions": "1", "file": "f", "topic": "t",
	}
	p["transforms.a.type"] = "org.apache.kafka.connect.transforms.Cast$Value"
	require.NoError(t, config.Decode(p, &c))
	assert.Equal(t, "n", c.Name)
	require.Len(t, c.Transforms, 1)
	tr := c.Transforms[0]
	assert.Equal(t, "p", tr.Applies)
	assert.True(t, tr.Negate)
	assert.Equal(t, []string{"x:int8", "y:string"}, tr.Config.(*castConfig).spec)
	require.Len(t, c.Predicates, 1)
	assert.Equal(t, "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", c.Predicates[0].Type.Class)
	assert.Equal(t, -time.Millisecond, c.ErrorsRetryTimeout)
	assert.Equal(t, framework.BoundaryInterval, c.TransactionBoundary)
	assert.True(t, c.TransactionBoundaryIntervalGiven)
	assert.Equal(t, config.Props{"acks": "1"}, c.ProducerOverride)
	assert.Equal(t, config.Props{"schemas.enable": "false"}, c.KeyConverter.Config)

	unknown := config.Unknown(p.Merge(config.Props{"tasks.maks": "1"}), &framework.SourceConnectorConfig{ConnectorConfig: framework.ConnectorConfig{Plugins: goldenPlugins()}},
		&fileConfig{source: true})
	assert.Equal(t, []config.UnknownKey{{Key: "tasks.maks", Nearest: "tasks.max"}}, unknown)

	out := config.Encode(&c)
	assert.Equal(t, "x:int8,y:string", out["transforms.a.spec"])
	assert.Equal(t, "false", out["key.converter.schemas.enable"])
	assert.Equal(t, "0", out["transaction.boundary.interval.ms"])
	var again framework.SourceConnectorConfig
	again.Plugins = c.Plugins
	require.NoError(t, config.Decode(out, &again))
	assert.Equal(t, out, config.Encode(&again))
}

func TestConfigWithoutPlugins(t *testing.T) {
	var c framework.SinkConnectorConfig
	require.NoError(t, config.Decode(config.Props{"name": "n", "connector.class": "C", "topics": "t", "transforms": "a",
		"transforms.a.type": "T", "transforms.a.x": "1", "transforms.a.predicate": "p"}, &c))
	assert.Equal(t, "T", c.Transforms[0].Type.Class)
	assert.Equal(t, config.Props{"x": "1"}, c.Transforms[0].Type.Config)
	assert.Equal(t, "p", c.Transforms[0].Applies)
	err := config.Decode(config.Props{"name": "n", "connector.class": "C", "topics": "t", "transforms": "a"}, &c)
	require.ErrorIs(t, err, config.ErrMissing)
}

func TestSubscription(t *testing.T) {
	decode := func(p config.Props) *framework.SinkConnectorConfig {
		var c framework.SinkConnectorConfig
		require.NoError(t, config.Decode(config.Props{"name": "n", "connector.class": "C"}.Merge(p), &c))
		return &c
	}
	topics, pattern, err := decode(config.Props{"topics": "a,b"}).Subscription()
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, topics)
	assert.False(t, pattern.MatchString("a"))
	topics, pattern, err = decode(config.Props{"topics.regex": "a|b.*"}).Subscription()
	require.NoError(t, err)
	assert.Empty(t, topics)
	for name, want := range map[string]bool{"a": true, "bx": true, "ax": false, "xa": false, "": false, "b\n": false} {
		assert.Equal(t, want, pattern.MatchString(name), name)
	}
	assert.Equal(t, "a|b.*", pattern.String())
}

func TestCompilePattern(t *testing.T) {
	for _, bad := range []string{"[", "a)(b", "a**", "(?<n>a)(?<n>b)"} {
		_, err := framework.CompilePattern("topics.regex", bad)
		var ke *config.KeyError
		require.ErrorAs(t, err, &ke, bad)
		assert.Equal(t, "topics.regex", ke.Key)
		assert.ErrorContains(t, err, "Invalid value "+bad+" for configuration topics.regex: Invalid regex")
	}
}

func TestPatternsAreJavas(t *testing.T) {
	p, err := framework.CompilePattern("topics.regex", `(?!_)[\w&&[^\d]]++`)
	require.NoError(t, err)
	for name, want := range map[string]bool{"orders": true, "_internal": false, "orders1": false} {
		ok, err := p.Match(name)
		require.NoError(t, err)
		assert.Equal(t, want, ok, name)
	}
	p, err = framework.CompilePattern("topics.regex", `(a|aa)+(?!c)b`)
	require.NoError(t, err)
	_, err = p.Match(strings.Repeat("a", 249))
	assert.ErrorIs(t, err, javaregex.ErrTooComplex)
	assert.False(t, p.MatchString(strings.Repeat("a", 249)))
	assert.ErrorContains(t, err, "(a|aa)+(?!c)b")
}

func TestTopicRules(t *testing.T) {
	rules := func(p config.Props) (*framework.SourceConnectorConfig, error) {
		var c framework.SourceConnectorConfig
		return &c, config.Decode(config.Props{"name": "n", "connector.class": "C"}.Merge(p), &c)
	}
	c, err := rules(config.Props{
		"topic.creation.groups": "logs, default, rest", "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "-1",
		"topic.creation.default.include": "nothing", "topic.creation.default.retention.ms": "5",
		"topic.creation.logs.include": "log-.*,audit", "topic.creation.logs.exclude": "log-x", "topic.creation.logs.partitions": "9",
		"topic.creation.logs.cleanup.policy": "compact", "topic.creation.rest.include": "log-.*",
	})
	require.NoError(t, err)
	r, err := c.TopicRules()
	require.NoError(t, err)
	for name, want := range map[string]string{"log-a": "logs", "audit": "logs", "audits": "default", "log-x": "rest", "other": "default"} {
		topic, ok := r.For(name)
		require.True(t, ok)
		assert.Equal(t, want, topic.Group, name)
	}
	topic, _ := r.For("log-a")
	assert.Equal(t, int32(9), topic.Partitions)
	assert.Equal(t, int16(-1), topic.ReplicationFactor, "the default group's")
	assert.Equal(t, map[string]string{"cleanup.policy": "compact"}, topic.Configs)
	topic, _ = r.For("other")
	assert.Equal(t, map[string]string{"retention.ms": "5"}, topic.Configs)

	c, err = rules(nil)
	require.NoError(t, err)
	assert.False(t, c.CreatesTopics())
	r, err = c.TopicRules()
	require.NoError(t, err)
	_, ok := r.For("x")
	assert.False(t, ok)

	for key, value := range map[string]string{"topic.creation.default.partitions": "0", "topic.creation.default.replication.factor": "x",
		"topic.creation.g.include": "[", "topic.creation.g.partitions": "-2"} {
		c, err = rules(config.Props{"topic.creation.groups": "g", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1", key: value})
		require.NoError(t, err, "a validation passes, as in Java")
		_, err = c.TopicRules()
		require.ErrorContains(t, err, key)
	}
	c, err = rules(config.Props{"topic.creation.default.partitions": "1"})
	require.NoError(t, err)
	_, err = c.TopicRules()
	require.ErrorIs(t, err, config.ErrMissing)
	require.ErrorContains(t, err, "topic.creation.default.replication.factor")
}

func TestPluginsFind(t *testing.T) {
	ps := framework.Plugins{
		{Kind: framework.Converter, Class: "a.Json", Aliases: []string{"Json"}, Version: "1.0"},
		{Kind: framework.Converter, Class: "a.Json", Aliases: []string{"Json"}, Version: "1.10"},
		{Kind: framework.Converter, Class: "a.Json", Aliases: []string{"Json"}, Version: "1.9"},
		{Kind: framework.Transformation, Class: "a.T", Version: "1"},
	}
	tests := []struct{ name, version, want, err string }{
		{"Json", "", "1.10", ""},
		{"a.Json", "[1.0,1.10)", "1.9", ""},
		{"Json", "1.0", "1.0", ""},
		{"Json", "latest", "1.10", ""},
		{"Json", "3", "", "Plugin a.Json not found that matches the version range [3,3], available versions: [1.0, 1.9, 1.10]"},
		{"Json", "[x", "", "Invalid version specification: [x"},
		{"Nope", "", "", "Class Nope could not be found."},
		{"a.T", "", "", "Class a.T does not implement the Converter interface"},
	}
	for _, tt := range tests {
		got, err := ps.Find(framework.Converter, tt.name, tt.version)
		if tt.err != "" {
			require.EqualError(t, err, tt.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.want, got.Version)
	}
	assert.Equal(t, []string{"a.Json"}, ps.Classes(framework.Converter))
}

func TestVersionRanges(t *testing.T) {
	tests := []struct {
		text    string
		in, out []string
	}{
		{"1.5", []string{"1.5", "1.5.0"}, []string{"1.5.1", "1.4"}},
		{"[1.0,2.0)", []string{"1.0", "1.99"}, []string{"0.9", "2.0", "1.0-rc1"}},
		{"(1.0,)", []string{"1.0.1", "9"}, []string{"1.0"}},
		{"(,2]", []string{"0", "2.0"}, []string{"2.1"}},
		{"[1,2),[3,4]", []string{"1.5", "4"}, []string{"2", "2.5"}},
		{"[1.2]", []string{"1.2"}, []string{"1.3"}},
		{"", []string{"1"}, nil},
	}
	for _, tt := range tests {
		r, err := framework.ParseVersionRange(tt.text)
		require.NoError(t, err, tt.text)
		for _, v := range tt.in {
			assert.True(t, r.Contains(v), "%s in %s", v, tt.text)
		}
		for _, v := range tt.out {
			assert.False(t, r.Contains(v), "%s in %s", v, tt.text)
		}
	}
	for _, bad := range []string{"[1", "1]", "[1,2", "[2,1]", "(1)", "[]", "[1,2,3]", "[[1,2]]"} {
		_, err := framework.ParseVersionRange(bad)
		assert.Error(t, err, bad)
	}
}

func TestCompareVersionsIsAnOrder(t *testing.T) {
	ordered := []string{"1-alpha", "1-beta", "1-rc1", "1-rc2", "1-SNAPSHOT", "1", "1-sp", "1.0.1", "1.9", "1.10", "2", "10"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			assert.Equal(t, want, framework.CompareVersions(a, b), "%s and %s", a, b)
		}
	}
	assert.Zero(t, framework.CompareVersions("1.0", "1"))
	assert.Zero(t, framework.CompareVersions("", "0"))
}

func FuzzVersionRange(f *testing.F) {
	f.Add("[1,2)", "1.5")
	f.Add("latest", "x")
	f.Fuzz(func(t *testing.T, text, version string) {
		r, err := framework.ParseVersionRange(text)
		if err != nil {
			return
		}
		again, err := framework.ParseVersionRange(r.String())
		if err != nil || again.Contains(version) != r.Contains(version) {
			t.Fatalf("%q printed as %q: %v", text, r, err)
		}
		if framework.CompareVersions(version, version) != 0 {
			t.Fatalf("%q differs from itself", version)
		}
	})
}

// The keys of dead letters of sources are ours: answers do not show them unless
// they are used.
func TestSourceDeadLetters(t *testing.T) {
	const prefix = "streamlane.errors.deadletterqueue."
	base := config.Props{"name": "n", "connector.class": "FileStreamSource", "topic": "t"}
	decode := func(more config.Props) (framework.SourceConnectorConfig, error) {
		var c framework.SourceConnectorConfig
		return c, config.Decode(base.Merge(more), &c)
	}
	c, err := decode(nil)
	require.NoError(t, err)
	assert.Zero(t, c.DeadLetters)
	c, err = decode(config.Props{prefix + "topic.name": "letters"})
	require.NoError(t, err)
	assert.Equal(t, framework.SourceDeadLetters{Topic: "letters", ReplicationFactor: 3, ContextHeaders: true}, c.DeadLetters)
	c, err = decode(config.Props{prefix + "topic.name": "l", prefix + "topic.replication.factor": "-1", prefix + "context.headers.enable": "false"})
	require.NoError(t, err)
	assert.Equal(t, framework.SourceDeadLetters{Topic: "l", ReplicationFactor: -1}, c.DeadLetters)
	_, err = decode(config.Props{prefix + "topic.replication.factor": "x"})
	assert.ErrorContains(t, err, prefix+"topic.replication.factor")

	answer := func(policy string, more config.Props) config.Result {
		p, err := framework.ParseOverridePolicy(policy, nil)
		require.NoError(t, err)
		return framework.Validate(t.Context(), framework.Request{Props: base.Merge(more), Source: true, Connector: &fileConfig{source: true}, Policy: p})
	}
	res := answer("All", nil)
	assert.Nil(t, res.Find(prefix+"topic.name"))
	override := config.Props{"admin.override.retries": "7"}
	res = answer("None", override)
	assert.Zero(t, res.ErrorCount, "the connector has no use for an admin client")
	res = answer("None", override.Merge(config.Props{prefix + "topic.name": "l"}))
	assert.NotNil(t, res.Find(prefix+"context.headers.enable"))
	require.Equal(t, 1, res.ErrorCount)
	assert.Contains(t, res.Find("admin.override.retries").Value.Errors[0], "'None' policy")
	assert.Empty(t, config.Unknown(config.Props{prefix + "topic.name": "l"}, &framework.SourceConnectorConfig{}))
}
