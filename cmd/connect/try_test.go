package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/trial"
)

const trySink = `{"name": "orders", "connector.class": "FileStreamSink", "file": "never-made.txt", "topics": "orders,other",
"value.converter": "JsonConverter", "value.converter.schemas.enable": "false",
"transforms": "add,route", "transforms.add.type": "InsertField$Value", "transforms.add.static.field": "f", "transforms.add.static.value": "v",
"transforms.route.type": "RegexRouter", "transforms.route.regex": "ord(.*)", "transforms.route.replacement": "$1",
"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead"}`

func TestTrySinkShowsEachStep(t *testing.T) {
	dir := t.TempDir()
	config := write(t, dir, "sink.json", trySink)
	samples := write(t, dir, "samples.jsonl", `{"key":"k1","value":{"a":1,"b":{"c":[1,2]}},"headers":[{"key":"h","value":"12"}],"timestamp":1700000000000}

{"topic":"other","partition":3,"offset":9,"key":"k2","value":"not json"}
`)
	code, stdout, stderr := runToEnd(t, "try", "--samples", samples, config)
	assert.Equal(t, exitSample, code)
	assert.Equal(t, "connect try: 1 of 2 samples fail\n", stderr)
	assert.Equal(t, `sample 1: orders-0@0
      bytes key    "k1"
      bytes value  "{\"a\":1,\"b\":{\"c\":[1,2]}}"
      bytes header h "12"
  KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
    + key          STRING "k1"
  VALUE_CONVERTER: JsonConverter
    + value.a      INT64 1
    + value.b.c    ARRAY [1, 2]
  HEADER_CONVERTER: org.apache.kafka.connect.storage.SimpleHeaderConverter
    + header h     INT8 12
  TRANSFORMATION add: InsertField$Value
    + value.f      STRING "v"
  TRANSFORMATION route: RegexRouter
    - topic        orders
    + topic        ers
  put

sample 2: other-3@9
      bytes key    "k2"
      bytes value  "not json"
  KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
    + key          STRING "k2"
  VALUE_CONVERTER: JsonConverter
    ! Converting byte[] to Kafka Connect data failed due to serialization error: found 'n' where null should be at byte 0
  failed; errors.tolerance=all lets it go with a dead letter in dead

orders: 2 samples, 1 put, 1 failed
`, stdout)
	assert.NoFileExists(t, "never-made.txt")
}

func TestTrySourceShowsBytes(t *testing.T) {
	dir := t.TempDir()
	config := write(t, dir, "source.properties", "name=lines\nconnector.class=FileStreamSource\nfile=x\ntopic=t\n"+
		"transforms=add\ntransforms.add.type=InsertField$Value\ntransforms.add.static.field=f\ntransforms.add.static.value=v\n")
	worker := write(t, dir, "worker.properties", "bootstrap.servers=localhost:1\nkey.converter=StringConverter\nvalue.converter=JsonConverter\n")
	s := begin(t, `{"topic":"t","partition":2,"timestamp":5,"key":"k","value":{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":{"a":7}},
"headers":[{"key":"h","value":true}],"sourcePartition":{"filename":"x"},"sourceOffset":{"position":5}}`, "try", "--worker", worker, "--samples", "-", config)
	assert.Equal(t, 1, s.wait(false), "a sample is one line")
	assert.Contains(t, s.stderr.String(), "-: line 1: unexpected EOF")

	s = begin(t, `{"topic":"t","partition":2,"timestamp":5,"key":"k","value":{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":{"a":7}},"headers":[{"key":"h","value":true}],"sourcePartition":{"filename":"x"},"sourceOffset":{"position":5}}`,
		"try", "--worker", worker, "--samples", "-", config)
	assert.Equal(t, 0, s.wait(false))
	assert.Equal(t, `sample 1: source partition {"filename":"x"}, source offset {"position":5}
      topic        t
      partition    2
      timestamp    1970-01-01T00:00:00.005Z
      key          STRING "k"
      value.a      INT32 7
      header h     BOOLEAN true
  TRANSFORMATION add: InsertField$Value
    + value.f      STRING "v"
  HEADER_CONVERTER: org.apache.kafka.connect.storage.SimpleHeaderConverter
    + bytes header h "true"
  KEY_CONVERTER: StringConverter
    + bytes key    "k"
  VALUE_CONVERTER: JsonConverter
    + bytes value  "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"field\":\"f\"}],\"optional\":false},\"payload\":{\"a\":7,... (214 bytes)
  sent to t, partition 2

lines: 1 samples, 1 sent
`, s.stdout.String())
}

