package transforms

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// What Aiven's classes of release 1.6.0 do, run with the classes of Kafka Connect 4.3.1.
func TestGoldenAiven(t *testing.T) {
	n := goldentest.Each(t, "testdata/aiven.jsonl", func(t *testing.T, v vector) {
		if reason := aivenDiffers(v); reason != "" {
			t.Skip(reason)
		}
		x, err := makeTransform(t, v.Class, v.Config)
		if v.ConfigError != nil {
			require.Error(t, err, v.Name)
			return
		}
		if err != nil && v.Error != nil {
			return // found sooner
		}
		require.NoError(t, err, "%s: %v", v.Name, v.Config)
		given := v.In.record(t)
		before, in := deepCopy(given), given
		keep, err := x.Apply(t.Context(), &in)
		assertRecord(t, before, given)
		switch {
		case v.Error != nil:
			assert.Error(t, err, "%s: %v", v.Name, v.Config)
			return
		case err != nil:
			assert.NoError(t, err, "%s: %v", v.Name, v.Config)
			return
		}
		assert.Equal(t, v.Out != nil, keep, "%s: %v", v.Name, v.Config)
		if keep && v.Out != nil {
			assertRecord(t, v.Out.record(t), in)
		}
		if t.Failed() {
			t.Log(v.Name, v.Config)
		}
	})
	assert.Equal(t, 1459, n)
}

// aivenDiffers says where ours is not Aiven's on purpose; "": nowhere.
func aivenDiffers(v vector) string {
	class := strings.TrimPrefix(v.Class, "io.aiven.kafka.connect.transforms.")
	class, _, _ = strings.Cut(class, "$")
	d := &v.In.Value
	if strings.HasSuffix(v.Class, "$Key") {
		d = &v.In.Key
	}
	s, value, err := goldentest.ParseDatum(*d)
	if err != nil {
		return ""
	}
	word := v.Config["case"] + v.Config["function"]
	_, behaves := v.Config["behavior"]
	switch {
	case v.ConfigError != nil && word != strings.ToLower(word):
		return "words may be written in capitals"
	case class == "TombstoneHandler" && !behaves:
		return "Confluent's class of that name has a default"
	case class == "ExtractTopicFromSchemaName" && v.ConfigError != nil && v.Config["schema.name.regex"] != "(":
		return "a map and an expression go together, and an empty map is one"
	case class == "Hash" && s == nil:
		return "data without schema can be hashed"
	case class == "Hash" && value.IsNull() && v.Config["skip.missing.or.null"] == "true",
		class == "ExtractTopic" && value.IsNull() && v.Config["skip.missing.or.null"] == "true":
		return "null is skipped whatever its schema"
	case class == "ExtractTopic" && v.Out != nil && strings.Contains(*v.Out.Topic, ":"):
		return "a date is no topic"
	case strings.HasPrefix(v.Config["field.name"], "in.") || strings.Contains(v.Config["field.names"], "in."):
		return "dots lead into structs"
	case class == "ConcatFields" && s.Name() != "" && v.Out != nil:
		return "the schema keeps its name and version"
	case class == "KeyToValue" && v.Config["key.fields"] == "" && v.Error != nil:
		return "there is nothing to copy, whatever the key"
	case strings.HasPrefix(v.Config["value.fields"], ","):
		return "an empty name counts as none"
	case class == "CaseTransform" && v.Config["field.names"] == "id" && value.Kind() == data.KindMap:
		return "a number stays one"
	case class == "KeyToValue" && (v.Config["key.fields"] == "*" || v.Config["key.fields"] == "in") && strings.HasPrefix(v.Name[len(v.Name)-7:], "row-map"):
		return "a struct does not fit into data without schema"
	case class == "KeyToValue" && strings.HasSuffix(v.Name, "nullrow-row") && v.Error == nil:
		return "a required field can not be null"
	case class == "FilterByFieldValue":
		return aivenFilterDiffers(v, s, value)
	}
	return ""
}

func aivenFilterDiffers(v vector, s *data.Schema, value data.Value) string {
	field := v.Config["field.name"]
	switch {
	case field == "" && value.Kind() == data.KindStruct:
		return "a struct as a whole may be compared"
	case field == "" && s != nil:
		return "a scalar with schema may be compared"
	case v.Error != nil && v.Error.Class == "java.lang.NullPointerException":
		return "null does not match"
	case field == "id" && v.Config["field.value"] == "7", field == "f" && v.Config["field.value"] == "1.5":
		return "Java never finds a number of another width than its text needs"
	}
	return ""
}

// How far the list above reaches.
func TestAivenDiffersSeldom(t *testing.T) {
	different, n := 0, 0
	goldentest.Each(t, "testdata/aiven.jsonl", func(_ *testing.T, v vector) {
		n++
		if aivenDiffers(v) != "" {
			different++
		}
	})
	t.Logf("%d of %d cases differ on purpose", different, n)
	assert.Less(t, different, n/4)
}
