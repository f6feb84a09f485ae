package connecttest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// ConverterOptions tell the converter suites what to expect.
type ConverterOptions struct {
	// Props configure the converter, converter.type aside.
	Props config.Props
	// Topic of the records; empty: "topic".
	Topic string
	// Back says what a datum is after the way there and back; nil: what it was.
	// With ok false the converter may refuse the datum, and if it does not,
	// nothing is said of what comes back.
	Back func(s Sample) (want connect.Datum, ok bool)
	// More data to convert, beside Samples.
	More []Sample
}

func (o *ConverterOptions) back(s Sample) (connect.Datum, bool) {
	if o.Back == nil {
		return s.Datum, true
	}
	return o.Back(s)
}

// garbage is what converters meet in topics of others.
func garbage() [][]byte {
	return [][]byte{{}, {0}, {0xff}, []byte("\x00\x00\x00\x00\x01"), []byte("{"), []byte("null"), []byte(`{"schema":null}`),
		[]byte("[[[[[[[["), []byte("\"\\ud800\""), bytes.Repeat([]byte("["), 100_000), []byte("1e999999999")}
}

// TestConverter shows whether a converter keeps its contract, as key and as
// value converter: data of every kind (see Samples) go there and back, null
// stays apart from empty, the same bytes give the same *data.Schema, what is
// encoded is appended, and bytes of others are an error at worst.
func TestConverter(t testing.TB, plugin connect.Plugin, o ConverterOptions) {
	for _, kind := range []string{"key", "value"} {
		c, err := plugin.NewConverter(o.Props.Merge(config.Props{"converter.type": kind}))
		require.NoError(t, err, "NewConverter")
		topic := o.Topic
		if topic == "" {
			topic = "topic"
		}
		k := &converterCase{decode: func(t testing.TB, headers []connect.RawHeader, b []byte) (connect.Datum, error) {
			return c.Decode(t.Context(), &connect.Wire{Topic: topic, Headers: headers}, b)
		}, encode: func(t testing.TB, dst []byte, d connect.Datum) ([]byte, []connect.RawHeader, bool, error) {
			w := &connect.Wire{Topic: topic}
			out, null, err := c.AppendEncode(t.Context(), dst, w, d)
			return out, w.Headers, null, err
		}}
		k.run(t, kind, o)
	}
}

// TestHeaderConverter shows whether a header converter keeps its contract. See
// TestConverter.
func TestHeaderConverter(t testing.TB, plugin connect.Plugin, o ConverterOptions) {
	c, err := plugin.NewHeaderConverter(o.Props.Merge(config.Props{"converter.type": "header"}))
	require.NoError(t, err, "NewHeaderConverter")
	k := &converterCase{decode: func(_ testing.TB, _ []connect.RawHeader, b []byte) (connect.Datum, error) {
		return c.DecodeHeader("topic", "key", b)
	}, encode: func(_ testing.TB, dst []byte, d connect.Datum) ([]byte, []connect.RawHeader, bool, error) {
		out, null, err := c.AppendEncodeHeader(dst, "topic", "key", d)
		return out, nil, null, err
	}}
	k.run(t, "header", o)
}

// converterCase is a converter of either kind.
type converterCase struct {
	encode func(t testing.TB, dst []byte, d connect.Datum) (out []byte, headers []connect.RawHeader, null bool, err error)
	decode func(t testing.TB, headers []connect.RawHeader, b []byte) (connect.Datum, error)
}

func (k *converterCase) run(t testing.TB, kind string, o ConverterOptions) {
	for _, s := range append(Samples(), o.More...) {
		run(t, kind+": "+s.Name, func(t testing.TB) {
			want, ok := o.back(s)
			k.thereAndBack(t, s.Datum, want, ok)
		})
	}
	run(t, kind+": null", func(t testing.TB) {
		d, err := k.safeDecode(t, nil, nil)
		if assert.NoError(t, err, "Decode of null") {
			assert.True(t, d.Value.IsNull(), "null is decoded as %v", d.Value)
		}
	})
	run(t, kind+": bytes of others", func(t testing.TB) {
		for _, b := range garbage() {
			before := bytes.Clone(b)
			_, _ = k.safeDecode(t, nil, b)
			assert.Equal(t, before, b, "Decode changes what it reads")
		}
	})
}

// safeDecode fails on a panic.
func (k *converterCase) safeDecode(t testing.TB, headers []connect.RawHeader, b []byte) (d connect.Datum, err error) {
	defer func() {
		if p := recover(); p != nil {
			assert.Fail(t, "Decode panics", "%.60q: %v", b, p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return k.decode(t, headers, b)
}

func (k *converterCase) safeEncode(t testing.TB, dst []byte, d connect.Datum) (out []byte, headers []connect.RawHeader, null bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			assert.Fail(t, "AppendEncode panics", "%v: %v", d.Value, p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return k.encode(t, dst, d)
}

func (k *converterCase) thereAndBack(t testing.TB, d, want connect.Datum, ok bool) {
	before := connect.Datum{Schema: d.Schema, Value: data.Clone(d.Value)}
	out, headers, null, err := k.safeEncode(t, nil, d)
	assertSame(t, "datum", before, d)
	if err != nil {
		assert.False(t, ok, "AppendEncode: %v", err)
		return
	}
	k.appends(t, d, out, null)
	var wire []byte
	if !null {
		wire = append([]byte{}, out...) // no bytes are not null
	} else {
		assert.Empty(t, out, "null has no bytes")
	}
	first, err := k.safeDecode(t, headers, wire)
	if !ok {
		return
	}
	if !assert.NoError(t, err, "Decode of %.200q", wire) {
		return
	}
	assert.True(t, want.Schema.Equal(first.Schema), "the schema came back as %v, want %v", first.Schema, want.Schema)
	assert.True(t, data.Equal(want.Value, first.Value), "%v came back as %v (%v), want %v (%v)", d.Value, first.Value, first.Value.Kind(), want.Value, want.Value.Kind())
	second, err := k.safeDecode(t, slices.Clone(headers), bytes.Clone(wire))
	if assert.NoError(t, err, "Decode, a second time") {
		assert.True(t, first.Schema == second.Schema, "the same bytes give another *data.Schema")
		assert.True(t, data.Equal(first.Value, second.Value), "the same bytes give another value")
	}
}

// appends encodes behind other bytes, with and without room for more.
func (k *converterCase) appends(t testing.TB, d connect.Datum, alone []byte, null bool) {
	const before = "what was there before"
	for _, room := range []int{0, 1, 1 << 16} {
		dst := append(make([]byte, 0, len(before)+room), before...)
		out, _, nullAgain, err := k.safeEncode(t, dst, d)
		if !assert.NoError(t, err, "AppendEncode, a second time") {
			return
		}
		assert.Equal(t, null, nullAgain, "null, a second time")
		assert.Equal(t, before, string(dst), "dst was changed")
		assert.Equal(t, before+string(alone), string(out), "want dst with the encoding behind it")
	}
}
