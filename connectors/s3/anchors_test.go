package s3

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// mapStore is a store in memory.
type mapStore struct {
	mu      sync.Mutex
	objects map[string][]byte
	meta    map[string]map[string]string
}

func (s *mapStore) Capabilities(context.Context) (objectstore.Capabilities, error) {
	return objectstore.Capabilities{ConditionalCreate: true, Metadata: true}, nil
}

func (s *mapStore) Put(_ context.Context, key string, c objectstore.Content, o objectstore.PutOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok && o.IfAbsent {
		return objectstore.ErrExists
	}
	body, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	s.objects[key], s.meta[key] = body, o.Metadata
	return err
}

func (s *mapStore) Stat(_ context.Context, key string) (objectstore.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if body, ok := s.objects[key]; ok {
		return objectstore.Object{Key: key, Size: int64(len(body)), Metadata: s.meta[key]}, nil
	}
	return objectstore.Object{}, objectstore.ErrNotFound
}

func (s *mapStore) List(context.Context, string, string, int) ([]objectstore.Object, error) {
	return nil, nil
}
func (s *mapStore) Delete(context.Context, string) error { return nil }
func (s *mapStore) Close() error                         { return nil }

// texts returns the objects by their names, uncompressed.
func (s *mapStore) texts(t *testing.T) map[string]string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for key, body := range s.objects {
		if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
			r, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			body, err = io.ReadAll(r)
			require.NoError(t, err)
		}
		all[key] = string(body)
	}
	return all
}

// deliver has a task of these options write records, and end files as if their time were over.
func deliver(t *testing.T, o objectstore.Options, records []connect.SinkRecord) (*mapStore, *connecttest.SinkContext) {
	t.Helper()
	store := &mapStore{objects: map[string][]byte{}, meta: map[string]map[string]string{}}
	o.Open = func(context.Context, *slog.Logger) (objectstore.Backend, error) { return store, nil }
	o.Config.OpenInterval = time.Nanosecond
	task, err := objectstore.NewTask(o)
	require.NoError(t, err)
	tps, next := map[connect.TopicPartition]bool{}, connect.Offsets{}
	for _, r := range records {
		tps[r.Origin.TopicPartition] = true
		next[r.Origin.TopicPartition] = r.Origin.Offset + 1
	}
	c := &connecttest.SinkContext{Assigned: slices.Collect(maps.Keys(tps))}
	require.NoError(t, task.Start(t.Context(), c))
	require.NoError(t, task.Open(t.Context(), c.Assigned))
	require.NoError(t, task.Put(t.Context(), records))
	require.NoError(t, task.Put(t.Context(), nil))
	commit(t, task, next, next)
	require.NoError(t, task.Stop(t.Context()))
	return store, c
}

// commit has a task agree to offsets. A commit that the task asked for itself does not wait for what is on its way, the next one does.
func commit(t *testing.T, task connect.PreCommitter, current, want connect.Offsets) {
	t.Helper()
	var agreed connect.Offsets
	for range 5 {
		var err error
		agreed, err = task.PreCommit(t.Context(), current)
		require.NoError(t, err)
		if maps.Equal(agreed, want) {
			return
		}
	}
	assert.Equal(t, want, agreed)
}

// at makes a record at a place.
func at(topic string, partition int32, offset int64, key, value connect.Datum) connect.SinkRecord {
	return connect.SinkRecord{
		Record: connect.Record{Topic: topic, Key: key, Value: value, Timestamp: time.UnixMilli(1_577_836_801_000 + offset)},
		Origin: connect.Origin{TopicPartition: connect.TopicPartition{Topic: topic, Partition: partition}, Offset: offset},
	}
}

func textDatum(s string) connect.Datum {
	return connect.Datum{Schema: data.StringSchema, Value: data.String(s)}
}
func bytesDatum(s string) connect.Datum {
	return connect.Datum{Schema: data.OptionalBytesSchema, Value: data.Bytes([]byte(s))}
}