func TestTryInJSON(t *testing.T) {
	dir := t.TempDir()
	config := write(t, dir, "sink.json", trySink)
	samples := write(t, dir, "samples.jsonl", `{"keyBase64":"/w==","value":{"a":1},"headers":[{"key":"h","valueBase64":"AA=="}]}
{"value":"5"}
`)
	code, stdout, _ := runToEnd(t, "try", "-o", "json", "--samples", samples, config)
	assert.Equal(t, exitSample, code)
	var out struct {
		Connector string
		Samples   []struct {
			Consumed struct {
				Topic  string
				Offset int64
				Key    map[string]string
			}
			Steps []struct {
				Stage, Alias, Plugin, Error string
				Applies                     *bool
				Record                      *struct{ Value json.RawMessage }
			}
			Outcome, Error string
			Put            *struct{ Topic string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))
	assert.Equal(t, "orders", out.Connector)
	require.Len(t, out.Samples, 2)
	s := out.Samples[0]
	assert.Equal(t, map[string]string{"base64": "/w=="}, s.Consumed.Key)
	require.Len(t, s.Steps, 5)
	assert.True(t, *s.Steps[3].Applies)
	assert.Nil(t, s.Steps[0].Applies)
	assert.JSONEq(t, `{"schema":null,"payload":{"a":1,"f":"v"}}`, string(s.Steps[3].Record.Value))
	assert.Equal(t, "put", s.Outcome)
	assert.Equal(t, "ers", s.Put.Topic)
	s = out.Samples[1]
	assert.Equal(t, "failed", s.Outcome)
	assert.EqualValues(t, 1, s.Consumed.Offset)
	assert.Contains(t, s.Error, "TRANSFORMATION by InsertField$Value")
	assert.Equal(t, s.Error, s.Steps[len(s.Steps)-1].Error)
	assert.Nil(t, s.Put)
}

func TestTryCommandLines(t *testing.T) {
	dir := t.TempDir()
	sink := write(t, dir, "sink.json", trySink)
	source := write(t, dir, "source.json", `{"name":"s","connector.class":"FileStreamSource","topic":"t"}`)
	broken := write(t, dir, "broken.json", strings.Replace(trySink, "InsertField", "Nothing", 1))
	samples := write(t, dir, "samples.jsonl", `{"value":"x"}`)
	bad := write(t, dir, "bad.jsonl", `{"value":"x"}`+"\n"+`{"valeu":"x"}`)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 1, "try takes one connector file, found 0"},
		{[]string{sink}, 1, "either --samples or --topic"},
		{[]string{"--samples", samples, "--topic", "t", sink}, 1, "either --samples or --topic"},
		{[]string{"--samples", samples, "--dead-letters", sink}, 1, "--dead-letters goes with --topic"},
		{[]string{"--samples", samples, "-o", "xml", sink}, 1, "want text or json"},
		{[]string{"--topic", "t", "--last", "0", sink}, 1, "want a number of 1 or more"},
		{[]string{"--topic", "t", "--last", "3x", sink}, 1, "want a number of 1 or more"},
		{[]string{"--topic", "t", sink}, 1, "--topic needs brokers"},
		{[]string{"--topic", "t", "--bootstrap", "localhost:1", source}, 1, "a source has no topic to read from"},
		{[]string{"--samples", "/absent", sink}, 1, "samples: open /absent"},
		{[]string{"--samples", bad, sink}, 1, `bad.jsonl: line 2: json: unknown field "valeu"`},
		{[]string{"--samples", samples, "/absent.json"}, 3, "connector file: open /absent.json"},
		{[]string{"--samples", samples, broken}, 3, "Nothing$Value"},
		{[]string{"--samples", samples, "--worker", "/absent.properties", sink}, 2, "worker file: open /absent.properties"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			code, stdout, stderr := runToEnd(t, append([]string{"try"}, c.args...)...)
			assert.Equal(t, c.code, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, c.want)
		})
	}
}

