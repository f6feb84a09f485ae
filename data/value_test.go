package data_test

import (
	"math"
	"math/big"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func TestValueIsThreeWords(t *testing.T) {
	assert.EqualValues(t, 24, unsafe.Sizeof(data.Value{}))
}

func TestValueAccessors(t *testing.T) {
	row, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	dec := data.NewDecimal(big.NewInt(150), 2)
	for _, c := range []struct {
		v    data.Value
		kind data.Kind
	}{
		{data.Value{}, data.KindNull},
		{data.Int8(-128), data.KindInt8},
		{data.Int16(-300), data.KindInt16},
		{data.Int32(math.MinInt32), data.KindInt32},
		{data.Int64(math.MinInt64), data.KindInt64},
		{data.Float32(1.5), data.KindFloat32},
		{data.Float64(-2.5), data.KindFloat64},
		{data.Boolean(true), data.KindBoolean},
		{data.String("x"), data.KindString},
		{data.Bytes([]byte{1}), data.KindBytes},
		{data.ArrayOf(data.Int8(1)), data.KindArray},
		{data.MapOf(data.Pair{Key: data.Int8(1)}), data.KindMap},
		{data.StructOf(row), data.KindStruct},
		{data.DecimalOf(dec), data.KindDecimal},
		{data.DateMillis(5), data.KindDate},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			assert.Equal(t, c.kind, c.v.Kind())
			assert.Equal(t, c.kind == data.KindNull, c.v.IsNull())
			_, isInt := c.v.Int()
			assert.Equal(t, c.kind >= data.KindInt8 && c.kind <= data.KindInt64, isInt)
			_, isFloat := c.v.Float()
			assert.Equal(t, c.kind == data.KindFloat32 || c.kind == data.KindFloat64, isFloat)
			_, isBool := c.v.Bool()
			assert.Equal(t, c.kind == data.KindBoolean, isBool)
			_, isText := c.v.Str()
			assert.Equal(t, c.kind == data.KindString, isText)
			_, isBytes := c.v.Bytes()
			assert.Equal(t, c.kind == data.KindBytes, isBytes)
			_, isArray := c.v.Array()
			assert.Equal(t, c.kind == data.KindArray, isArray)
			_, isMap := c.v.Map()
			assert.Equal(t, c.kind == data.KindMap, isMap)
			_, isStruct := c.v.Struct()
			assert.Equal(t, c.kind == data.KindStruct, isStruct)
			_, isDecimal := c.v.Decimal()
			assert.Equal(t, c.kind == data.KindDecimal, isDecimal)
			_, isDate := c.v.Time()
			assert.Equal(t, c.kind == data.KindDate, isDate)
		})
	}
	n, _ := data.Int64(math.MinInt64).Int()
	assert.EqualValues(t, math.MinInt64, n)
	f, _ := data.Float32(1.5).Float()
	assert.EqualValues(t, 1.5, f)
	at, _ := data.DateOf(time.Date(2024, 2, 29, 13, 45, 1, 250_999_999, time.FixedZone("", 3600))).Time()
	assert.Equal(t, time.Date(2024, 2, 29, 12, 45, 1, 250_000_000, time.UTC), at)
	d, _ := data.DecimalOf(dec).Decimal()
	assert.Equal(t, "1.50", d.String())
}

func TestNullAndEmpty(t *testing.T) {
	assert.True(t, data.Bytes(nil).IsNull())
	b, ok := data.Bytes([]byte{}).Bytes()
	assert.True(t, ok)
	assert.NotNil(t, b)
	assert.Empty(t, b)
	assert.True(t, data.StructOf(nil).IsNull())
	assert.Equal(t, data.KindArray, data.ArrayOf().Kind())
	assert.Equal(t, data.KindMap, data.MapOf().Kind())
	s, ok := data.String("").Str()
	assert.True(t, ok)
	assert.Empty(t, s)
	assert.Equal(t, "0", data.DecimalOf(data.Decimal{}).String())
}

