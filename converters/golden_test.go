package converters_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// vector is a line of converters.jsonl or header_converters.jsonl.
type vector struct {
	Class       string
	Config      config.Props
	IsKey       bool
	Dir         string
	In          json.RawMessage
	Out         json.RawMessage
	Error       *goldentest.Failure
	ConfigError *goldentest.Failure
}

// wire is the bytes of a message as the vectors have them; nil is null.
type wire struct{ Bytes []byte }

// pluginOf finds the plugin that stands for a Java class.
func pluginOf(t *testing.T, class string) connect.Plugin {
	t.Helper()
	for _, p := range converters.All() {
		if p.Info().StandsFor[0].Class == class {
			return p
		}
	}
	t.Fatalf("no plugin stands for %s", class)
	return connect.Plugin{}
}

// TestGoldenConverters holds the record converters against bytes and data that
// Java's classes gave.
func TestGoldenConverters(t *testing.T) {
	n := goldentest.Each(t, "testdata/converters.jsonl", func(t *testing.T, v vector) {
		props := v.Config.Clone()
		props["converter.type"] = "value"
		if v.IsKey {
			props["converter.type"] = "key"
		}
		c, err := pluginOf(t, v.Class).NewConverter(props)
		if v.ConfigError != nil {
			require.Error(t, err)
			var key *config.KeyError
			require.ErrorAs(t, err, &key)
			return
		}
		require.NoError(t, err)
		v.check(t, func(d connect.Datum) ([]byte, bool, error) {
			return c.AppendEncode(t.Context(), []byte("prefix"), &connect.Wire{Topic: "t"}, d)
		}, func(b []byte) (connect.Datum, error) {
			return c.Decode(t.Context(), &connect.Wire{Topic: "t"}, b)
		})
	})
	assert.Equal(t, 660, n)
}

// TestGoldenHeaderConverters does the same for headers.
func TestGoldenHeaderConverters(t *testing.T) {
	n := goldentest.Each(t, "testdata/header_converters.jsonl", func(t *testing.T, v vector) {
		props := v.Config.Clone()
		props["converter.type"] = "header"
		c, err := pluginOf(t, v.Class).NewHeaderConverter(props)
		require.NoError(t, err)
		v.check(t, func(d connect.Datum) ([]byte, bool, error) {
			return c.AppendEncodeHeader([]byte("prefix"), "t", "h", d)
		}, func(b []byte) (connect.Datum, error) {
			return c.DecodeHeader("t", "h", b)
		})
	})
	assert.Equal(t, 420, n)
}

func (v *vector) check(t *testing.T, encode func(connect.Datum) ([]byte, bool, error), decode func([]byte) (connect.Datum, error)) {
	t.Helper()
	switch v.Dir {
	case "from":
		v.checkEncode(t, encode)
	case "to":
		v.checkDecode(t, decode)
	default:
		t.Fatalf("unknown direction %q", v.Dir)
	}
}

func (v *vector) checkEncode(t *testing.T, encode func(connect.Datum) ([]byte, bool, error)) {
	t.Helper()
	schema, value, err := goldentest.ParseDatum(v.In)
	require.NoError(t, err)
	out, null, err := encode(connect.Datum{Schema: schema, Value: value})
	if v.Error != nil {
		checkError(t, v.Error, err)
		assert.Equal(t, "prefix", string(out), "after an error dst is as it came")
		return
	}
	require.NoError(t, err)
	var want wire
	require.NoError(t, json.Unmarshal(v.Out, &want))
	assert.Equal(t, want.Bytes == nil, null)
	assert.Equal(t, "prefix"+string(want.Bytes), string(out))
}

func (v *vector) checkDecode(t *testing.T, decode func([]byte) (connect.Datum, error)) {
	t.Helper()
	var in wire
	require.NoError(t, json.Unmarshal(v.In, &in))
	got, err := decode(in.Bytes)
	if v.Error != nil {
		checkError(t, v.Error, err)
		return
	}
	require.NoError(t, err)
	if string(v.Out) == "null" {
		assert.Equal(t, connect.Datum{}, got)
		return
	}
	schema, value, err := goldentest.ParseDatum(v.Out)
	require.NoError(t, err)
	assert.True(t, schema.Equal(got.Schema), "schema: got %s", goldentest.MarshalSchema(got.Schema))
	assert.True(t, data.Equal(value, got.Value), "value: got %s", goldentest.MarshalValue(got.Value))
}

// checkError wants an error of the class that Java threw.
func checkError(t *testing.T, want *goldentest.Failure, err error) {
	t.Helper()
	require.Error(t, err)
	var de *data.Error
	require.True(t, errors.As(err, &de), "%T is no data.Error", err)
	assert.Equal(t, want.SimpleClass(), innermost(err).Reason.String())
}

// innermost returns the last data.Error in a chain, which tells the class.
func innermost(err error) *data.Error {
	var last *data.Error
	for de := (*data.Error)(nil); errors.As(err, &de); err = de.Err {
		last = de
		if de.Err == nil {
			break
		}
	}
	return last
}