func TestReadMessages(t *testing.T) {
	m, err := readMessages(strings.NewReader("\ufeff"+`{"key":null,"value":"","headers":[{"key":"n"},{"key":"e","value":""},{"key":"n","value":[1, 2]}]}
  {"value": {"b" : 1.50, "a":"é"}, "keyBase64": "", "offset": 7, "partition": 1, "topic": "u", "timestamp": 0}
{"value":12345678901234567890}`), "t")
	require.NoError(t, err)
	require.Len(t, m, 3)
	assert.Nil(t, m[0].Key)
	assert.Equal(t, []byte{}, m[0].Value, "an empty text is no null")
	assert.Equal(t, []connect.RawHeader{{Key: "n"}, {Key: "e", Value: []byte{}}, {Key: "n", Value: []byte("[1,2]")}}, m[0].Headers)
	assert.Equal(t, connect.NoTimestamp, m[0].TimeType)
	assert.Equal(t, connect.TopicPartition{Topic: "u", Partition: 1}, m[1].TopicPartition)
	assert.EqualValues(t, 7, m[1].Offset)
	assert.Equal(t, []byte{}, m[1].Key)
	assert.Equal(t, `{"b":1.50,"a":"é"}`, string(m[1].Value), "numbers and the order of members stay")
	assert.EqualValues(t, 0, m[1].Time.UnixMilli())
	assert.Equal(t, connect.CreateTime, m[1].TimeType)
	assert.Equal(t, "t", m[2].Topic)
	assert.EqualValues(t, 2, m[2].Offset)
	assert.Equal(t, "12345678901234567890", string(m[2].Value))
	for text, want := range map[string]string{
		`{"value":"x"} {}`:                   "line 1: there is text behind the object",
		`[]`:                                 "line 1: json: cannot unmarshal array",
		`{"value":"x","valueBase64":"eA=="}`: "there are value and valueBase64",
		`{"keyBase64":"?"}`:                  "illegal base64",
		`{"partition":-1}`:                   "want none below 0",
		`{"offset":-1}`:                      "want none below 0",
		`{"partition":2147483648}`:           "cannot unmarshal number",
		`{"headers":[{"key":"h","valueBase64":"?"}]}`: "illegal base64",
	} {
		_, err := readMessages(strings.NewReader(text), "t")
		assert.ErrorContains(t, err, want, text)
	}
	_, err = readMessages(strings.NewReader("{}"), "")
	assert.ErrorContains(t, err, "line 1: topic: it is missing")
}

