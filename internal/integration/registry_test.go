//go:build integration

package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// avroAt is Avro for values, with a registry.
func avroAt(url string) config.Props {
	return config.Props{"value.converter": "io.confluent.connect.avro.AvroConverter", "value.converter.schema.registry.url": url}
}

// registrySays asks a registry for something.
func registrySays(t testing.TB, url string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
	require.NoError(t, json.Unmarshal(text, into))
}

// generated is record n, from 1 on, of the generator's rows after the transforms of
// TestRegistryPipeline, as text.
func generated(n int) string {
	region := "region=eu-west-1,"
	if n%10 == 0 {
		region = ""
	}
	return fmt.Sprintf("Struct{order_id=%d,name=name-%d,amount=%v,active=%v,count=%d,%sts=%d,source=shop}",
		n, n%1000, data.Float32(float32(float64(n)*0.01)), n%2 == 0, n%100_000, region, 1_700_000_000_000+n)
}

// TestRegistryPipeline: generated records go through three transforms and the Avro
// converter with a registry to a topic, and back to a sink. Every record arrives
// once, in order and whole; Apache Avro reads the same from the topic.
func TestRegistryPipeline(t *testing.T) {
	bootstrap, url := testenv.Kafka(t).Bootstrap(), testenv.Registry(t).URL()
	const n = 2500
	topic, basket := unique("rows"), newBasket()
	makeTopic(t, bootstrap, topic, 1)
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{avro.Plugin(), basket.plugin()}})
	w.put("rows-out", config.Props{
		"connector.class": "GeneratorSource", "topic": topic, "mode": "struct", "records": fmt.Sprint(n), "tasks.max": "1",
		"transforms": "mark,pick,cast", "transforms.mark.type": "InsertField$Value", "transforms.mark.static.field": "source", "transforms.mark.static.value": "shop",
		"transforms.pick.type": "ReplaceField$Value", "transforms.pick.exclude": "note", "transforms.pick.renames": "id:order_id",
		"transforms.cast.type": "Cast$Value", "transforms.cast.spec": "count:string,amount:float32",
	}.Merge(avroAt(url)))
	w.put("rows-in", config.Props{"connector.class": "Basket", "topics": topic}.Merge(avroAt(url)))

	got := basket.await(t, n)
	require.Len(t, got, n)
	for i := range got {
		require.Equal(t, generated(i+1), got[i].Value.Value.String(), "record %d", i+1)
		require.EqualValues(t, i, got[i].Origin.Offset)
	}
	s := got[0].Value.Schema
	assert.Equal(t, "perf.Record", s.Name())
	kinds := make(map[string]data.Kind)
	for _, f := range s.Fields() {
		kinds[f.Name] = f.Schema.Kind()
	}
	assert.Equal(t, map[string]data.Kind{
		"order_id": data.KindInt64, "name": data.KindString, "amount": data.KindFloat32, "active": data.KindBoolean, "count": data.KindString,
		"region": data.KindString, "ts": data.KindInt64, "source": data.KindString,
	}, kinds)

	var versions []int
	registrySays(t, url+"/subjects/"+topic+"-value/versions", &versions)
	assert.Equal(t, []int{1}, versions)
	javaReadsAvro(t, url, recordsOf(t, bootstrap, topic, n), got)
}

// javaReadsAvro has Apache Avro and AvroData read records of a topic, which a sink
// was given as got.
func javaReadsAvro(t *testing.T, url string, records []*kgo.Record, got []connect.SinkRecord) {
	t.Helper()
	var questions bytes.Buffer
	write := json.NewEncoder(&questions)
	schemas := make(map[uint32]string)
	for _, r := range records {
		require.Zero(t, r.Value[0])
		id := binary.BigEndian.Uint32(r.Value[1:5])
		if _, ok := schemas[id]; !ok {
			var said struct{ Schema string }
			registrySays(t, fmt.Sprintf("%s/schemas/ids/%d", url, id), &said)
			schemas[id] = said.Schema
		}
		require.NoError(t, write.Encode(map[string]any{"config": map[string]string{}, "schema": schemas[id], "data": base64.StdEncoding.EncodeToString(r.Value[5:])}))
	}
	carrier := jsonCarrier(t)
	answers := json.NewDecoder(bytes.NewReader(testenv.JavaProgram(t, "../../internal/avrodata/testdata/java/Witness.java", questions.Bytes())))
	for i := range got {
		var said struct{ Envelope, Error string }
		require.NoError(t, answers.Decode(&said))
		require.Empty(t, said.Error)
		theirs, err := carrier.Decode(t.Context(), nil, []byte(said.Envelope))
		require.NoError(t, err)
		require.True(t, data.Equal(theirs.Value, got[i].Value.Value), "record %d: Java reads %v, we read %v", i, theirs.Value, got[i].Value.Value)
	}
}

// rowsOf returns one row for each number.
func rowsOf(topic string, s *data.Schema, value func(n int) []data.Value, numbers ...int) (all []connect.Record) {
	for _, n := range numbers {
		x := data.NewStructs(s, 1)
		for i, v := range value(n) {
			x[0].Set(i, v)
		}
		all = append(all, connect.Record{Topic: topic, Value: connect.Datum{Schema: s, Value: data.StructOf(&x[0])}})
	}
	return all
}