func TestValueText(t *testing.T) {
	row, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	row.Set(0, data.Int32(7))
	f64 := func(f float64) data.Value { return data.Float64(f) }
	for want, v := range map[string]data.Value{
		"null":                         {},
		"-128":                         data.Int8(-128),
		"true":                         data.Boolean(true),
		"text":                         data.String("text"),
		"AP/+":                         data.Bytes([]byte{0, 0xff, 0xfe}),
		"12.30":                        data.DecimalOf(data.NewDecimal(big.NewInt(1230), 2)),
		"[1, null, x]":                 data.ArrayOf(data.Int8(1), data.Value{}, data.String("x")),
		"{a=1, 2=b}":                   data.MapOf(data.Pair{Key: data.String("a"), Value: data.Int8(1)}, data.Pair{Key: data.Int8(2), Value: data.String("b")}),
		"Struct{id=7}":                 data.StructOf(row),
		"Tue Jan 03 06:30:01 UTC 2017": data.DateMillis(1483425001864),
		"Wed Dec 31 23:59:59 UTC 1969": data.DateMillis(-1),
		"Thu Oct 04 00:00:00 UTC 1582": data.DateMillis(-12219292800000 - 86400000),
		"Fri Oct 15 00:00:00 UTC 1582": data.DateMillis(-12219292800000),
		"0.0":                          f64(0),
		"-0.0":                         f64(math.Copysign(0, -1)),
		"1.0":                          f64(1),
		"0.001":                        f64(0.001),
		"9.999E-4":                     f64(0.0009999),
		"9999999.0":                    f64(9999999),
		"1.0E7":                        f64(1e7),
		"1.0E10":                       f64(1e10),
		"1.2345678912345679E8":         f64(1.2345678912345679e8),
		"4.9E-324":                     f64(math.SmallestNonzeroFloat64),
		"1.7976931348623157E308":       f64(math.MaxFloat64),
		"NaN":                          f64(math.NaN()),
		"-Infinity":                    f64(math.Inf(-1)),
		"Infinity":                     data.Float32(float32(math.Inf(1))),
		"3.4028235E38":                 data.Float32(math.MaxFloat32),
		"1.4E-45":                      data.Float32(math.SmallestNonzeroFloat32),
		"1.17549435E-38":               data.Float32(0x1p-126),
		"-1.17549435E-38":              data.Float32(-0x1p-126),
		"0.1":                          data.Float32(0.1),
		"-1.5":                         data.Float32(-1.5),
	} {
		t.Run(want, func(t *testing.T) {
			assert.Equal(t, want, v.String())
			assert.Equal(t, "> "+want, string(v.Append([]byte("> "))))
		})
	}
	assert.Equal(t, "Struct{id=7}", row.String())
}

func TestKindText(t *testing.T) {
	assert.Equal(t, "INT8", data.KindInt8.String())
	assert.Equal(t, "STRUCT", data.KindStruct.String())
	assert.Equal(t, "Kind(99)", data.Kind(99).String())
	assert.True(t, data.KindBytes.IsPrimitive())
	assert.False(t, data.KindNull.IsPrimitive())
	assert.False(t, data.KindArray.IsPrimitive())
}

func TestLookup(t *testing.T) {
	m := data.MapOf(data.Pair{Key: data.Int8(1)}, data.Pair{Key: data.String("a"), Value: data.Int8(5)})
	v, ok := m.Lookup("a")
	assert.True(t, ok)
	assertSame(t, data.Int8(5), v)
	_, ok = m.Lookup("b")
	assert.False(t, ok)
	_, ok = data.Int8(1).Lookup("a")
	assert.False(t, ok)
}

// sink keeps the compiler from leaving out what a test measures.
var sink struct {
	v data.Value
	n int64
}

// TestValuesDoNotAllocate holds constructors and accessors to no allocation at all.
func TestValuesDoNotAllocate(t *testing.T) {
	text, raw := "some text", []byte("some bytes")
	elems := []data.Value{data.Int8(1)}
	pairs := []data.Pair{{Key: data.Int8(1)}}
	row, err := data.NewStruct(rowSchema)
	require.NoError(t, err)
	dec := data.NewDecimal(big.NewInt(150), 2)
	for name, f := range map[string]func(){
		"int8":    func() { sink.v = data.Int8(int8(len(text))); n, _ := sink.v.Int(); sink.n += n },
		"int64":   func() { sink.v = data.Int64(int64(len(text)) << 40); n, _ := sink.v.Int(); sink.n += n },
		"float64": func() { sink.v = data.Float64(float64(len(text))); f, _ := sink.v.Float(); sink.n += int64(f) },
		"boolean": func() { sink.v = data.Boolean(len(text) > 3); b, _ := sink.v.Bool(); _ = b },
		"string":  func() { sink.v = data.String(text); s, _ := sink.v.Str(); sink.n += int64(len(s)) },
		"bytes":   func() { sink.v = data.Bytes(raw); b, _ := sink.v.Bytes(); sink.n += int64(len(b)) },
		"array":   func() { sink.v = data.ArrayOf(elems...); e, _ := sink.v.Array(); sink.n += int64(len(e)) },
		"map":     func() { sink.v = data.MapOf(pairs...); p, _ := sink.v.Map(); sink.n += int64(len(p)) },
		"struct":  func() { sink.v = data.StructOf(row); x, _ := sink.v.Struct(); sink.n += int64(x.Len()) },
		"decimal": func() { sink.v = data.DecimalOf(dec); d, _ := sink.v.Decimal(); sink.n += int64(d.Scale()) },
		"date":    func() { sink.v = data.DateMillis(sink.n); ms, _ := sink.v.Millis(); sink.n += ms },
		"kind":    func() { sink.n += int64(sink.v.Kind()) },
		"row": func() {
			row.Set(0, data.Int32(int32(sink.n)))
			n, _ := row.At(0).Int()
			name, _ := row.At(1).Str()
			sink.n += n + int64(len(name)) + int64(rowSchema.FieldIndex("name"))
		},
		"equal": func() {
			if data.Equal(data.String(text), data.StructOf(row)) || !rowSchema.Equal(row.Schema()) {
				sink.n++
			}
		},
		"validate": func() {
			if data.Validate(rowSchema, data.StructOf(row), "row") != nil {
				sink.n++
			}
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Zero(t, testing.AllocsPerRun(100, f)) })
	}
}
