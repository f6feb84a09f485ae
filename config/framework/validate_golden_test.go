package framework_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

const (
	fileSource = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	fileSink   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// fileConfig declares the keys of the file connectors.
type fileConfig struct {
	source      bool
	file, topic string
	batch       int
}

func (c *fileConfig) Describe(d *config.Def) {
	config.String(d, &c.file, "file").Optional().Importance(config.High).Doc("File.")
	if c.source {
		config.String(d, &c.topic, "topic").Importance(config.High).Check(config.NonEmpty()).Doc("Topic.")
		config.Int(d, &c.batch, "batch.size").Default(2000).Doc("Lines a poll.")
	}
}

// castConfig, regexRouterConfig and the others have the keys of Kafka's plugins.
type castConfig struct {
	spec    []string
	replace bool
}

func (c *castConfig) Describe(d *config.Def) {
	config.List(d, &c.spec, "spec").Importance(config.High).Doc("Casts.")
	config.Bool(d, &c.replace, "replace.null.with.default").Default(true).Importance(config.Medium).Doc("Nulls.")
}

func describer(describe func(d *config.Def)) func() config.Describer {
	return func() config.Describer { return config.DescriberFunc(describe) }
}

func required(keys ...string) func() config.Describer {
	return describer(func(d *config.Def) {
		for _, k := range keys {
			config.String(d, new(string), k).Importance(config.High).Doc("Required.")
		}
	})
}

// goldenPlugins are those that the recorded requests name.
func goldenPlugins() framework.Plugins {
	none := describer(func(*config.Def) {})
	json := describer(func(d *config.Def) {
		config.Enum(d, new(string), "converter.type", "key", "value", "header").Doc("Use.")
		config.Bool(d, new(bool), "schemas.enable").Default(true).Importance(config.High).Group("Schemas", 0).Width(config.MediumWidth).DisplayName("Enable Schemas").Doc("Schemas.")
		config.Int(d, new(int), "schemas.cache.size").Default(1000).Importance(config.High).Group("Schemas", 1).Width(config.MediumWidth).DisplayName("Schema Cache Size").Doc("Cache.")
		config.String(d, new(string), "schema.content").Optional().Importance(config.High).Group("Schemas", 2).Width(config.MediumWidth).DisplayName("Schema Content").Doc("Schema.")
		config.EnumFold(d, new(string), "decimal.format", "NUMERIC", "BASE64").Default("BASE64").Group("Serialization", 0).Width(config.MediumWidth).DisplayName("Decimal Format").Doc("Decimals.")
		config.Bool(d, new(bool), "replace.null.with.default").Default(true).Group("Serialization", 1).Width(config.MediumWidth).DisplayName("Replace null with default").Doc("Nulls.")
	})
	text := describer(func(d *config.Def) {
		config.Enum(d, new(string), "converter.type", "key", "value", "header").Doc("Use.")
		config.String(d, new(string), "converter.encoding").Default("UTF-8").Importance(config.High).Doc("Encoding.")
	})
	pattern := describer(func(d *config.Def) {
		config.String(d, new(string), "pattern").Importance(config.Medium).Check(config.Regexp()).Doc("Pattern.")
	})
	var ps framework.Plugins
	add := func(kind framework.Kind, class string, cfg func() config.Describer, aliases ...string) {
		simple := class[strings.LastIndexByte(class, '.')+1:]
		ps = append(ps, framework.PluginInfo{Kind: kind, Class: class, Aliases: append(aliases, simple), Version: "4.3.1", Config: cfg})
	}
	add(framework.Connector, fileSource, describer((&fileConfig{source: true}).Describe), "FileStreamSource")
	add(framework.Connector, fileSink, describer(new(fileConfig).Describe), "FileStreamSink")
	for _, kind := range []framework.Kind{framework.Converter, framework.HeaderConverter} {
		add(kind, "org.apache.kafka.connect.json.JsonConverter", json)
		add(kind, "org.apache.kafka.connect.storage.StringConverter", text)
	}
	add(framework.HeaderConverter, "org.apache.kafka.connect.storage.SimpleHeaderConverter", none)
	add(framework.Transformation, "org.apache.kafka.connect.transforms.Cast$Value", func() config.Describer { return new(castConfig) })
	add(framework.Transformation, "org.apache.kafka.connect.transforms.RegexRouter", required("regex", "replacement"))
	add(framework.Transformation, "org.apache.kafka.connect.transforms.Filter", none)
	add(framework.Predicate, "org.apache.kafka.connect.transforms.predicates.HasHeaderKey", required("name"))
	add(framework.Predicate, "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", none)
	add(framework.Predicate, "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", pattern)
	return ps
}

// exchange is a recorded request and its answer.
type exchange struct {
	Seq      int
	Worker   string
	Note     string
	Body     config.Props
	Response struct {
		Name       string
		ErrorCount int `json:"error_count"`
		Groups     []string
		Configs    []struct {
			Definition *json.RawMessage
			Value      config.ValueInfo
		}
	}
}

func (e exchange) id() string {
	return strings.TrimPrefix(e.Worker+"/", "/") + strings.TrimSpace(e.Note)
}

// otherAnswers are the recorded answers that ours differ from on purpose.
var otherAnswers = map[int]string{
	143: "Java writes the class as class x.y.Filter",
	144: "abstract Java classes do not exist here: not found",
	150: "Java counts a converter of two kinds twice",
	153: "Java leaves out keys of sources and sinks when it has no connector",
	160: "abstract Java classes do not exist here: not found",
	161: "the second error is one of Cast itself",
	162: "the error is one of Cast itself",
	179: "text of the regular expression's error",
	218: "text of the regular expression's error",
}

func TestValidationAnswersAreThoseOfJava(t *testing.T) {
	plugins := goldenPlugins()
	compared := 0
	lines := eachLine(t, "validate.jsonl", func(e exchange) {
		if _, other := otherAnswers[e.Seq]; other && e.Worker == "" {
			return
		}
		compared++
		got := framework.Validate(t.Context(), requestOf(t, e, plugins))
		compareAnswer(t, e, got)
	})
	require.Equal(t, 146, lines)
	require.Equal(t, lines-len(otherAnswers), compared)
}

func requestOf(t *testing.T, e exchange, plugins framework.Plugins) framework.Request {
	t.Helper()
	connector, err := plugins.Find(framework.Connector, e.Body["connector.class"], "")
	require.NoError(t, err)
	name, list, _ := strings.Cut(strings.TrimPrefix(e.Worker, "policy-"), "-")
	if !strings.HasPrefix(e.Worker, "policy-") {
		name = "All"
	}
	var allowed []string
	if list == "set" {
		allowed = []string{"acks", "max.poll.records"}
	}
	policy, err := framework.ParseOverridePolicy(name, allowed)
	require.NoError(t, err)
	props := e.Body
	return framework.Request{
		Props: props, Source: connector.Class == fileSource, Connector: connector.Config(), Plugins: plugins, Policy: policy,
		GroupID: "connect-cluster", ExactlyOnceEnabled: e.Worker == "eos",
		// The file source supports exactly-once, without boundaries of its own.
		ExactlyOnce: func() (bool, bool) { return true, false },
		Defaults: config.Props{
			"key.converter":    "org.apache.kafka.connect.json.JsonConverter",
			"value.converter":  "org.apache.kafka.connect.json.JsonConverter",
			"header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
		},
	}
}

func compareAnswer(t *testing.T, e exchange, got config.Result) {
	t.Helper()
	want := e.Response
	assert.Equal(t, want.Name, got.Name, "%d %s: name", e.Seq, e.id())
	assert.Equal(t, want.ErrorCount, got.ErrorCount, "%d %s: errors", e.Seq, e.id())
	assert.ElementsMatch(t, want.Groups, got.Groups, "%d %s: groups", e.Seq, e.id())
	var wantOrder, gotOrder []string
	for _, c := range want.Configs {
		v := got.Find(c.Value.Name)
		if !assert.NotNil(t, v, "%d %s: no %s", e.Seq, e.id(), c.Value.Name) {
			continue
		}
		wantOrder = append(wantOrder, c.Value.Name)
		if c.Definition == nil && strings.Contains(c.Value.Name, ".override.") {
			continue // Java lists the group twice: with its errors, and with its policy
		}
		assert.Equal(t, c.Value.Value, v.Value.Value, "%d %s: value of %s", e.Seq, e.id(), c.Value.Name)
		assert.Equal(t, c.Value.Errors, v.Value.Errors, "%d %s: errors of %s", e.Seq, e.id(), c.Value.Name)
		compareDefinition(t, e, c.Definition, v.Definition)
	}
	for _, c := range got.Configs {
		gotOrder = append(gotOrder, c.Value.Name)
	}
	assert.Equal(t, ordered(wantOrder), ordered(gotOrder), "%d %s: order", e.Seq, e.id())
}

// ordered leaves out the keys whose order is that of a Java hash map: those of
// converters and overrides.
func ordered(names []string) []string {
	return slices.DeleteFunc(names, func(n string) bool {
		prefix, rest, _ := strings.Cut(n, ".converter.")
		return strings.Contains(n, ".override.") || rest != "" && rest != "plugin.version" && prefix != ""
	})
}

// compareDefinition compares what the recording kept of a definition. Overrides
// have none here.
func compareDefinition(t *testing.T, e exchange, want *json.RawMessage, got *config.KeyInfo) {
	t.Helper()
	if want == nil || got == nil {
		return
	}
	var w, g map[string]any
	require.NoError(t, json.Unmarshal(*want, &w))
	b, err := json.Marshal(got)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &g))
	for k := range w {
		assert.Equal(t, w[k], g[k], "%d %s: %s of the definition of %s", e.Seq, e.id(), k, got.Name)
	}
}