// person is what Lenses' own tests write.
func person(name, title string, salary float64) connect.Datum {
	schema := data.StructBuilder().Field("name", data.StringSchema).Field("title", data.OptionalStringSchema).Field("salary", data.OptionalFloat64Schema).MustBuild()
	x := data.NewStructs(schema, 1)
	x[0].Set(0, data.String(name))
	if title != "" {
		x[0].Set(1, data.String(title))
	}
	if salary != 0 {
		x[0].Set(2, data.Float64(salary))
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(&x[0])}
}

func aivenProps(more config.Props) config.Props {
	return config.Props{"aws.s3.bucket.name": "my-bucket", "aws.access.key.id": "k", "aws.secret.access.key": "s"}.Merge(more)
}

func aivenOptions(t *testing.T, more config.Props) objectstore.Options {
	t.Helper()
	var c aivenTask
	require.NoError(t, config.Decode(aivenProps(more), &c))
	o, err := c.options()
	require.NoError(t, err)
	return o
}

func TestAnchorsAreWellDeclared(t *testing.T) {
	connecttest.TestPlugin(t, aivenPlugin(), aivenProps(nil))
	connecttest.TestPlugin(t, lensesPlugin(), config.Props{"connect.s3.kcql": "INSERT INTO b:p SELECT * FROM topic"})
}

// Names of objects are those of Aiven's documentation and tests.
func TestNamesOfAiven(t *testing.T) {
	var records []connect.SinkRecord
	for _, p := range []struct {
		topic     string
		partition int32
		offset    int64
	}{{"topicA", 0, 0}, {"topicA", 0, 1}, {"topicB", 0, 0}, {"mytopic", 1, 1}} {
		records = append(records, at(p.topic, p.partition, p.offset, textDatum("k"), bytesDatum("v")))
	}
	for _, c := range []struct {
		props config.Props
		want  []string
	}{
		{nil, []string{"mytopic-1-1.gz", "topicA-0-0.gz", "topicB-0-0.gz"}},
		{config.Props{"file.compression.type": "none"}, []string{"mytopic-1-1", "topicA-0-0", "topicB-0-0"}},
		{config.Props{"file.compression.type": "zstd"}, []string{"mytopic-1-1.zst", "topicA-0-0.zst", "topicB-0-0.zst"}},
		{config.Props{"output_compression": "none"}, []string{"mytopic-1-1", "topicA-0-0", "topicB-0-0"}},
		{config.Props{"file.name.template": "{{topic}}-part{{partition}}-off{{start_offset}}"}, []string{"mytopic-part1-off1", "topicA-part0-off0", "topicB-part0-off0"}},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{start_offset:padding=true}}.gz"},
			[]string{"mytopic-1-00000000000000000001.gz", "topicA-0-00000000000000000000.gz", "topicB-0-00000000000000000000.gz"}},
		{config.Props{"file.name.template": "dir1/dir2/{{topic}}-{{ partition:padding=true }}-{{start_offset:padding=false}}.gz"},
			[]string{"dir1/dir2/mytopic-0000000001-1.gz", "dir1/dir2/topicA-0000000000-0.gz", "dir1/dir2/topicB-0000000000-0.gz"}},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{start_offset}}-{{timestamp:unit=YYYY}}{{timestamp:unit=MM}}{{timestamp:unit=dd}}.{{timestamp:unit=HH}}.gz", "file.name.timestamp.source": "EVENT"},
			[]string{"mytopic-1-1-20200101.00.gz", "topicA-0-0-20200101.00.gz", "topicB-0-0-20200101.00.gz"}},
		{config.Props{"file.name.template": "{{timestamp:unit=yyyy}}/{{timestamp:unit=HH}}/{{topic}}-{{partition}}-{{start_offset}}", "file.name.timestamp.source": "event", "file.name.timestamp.timezone": "America/New_York"},
			[]string{"2019/19/mytopic-1-1", "2019/19/topicA-0-0", "2019/19/topicB-0-0"}},
		{config.Props{"aws_s3_prefix": "aiven--"}, []string{"aiven--mytopic-1-00000000000000000001.gz", "aiven--topicA-0-00000000000000000000.gz", "aiven--topicB-0-00000000000000000000.gz"}},
		{config.Props{"aws.s3.prefix": "{{timestamp:unit=yyyy}}/", "timestamp.source": "EVENT", "file.name.template": "unused-{{topic}}-{{partition}}-{{start_offset}}"},
			[]string{"2020/mytopic-1-00000000000000000001.gz", "2020/topicA-0-00000000000000000000.gz", "2020/topicB-0-00000000000000000000.gz"}},
		{config.Props{"file.max.records": "1", "file.compression.type": "none"}, []string{"mytopic-1-1", "topicA-0-0", "topicA-0-1", "topicB-0-0"}},
		{config.Props{"file.name.template": "{{key}}/{{topic}}-{{partition}}-{{start_offset}}"}, []string{"k/mytopic-1-1", "k/topicA-0-0", "k/topicB-0-0"}},
	} {
		store, _ := deliver(t, aivenOptions(t, c.props), records)
		assert.Equal(t, c.want, slices.Sorted(maps.Keys(store.objects)), "%v", c.props)
	}
}

