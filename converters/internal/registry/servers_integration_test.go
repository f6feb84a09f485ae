//go:build integration

package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
	"github.com/streamlane/connect/internal/testenv"
)

var formats = map[string]func() connect.Plugin{"avro": avro.Plugin, "jsonschema": jsonschema.Plugin, "protobuf": protobuf.Plugin}

// register enters a schema by the registry's API alone.
func register(t testing.TB, url, subject, body string) (id int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/subjects/"+subject+"/versions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", body, text)
	var said struct{ ID int }
	require.NoError(t, json.Unmarshal(text, &said))
	return said.ID
}

func schemaBody(t testing.TB, typ, text string, refs ...map[string]any) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"schema": text, "schemaType": typ, "references": refs})
	require.NoError(t, err)
	return string(b)
}

// TestRealRegistry: each format registers, is found again, evolves, is refused, and
// reads with the latest schema, at a real registry.
func TestRealRegistry(t *testing.T) {
	url := testenv.Registry(t).URL()
	for name, plugin := range formats {
		t.Run(name, func(t *testing.T) {
			topic := "real-" + name
			w := &connect.Wire{Topic: topic}
			props := config.Props{"object.additional.properties": "false", "optional.for.nullables": "true"}
			made := func(more config.Props) connect.Converter { return converter(t, plugin(), url, props.Merge(more)) }
			first := data.StructBuilder().Name("shop.Order").Field("id", data.Int64Schema).Field("price", data.DecimalSchema(2)).Field("small", data.Int8Schema).
				Field("at", data.OptionalTimestampSchema).Field("tags", data.ArrayBuilder(data.StringSchema).MustBuild()).Field("sums", data.MapBuilder(data.StringSchema, data.Int32Schema).MustBuild()).MustBuild()
			values := []data.Value{data.Int64(7), data.DecimalOf(data.DecimalFromInt64(1050, 2)), data.Int8(3), data.DateMillis(86_400_000), data.ArrayOf(data.String("a")), data.MapOf(data.Pair{Key: data.String("k"), Value: data.Int32(1)})}
			old, err := encode(t, made(nil), w, rowOf(first, values...))
			require.NoError(t, err)
			found, err := encode(t, made(config.Props{"auto.register.schemas": "false"}), w, rowOf(first, values...))
			require.NoError(t, err)
			assert.Equal(t, old, found, "looked up")
			d, err := made(nil).Decode(t.Context(), w, old)
			require.NoError(t, err)
			version, ok := d.Schema.Version()
			assert.True(t, ok && version == 1)
			x, _ := d.Value.Struct()
			for i, f := range first.Fields() {
				v, ok := x.Get(f.Name)
				require.True(t, ok)
				assert.True(t, data.Equal(values[i], v), "%s: %v and %v", f.Name, values[i], v)
			}

			evolved := schematest.With(first, func(b *data.Builder) { b.Field("note", data.OptionalStringSchema) })
			next, err := encode(t, made(nil), w, rowOf(evolved, append(values, data.String("n"))...))
			require.NoError(t, err)
			assert.NotEqual(t, old[:5], next[:5])
			d, err = made(config.Props{"use.latest.version": "true"}).Decode(t.Context(), w, old)
			require.NoError(t, err)
			assert.Equal(t, len(evolved.Fields()), len(d.Schema.Fields()), "the latest schema")
			latest, err := encode(t, made(config.Props{"auto.register.schemas": "false", "use.latest.version": "true", "latest.compatibility.strict": "false"}), w, rowOf(first, values...))
			require.NoError(t, err)
			assert.Equal(t, next[:5], latest[:5], "written with the latest schema")

			other := data.StructBuilder().Name("shop.Order").Field("id", data.BooleanSchema).Field("needed", data.StringSchema).MustBuild()
			_, err = encode(t, made(nil), w, rowOf(other, data.Boolean(true), data.String("x")))
			require.Error(t, err, "incompatible")
			assert.ErrorAs(t, err, new(*data.Error))
			assert.ErrorContains(t, err, "the registry refuses the schema")
			t.Log(err)
			_, err = made(nil).Decode(t.Context(), w, bytes.Replace(old, old[:5], []byte{0, 0x7f, 0, 0, 1}, 1))
			assert.ErrorContains(t, err, "there is no such schema")
		})
	}
}

