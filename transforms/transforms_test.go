package transforms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// Kafka's own plugins, by the simple names of their classes.
var kafkaPlugins = []string{
	"Cast$Key", "Cast$Value", "DropHeaders", "ExtractField$Key", "ExtractField$Value", "Filter", "Flatten$Key", "Flatten$Value", "HeaderFrom$Key", "HeaderFrom$Value",
	"HoistField$Key", "HoistField$Value", "InsertField$Key", "InsertField$Value", "InsertHeader", "MaskField$Key", "MaskField$Value", "RegexRouter",
	"ReplaceField$Key", "ReplaceField$Value", "SetSchemaMetadata$Key", "SetSchemaMetadata$Value", "TimestampConverter$Key", "TimestampConverter$Value",
	"TimestampRouter", "ValueToKey", "predicates.HasHeaderKey", "predicates.RecordIsTombstone", "predicates.TopicNameMatches",
}

func TestAllOfKafkas(t *testing.T) {
	for _, name := range kafkaPlugins {
		p := pluginFor(t, javaPackage+name)
		assert.Equal(t, strings.TrimPrefix(name, "predicates."), p.Info().Class)
		assert.Equal(t, version, p.Info().Version)
	}
}

// No name means two plugins: one would be out of reach.
func TestNamesAreUnique(t *testing.T) {
	seen := make(map[string]string)
	for _, p := range All() {
		names := []string{p.Info().Class}
		for _, j := range p.Info().StandsFor {
			names = append(names, j.Class)
		}
		for _, name := range names {
			id := p.Kind().String() + " " + name
			assert.Empty(t, seen[id], "%s is a name of %s, too", name, p.Info().Class)
			seen[id] = p.Info().Class
		}
	}
}

func TestBadConfigNamesKeyAndReason(t *testing.T) {
	for _, c := range []struct {
		class string
		props config.Props
		want  []string
	}{
		{"RegexRouter", config.Props{}, []string{`"regex"`, `"replacement"`}},
		{"RegexRouter", config.Props{"regex": "a(", "replacement": "x"}, []string{"Invalid value a( for configuration regex: Invalid regex: Unclosed group near index 2\na("}},
		{"predicates.TopicNameMatches", config.Props{"pattern": "["}, []string{"Invalid value [ for configuration pattern: Invalid regex: Unclosed character class near index 0\n[\n^"}},
		{"InsertField$Value", config.Props{}, []string{"No field insertion configured", "topic.field"}},
		{"InsertField$Value", config.Props{"static.field": "s"}, []string{"static.value", "No value specified for static field: s"}},
		{"InsertField$Key", config.Props{"topic.field": "t", "replace.null.with.default": "maybe"}, []string{"replace.null.with.default", "true or false"}},
	} {
		err := config.Decode(c.props, pluginFor(t, javaPackage+c.class).Config())
		if err == nil {
			_, err = makeTransform(t, javaPackage+c.class, c.props)
		}
		require.Error(t, err, "%v", c.props)
		for _, want := range c.want {
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestRegexRouterRemembersOnlyTheLastTopic(t *testing.T) {
	x, err := newRegexRouter(RegexRouterConfig{Regex: "a(.)", Replacement: "b$1"})
	require.NoError(t, err)
	for _, c := range [][2]string{{"a1", "b1"}, {"a1", "b1"}, {"a2", "b2"}, {"c", "c"}, {"a1", "b1"}, {"", ""}, {"b1", "b1"}} {
		r := connect.Record{Topic: c[0]}
		keep, err := x.Apply(t.Context(), &r)
		require.NoError(t, err)
		assert.True(t, keep)
		assert.Equal(t, c[1], r.Topic)
	}
}

func insertAll(t testing.TB) connect.Transform {
	x, err := makeTransform(t, javaPackage+"InsertField$Value", config.Props{
		"topic.field": "t!", "partition.field": "p", "offset.field": "o", "timestamp.field": "ts", "static.field": "s", "static.value": "x"})
	require.NoError(t, err)
	return x
}

func row(t testing.TB, s *data.Schema) connect.Record {
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	x.Set(0, data.Int32(1))
	return connect.Record{Topic: "topic", Partition: connect.On(3), Offset: 42, Timestamp: time.UnixMilli(5), Value: connect.Datum{Schema: s, Value: data.StructOf(x)}}
}

// The new value is one struct and its slots; nothing is worked out again for a schema that was seen.
func TestInsertFieldAllocations(t *testing.T) {
	x := insertAll(t)
	s := data.StructBuilder().Field("a", data.Int32Schema).MustBuild()
	r := row(t, s)
	value := r.Value
	allocs := testing.AllocsPerRun(1000, func() {
		r.Value = value
		if keep, err := x.Apply(t.Context(), &r); !keep || err != nil {
			t.Fatal(keep, err)
		}
	})
	assert.LessOrEqual(t, allocs, 2.0)
}

func TestInsertFieldKeepsTheSchemaItMade(t *testing.T) {
	x := insertAll(t)
	build := func() *data.Schema { return data.StructBuilder().Name("n").Field("a", data.Int32Schema).MustBuild() }
	first, second := row(t, build()), row(t, build())
	for _, r := range []*connect.Record{&first, &second} {
		_, err := x.Apply(t.Context(), r)
		require.NoError(t, err)
	}
	assert.Same(t, first.Value.Schema, second.Value.Schema, "equal schemas have one result")
}

func TestSchemaCache(t *testing.T) {
	var cache schemaCache[string]
	made := 0
	get := func(name string) string {
		s := data.StructBuilder().Name(name).MustBuild()
		v, err := cache.get(s, func(s *data.Schema) (string, error) { made++; return s.Name(), nil })
		require.NoError(t, err)
		return v
	}
	for round := range 2 {
		for i := range schemaCacheSize {
			assert.Equal(t, fmt.Sprint(i), get(fmt.Sprint(i)))
		}
		assert.Equal(t, schemaCacheSize, made, "round %d", round)
	}
	get("0") // now the one used last
	get("new")
	assert.Len(t, cache.entries, schemaCacheSize)
	made = 0
	get("0")
	assert.Zero(t, made, "used lately, so kept")
	get("1")
	assert.Equal(t, 1, made, "used longest ago, so dropped")

	_, err := cache.get(data.Int8Schema, func(*data.Schema) (string, error) { return "", assert.AnError })
	assert.ErrorIs(t, err, assert.AnError)
	v, err := cache.get(data.Int8Schema, func(*data.Schema) (string, error) { return "ok", nil })
	assert.NoError(t, err, "errors are not kept")
	assert.Equal(t, "ok", v)
}