// Contents are those of Aiven's documentation, byte by byte.
func TestContentsOfAiven(t *testing.T) {
	first := at("t", 0, 1_232_155, bytesDatum("key"), bytesDatum("Lorem ipsum dolor sit amet"))
	first.Headers = []connect.Header{{Key: "h", Datum: textDatum("x")}, {Key: "i", Datum: textDatum("y")}}
	none := at("t", 0, 1_232_156, connect.Datum{}, connect.Datum{Schema: data.OptionalBytesSchema})
	john := at("t", 0, 0, textDatum("user1"), connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("name"), Value: data.String("John")},
		data.Pair{Key: data.String("address"), Value: data.MapOf(data.Pair{Key: data.String("city"), Value: data.String("London")})})})
	john.Headers = []connect.Header{{Key: "h", Datum: textDatum("x")}}
	for _, c := range []struct {
		props   config.Props
		records []connect.SinkRecord
		want    string
	}{
		{nil, []connect.SinkRecord{first, none}, "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=\n"},
		{config.Props{"format.output.fields": "key,value,offset,timestamp"}, []connect.SinkRecord{first, none}, "a2V5,TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=,1232155,1577838033155\n,,1232156,1577838033156"},
		{config.Props{"format.output.fields": "headers,value", "format.output.fields.value.encoding": "none"}, []connect.SinkRecord{first}, "aA==:eA==;aQ==:eQ==;,Lorem ipsum dolor sit amet"},
		{config.Props{"format.output.type": "jsonl", "format.output.fields": "key,value,offset,timestamp"}, []connect.SinkRecord{john},
			`{"key":"user1","value":{"name":"John","address":{"city":"London"}},"offset":0,"timestamp":"2020-01-01T00:00:01Z"}`},
		{config.Props{"format.output.type": "jsonl"}, []connect.SinkRecord{john, at("t", 0, 1, textDatum("k"), textDatum("v0"))}, `{"value":{"name":"John","address":{"city":"London"}}}` + "\n" + `{"value":"v0"}`},
		{config.Props{"format.output.type": "jsonl", "format.output.envelope": "false"}, []connect.SinkRecord{at("t", 0, 1, textDatum("k"), textDatum("v0")), john}[:1], `"v0"`},
		{config.Props{"format.output.type": "jsonl", "format.output.fields": "headers,timestamp"}, []connect.SinkRecord{john, none},
			`{"headers":[{"key":"h","value":"x"}],"timestamp":"2020-01-01T00:00:01Z"}` + "\n" + `{"headers":[],"timestamp":"2020-01-01T00:20:33.156Z"}`},
		{config.Props{"format.output.type": "json", "format.output.fields": "key,value"}, []connect.SinkRecord{at("t", 0, 1, textDatum("k1"), textDatum("v0")), none},
			"[\n" + `{"key":"k1","value":"v0"},` + "\n" + `{"key":null,"value":null}` + "\n]"},
	} {
		store, _ := deliver(t, aivenOptions(t, c.props), c.records)
		texts := slices.Collect(maps.Values(store.texts(t)))
		assert.Equal(t, []string{c.want}, texts, "%v", c.props)
	}
	store, ctx := deliver(t, aivenOptions(t, config.Props{"format.output.fields": "key,value"}), []connect.SinkRecord{john, first})
	assert.Equal(t, []string{"a2V5,TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ="}, slices.Collect(maps.Values(store.texts(t))))
	assert.Len(t, ctx.Reports(), 1, "a map is no csv")
}

