package registry_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/data"
)

var row = data.StructBuilder().Name("shop.Row").Field("id", data.Int64Schema).Field("note", data.OptionalStringSchema).MustBuild()

func rowOf(s *data.Schema, values ...data.Value) connect.Datum {
	x := data.NewStructs(s, 1)
	for i, v := range values {
		x[0].Set(i, v)
	}
	return connect.Datum{Schema: s, Value: data.StructOf(&x[0])}
}

func encode(t testing.TB, c connect.Converter, w *connect.Wire, d connect.Datum) ([]byte, error) {
	t.Helper()
	b, _, err := c.AppendEncode(t.Context(), nil, w, d)
	return b, err
}

// requests counts those that a registry gets.
func requests(r *srfake.Registry) *atomic.Int32 {
	var n atomic.Int32
	r.Intercept(func(http.ResponseWriter, *http.Request) bool {
		n.Add(1)
		return false
	})
	return &n
}

// TestRequestsPerSchema: a schema costs one request to write and two to read, a
// record none; tasks that start together ask once.
func TestRequestsPerSchema(t *testing.T) {
	r := fake(t)
	n := requests(r)
	p := avro.Plugin()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			c := converter(t, p, r.URL(), nil)
			for i := range 50 {
				_, err := encode(t, c, &connect.Wire{Topic: "t"}, rowOf(row, data.Int64(int64(i))))
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, n.Load())
	// Schemas that are built anew for each record are the same.
	c := converter(t, p, r.URL(), nil)
	var b []byte
	for i := range 10 {
		same := data.StructBuilder().Name("shop.Row").Field("id", data.Int64Schema).Field("note", data.OptionalStringSchema).MustBuild()
		var err error
		b, err = encode(t, c, &connect.Wire{Topic: "t"}, rowOf(same, data.Int64(int64(i))))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, n.Load())
	for range 100 {
		wg.Go(func() {
			c := converter(t, p, r.URL(), nil)
			for range 50 {
				_, err := c.Decode(t.Context(), &connect.Wire{Topic: "t"}, b)
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 3, n.Load())
}

// TestRefusals: what the registry refuses, and records that are not what they
// should be, are data errors; what may be better later is retriable.
func TestRefusals(t *testing.T) {
	r := fake(t)
	require.NoError(t, r.SetCompat("t-value", sr.CompatBackward))
	c := converter(t, avro.Plugin(), r.URL(), config.Props{"max.retries": "0"})
	w := &connect.Wire{Topic: "t"}
	good, err := encode(t, c, w, rowOf(row, data.Int64(1)))
	require.NoError(t, err)
	id, _, err := r.RegisterSchema("json-value", sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object"}`})
	require.NoError(t, err)

	refused := func(what string, err error) {
		t.Helper()
		assert.ErrorContains(t, err, what)
		assert.ErrorAs(t, err, new(*data.Error))
		_, again := connect.RetryAfter(err)
		assert.False(t, again)
	}
	decode := func(b []byte) error {
		_, err := c.Decode(t.Context(), w, b)
		return err
	}
	refused("schema 4711: there is no such schema", decode([]byte("\x00\x00\x00\x12\x67x")))
	refused("is of type JSON, want AVRO", decode([]byte{0, 0, 0, 0, byte(id), 1}))
	refused("Unknown magic byte", decode([]byte(`{"a":1}`)))
	refused("cut off", decode(good[:3]))
	refused("record with schema 1", decode(good[:5]))

	status, said := 0, ""
	r.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if status == 0 {
			return false
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
		return true
	})
	other := data.StructBuilder().Name("shop.Row").Field("id", data.StringSchema).MustBuild()
	status, said = 409, `{"error_code":409,"message":"READER_FIELD_MISSING_DEFAULT_VALUE: id"}`
	_, err = encode(t, c, w, rowOf(other, data.String("x")))
	refused(`subject "t-value": the registry refuses the schema as incompatible with an earlier one`, err)
	misfit, _ := errors.AsType[*data.Error](err)
	assert.Contains(t, misfit.Message, "READER_FIELD_MISSING_DEFAULT_VALUE: id", "the header of a dead letter has the message alone")
	assert.Equal(t, 1, strings.Count(err.Error(), "READER_FIELD_MISSING_DEFAULT_VALUE: id"))
	assert.ErrorContains(t, err, "HTTP 409")
	status, said = 422, `{"error_code":42201,"message":"Invalid schema"}`
	_, err = encode(t, c, &connect.Wire{Topic: "u"}, rowOf(other, data.String("x")))
	refused("the registry refuses the schema", err)
	status, said = 503, `<html>`
	_, err = encode(t, c, &connect.Wire{Topic: "v"}, rowOf(other, data.String("x")))
	after, retry := connect.RetryAfter(err)
	assert.True(t, retry)
	assert.Equal(t, "7s", after.String())
	assert.NotErrorAs(t, err, new(*data.Error))
	status = 0
	_, err = encode(t, c, &connect.Wire{Topic: "v"}, rowOf(other, data.String("x")))
	assert.NoError(t, err, "back again")
	_, err = encode(t, c, w, rowOf(row, data.Int64(2)))
	assert.NoError(t, err, "known schemas need no registry")
}

// TestWriteModes: with auto.register.schemas=false the schema must be there, or is
// the latest, or that of an id.
func TestWriteModes(t *testing.T) {
	r := fake(t)
	w := &connect.Wire{Topic: "t"}
	d := rowOf(row, data.Int64(5), data.String("n"))
	made := func(props config.Props) connect.Converter {
		return converter(t, avro.Plugin(), r.URL(), config.Props{"auto.register.schemas": "false"}.Merge(props))
	}
	_, err := encode(t, made(nil), w, d)
	assert.ErrorContains(t, err, `subject "t-value": there is no such subject`)
	_, err = encode(t, made(config.Props{"use.latest.version": "true"}), w, d)
	assert.ErrorAs(t, err, new(*data.Error))
	b, err := encode(t, converter(t, avro.Plugin(), r.URL(), nil), w, d)
	require.NoError(t, err)
	found, err := encode(t, made(nil), w, d)
	require.NoError(t, err)
	assert.Equal(t, b, found, "looked up")
	_, err = encode(t, made(nil), w, rowOf(data.StructBuilder().Name("shop.Other").Field("id", data.Int64Schema).MustBuild(), data.Int64(1)))
	assert.ErrorContains(t, err, "there is no such schema")

	latest := `{"type":"record","name":"Row","namespace":"shop","fields":[{"name":"new","type":"int","default":9},{"name":"id","type":"long"}]}`
	id, _, err := r.RegisterSchema("t-value", sr.Schema{Schema: latest})
	require.NoError(t, err)
	lenient := config.Props{"use.latest.version": "true", "latest.compatibility.strict": "false"}
	for _, props := range []config.Props{lenient, {"use.schema.id": fmt.Sprint(id), "id.compatibility.strict": "false"}} {
		b, err = encode(t, made(props), w, d)
		require.NoError(t, err)
		assert.Equal(t, byte(id), b[4])
		got, err := converter(t, avro.Plugin(), r.URL(), nil).Decode(t.Context(), w, b)
		require.NoError(t, err)
		assert.Equal(t, "Struct{new=9,id=5}", got.Value.String())
	}
	_, err = encode(t, made(lenient), w, rowOf(data.StructBuilder().Name("shop.Row").Field("id", data.OptionalStringSchema).MustBuild(), data.String("x")))
	assert.ErrorAs(t, err, new(*data.Error))
	_, err = encode(t, made(config.Props{"use.schema.id": "4711"}), w, d)
	assert.ErrorContains(t, err, "there is no such schema")
}

// TestReadLatest: with use.latest.version data come under the latest schema.
func TestReadLatest(t *testing.T) {
	r := fake(t)
	w := &connect.Wire{Topic: "t"}
	old, err := encode(t, converter(t, avro.Plugin(), r.URL(), nil), w, rowOf(row, data.Int64(5), data.String("n")))
	require.NoError(t, err)
	_, _, err = r.RegisterSchema("t-value", sr.Schema{Schema: `{"type":"record","name":"Row","namespace":"shop","fields":[{"name":"more","type":"string","default":"d"},{"name":"id","type":"double"}]}`})
	require.NoError(t, err)
	plain, err := converter(t, avro.Plugin(), r.URL(), nil).Decode(t.Context(), w, old)
	require.NoError(t, err)
	assert.Equal(t, "Struct{id=5,note=n}", plain.Value.String())
	version, _ := plain.Schema.Version()
	assert.Equal(t, 1, version)
	latest, err := converter(t, avro.Plugin(), r.URL(), config.Props{"use.latest.version": "true"}).Decode(t.Context(), w, old)
	require.NoError(t, err)
	assert.Equal(t, "Struct{more=d,id=5.0}", latest.Value.String())
	version, _ = latest.Schema.Version()
	assert.Equal(t, 2, version)
}

// TestStrategies: subjects are named as the strategies say, for keys and values.
func TestStrategies(t *testing.T) {
	r := fake(t)
	for _, c := range []struct {
		use, strategy, subject string
	}{
		{"key", "TopicNameStrategy", "t-key"}, {"value", "io.confluent.kafka.serializers.subject.RecordNameStrategy", "shop.Row"}, {"key", "TopicRecordNameStrategy", "t-shop.Row"},
	} {
		conv := converter(t, avro.Plugin(), r.URL(), config.Props{"converter.type": c.use, c.use + ".subject.name.strategy": c.strategy})
		w := &connect.Wire{Topic: "t"}
		b, err := encode(t, conv, w, rowOf(row, data.Int64(5)))
		require.NoError(t, err)
		assert.True(t, r.SubjectExists(c.subject), c.subject)
		d, err := conv.Decode(t.Context(), w, b)
		require.NoError(t, err)
		v, ok := d.Schema.Version()
		assert.True(t, ok && v == 1)
	}
}

// TestHeaders: a GUID in a header is written once and read back; a registry without
// GUIDs is refused by name.
func TestHeaders(t *testing.T) {
	const guid = "00112233-4455-6677-8899-aabbccddeeff"
	text := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			fmt.Fprintf(w, `{"id":3,"guid":%q}`, guid)
		case strings.HasSuffix(r.URL.Path, "/guids/"+guid):
			fmt.Fprintf(w, `{"schema":%q}`, text)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	props := config.Props{"value.schema.id.serializer": "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer"}
	c := converter(t, avro.Plugin(), s.URL, props)
	w := &connect.Wire{Topic: "t"}
	number := connect.Datum{Schema: data.Int32Schema, Value: data.Int32(2)}
	text = `"int"`
	for range 2 {
		b, err := encode(t, c, w, number)
		require.NoError(t, err)
		assert.Equal(t, []byte{4}, b)
		require.Len(t, w.Headers, 1)
		assert.Equal(t, "__value_schema_id", w.Headers[0].Key)
		assert.Len(t, w.Headers[0].Value, 17)
		d, err := c.Decode(t.Context(), w, b)
		require.NoError(t, err)
		assert.Equal(t, "2", d.Value.String())
	}
	_, err := encode(t, c, nil, number)
	assert.ErrorContains(t, err, "wants a record to put a header on")
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":3,"schema":"\"int\""}`) }))
	defer old.Close()
	_, err = encode(t, converter(t, avro.Plugin(), old.URL, props), w, number)
	assert.ErrorContains(t, err, "the registry gives none")
}

// TestReferences: schemas that refer to others are read with them, for each format.
func TestReferences(t *testing.T) {
	r := fake(t)
	register := func(subject string, s sr.Schema) byte {
		t.Helper()
		id, _, err := r.RegisterSchema(subject, s)
		require.NoError(t, err)
		return byte(id)
	}
	register("money-avro", sr.Schema{Schema: `{"type":"record","name":"Money","namespace":"m","fields":[{"name":"units","type":"long"}]}`})
	register("money-json", sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object","title":"Money","properties":{"units":{"type":"integer"}}}`})
	register("money-proto", sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; package m; message Money { int64 units = 1; }`})
	ref := func(name, subject string) []sr.SchemaReference {
		return []sr.SchemaReference{{Name: name, Subject: subject, Version: 1}}
	}
	for _, c := range []struct {
		p       connect.Plugin
		id      byte
		payload string
	}{
		{avro.Plugin(), register("a-value", sr.Schema{Schema: `{"type":"record","name":"A","fields":[{"name":"price","type":"m.Money"}]}`, References: ref("m.Money", "money-avro")}), "\x0e"},
		{jsonschema.Plugin(), register("j-value", sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object","title":"A","properties":{"price":{"$ref":"money.json"}}}`, References: ref("money.json", "money-json")}), `{"price":{"units":7}}`},
		{protobuf.Plugin(), register("p-value", sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; import "money.proto"; message A { m.Money price = 1; }`, References: ref("money.proto", "money-proto")}), "\x00\x0a\x02\x08\x07"},
	} {
		d, err := converter(t, c.p, r.URL(), nil).Decode(t.Context(), &connect.Wire{Topic: "t"}, append([]byte{0, 0, 0, 0, c.id}, c.payload...))
		require.NoError(t, err)
		assert.Equal(t, "Struct{price=Struct{units=7}}", d.Value.String())
	}
}

// TestPluginsShareNothing, and a converter that is closed gives all back.
func TestPluginsShareNothing(t *testing.T) {
	r := fake(t)
	n := requests(r)
	for range 2 {
		c := converter(t, avro.Plugin(), r.URL(), nil)
		_, err := encode(t, c, &connect.Wire{Topic: "t"}, rowOf(row, data.Int64(1)))
		require.NoError(t, err)
		require.NoError(t, c.(io.Closer).Close())
		require.NoError(t, c.(io.Closer).Close(), "twice")
	}
	assert.EqualValues(t, 2, n.Load())
}