// TestRegistryEvolution: a schema that grows in mid-flow is registered and read
// beside the old one; what the registry refuses is a dead letter with its words, and
// the records after it flow on.
func TestRegistryEvolution(t *testing.T) {
	bootstrap, url := testenv.Kafka(t).Bootstrap(), testenv.Registry(t).URL()
	topic, dlq := unique("evolves"), unique("evolves-dead")
	makeTopic(t, bootstrap, topic, 1)
	feed, basket := newFeed(), newBasket()
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{avro.Plugin(), feed.plugin(), basket.plugin()}})
	w.put("out", config.Props{
		"connector.class": "Feed", "errors.tolerance": "all",
		"streamlane.errors.deadletterqueue.topic.name": dlq, "streamlane.errors.deadletterqueue.topic.replication.factor": "1",
	}.Merge(avroAt(url)))
	w.put("in", config.Props{"connector.class": "Basket", "topics": topic}.Merge(avroAt(url)))

	first := data.StructBuilder().Name("shop.Order").Field("id", data.Int64Schema).MustBuild()
	grown := data.StructBuilder().Name("shop.Order").Field("id", data.Int64Schema).Field("note", data.OptionalStringSchema).MustBuild()
	misfit := data.StructBuilder().Name("shop.Order").Field("id", data.Int64Schema).Field("needed", data.StringSchema).MustBuild()
	plain := func(n int) []data.Value { return []data.Value{data.Int64(int64(n))} }
	with := func(n int) []data.Value { return []data.Value{data.Int64(int64(n)), data.String(fmt.Sprint("n", n))} }
	feed.add(rowsOf(topic, first, plain, 0, 1, 2)...)
	basket.await(t, 3)
	feed.add(rowsOf(topic, grown, with, 3, 4)...)
	basket.await(t, 5)
	feed.add(rowsOf(topic, misfit, with, 5, 6)...)
	feed.add(rowsOf(topic, first, plain, 7)...)
	feed.add(rowsOf(topic, grown, with, 8)...)
	var got []string
	for _, r := range basket.await(t, 7) {
		version, _ := r.Value.Schema.Version()
		got = append(got, fmt.Sprintf("%d %s", version, r.Value.Value))
	}
	assert.Equal(t, []string{
		"1 Struct{id=0}", "1 Struct{id=1}", "1 Struct{id=2}", "2 Struct{id=3,note=n3}", "2 Struct{id=4,note=n4}", "1 Struct{id=7}", "2 Struct{id=8,note=n8}",
	}, got)
	letters := recordsOf(t, bootstrap, dlq, 2)
	for i, letter := range letters {
		assert.Equal(t, "VALUE_CONVERTER", header(letter, "stage"))
		assert.Equal(t, topic, header(letter, "topic"))
		why := header(letter, "exception.message")
		assert.Contains(t, why, `subject "`+topic+`-value": the registry refuses the schema as incompatible with an earlier one`)
		assert.Contains(t, why, "Incompatible artifact: "+topic+"-value [AVRO]", "the registry's own words")
		assert.Contains(t, why, "needed")
		assert.Contains(t, string(letter.Value), fmt.Sprintf(`"payload":{"id":%d,"needed":"n%d"}`, 5+i, 5+i))
	}
	var versions []int
	registrySays(t, url+"/subjects/"+topic+"-value/versions", &versions)
	assert.Equal(t, []int{1, 2}, versions)
	assert.True(t, w.running("out"))
	assert.True(t, w.running("in"))
}

// TestRegistryRefusalOfASink: a sink's records that no schema of the registry
// belongs to are dead letters: the bytes as they were consumed.
func TestRegistryRefusalOfASink(t *testing.T) {
	bootstrap, url := testenv.Kafka(t).Bootstrap(), testenv.Registry(t).URL()
	topic, dlq, basket := unique("unknown"), unique("unknown-dead"), newBasket()
	makeTopic(t, bootstrap, topic, 1)
	values := [][]byte{[]byte("no magic"), {0, 0x7f, 0, 0, 1, 2}, {0, 0}}
	var all []*kgo.Record
	for _, v := range values {
		all = append(all, &kgo.Record{Topic: topic, Value: v})
	}
	require.NoError(t, bare(t, bootstrap).ProduceSync(within(t), all...).FirstErr())
	w := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{avro.Plugin(), basket.plugin()}})
	w.put("in", letterSink(topic, dlq).Merge(avroAt(url)))
	for i, letter := range recordsOf(t, bootstrap, dlq, len(values)) {
		assert.Equal(t, values[i], letter.Value)
		assert.Equal(t, "VALUE_CONVERTER", header(letter, "stage"))
		assert.Equal(t, "io.confluent.connect.avro.AvroConverter", header(letter, "class.name"))
		assert.Contains(t, header(letter, "exception.message"), []string{"Unknown magic byte", "there is no such schema", "cut off"}[i])
	}
	awaitCommitted(t, bootstrap, "connect-in", topic, 0, int64(len(values)))
	assert.Empty(t, basket.got())
}

// jsonCarrier is the JSON converter, with schemas.
func jsonCarrier(t testing.TB) connect.Converter {
	t.Helper()
	c, err := converters.NewJSON(converters.DefaultJSONConfig())
	require.NoError(t, err)
	return c
}