func TestValidateWhatTheGoldenAnswersDoNotShow(t *testing.T) {
	plugins := goldenPlugins()
	base := config.Props{"name": "v", "connector.class": "FileStreamSink", "topics": "t"}
	tests := []struct {
		name   string
		change func(*framework.Request)
		props  config.Props
		key    string
		want   string
	}{
		{"group of the workers", nil, config.Props{"name": "x", "consumer.override.group.id": "connect-cluster"},
			"consumer.override.group.id", "Consumer group connect-cluster conflicts with Connect worker group connect-cluster"},
		{"derived group", func(r *framework.Request) { r.GroupID = "connect-v" }, nil, "name",
			"Consumer group connect-v conflicts with Connect worker group connect-v"},
		{"group by worker default", func(r *framework.Request) { r.WorkerConsumer = config.Props{"group.id": "connect-cluster"} }, nil, "name",
			"Consumer group connect-cluster conflicts with Connect worker group connect-cluster"},
		{"bad regex", nil, config.Props{"topics": "", "topics.regex": "["}, "topics.regex",
			"Invalid value [ for configuration topics.regex: Invalid regex: "},
		{"other kind", nil, config.Props{"key.converter": "Filter"}, "key.converter",
			"Class org.apache.kafka.connect.transforms.Filter does not implement the Converter interface"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := framework.Request{Props: base.Merge(tt.props), Connector: new(fileConfig), Plugins: plugins, GroupID: "connect-cluster"}
			if tt.change != nil {
				tt.change(&r)
			}
			res := framework.Validate(t.Context(), r)
			require.Equal(t, 1, res.ErrorCount)
			require.Len(t, res.Find(tt.key).Value.Errors, 1)
			assert.Contains(t, res.Find(tt.key).Value.Errors[0], tt.want)
		})
	}
}

