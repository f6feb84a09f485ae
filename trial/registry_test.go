package trial_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
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
	"github.com/streamlane/connect/trial"
)

// watched is a registry in the process, and what is asked of it.
type watched struct {
	*srfake.Registry
	mu    sync.Mutex
	asked []string
	// refusal is what it says of schemas that are to follow the latest one; empty: yes.
	refusal string
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{Registry: srfake.New()}
	t.Cleanup(w.Close)
	w.Intercept(func(rw http.ResponseWriter, r *http.Request) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r.Method+" "+r.URL.Path)
		if w.refusal == "" || !strings.HasPrefix(r.URL.Path, "/compatibility/") || r.URL.Query().Get("verbose") != "true" {
			return false
		}
		_, _ = io.WriteString(rw, w.refusal)
		return true
	})
	return w
}

// requests returns what was asked, and forgets it.
func (w *watched) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.asked
	w.asked = nil
	return all
}

const refusal = `{"is_compatible":false,"messages":["READER_FIELD_MISSING_DEFAULT_VALUE: id","and more"]}`

// registered are the formats of schemas, with a schema that none of ours follows.
var registered = map[string]struct {
	plugin connect.Plugin
	other  sr.Schema
}{
	"AvroConverter":       {avro.Plugin(), sr.Schema{Schema: `{"type":"record","name":"Inferred","fields":[{"name":"other","type":["null","string"],"default":null}]}`}},
	"JsonSchemaConverter": {jsonschema.Plugin(), sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object","title":"Inferred","properties":{"other":{"oneOf":[{"type":"null"},{"type":"string"}]}},"additionalProperties":false}`}},
	"ProtobufConverter":   {protobuf.Plugin(), sr.Schema{Type: sr.TypeProtobuf, Schema: "syntax = \"proto3\";\nmessage Inferred { optional string other = 1; }"}},
}

// TestRegistersNothing: a try looks schemas up, asks whether those that are not there
// could be, and shows the registry's explanation where not; with schemas of the
// data, and with detected ones.
func TestRegistersNothing(t *testing.T) {
	row := data.StructBuilder().Name("shop.Row").Field("id", data.Int64Schema).MustBuild()
	schemaless := data.MapOf(data.Pair{Key: data.String("id"), Value: data.Int64(7)})
	for class, format := range registered {
		for mode, d := range map[string]connect.Datum{"schema of the data": rowOf(row, data.Int64(7)), "detected": {Value: schemaless}} {
			t.Run(class+"/"+mode, func(t *testing.T) {
				r := watch(t)
				rt := newTrials(t, format.plugin)
				props := config.Props{
					"connector.class": "Source", "key.converter": "StringConverter", "value.converter": class, "value.converter.schema.registry.url": r.URL(),
					"value.converter.object.additional.properties": "false", "value.converter.optional.for.nullables": "true",
				}
				if d.Schema == nil {
					props["value.converter.schemas.infer"] = "true"
				}
				try := func() trial.Tried {
					t.Helper()
					record := numbered(1, connect.Record{Topic: "rows", Value: d})
					tried, err := trial.Run(t.Context(), rt, trial.Trial{Name: "c", Props: props, Records: []connect.SourceRecord{record, record}})
					require.NoError(t, err)
					require.Equal(t, tried[0].Err == nil, tried[1].Err == nil)
					return tried[0]
				}
				const lookup, fits = "POST /subjects/rows-value", "POST /compatibility/subjects/rows-value/versions/latest"
				const latest, register = "GET /subjects/rows-value/versions/latest", "POST /subjects/rows-value/versions"

				fresh := try()
				require.NoError(t, fresh.Err)
				assert.Equal(t, []byte{0, 0, 0, 0, 0}, fresh.Message.Value[:5], "the id of a schema that is not there")
				first := r.requests()
				if d.Schema == nil {
					require.Equal(t, latest, first[0])
					first = first[1:]
				}
				assert.Equal(t, []string{lookup, fits}, first)
				assert.False(t, r.SubjectExists("rows-value"))

				_, _, err := r.RegisterSchema("rows-value", format.other)
				require.NoError(t, err)
				r.mu.Lock()
				r.refusal = refusal
				r.mu.Unlock()
				refused := try()
				require.ErrorContains(t, refused.Err, "VALUE_CONVERTER by "+class)
				assert.ErrorContains(t, refused.Err, "the registry refuses the schema as incompatible with an earlier one")
				assert.ErrorContains(t, refused.Err, "READER_FIELD_MISSING_DEFAULT_VALUE: id; and more")
				assert.ErrorAs(t, refused.Err, new(*data.Error))
				last := refused.Steps[len(refused.Steps)-1]
				assert.Equal(t, connect.StageValueConverter, last.Stage)
				assert.Equal(t, refused.Err, last.Err)
				assert.NotContains(t, r.requests(), register)
				_, second := r.GetSchema("rows-value", 2)
				assert.False(t, second)
			})
		}
	}
}

// TestShowsTheIDOfAKnownSchema: what a try encodes is what a task sends.
func TestShowsTheIDOfAKnownSchema(t *testing.T) {
	row := data.StructBuilder().Name("shop.Row").Field("id", data.Int64Schema).MustBuild()
	for class, format := range registered {
		t.Run(class, func(t *testing.T) {
			r := watch(t)
			_, _, err := r.RegisterSchema("another-value", format.other) // takes the first id
			require.NoError(t, err)
			task, err := format.plugin.NewConverter(config.Props{"converter.type": "value", "schema.registry.url": r.URL()})
			require.NoError(t, err)
			want, _, err := task.AppendEncode(t.Context(), nil, &connect.Wire{Topic: "rows"}, rowOf(row, data.Int64(7)))
			require.NoError(t, err)
			r.requests()
			props := config.Props{"connector.class": "Source", "key.converter": "StringConverter", "value.converter": class, "value.converter.schema.registry.url": r.URL()}
			tried, err := trial.Run(t.Context(), newTrials(t, format.plugin), trial.Trial{
				Name: "c", Props: props, Records: []connect.SourceRecord{numbered(1, connect.Record{Topic: "rows", Value: rowOf(row, data.Int64(7))})},
			})
			require.NoError(t, err)
			require.NoError(t, tried[0].Err)
			assert.Equal(t, want, tried[0].Message.Value)
			assert.NotZero(t, want[4])
			assert.Equal(t, []string{"POST /subjects/rows-value"}, r.requests())
		})
	}
}

// TestIsNoRegistry: a server that knows no such path is not one without the schema.
func TestIsNoRegistry(t *testing.T) {
	r := watch(t)
	props := config.Props{"connector.class": "Source", "value.converter": "AvroConverter", "value.converter.schema.registry.url": r.URL() + "/elsewhere", "key.converter": "StringConverter"}
	tried, err := trial.Run(t.Context(), newTrials(t, avro.Plugin()), trial.Trial{
		Name: "c", Props: props, Records: []connect.SourceRecord{numbered(1, connect.Record{Topic: "rows", Value: text("x")})},
	})
	require.NoError(t, err)
	assert.ErrorContains(t, tried[0].Err, "HTTP 404")
}

func rowOf(s *data.Schema, values ...data.Value) connect.Datum {
	x := data.NewStructs(s, 1)
	for i, v := range values {
		x[0].Set(i, v)
	}
	return connect.Datum{Schema: s, Value: data.StructOf(&x[0])}
}