func TestReadRecords(t *testing.T) {
	r, err := readRecords(strings.NewReader(`{"topic":"t","value":{"schema":{"type":"int8"},"payload":5},"key":{"schema":1}}
{"topic":"t","value":{"a":[1,null]},"headers":[{"key":"h","value":{"schema":{"type":"string","optional":true},"payload":null}},{"key":"n"}],"sourcePartition":{"a":1},"sourceOffset":{"b":"x"}}`))
	require.NoError(t, err)
	assert.Equal(t, connect.Datum{Schema: data.Int8Schema, Value: data.Int8(5)}, r[0].Value)
	assert.Nil(t, r[0].Key.Schema, "an object with one of the two members is no envelope")
	assert.True(t, r[0].SourcePartition.IsZero())
	assert.Equal(t, "{a=[1, null]}", r[1].Value.Value.String())
	assert.Equal(t, data.KindString, r[1].Headers[0].Datum.Schema.Kind())
	assert.Equal(t, connect.Datum{}, r[1].Headers[1].Datum)
	assert.Equal(t, `{"a":1}`, r[1].SourcePartition.String())
	assert.Equal(t, connect.SourceOffset{data.E("b", data.String("x"))}, r[1].SourceOffset)
	for text, want := range map[string]string{
		`{"value":{"schema":{"type":"nope"},"payload":1}}`:                         "value: Unknown schema type: nope",
		`{"key":{"schema":{"type":"nope"},"payload":1}}`:                           "key: Unknown",
		`{"headers":[{"key":"h","value":{"schema":{"type":"nope"},"payload":1}}]}`: `header "h": Unknown`,
		`{"sourcePartition":[]}`:                                                   "sourcePartition",
		`{"sourceOffset":{"a":{}}}`:                                                "sourceOffset",
	} {
		_, err := readRecords(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func FuzzSamples(f *testing.F) {
	for _, text := range []string{
		`{"key":"k","value":{"a":1},"headers":[{"key":"h","value":"12"}],"timestamp":1}`, `{"topic":"t","value":{"schema":{"type":"int8"},"payload":5}}`,
		`{"valueBase64":"AA==","offset":1}`, "\ufeff\n{}", `{"sourcePartition":{"a":1},"sourceOffset":{"b":"x"}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		messages, err := readMessages(strings.NewReader(text), "t")
		for i := range messages {
			if err == nil && (messages[i].Topic == "" || messages[i].Offset < 0) {
				t.Fatalf("%q: %+v", text, messages[i])
			}
		}
		records, err := readRecords(strings.NewReader(text))
		if err == nil && len(records) > 0 {
			// What can be read can be shown.
			r := &trialReport{ask: trial.Trial{Records: records}, tried: make([]trial.Tried, len(records))}
			var b bytes.Buffer
			if err := r.text(&b); err != nil {
				t.Fatal(err)
			}
			if err := r.json(&b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// tryBroker is a broker in this process, with a client.
func tryBroker(t *testing.T) (bootstrap string, client *kgo.Client) {
	t.Helper()
	cluster, err := startBroker(listenAddress{"127.0.0.1", 0}, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	bootstrap = strings.Join(cluster.ListenAddrs(), ",")
	client, err = kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.AllowAutoTopicCreation(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return bootstrap, client
}

// The last records of a topic are tried, and the cluster is as it was.
func TestTryTopic(t *testing.T) {
	bootstrap, client := tryBroker(t)
	adm := kadm.NewClient(client)
	_, err := adm.CreateTopic(t.Context(), 2, 1, nil, "orders")
	require.NoError(t, err)
	_, err = adm.CreateTopic(t.Context(), 1, 1, nil, "empty")
	require.NoError(t, err)
	for n := range 6 {
		value := []byte(`{"n":` + string(rune('0'+n)) + `}`)
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: int32(n % 2), Value: value, Timestamp: time.UnixMilli(int64(1000 + n))}).FirstErr())
	}
	config := write(t, t.TempDir(), "sink.json", trySink)
	code, stdout, stderr := runToEnd(t, "try", "--topic", "orders", "--last", "3", "--bootstrap", bootstrap, config)
	require.Equal(t, 0, code, stderr)
	var headings []string
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "sample ") || strings.Contains(line, "value.n") {
			headings = append(headings, strings.TrimSpace(line))
		}
	}
	assert.Equal(t, []string{
		"sample 1: orders-1@1", "+ value.n      INT64 3", "sample 2: orders-0@2", "+ value.n      INT64 4", "sample 3: orders-1@2", "+ value.n      INT64 5",
	}, headings)

	code, stdout, _ = runToEnd(t, "try", "--topic", "empty", "--bootstrap", bootstrap, config)
	assert.Equal(t, 0, code)
	assert.Equal(t, "orders: 0 samples\n", stdout)
	code, _, stderr = runToEnd(t, "try", "--topic", "nope", "--bootstrap", bootstrap, config)
	assert.Equal(t, exitWorker, code)
	assert.Contains(t, stderr, `topic "nope": not found`)

	groups, err := adm.ListGroups(t.Context())
	require.NoError(t, err)
	assert.Empty(t, groups)
	topics, err := adm.ListTopics(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"orders", "empty"}, topics.Names())
}

// Dead letters are tried as the records that they were, of sinks and of sources.
func TestTryDeadLetters(t *testing.T) {
	bootstrap, client := tryBroker(t)
	header := func(name, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: name, Value: []byte(value)} }
	failed := func(more ...kgo.RecordHeader) []kgo.RecordHeader {
		return append([]kgo.RecordHeader{
			header("__connect.errors.connector.name", "c"), header("__connect.errors.task.id", "0"), header("__connect.errors.stage", "VALUE_CONVERTER"), header("__connect.errors.class.name", "X"),
		}, more...)
	}
	at := []kgo.RecordHeader{header("own", "1"), header("__connect.errors.topic", "orders"), header("__connect.errors.partition", "4"), header("__connect.errors.offset", "44")}
	produce := func(topic string, value string, headers ...kgo.RecordHeader) {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value), Headers: headers}).FirstErr())
	}
	produce("dead", `{"n":1}`, append(at, failed()...)...)
	produce("dead", `{"n":2}`)
	config := write(t, t.TempDir(), "sink.json", trySink)
	code, stdout, stderr := runToEnd(t, "try", "--topic", "dead", "--dead-letters", "--bootstrap", bootstrap, config)
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "sample 1: orders-4@44\n")
	assert.Contains(t, stdout, "header own")
	assert.NotContains(t, stdout, "__connect")
	assert.Contains(t, stdout, "1 samples, 1 put")
	assert.Contains(t, stderr, "passing over a record")
	assert.Contains(t, stderr, "offset=1")

	source := failed(header("__streamlane.errors.source.partition", `{"filename":"x"}`), header("__streamlane.errors.source.offset", `{"position":3}`))
	produce("lost", `{"schema":{"type":"string","optional":false},"payload":"line"}`, append([]kgo.RecordHeader{header("h", `{"schema":{"type":"int8","optional":false},"payload":1}`), header("__connect.errors.topic", "t")}, source...)...)
	produce("lost", `{"n":1}`, append(at, failed()...)...)
	config = write(t, t.TempDir(), "source.json", `{"name":"lines","connector.class":"FileStreamSource","topic":"t","value.converter":"StringConverter"}`)
	code, stdout, stderr = runToEnd(t, "try", "--topic", "lost", "--dead-letters", "--bootstrap", bootstrap, config)
	require.Equal(t, 0, code, stderr)
	for _, want := range []string{`sample 1: source partition {"filename":"x"}, source offset {"position":3}`, `header h     INT8 1`, `+ bytes value  "line"`, "sent to t\n", "1 samples, 1 sent"} {
		assert.Contains(t, stdout, want)
	}
	assert.Contains(t, stderr, "no record of a source")
}

// Expressions are among the command's plugins.
func TestTryKnowsExpressions(t *testing.T) {
	dir := t.TempDir()
	config := write(t, dir, "sink.json", `{"name": "o", "connector.class": "NullSink", "topics": "orders", "value.converter": "JsonConverter", "value.converter.schemas.enable": "false",
"transforms": "large,mark", "transforms.large.type": "ExpressionFilter", "transforms.large.condition": "value.total > 100",
"transforms.mark.type": "ExpressionRouter", "transforms.mark.topic.expression": "topic + '-large'", "transforms.mark.predicate": "swiss",
"predicates": "swiss", "predicates.swiss.type": "ExpressionMatches", "predicates.swiss.condition": "value.city == 'Bern'"}`)
	samples := write(t, dir, "samples.jsonl", `{"value":{"total":120,"city":"Bern"}}
{"value":{"total":120,"city":"Wien"}}
{"value":{"total":7,"city":"Bern"}}
`)
	code, stdout, stderr := runToEnd(t, "try", "--samples", samples, config)
	assert.Zero(t, code, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "+ topic        orders-large"), stdout)
	assert.Contains(t, stdout, "3 samples, 2 put, 1 dropped")
}
