package converters

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// The converters of one kind of data each.
var (
	ByteArray = primitivePlugin("ByteArrayConverter", data.KindBytes, "Passes bytes through unchanged.")
	Boolean   = primitivePlugin("BooleanConverter", data.KindBoolean, "Writes BOOLEAN as one byte, 00 or 01.")
	Short     = primitivePlugin("ShortConverter", data.KindInt16, "Writes INT16 as two bytes, big-endian.")
	Integer   = primitivePlugin("IntegerConverter", data.KindInt32, "Writes INT32 as four bytes, big-endian.")
	Long      = primitivePlugin("LongConverter", data.KindInt64, "Writes INT64 as eight bytes, big-endian.")
	Float     = primitivePlugin("FloatConverter", data.KindFloat32, "Writes FLOAT32 as four bytes, IEEE 754 big-endian.")
	Double    = primitivePlugin("DoubleConverter", data.KindFloat64, "Writes FLOAT64 as eight bytes, IEEE 754 big-endian.")
)

func primitivePlugin(class string, kind data.Kind, doc string) connect.Plugin {
	info := connect.Info{
		Class: class, Version: version, Doc: doc,
		StandsFor: []connect.JavaClass{{Class: "org.apache.kafka.connect.converters." + class}},
	}
	return connect.ConverterOf(info, func(PrimitiveConfig) (*PrimitiveConverter, error) { return NewPrimitive(kind) })
}

// PrimitiveConfig configures a PrimitiveConverter. It has no keys of its own.
type PrimitiveConfig struct{ Use Use }

// Describe declares the keys.
func (c *PrimitiveConfig) Describe(d *config.Def) { describeUse(d, &c.Use) }

// A PrimitiveConverter writes values of one kind as bytes of fixed length, or
// bytes as they are. Null, under any schema, is Kafka's null. It keeps no state
// and may be used by many goroutines at once.
//
// It is the twin of ByteArrayConverter, BooleanConverter and the heirs of
// NumberConverter in Java. Like these it looks at a value's schema for bytes and
// booleans only: numbers go by the kind of the value alone.
type PrimitiveConverter struct {
	schema *data.Schema // what Decode gives
	size   int          // bytes of a value; -1 for any number
	strict bool         // schemas count, not values alone
}

// NewPrimitive returns the converter of a kind: INT16 to FLOAT64, BOOLEAN or
// BYTES. Others, INT8 among them, have none.
func NewPrimitive(kind data.Kind) (*PrimitiveConverter, error) {
	switch kind {
	case data.KindBytes:
		return &PrimitiveConverter{schema: data.OptionalBytesSchema, size: -1, strict: true}, nil
	case data.KindBoolean:
		return &PrimitiveConverter{schema: data.OptionalBooleanSchema, size: 1, strict: true}, nil
	case data.KindInt16:
		return &PrimitiveConverter{schema: data.OptionalInt16Schema, size: 2}, nil
	case data.KindInt32:
		return &PrimitiveConverter{schema: data.OptionalInt32Schema, size: 4}, nil
	case data.KindInt64:
		return &PrimitiveConverter{schema: data.OptionalInt64Schema, size: 8}, nil
	case data.KindFloat32:
		return &PrimitiveConverter{schema: data.OptionalFloat32Schema, size: 4}, nil
	case data.KindFloat64:
		return &PrimitiveConverter{schema: data.OptionalFloat64Schema, size: 8}, nil
	}
	return nil, dataError("no primitive converter for %s; allowed are INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN and BYTES", kind)
}

// AppendEncode implements [connect.Converter].
func (c *PrimitiveConverter) AppendEncode(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
	return c.encode(dst, d)
}

// AppendEncodeHeader implements [connect.HeaderConverter].
func (c *PrimitiveConverter) AppendEncodeHeader(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) {
	return c.encode(dst, d)
}

// Decode implements [connect.Converter]. The schema is the optional one of the
// kind. Decoded bytes alias b.
func (c *PrimitiveConverter) Decode(_ context.Context, _ *connect.Wire, b []byte) (connect.Datum, error) {
	return c.decode(b)
}

// DecodeHeader implements [connect.HeaderConverter], as Decode.
func (c *PrimitiveConverter) DecodeHeader(_, _ string, b []byte) (connect.Datum, error) {
	return c.decode(b)
}

func (c *PrimitiveConverter) encode(dst []byte, d connect.Datum) ([]byte, bool, error) {
	kind := c.schema.Kind()
	if c.strict && d.Schema != nil && d.Schema.Kind() != kind {
		return dst, false, dataError("Invalid schema type for a converter of %s: found %s", kind, d.Schema.Kind())
	}
	if d.Value.IsNull() {
		return dst, true, nil
	}
	if d.Value.Kind() != kind {
		return dst, false, dataError("a converter of %s can not write a value of %s", kind, d.Value.Kind())
	}
	switch kind {
	case data.KindBytes:
		b, _ := d.Value.Bytes()
		return append(dst, b...), false, nil
	case data.KindBoolean:
		if b, _ := d.Value.Bool(); b {
			return append(dst, 1), false, nil
		}
		return append(dst, 0), false, nil
	case data.KindFloat32:
		f, _ := d.Value.Float()
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(f))), false, nil
	case data.KindFloat64:
		f, _ := d.Value.Float()
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), false, nil
	}
	n, _ := d.Value.Int()
	for shift := 8 * (c.size - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst, false, nil
}

func (c *PrimitiveConverter) decode(b []byte) (connect.Datum, error) {
	d := connect.Datum{Schema: c.schema}
	if b == nil {
		return d, nil
	}
	kind := c.schema.Kind()
	if c.size >= 0 && len(b) != c.size {
		return connect.Datum{}, dataError("Failed to deserialize %s: found %d bytes, allowed are %d", kind, len(b), c.size)
	}
	switch kind {
	case data.KindBytes:
		d.Value = data.Bytes(b)
	case data.KindBoolean:
		if b[0] > 1 {
			return connect.Datum{}, dataError("Failed to deserialize %s: found byte %02x, allowed are 00 and 01", kind, b[0])
		}
		d.Value = data.Boolean(b[0] == 1)
	case data.KindInt16:
		d.Value = data.Int16(int16(binary.BigEndian.Uint16(b)))
	case data.KindInt32:
		d.Value = data.Int32(int32(binary.BigEndian.Uint32(b)))
	case data.KindInt64:
		d.Value = data.Int64(int64(binary.BigEndian.Uint64(b)))
	case data.KindFloat32:
		d.Value = data.Float32(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case data.KindFloat64:
		d.Value = data.Float64(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	return d, nil
}