// What would lose or repeat records, or name files alike, is refused by the key that the user wrote.
func TestAivenRefuses(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		key   string
	}{
		{config.Props{"aws.s3.bucket.name": ""}, "aws.s3.bucket.name"},
		{config.Props{"file.name.template": "k{{key}}"}, "file.name.template"},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{key}}"}, "file.name.template"},
		{config.Props{"file.name.template": "{{topic}}-{{start_offset}}"}, "file.name.template"},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{start_offset:padding=yes}}"}, "file.name.template"},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{start_offset}}-{{timestamp:unit=mm}}"}, "file.name.template"},
		{config.Props{"file.name.template": "{{topic}}-{{partition}}-{{start_offset}}-{{what}}"}, "file.name.template"},
		{config.Props{"aws.s3.prefix": "{{utc_date}}"}, "aws.s3.prefix"},
		{config.Props{"file.compression.type": "snappy"}, "file.compression.type"},
		{config.Props{"file.compression.type": "lz4"}, "file.compression.type"},
		{config.Props{"format.output.type": "xml"}, "format.output.type"},
		{config.Props{"format.output.fields": "key,price"}, "format.output.fields"},
		{config.Props{"format.output.fields": "key,value", "format.output.envelope": "false"}, "format.output.envelope"},
		{config.Props{"format.output.type": "avro", "avro.codec": "bzip2"}, "avro.codec"},
		{config.Props{"file.name.timestamp.timezone": "Mars/North"}, "file.name.timestamp.timezone"},
		{config.Props{"file.name.timestamp.source": "header"}, "file.name.timestamp.source"},
		{config.Props{"aws.credentials.provider": "com.example.Provider"}, "aws.credentials.provider"},
		{config.Props{"aws.secret.access.key": ""}, "aws.access.key.id"},
		{config.Props{"aws.s3.endpoint": "minio"}, "aws.s3.endpoint"},
		{config.Props{"file.max.records": "-1"}, "file.max.records"},
	} {
		err := config.Decode(aivenProps(c.props), &aivenConfig{})
		var key *config.KeyError
		if assert.ErrorAs(t, err, &key, "%v", c.props) {
			assert.Equal(t, c.key, key.Key, "%v", err)
		}
	}
}

func lensesOptions(t *testing.T, kcql string, more config.Props) []objectstore.Options {
	t.Helper()
	var c lensesTask
	require.NoError(t, config.Decode(config.Props{"connect.s3.kcql": kcql}.Merge(more), &c))
	routes, err := c.routes()
	require.NoError(t, err)
	var all []objectstore.Options
	for _, r := range routes {
		o, err := r.options("c", len(routes))
		require.NoError(t, err)
		all = append(all, o)
	}
	return all
}