func TestValidateExactlyOnce(t *testing.T) {
	says := func(s, b bool) func() (bool, bool) { return func() (bool, bool) { return s, b } }
	tests := []struct {
		name     string
		enabled  bool
		promises func() (bool, bool)
		props    config.Props
		errors   int
	}{
		{"not enabled", false, says(true, true), config.Props{"exactly.once.support": "required"}, 1},
		{"supported", true, says(true, true), config.Props{"exactly.once.support": "Required"}, 0},
		{"not supported", true, says(false, true), config.Props{"exactly.once.support": "required"}, 1},
		{"says nothing", true, nil, config.Props{"exactly.once.support": "required", "transaction.boundary": "connector"}, 2},
		{"own boundaries", true, says(true, true), config.Props{"transaction.boundary": "CONNECTOR"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := framework.Request{Source: true, GroupID: "g", ExactlyOnceEnabled: tt.enabled, ExactlyOnce: tt.promises,
				Props: config.Props{"name": "v", "connector.class": "x"}.Merge(tt.props)}
			assert.Equal(t, tt.errors, framework.Validate(t.Context(), r).ErrorCount)
			r.GroupID = ""
			assert.Zero(t, framework.Validate(t.Context(), r).ErrorCount, "standalone workers do not look")
		})
	}
}

// probeConfig is a connector that tries its configuration.
type probeConfig struct {
	fileConfig
	err   error
	tried int
}

func (c *probeConfig) Probe(_ context.Context) error {
	c.tried++
	return c.err
}

func TestValidateProbes(t *testing.T) {
	props := config.Props{"name": "v", "connector.class": "FileStreamSink", "topics": "t"}
	c := &probeConfig{err: config.Errorf("file", "%w", errors.New("no such file"))}
	res := framework.Validate(t.Context(), framework.Request{Props: props, Connector: c})
	assert.Equal(t, 1, c.tried)
	assert.Equal(t, []string{"no such file"}, res.Find("file").Value.Errors)
	assert.Equal(t, 1, res.ErrorCount)

	res = framework.Validate(config.Probing(t.Context(), false), framework.Request{Props: props, Connector: c})
	assert.Zero(t, res.ErrorCount, "a worker that starts does not ask")
	assert.Equal(t, 1, c.tried)
}
