package transforms

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// vector is one call of a transform, recorded from Kafka Connect 4.3.1.
type vector struct {
	Name        string
	Class       string
	Config      config.Props
	In          *vectorRecord
	Out         *vectorRecord // nil beside no error: the record was dropped
	Error       *goldentest.Failure
	ConfigError *goldentest.Failure
	ConfigOK    bool `json:"configOk"`
}

type vectorRecord struct {
	Topic      *string
	Partition  *int32
	Offset     *int64
	Key, Value json.RawMessage
	Headers    []struct {
		Key   string
		Value json.RawMessage
	}
	Timestamp *int64
}

// record turns the notation into a record as the engine hands it over.
func (v *vectorRecord) record(t *testing.T) connect.Record {
	r := connect.Record{Offset: -1, Key: datum(t, v.Key), Value: datum(t, v.Value)}
	if v.Topic != nil {
		r.Topic = *v.Topic
	}
	if v.Partition != nil {
		r.Partition = connect.On(*v.Partition)
	}
	if v.Offset != nil {
		r.Offset = *v.Offset
	}
	if v.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*v.Timestamp)
	}
	for _, h := range v.Headers {
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Datum: datum(t, h.Value)})
	}
	return r
}

// movedDefaults brings the default of a renamed struct schema under that schema. Java leaves it under the old one, where no builder of
// schemas, theirs or ours, accepts it for a default.
func (v *vectorRecord) movedDefaults(t *testing.T) *vectorRecord {
	moved := *v
	for _, raw := range []*json.RawMessage{&moved.Key, &moved.Value} {
		var datum map[string]any
		require.NoError(t, json.Unmarshal(*raw, &datum))
		schema, _ := datum["schema"].(map[string]any)
		if def, ok := schema["default"].(map[string]any); ok && def["structSchema"] != nil {
			delete(def, "structSchema")
			text, err := json.Marshal(datum)
			require.NoError(t, err)
			*raw = text
		}
	}
	return &moved
}

func datum(t *testing.T, raw json.RawMessage) connect.Datum {
	s, v, err := goldentest.ParseDatum(raw)
	require.NoError(t, err)
	return connect.Datum{Schema: s, Value: v}
}

// pluginFor finds a plugin by a Java class that it stands for.
func pluginFor(t testing.TB, class string) connect.Plugin {
	t.Helper()
	for _, p := range All() {
		if slices.Contains(p.Info().StandsFor, connect.JavaClass{Class: class}) {
			return p
		}
	}
	require.Fail(t, "no plugin stands for "+class)
	return connect.Plugin{}
}

// makeTransform builds a transform by the name of its Java class.
func makeTransform(t testing.TB, class string, props config.Props) (connect.Transform, error) {
	t.Helper()
	return pluginFor(t, class).NewTransform(props)
}

func TestGolden(t *testing.T) {
	n := goldentest.Each(t, "testdata/transforms.jsonl", func(t *testing.T, v vector) {
		x, err := makeTransform(t, v.Class, v.Config)
		if v.ConfigError != nil {
			require.Error(t, err)
			assert.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, err)
		if v.ConfigOK {
			return
		}
		given := v.In.record(t)
		before, in := deepCopy(given), given
		keep, err := x.Apply(t.Context(), &in)
		assertRecord(t, before, given) // what the record refers to belongs to others
		if v.Error != nil {
			checkFailure(t, *v.Error, err)
			return
		}
		require.NoError(t, err)
		if v.Out == nil {
			assert.False(t, keep, "dropped")
			return
		}
		require.True(t, keep)
		assertRecord(t, v.Out.movedDefaults(t).record(t), in)
	})
	assert.Equal(t, 1100, n)
}

// predicateVector is one call of a predicate.
type predicateVector struct {
	Class       string
	Config      config.Props
	In          *vectorRecord
	Result      bool
	ConfigError *goldentest.Failure
}

func TestGoldenPredicates(t *testing.T) {
	n := goldentest.Each(t, "testdata/predicates.jsonl", func(t *testing.T, v predicateVector) {
		p := pluginFor(t, v.Class)
		x, err := p.NewPredicate(v.Config)
		if v.Config["name"] == config.Null {
			// Java accepts it in configure, and finds no header of no name. Over REST it refuses null, and so does ours anywhere.
			assert.ErrorIs(t, err, config.ErrMissing)
			assert.False(t, v.Result)
			return
		}
		if v.ConfigError != nil {
			require.Error(t, err)
			assert.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, err)
		given := v.In.record(t)
		before := deepCopy(given)
		result, err := x.Test(t.Context(), &given)
		require.NoError(t, err)
		assert.Equal(t, v.Result, result)
		assertRecord(t, before, given)
	})
	assert.Equal(t, 127, n)
}

// checkFailure compares the kind of failure where Java has a kind for it.
func checkFailure(t *testing.T, want goldentest.Failure, err error) {
	require.Error(t, err)
	reasons := map[string]data.Reason{"DataException": data.ReasonData, "SchemaBuilderException": data.ReasonSchema}
	if reason, ok := reasons[want.SimpleClass()]; ok {
		var e *data.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, reason, e.Reason, "%v", err)
	}
	if purpose := "[" + insertPurpose + "]"; strings.Contains(want.Message, purpose) {
		gist, _, _ := strings.Cut(want.Message, ", found")
		assert.ErrorContains(t, err, gist)
	}
}

func assertRecord(t *testing.T, want, got connect.Record) {
	t.Helper()
	assert.Equal(t, want.Topic, got.Topic)
	assert.Equal(t, want.Partition, got.Partition)
	assert.Equal(t, want.Offset, got.Offset)
	assert.True(t, want.Timestamp.Equal(got.Timestamp), "timestamp %v, want %v", got.Timestamp, want.Timestamp)
	assertDatum(t, "key", want.Key, got.Key)
	assertDatum(t, "value", want.Value, got.Value)
	require.Len(t, got.Headers, len(want.Headers))
	for i, h := range want.Headers {
		assert.Equal(t, h.Key, got.Headers[i].Key)
		assertDatum(t, "header "+h.Key, h.Datum, got.Headers[i].Datum)
	}
}

func assertDatum(t *testing.T, what string, want, got connect.Datum) {
	t.Helper()
	assert.True(t, want.Schema.Equal(got.Schema), "%s: schema %s, want %s", what, goldentest.MarshalSchema(got.Schema), goldentest.MarshalSchema(want.Schema))
	assert.True(t, data.Equal(want.Value, got.Value), "%s: %v, want %v", what, got.Value, want.Value)
}

func deepCopy(r connect.Record) connect.Record {
	r.Key.Value, r.Value.Value = data.Clone(r.Key.Value), data.Clone(r.Value.Value)
	return r
}