// Names of objects are those of Lenses' tests, but for the offset: it is the first record's. These files hold one record, but for the default layout,
// whose names have no times here.
func TestNamesOfLenses(t *testing.T) {
	users := []connect.SinkRecord{
		at("myTopic", 1, 0, textDatum("0"), person("first", "primary", 0)),
		at("myTopic", 1, 1, textDatum("1"), person("second", "", 100)),
	}
	for i := range users {
		users[i].Headers = []connect.Header{{Key: "h", Datum: connect.Datum{Schema: data.Int32Schema, Value: data.Int32(int32(i))}}, {Key: "who", Datum: person("tom", "", 0)}}
	}
	const twelve = "'padding.length.partition'='12', 'padding.length.offset'='12'"
	for _, c := range []struct {
		kcql  string
		props config.Props
		want  []string
	}{
		{"", nil, []string{"p/myTopic/1/000000000000.json", "p/myTopic/1/000000000001.json"}},
		{"STOREAS `Parquet`", nil, []string{"p/myTopic/1/000000000000.parquet", "p/myTopic/1/000000000001.parquet"}},
		{"STOREAS AVRO PROPERTIES(" + twelve, nil, []string{"p/myTopic/000000000001/000000000000.avro", "p/myTopic/000000000001/000000000001.avro"}},
		{"STOREAS `CSV_WITHHEADERS`", nil, []string{"p/myTopic/1/000000000000.csv", "p/myTopic/1/000000000001.csv"}},
		{"", config.Props{"connect.s3.compression.codec": "gzip"}, []string{"p/myTopic/1/000000000000.gz", "p/myTopic/1/000000000001.gz"}},
		{"", config.Props{"connect.s3.padding.strategy": "NoOp", "connect.s3.padding.length": "10"}, []string{"p/myTopic/1/0.json", "p/myTopic/1/1.json"}},
		{"", config.Props{"connect.s3.padding.strategy": "rightpad", "connect.s3.padding.length": "3"}, []string{"p/myTopic/1/000.json", "p/myTopic/1/100.json"}},
		{"PROPERTIES('padding.type'='LeftPad','padding.char'='-','padding.length.offset'=4,'key.suffix'='-mine'", nil, []string{"p/myTopic/1/---0-mine.json", "p/myTopic/1/---1-mine.json"}},
		{"NOPARTITION", nil, []string{"p/myTopic(1_000000000000).json", "p/myTopic(1_000000000001).json"}},
		{"PARTITIONBY name,title,salary", nil,
			[]string{"p/name=first/title=primary/salary=[missing]/myTopic(1_000000000000).json", "p/name=second/title=[missing]/salary=100.0/myTopic(1_000000000001).json"}},
		{"PARTITIONBY name, title PROPERTIES('partition.include.keys'=false", nil, []string{"p/first/primary/myTopic(1_000000000000).json", "p/second/[missing]/myTopic(1_000000000001).json"}},
		{"PARTITIONBY _topic, _partition PROPERTIES('partition.include.keys'=false," + twelve, nil,
			[]string{"p/myTopic/000000000001/myTopic(000000000001_000000000000).json", "p/myTopic/000000000001/myTopic(000000000001_000000000001).json"}},
		{"PARTITIONBY _key STOREAS `CSV`", nil, []string{"p/key=0/myTopic(1_000000000000).csv", "p/key=1/myTopic(1_000000000001).csv"}},
		{"PARTITIONBY _header.h,_value.name STOREAS `CSV`", nil, []string{"p/h=0/name=first/myTopic(1_000000000000).csv", "p/h=1/name=second/myTopic(1_000000000001).csv"}},
		{"PARTITIONBY _header.who.name", nil, []string{"p/who.name=tom/myTopic(1_000000000000).json", "p/who.name=tom/myTopic(1_000000000001).json"}},
		{"PARTITIONBY _date.uuuu,_date.LL,_date.dd PROPERTIES('partition.include.keys'=false," + twelve, nil,
			[]string{"p/2020/01/01/myTopic(000000000001_000000000000).json", "p/2020/01/01/myTopic(000000000001_000000000001).json"}},
		{"PARTITIONBY _date.`yyyy-MM-dd HH`", config.Props{"timezone": "America/New_York"}, []string{"p/date=2019-12-31 19/myTopic(1_000000000000).json", "p/date=2019-12-31 19/myTopic(1_000000000001).json"}},
	} {
		kcql := "INSERT INTO b:p SELECT * FROM myTopic " + c.kcql
		switch {
		case bytes.Contains([]byte(c.kcql), []byte("PROPERTIES(")):
			kcql += ", 'flush.count'=1)"
		default:
			kcql += " PROPERTIES('flush.count'=1)"
		}
		store, ctx := deliver(t, lensesOptions(t, kcql, c.props)[0], users)
		assert.Equal(t, c.want, slices.Sorted(maps.Keys(store.objects)), kcql)
		assert.Empty(t, ctx.Reports())
	}
	root, _ := deliver(t, lensesOptions(t, "insert into testS3Bucket select * from `*` PROPERTIES('flush.count'=2)", nil)[0], users)
	assert.Equal(t, []string{"myTopic/1/000000000000.json"}, slices.Collect(maps.Keys(root.objects)))
}

