package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// rawHeader is a header as the golden files have it.
type rawHeader struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

func of(h rawHeader) (string, []byte) { return h.Key, h.Value }

func write(c *Context) []rawHeader {
	var all []rawHeader
	for key, value := range c.All() {
		all = append(all, rawHeader{key, value})
	}
	return all
}

// Letters that a Java worker wrote are read, and written again byte for byte.
func TestGoldenLetters(t *testing.T) {
	n := goldentest.Each(t, "../../testdata/dlq.jsonl", func(t *testing.T, letter struct{ Headers []rawHeader }) {
		c, first, end, ok := Parse(letter.Headers, of)
		require.True(t, ok)
		assert.Equal(t, len(letter.Headers), end)
		assert.Equal(t, []rawHeader{{"n", []byte("1")}}, letter.Headers[:first], "the record's own")
		assert.Equal(t, "lines-sink", c.Connector)
		assert.Equal(t, "VALUE_CONVERTER", c.Stage)
		assert.Equal(t, "org.apache.kafka.connect.json.JsonConverter", c.Class)
		assert.Equal(t, "org.apache.kafka.connect.errors.DataException", c.Exception)
		assert.True(t, strings.HasPrefix(c.Trace, c.Exception+": "+*c.Message+"\n\tat "), "%q", c.Trace)
		assert.Equal(t, letter.Headers[first:], write(&c))
	})
	assert.Equal(t, 96, n)
}

func ptr[T any](v T) *T { return &v }

func sample() Context {
	return Context{
		Topic: ptr("t"), Partition: ptr(int32(3)), Offset: ptr(int64(1) << 40), Connector: "c", Task: 7, Stage: "TASK_PUT",
		Class: "org.apache.kafka.connect.sink.SinkTask", Exception: "x.Y", Message: ptr("no"), Trace: "x.Y: no\n",
	}
}

func TestContextsThatWereWrittenAreRead(t *testing.T) {
	for name, change := range map[string]func(c *Context){
		"sink":                func(*Context) {},
		"no message":          func(c *Context) { c.Message = nil },
		"empty message":       func(c *Context) { c.Message = ptr("") },
		"nowhere":             func(c *Context) { c.Topic, c.Partition, c.Offset = nil, nil, nil },
		"topic alone":         func(c *Context) { c.Partition, c.Offset = nil, nil },
		"source":              func(c *Context) { c.Offset, c.Source = nil, &Source{Partition: `{"f":"x"}`, Offset: "null"} },
		"source with a text":  func(c *Context) { c.Source = &Source{Partition: "null", Offset: `{"n":1}`, Text: "key,header:h"} },
		"texts of many kinds": func(c *Context) { c.Connector, c.Message, c.Class = "größe,\n", ptr("\x00é"), "" },
	} {
		t.Run(name, func(t *testing.T) {
			want := sample()
			change(&want)
			own := []rawHeader{{"a", nil}, {"__connect", []byte{}}, {"a", []byte("2")}}
			headers := append(slices.Clone(own), write(&want)...)
			got, first, end, ok := Parse(headers, of)
			require.True(t, ok)
			assert.Equal(t, want, got)
			assert.Equal(t, own, headers[:first])
			assert.Equal(t, len(headers), end)
		})
	}
}

func TestInvalidTextIsReplaced(t *testing.T) {
	c := sample()
	c.Message = ptr("bad \xff\xfe.")
	got, _, _, ok := Parse(write(&c), of)
	require.True(t, ok)
	assert.Equal(t, "bad ?.", *got.Message)
}

// The last set is of the last failure; what stands behind it is the record's own.
func TestParseFindsTheLastSet(t *testing.T) {
	older, newer := sample(), sample()
	newer.Stage, newer.Topic = "TRANSFORMATION", ptr("dlq")
	headers := slices.Concat([]rawHeader{{"own", nil}}, write(&older), write(&newer), []rawHeader{{"late", nil}})
	got, first, end, ok := Parse(headers, of)
	require.True(t, ok)
	assert.Equal(t, newer, got)
	assert.Equal(t, []rawHeader{{"late", nil}}, headers[end:])
	got, first, _, ok = Parse(headers[:first], of)
	require.True(t, ok)
	assert.Equal(t, older, got)
	assert.Equal(t, 1, first)
}

