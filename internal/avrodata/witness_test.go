package avrodata

import (
	"bytes"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
)

// TestWitness: linkedin/goavro reads what we write, and writes the same bytes.
func TestWitness(t *testing.T) {
	o := optionsOf(t)
	for seed := range uint64(500) {
		r := schematest.NewRandom(seed)
		s := r.Struct(3)
		a, err := o.avroSchema(s)
		require.NoError(t, err)
		text, err := a.text()
		require.NoError(t, err)
		codec, err := goavro.NewCodec(text)
		require.NoError(t, err, text)
		e, err := o.newEncoder(s, a, true)
		require.NoError(t, err)
		read, err := newParser().parse(text)
		require.NoError(t, err)
		back, err := o.connectSchema(read, 0)
		require.NoError(t, err)
		require.True(t, s.Equal(back), "%s\n%s\n%s", text, schematest.Text(t, s), schematest.Text(t, back))
		d, err := o.newDecoder(read, read, back)
		require.NoError(t, err)
		for range 5 {
			v := r.Value(s)
			b, err := e.appendRoot(nil, v)
			require.NoError(t, err)
			native, rest, err := codec.NativeFromBinary(b)
			require.NoError(t, err, "seed %d: goavro reads what we write\n%s\n%v", seed, text, v)
			assert.Empty(t, rest)
			theirs, err := codec.BinaryFromNative(nil, native)
			require.NoError(t, err, "seed %d", seed)
			assert.Equal(t, theirs, b, "seed %d: goavro writes the same", seed)
			again, err := d.decodeRoot(theirs, true)
			require.NoError(t, err, "seed %d", seed)
			assert.True(t, data.Equal(v, again), "seed %d: %v came back as %v", seed, v, again)
			assert.NoError(t, data.Validate(back, again, ""))
		}
	}
}

// fuzzed are schemas with all types, and what could ask for much.
var fuzzed = []string{
	`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]},{"name":"c","type":{"type":"array","items":"long"}},` +
		`{"name":"d","type":{"type":"map","values":"double"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"F","size":3}},` +
		`{"name":"g","type":["int","string","boolean","null"]},{"name":"h","type":"float"},{"name":"i","type":"bytes"}]}`,
	`{"type":"record","name":"Node","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Node"]},{"name":"all","type":{"type":"array","items":"Node"}}]}`,
	`{"type":"record","name":"Bomb","fields":[{"name":"self","type":["Bomb","null"]},{"name":"none","type":{"type":"array","items":{"type":"record","name":"Empty","fields":[]}}}]}`,
	`{"type":"array","items":{"type":"fixed","name":"Nothing","size":0}}`,
	`{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}`,
	`"string"`, `"bytes"`, `["null",{"type":"bytes","logicalType":"decimal","scale":2,"precision":5}]`,
	`{"type":"record","name":"T","fields":[{"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"t","type":{"type":"int","logicalType":"time-millis"}},` +
		`{"name":"s","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"n","type":{"type":"bytes","logicalType":"decimal","scale":2,"precision":5}}]}`,
}

// FuzzDecode: any bytes are a value or an error, and a value written again is the
// same. What we read goavro reads.
func FuzzDecode(f *testing.F) {
	for i := range fuzzed {
		f.Add(byte(i), []byte{})
		f.Add(byte(i), []byte{2, 2, 6, 'a', 'b', 'c', 2, 1, 0, 2, 2, 'k', 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 3, 6, 0, 0, 0, 0, 0})
		f.Add(byte(i), bytes.Repeat([]byte{0}, 4000))
		f.Add(byte(i), bytes.Repeat([]byte{0xff}, 20))
		f.Add(byte(i), []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
		f.Add(byte(i), []byte{2, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f})
	}
	o := optionsOf(f)
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		text := fuzzed[int(which)%len(fuzzed)]
		a, err := newParser().parse(text)
		require.NoError(t, err)
		s, err := o.connectSchema(a, 0)
		require.NoError(t, err)
		d, err := o.newDecoder(a, a, s)
		require.NoError(t, err)
		v, err := d.decodeRoot(b, false)
		if err != nil {
			return
		}
		e, err := o.newEncoder(s, a, false)
		require.NoError(t, err)
		out, err := e.appendRoot(nil, v)
		if err != nil {
			// A date that is out of Java's range has no way back; so has a map whose keys
			// were doubled none, nor what is deeper than a thousand levels.
			return
		}
		again, err := d.decodeRoot(out, true)
		require.NoError(t, err)
		assert.True(t, data.Equal(v, again), "%v came back as %v", v, again)
		if text == `"bytes"` || strings.Contains(text, "logicalType") || strings.Contains(text, `"fields":[]`) || strings.Contains(text, `"size":0`) {
			return // Confluent's own, and goavro's own limits
		}
		codec, err := goavro.NewCodec(text)
		require.NoError(t, err)
		_, _, err = codec.NativeFromBinary(out)
		assert.NoError(t, err, "goavro reads %x", out)
	})
}

// FuzzSchema: any text is a schema or an error, and a schema printed is the same.
func FuzzSchema(f *testing.F) {
	for _, text := range fuzzed {
		f.Add(text)
	}
	f.Add(`{"type":"record","name":"R","aliases":["x.Q"],"fields":[{"name":"a","type":"int","default":5,"order":"ignore","aliases":["b"],"x":[1,{}]}],"connect.parameters":{"a":"b"}}`)
	f.Add(strings.Repeat(`{"type":"array","items":`, 900) + `"int"` + strings.Repeat("}", 900))
	o := optionsOf(f)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := newParser().parse(text)
		if err != nil {
			return
		}
		printed, err := a.text()
		require.NoError(t, err)
		again, err := newParser().parse(printed)
		require.NoError(t, err, printed)
		reprinted, err := again.text()
		require.NoError(t, err)
		assert.Equal(t, printed, reprinted)
		s, err := o.connectSchema(a, 0)
		if err != nil {
			return
		}
		d, err := o.newDecoder(a, a, s)
		if err == nil {
			_, _ = d.decodeRoot([]byte{2, 4, 6}, false)
		}
		_, _ = o.avroSchema(s)
	})
}