func TestContentsOfLenses(t *testing.T) {
	sam := at("t", 0, 0, textDatum("k"), person("sam", "mr", 100.43))
	sam.Headers = []connect.Header{{Key: "header1", Datum: textDatum("old")}, {Key: "header1", Datum: textDatum("value1")}}
	raw := at("t", 0, 1, bytesDatum("key"), bytesDatum("value"))
	gone := at("t", 0, 2, textDatum("k"), connect.Datum{})
	for _, c := range []struct {
		kcql    string
		records []connect.SinkRecord
		want    string
	}{
		{"", []connect.SinkRecord{sam}, `{"name":"sam","title":"mr","salary":100.43}` + "\n"},
		{"STOREAS CSV_WITHHEADERS", []connect.SinkRecord{sam}, "name,title,salary\nsam,mr,100.43\n"},
		{"STOREAS CSV", []connect.SinkRecord{sam}, "sam,mr,100.43\n"},
		{"STOREAS TEXT", []connect.SinkRecord{at("t", 0, 0, textDatum(""), textDatum("a")), at("t", 0, 1, textDatum(""), connect.Datum{Value: data.Float64(1)})}, "a\n1.0\n"},
		{"STOREAS BYTES PROPERTIES('flush.count'=1)", []connect.SinkRecord{raw}, "value"},
		{"PROPERTIES('store.envelope'=true)", []connect.SinkRecord{sam, raw, gone},
			`{"key":"k","value":{"name":"sam","title":"mr","salary":100.43},"headers":{"header1":"value1"},"metadata":{"timestamp":1577836801000,"topic":"t","partition":0,"offset":0}}` + "\n" +
				`{"key":"a2V5","keyIsArray":true,"value":"dmFsdWU=","valueIsArray":true,"headers":{},"metadata":{"timestamp":1577836801001,"topic":"t","partition":0,"offset":1}}` + "\n" +
				`{"key":"k","value":null,"headers":{},"metadata":{"timestamp":1577836801002,"topic":"t","partition":0,"offset":2}}` + "\n"},
		{"PROPERTIES('store.envelope'=true,'store.envelope.fields.key'=false,'store.envelope.fields.value'=true,'store.envelope.fields.headers'=false,'store.envelope.fields.metadata'=false)",
			[]connect.SinkRecord{sam}, `{"value":{"name":"sam","title":"mr","salary":100.43}}` + "\n"},
	} {
		store, _ := deliver(t, lensesOptions(t, "INSERT INTO b:p SELECT * FROM t "+c.kcql, nil)[0], c.records)
		assert.Equal(t, []string{c.want}, slices.Collect(maps.Values(store.texts(t))), c.kcql)
	}
	_, ctx := deliver(t, lensesOptions(t, "INSERT INTO b:p SELECT * FROM t", nil)[0], []connect.SinkRecord{gone})
	assert.Len(t, ctx.Reports(), 1, "without a value and an envelope there is nothing to write")
	_, ctx = deliver(t, lensesOptions(t, "INSERT INTO b:p SELECT * FROM t", config.Props{"connect.s3.skip.null.values": "true"})[0], []connect.SinkRecord{gone})
	assert.Empty(t, ctx.Reports())
}