func TestParseRefuses(t *testing.T) {
	c := sample()
	whole := write(&c)
	with := func(key, value string) []rawHeader {
		h := slices.Clone(whole)
		i := slices.IndexFunc(h, func(h rawHeader) bool { return h.Key == key })
		h[i].Value = []byte(value)
		return h
	}
	for name, headers := range map[string][]rawHeader{
		"nothing":         nil,
		"other headers":   {{"a", []byte("b")}},
		"no connector":    whole[:3],
		"bad partition":   with(HeaderPartition, "x"),
		"large partition": with(HeaderPartition, "2147483648"),
		"bad offset":      with(HeaderOffset, ""),
		"bad task":        with(HeaderTask, "1.0"),
	} {
		t.Run(name, func(t *testing.T) {
			_, first, end, ok := Parse(headers, of)
			assert.False(t, ok)
			assert.Zero(t, first+end)
		})
	}
}

// What a later version adds to the set is passed over.
func TestParsePassesOverNewHeaders(t *testing.T) {
	c := sample()
	headers := append(write(&c), rawHeader{"__connect.errors.mood", []byte("bad")})
	got, _, end, ok := Parse(headers, of)
	require.True(t, ok)
	assert.Equal(t, c, got)
	assert.Equal(t, len(headers), end)
}

func TestTrace(t *testing.T) {
	cause := errors.New("no schema")
	err := fmt.Errorf("field %q: %w", "a", &data.Error{Message: "does not fit", Err: cause})
	assert.Equal(t, "x.DataException: does not fit\n\tat VALUE_CONVERTER by Json\n"+
		"Caused by: field \"a\": does not fit: no schema\nCaused by: does not fit: no schema\nCaused by: no schema\n",
		Trace("x.DataException", "does not fit", "VALUE_CONVERTER by Json", err))
	assert.Equal(t, "x.Y: no schema\n\tat z\n", Trace("x.Y", "no schema", "z", cause))
	assert.Equal(t, "x.Y\n\tat z\n", Trace("x.Y", "", "z", errors.New("")))
}

func FuzzParse(f *testing.F) {
	c := sample()
	for _, h := range write(&c) {
		f.Add(h.Key, h.Value, HeaderConnector, []byte("c"))
	}
	f.Fuzz(func(t *testing.T, k1 string, v1 []byte, k2 string, v2 []byte) {
		base := sample()
		for _, headers := range [][]rawHeader{
			{{k1, v1}, {k2, v2}},
			append([]rawHeader{{k1, v1}, {k2, v2}}, write(&base)...),
			append(write(&base), rawHeader{k1, v1}, rawHeader{k2, v2}),
		} {
			_, first, end, ok := Parse(headers, of)
			if ok && (first < 0 || end <= first || end > len(headers)) {
				t.Fatalf("set is %d to %d of %d", first, end, len(headers))
			}
		}
	})
}

func TestException(t *testing.T) {
	const connect = "org.apache.kafka.connect.errors."
	misfit := &data.Error{Message: "does not fit", Err: errors.New("at byte 0")}
	for name, tt := range map[string]struct {
		err            error
		known          string
		class, message string
	}{
		"any":            {err: errors.New("x"), class: connect + "ConnectException", message: "x"},
		"known":          {err: errors.New("x"), known: "a.B", class: "a.B", message: "x"},
		"data":           {err: misfit, class: connect + "DataException", message: "does not fit"},
		"data somewhere": {err: fmt.Errorf("field a: %w", misfit), class: connect + "DataException", message: "field a: does not fit: at byte 0"},
		"known, data":    {err: misfit, known: "a.B", class: "a.B", message: "does not fit"},
		"schema within":  {err: &data.Error{Message: "m", Err: &data.Error{Reason: data.ReasonSchema, Message: "n"}}, class: connect + "SchemaBuilderException", message: "m"},
		"projection":     {err: &data.Error{Reason: data.ReasonProjection, Message: "p"}, class: connect + "SchemaProjectorException", message: "p"},
		"key":            {err: fmt.Errorf("x: %w", config.Errorf("k", "bad")), class: "org.apache.kafka.common.config.ConfigException"},
		"time":           {err: fmt.Errorf("x: %w", context.DeadlineExceeded), class: "org.apache.kafka.common.errors.TimeoutException", message: "x: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			class, message := Exception(tt.err, tt.known)
			assert.Equal(t, tt.class, class)
			if tt.message != "" {
				assert.Equal(t, tt.message, message)
			}
		})
	}
}