// TestRealReferences: schemas that refer to others are read at a real registry.
func TestRealReferences(t *testing.T) {
	url := testenv.Registry(t).URL()
	ref := func(name, subject string) map[string]any {
		return map[string]any{"name": name, "subject": subject, "version": 1}
	}
	for name, c := range map[string]struct{ typ, part, refName, text, payload string }{
		"avro":       {"AVRO", `{"type":"record","name":"Money","namespace":"m","fields":[{"name":"units","type":"long"}]}`, "m.Money", `{"type":"record","name":"A","fields":[{"name":"price","type":"m.Money"}]}`, "\x0e"},
		"jsonschema": {"JSON", `{"type":"object","title":"Money","properties":{"units":{"type":"integer"}}}`, "money.json", `{"type":"object","title":"A","properties":{"price":{"$ref":"money.json"}}}`, `{"price":{"units":7}}`},
		"protobuf":   {"PROTOBUF", "syntax = \"proto3\";\npackage m;\nmessage Money { int64 units = 1; }\n", "money.proto", "syntax = \"proto3\";\nimport \"money.proto\";\nmessage A { m.Money price = 1; }\n", "\x00\x0a\x02\x08\x07"},
	} {
		t.Run(name, func(t *testing.T) {
			register(t, url, "part-"+name, schemaBody(t, c.typ, c.part))
			id := register(t, url, "whole-"+name+"-value", schemaBody(t, c.typ, c.text, ref(c.refName, "part-"+name)))
			record := append([]byte{0, 0, 0, byte(id >> 8), byte(id)}, c.payload...)
			d, err := converter(t, formats[name](), url, nil).Decode(t.Context(), &connect.Wire{Topic: "whole-" + name}, record)
			require.NoError(t, err)
			assert.Equal(t, "Struct{price=Struct{units=7}}", d.Value.String())
		})
	}
}

// TestRealDetection: schemas that are detected evolve within what a real registry
// allows.
func TestRealDetection(t *testing.T) {
	url := testenv.Registry(t).URL()
	for name, plugin := range formats {
		t.Run(name, func(t *testing.T) {
			c := converter(t, plugin(), url, config.Props{"schemas.infer": "true", "object.additional.properties": "false", "optional.for.nullables": "true"})
			w := &connect.Wire{Topic: "detect-" + name}
			for i, text := range []string{`{"id":1}`, `{"id":2,"name":"x"}`, `{"name":"y","address":{"city":"Ulm"}}`, `{"address":{"zip":"89073","lines":["a","b"]}}`} {
				b, err := encode(t, c, w, connect.Datum{Value: parsed(t, text)})
				require.NoError(t, err, text)
				d, err := c.Decode(t.Context(), w, b)
				require.NoError(t, err)
				version, _ := d.Schema.Version()
				assert.Equal(t, i+1, version, text)
			}
			_, err := encode(t, c, w, connect.Datum{Value: parsed(t, `{"id":"text"}`)})
			assert.ErrorContains(t, err, "no schema takes both")
		})
	}
}

// TestRealPrimitives: what is no record. Apicurio takes {"type":"string"} for no JSON
// Schema, whoever registers it, so that format is left out.
func TestRealPrimitives(t *testing.T) {
	url := testenv.Registry(t).URL()
	for name, plugin := range formats {
		if name == "jsonschema" {
			continue
		}
		for i, d := range []connect.Datum{{Schema: data.StringSchema, Value: data.String("x")}, {Schema: data.Int64Schema, Value: data.Int64(7)}} {
			w := &connect.Wire{Topic: fmt.Sprintf("plain-%s-%d", name, i)}
			c := converter(t, plugin(), url, nil)
			b, err := encode(t, c, w, d)
			require.NoError(t, err, name)
			got, err := c.Decode(t.Context(), w, b)
			require.NoError(t, err)
			assert.True(t, data.Equal(d.Value, got.Value))
		}
	}
}

// TestRealTry: a converter that is only tried registers nothing, and says what the
// registry would.
func TestRealTry(t *testing.T) {
	url := testenv.Registry(t).URL()
	props := config.Props{"object.additional.properties": "false", "optional.for.nullables": "true"}
	for name, plugin := range formats {
		t.Run(name, func(t *testing.T) {
			w := &connect.Wire{Topic: "tried-" + name}
			made := func() (task, dry connect.Converter) {
				p := plugin()
				task, dry = converter(t, p, url, props), converter(t, p, url, props)
				dry.(connect.DryRunner).DryRun()
				return task, dry
			}
			task, dry := made()
			d := rowOf(row, data.Int64(1), data.String("n"))
			for range 2 { // the second time it is there neither
				b, err := encode(t, dry, w, d)
				require.NoError(t, err)
				assert.Equal(t, make([]byte, 5), b[:5])
				_, dry = made()
			}
			sent, err := encode(t, task, w, d)
			require.NoError(t, err)
			_, dry = made()
			b, err := encode(t, dry, w, d)
			require.NoError(t, err)
			assert.Equal(t, sent, b)

			other := data.StructBuilder().Name("shop.Row").Field("id", data.BooleanSchema).Field("needed", data.StringSchema).MustBuild()
			misfit := rowOf(other, data.Boolean(true), data.String("x"))
			_, dry = made()
			_, tried := encode(t, dry, w, misfit)
			require.ErrorContains(t, tried, "the registry refuses the schema as incompatible with an earlier one")
			assert.ErrorAs(t, tried, new(*data.Error))
			t.Log(tried)
			_, refused := encode(t, task, w, misfit)
			require.Error(t, refused)
		})
	}
}