func TestLensesRefuses(t *testing.T) {
	const ok = "INSERT INTO b:p SELECT * FROM t "
	for _, c := range []struct {
		kcql, want string
		props      config.Props
		key        string
	}{
		{kcql: "INSERT INTO b SELECT a FROM t", want: "selection of fields"},
		{kcql: "UPSERT INTO b SELECT * FROM t", want: "UPSERT"},
		{kcql: "INSERT INTO b:p:q SELECT * FROM t", want: "bucket:prefix"},
		{kcql: ok + ";" + ok, want: "two statements"},
		{kcql: ok + "STOREAS ORC", want: "STOREAS ORC"},
		{kcql: ok + "STOREAS BYTES", want: "flush.count"},
		{kcql: ok + "WITH_FLUSH_COUNT = 5", want: "PROPERTIES('flush.count'=5)"},
		{kcql: ok + "WITHPARTITIONER=Values", want: "partition.include.keys"},
		{kcql: ok + "LIMIT 5", want: "LIMIT"},
		{kcql: ok + "PROPERTIES('store.file.namer'='x')", want: "store.file.namer"},
		{kcql: ok + "PROPERTIES('flush.count'=many)", want: "no number"},
		{kcql: ok + "PROPERTIES('store.envelope'=maybe)", want: "neither true nor false"},
		{kcql: ok + "STOREAS CSV PROPERTIES('store.envelope'=true)", want: "store.envelope"},
		{kcql: ok + "PROPERTIES('store.envelope'=true,'store.envelope.fields.key'=true)", want: "together"},
		{kcql: ok + "PROPERTIES('padding.length.topic'=3)", want: "padding.length"},
		{kcql: ok + "PROPERTIES('padding.type'='Middle')", want: "LeftPad"},
		{kcql: ok + "PARTITIONBY _header", want: "needs a name"},
		{kcql: ok + "PARTITIONBY _topic.x", want: "no fields"},
		{kcql: ok + "PARTITIONBY _date.`iiii`", want: "timestamp"},
		{kcql: ok + "PARTITIONBY `a}}b`", want: "not supported"},
		{kcql: ok, props: config.Props{"connect.s3.compression.codec": "SNAPPY"}, key: "connect.s3.compression.codec", want: "STOREAS JSON"},
		{kcql: ok + "STOREAS AVRO", props: config.Props{"connect.s3.compression.codec": "XZ"}, key: "connect.s3.compression.codec", want: "ZSTD"},
		{kcql: ok, props: config.Props{"connect.s3.compression.codec": "GZIP", "connect.s3.compression.level": "77"}, key: "connect.s3.compression.level", want: "77"},
		{kcql: ok, props: config.Props{"connect.s3.error.policy": "NOOP"}, key: "connect.s3.error.policy", want: "THROW"},
		{kcql: ok, props: config.Props{"connect.s3.aws.auth.mode": "Credentials"}, key: "connect.s3.aws.access.key", want: "secret.key"},
		{kcql: ok, props: config.Props{"connect.s3.latest.schema.optimization.enabled": "true"}, key: "connect.s3.latest.schema.optimization.enabled", want: "false"},
		{kcql: ok, props: config.Props{"timezone": "Mars/North"}, key: "timezone", want: "Mars"},
	} {
		err := config.Decode(config.Props{"connect.s3.kcql": c.kcql}.Merge(c.props), &lensesConfig{})
		var key *config.KeyError
		if assert.ErrorAs(t, err, &key, "%s %v", c.kcql, c.props) {
			if c.key == "" {
				c.key = "connect.s3.kcql"
			}
			assert.Equal(t, c.key, key.Key, "%v", err)
			assert.ErrorContains(t, err, c.want)
		}
	}
}

// Each statement has its own place, format and limits; all of them go on in one task.
func TestStatementsOfLensesShareATask(t *testing.T) {
	options := lensesOptions(t, "INSERT INTO b:one SELECT * FROM a STOREAS TEXT PROPERTIES('flush.count'=2); INSERT INTO c SELECT * FROM `*` STOREAS CSV PROPERTIES('flush.count'=1)", nil)
	task := &routedTask{key: "connect.s3.kcql"}
	stores := map[string]*mapStore{}
	for i, topic := range []string{"a", "*"} {
		store := &mapStore{objects: map[string][]byte{}, meta: map[string]map[string]string{}}
		stores[topic] = store
		options[i].Open = func(context.Context, *slog.Logger) (objectstore.Backend, error) { return store, nil }
		one, err := objectstore.NewTask(options[i])
		require.NoError(t, err)
		task.routes = append(task.routes, routedTopic{topic, one})
	}
	tp := func(topic string) connect.TopicPartition { return connect.TopicPartition{Topic: topic} }
	c := &connecttest.SinkContext{Assigned: []connect.TopicPartition{tp("a"), tp("x"), tp("y")}}
	require.NoError(t, task.Start(t.Context(), c))
	require.NoError(t, task.Open(t.Context(), c.Assigned))
	var records []connect.SinkRecord
	for i := range int64(3) {
		for _, topic := range []string{"a", "x", "y"} {
			r := at(topic, 0, i, textDatum("k"), textDatum(fmt.Sprint(topic, i)))
			if topic != "a" {
				r.Value = person(fmt.Sprint(topic, i), "", 0)
			}
			records = append(records, r)
		}
	}
	require.NoError(t, task.Put(t.Context(), records))
	// The third of a waits for a fourth.
	commit(t, task, connect.Offsets{tp("a"): 3, tp("x"): 3, tp("y"): 3}, connect.Offsets{tp("a"): 2, tp("x"): 3, tp("y"): 3})
	assert.Equal(t, map[string]string{"one/a/0/000000000000.text": "a0\na1\n"}, stores["a"].texts(t))
	assert.Equal(t, []string{"x/0/000000000000.csv", "x/0/000000000001.csv", "x/0/000000000002.csv", "y/0/000000000000.csv", "y/0/000000000001.csv", "y/0/000000000002.csv"},
		slices.Sorted(maps.Keys(stores["*"].objects)))
	require.NoError(t, task.Close(t.Context(), c.Assigned))
	require.NoError(t, task.Stop(t.Context()))
	task.routes = task.routes[:1]
	assert.ErrorContains(t, task.Open(t.Context(), []connect.TopicPartition{tp("x")}), `connect.s3.kcql has no statement for the topic "x"`)
}

// Whatever stands in KCQL, it is refused by its key, or tasks can be made of it whose names tell records of two partitions apart.
func FuzzStatements(f *testing.F) {
	f.Add("INSERT INTO b:p SELECT * FROM t PARTITIONBY _value.`x.y`, _key, _date.`yyyy/MM`, _header.h STOREAS `PARQUET` PROPERTIES('flush.count'=1,'padding.length.offset'=3,'padding.char'='x','store.envelope'=true);")
	f.Add("INSERT INTO b SELECT * FROM `*` NOPARTITION STOREAS TEXT PROPERTIES('key.suffix'='-s','padding.type'='RightPad')")
	f.Fuzz(func(t *testing.T, text string) {
		var c lensesTask
		if err := config.Decode(config.Props{"connect.s3.kcql": text}, &c); err != nil {
			keys, rest := config.KeyErrors(err)
			assert.NotEmpty(t, keys)
			assert.Empty(t, rest)
			return
		}
		routes, err := c.routes()
		require.NoError(t, err)
		for _, r := range routes {
			_, err := r.options("c", len(routes))
			require.NoError(t, err)
			variables, err := objectstore.TemplateVariables(r.config.FileTemplate)
			require.NoError(t, err)
			assert.Subset(t, variables, []string{"topic", "partition", "start_offset"}, r.config.FileTemplate)
		}
	})
}
