package cqlvalue_test

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// typeOf returns the driver's type of a name such as map<text, int>.
func typeOf(name string) gocql.TypeInfo { return gocql.NewNativeType(4, gocql.TypeCustom, name) }

func encoder(t testing.TB, typ gocql.TypeInfo, o cqlvalue.Options) *cqlvalue.Encoder {
	t.Helper()
	e, err := cqlvalue.NewEncoder(typ, o)
	require.NoError(t, err)
	return e
}

// encode returns the bytes of a value in hexadecimal digits, "null" for null, and
// what the error says behind "error: ".
func encode(e *cqlvalue.Encoder, v data.Value, s *data.Schema) string {
	before := []byte("before")
	out, null, err := e.Append(before, v, s)
	switch {
	case !strings.HasPrefix(string(out), "before"):
		return "what was there is gone"
	case err != nil && len(out) != len(before) || null && len(out) != len(before):
		return "something was left behind"
	case err != nil:
		return "error: " + err.Error()
	case null:
		return "null"
	}
	return hex.EncodeToString(out[len(before):])
}

func decimal(text string) data.Value {
	d, err := data.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return data.DecimalOf(d)
}

func str(s string) data.Value { return data.String(s) }

func list(elems ...data.Value) data.Value { return data.ArrayOf(elems...) }

// pairs returns a map of keys and values by turns.
func pairs(kv ...data.Value) data.Value {
	var all []data.Pair
	for i := 0; i < len(kv); i += 2 {
		all = append(all, data.Pair{Key: kv[i], Value: kv[i+1]})
	}
	return data.MapOf(all...)
}

type valueCase struct {
	v    data.Value
	s    *data.Schema
	want string
}

// run encodes cases of one type; a case that wants a text in words wants an error
// which has them.
func run(t *testing.T, typ gocql.TypeInfo, o cqlvalue.Options, cases []valueCase) {
	t.Helper()
	e := encoder(t, typ, o)
	for _, c := range cases {
		got := encode(e, c.v, c.s)
		if strings.HasPrefix(got, "error: ") {
			require.Contains(t, c.want, " ", "%s of %s %s: %s", e.Type(), c.v.Kind(), c.v, got)
			require.Contains(t, got, c.want)
			require.Contains(t, got, "error: no "+e.Type()+": ")
			continue
		}
		require.Equal(t, c.want, got, "%s of %s %s", e.Type(), c.v.Kind(), c.v)
	}
}

const (
	noNumber = "where a number such as -1,234.5 or -1.2345E3, a timestamp of the pattern CQL_TIMESTAMP, or one of yes, no, true, false, y, n, t, f may stand"
	numbers  = "where a number, a boolean, a timestamp, or a text of one of these is allowed"
)

func TestIntegers(t *testing.T) {
	run(t, typeOf("tinyint"), cqlvalue.Options{}, []valueCase{
		{v: data.Int8(-1), want: "ff"},
		{v: data.Int64(127), want: "7f"},
		{v: data.Int64(128), want: "128 was found, where a whole number from -128 to 127 is allowed"},
		{v: data.Int16(-129), want: "-129 was found, where a whole number from -128 to 127 is allowed"},
		{v: data.Float64(5), want: "05"},
		{v: data.Float32(5.5), want: "5.5 was found, where a whole number"},
		{v: decimal("1.2E1"), want: "0c"},
		{v: decimal("1E999999999"), want: "1E+999999999 was found, where a whole number"},
		{v: data.Boolean(true), want: "01"},
		{v: str("-7"), want: "f9"},
		{v: str(" 7 "), want: "07"},
		{v: str("7.0"), want: "07"},
		{v: str("yes"), want: "01"},
		{v: str("N"), want: "00"},
		{v: str(""), want: "null"},
		{v: str("seven"), want: `"seven" was found, ` + noNumber},
	})
	run(t, typeOf("smallint"), cqlvalue.Options{}, []valueCase{
		{v: data.Int64(-32768), want: "8000"}, {v: data.Int64(32768), want: "where a whole number from -32768 to 32767 is allowed"},
	})
	run(t, typeOf("int"), cqlvalue.Options{}, []valueCase{
		{v: data.Int8(1), want: "00000001"},
		{v: data.Int64(math.MinInt32), want: "80000000"},
		{v: data.Int64(math.MaxInt32 + 1), want: "where a whole number from -2147483648 to 2147483647 is allowed"},
		{v: str("1,234,567"), want: "0012d687"},
		{v: str("1,23"), want: `"1,23" was found, ` + noNumber},
		{v: str("1234,567"), want: noNumber},
		{v: str("1.5,000"), want: noNumber},
		{v: str("+1,234"), want: "000004d2"},
		{v: str("1e3"), want: "000003e8"},
		{v: str("1,234E1"), want: "00003034"},
		{v: str("NaN"), want: "NaN was found, where a whole number"},
		{v: str("-Infinity"), want: "-Infinity was found"},
		{v: str("0x10"), want: noNumber},
		{v: str("seven"), want: `"seven" was found, ` + noNumber},
		{v: data.Bytes([]byte{1}), want: "a value of kind BYTES was found, " + numbers},
		{v: data.DateMillis(0), s: data.DateSchema, want: "a value of org.apache.kafka.connect.data.Date was found, " + numbers},
	})
	for _, name := range []string{"bigint", "counter"} {
		run(t, typeOf(name), cqlvalue.Options{}, []valueCase{
			{v: data.Int64(math.MinInt64), want: "8000000000000000"},
			{v: decimal("9223372036854775808"), want: "where a whole number from -9223372036854775808 to 9223372036854775807 is allowed"},
			{v: data.Float64(1 << 63), want: "9.223372036854776E18 was found, where a whole number"},
			{v: data.Float64(-(1 << 63)), want: "8000000000000000"},
			{v: data.DateMillis(-1), s: data.TimestampSchema, want: "ffffffffffffffff"},
			{v: str("1970-01-01T00:00:01Z"), want: "00000000000003e8"},
		})
	}
	run(t, typeOf("bigint"), cqlvalue.Options{Unit: "MICROSECONDS"}, []valueCase{
		{v: data.DateMillis(-1), s: data.TimestampSchema, want: "fffffffffffffc18"},
		{v: data.DateMillis(1), want: "00000000000003e8"},
		{v: str("1970-01-01T00:00:01Z"), want: "00000000000f4240"},
		{v: data.DateMillis(math.MaxInt64), want: "has more MICROSECONDS than 64 bits hold"},
		{v: data.Float64(-(1 << 63)), want: "8000000000000000"},
		{v: data.Float64(1 << 63), want: "where a whole number from"},
	})
}

func TestVarint(t *testing.T) {
	run(t, typeOf("varint"), cqlvalue.Options{}, []valueCase{
		{v: data.Int8(0), want: "00"},
		{v: data.Int64(127), want: "7f"},
		{v: data.Int64(128), want: "0080"},
		{v: data.Int64(-128), want: "80"},
		{v: data.Int64(-129), want: "ff7f"},
		{v: data.Int64(math.MinInt64), want: "8000000000000000"},
		{v: decimal("9223372036854775808"), want: "008000000000000000"},
		{v: decimal("-9223372036854775809"), want: "ff7fffffffffffffff"},
		{v: decimal("1E20"), want: "056bc75e2d63100000"},
		{v: data.Float64(1e20), want: "056bc75e2d63100000"},
		{v: decimal("1.5"), want: "1.5 was found, where a whole number"},
		{v: decimal("1E200000"), want: "of no more than 100,000 zeros"},
		{v: data.Float64(math.Inf(1)), want: "Infinity was found, where"},
		{v: data.Float64(math.NaN()), want: "NaN was found, where"},
		{v: str("123456789012345678901234567890"), want: "018ee90ff6c373e0ee4e3f0ad2"},
		{v: str(""), want: "null"},
	})
}

func TestDecimal(t *testing.T) {
	run(t, typeOf("decimal"), cqlvalue.Options{}, []valueCase{
		{v: data.Int64(-5), want: "00000000fb"},
		{v: decimal("1.50"), want: "0000000200" + "96"},
		{v: decimal("1E3"), want: "fffffffd01"},
		{v: decimal("1E999999999"), want: "c465360101"},
		{v: data.Float64(0.1), want: "0000000101"},
		{v: data.Float32(0.1), want: "0000000101"},
		{v: data.Float64(math.NaN()), want: "NaN was found, where a number that is finite is allowed"},
		{v: str("1,000.5"), want: "00000001" + "2715"},
		{v: str("true"), want: "0000000001"},
	})
}

func TestFloats(t *testing.T) {
	run(t, typeOf("float"), cqlvalue.Options{}, []valueCase{
		{v: data.Float32(0.1), want: "3dcccccd"},
		{v: data.Float64(0.1), want: "3dcccccd"}, // the shortest texts are the same
		{v: data.Float64(0.12345678901), want: "0.12345678901 was found, which a float of 32 bits does not hold exactly"},
		{v: data.Float64(0.5), want: "3f000000"},
		{v: data.Float64(1e300), want: "1.0E300 was found"},
		{v: data.Float64(math.Inf(-1)), want: "ff800000"},
		{v: data.Float64(math.NaN()), want: "7fc00000"},
		{v: decimal("0.1"), want: "3dcccccd"},
		{v: decimal("0.10000000149"), want: "which a float of 32 bits does not hold exactly"},
		{v: decimal("1E40"), want: "which a float of 32 bits does not hold exactly"},
		{v: decimal("1E999999999"), want: "which a float of 32 bits does not hold exactly"},
		{v: decimal("1E-999999999"), want: "which a float of 32 bits does not hold exactly"},
		{v: data.Int64(1 << 24), want: "4b800000"},
		{v: data.Int64(1<<24 + 1), want: "16777217 was found, which"},
		{v: data.Int64(math.MaxInt64), want: "9223372036854775807 was found, which"},
		{v: data.Int64(math.MinInt64), want: "df000000"},
		{v: str("-1.5"), want: "bfc00000"},
		{v: str(""), want: "null"},
	})
	run(t, typeOf("double"), cqlvalue.Options{}, []valueCase{
		{v: data.Float32(0.5), want: "3fe0000000000000"},
		{v: data.Float32(0.1), want: "3fb99999a0000000"}, // the same number, in more bits
		{v: decimal("0.1"), want: "3fb999999999999a"},
		{v: decimal("0.1000000000000000055511151231257827"), want: "which a float of 64 bits does not hold exactly"},
		{v: decimal("1E400"), want: "which a float of 64 bits does not hold exactly"},
		{v: data.Int64(1<<53 + 1), want: "9007199254740993 was found, which"},
		{v: data.Int64(1 << 53), want: "4340000000000000"},
		{v: str("Infinity"), want: "7ff0000000000000"},
		{v: str("1,234.5"), want: "40934a0000000000"},
	})
}

func TestBoolean(t *testing.T) {
	const allowed = "where a boolean, 1 or 0, or one of the words yes, no, true, false, y, n, t, f is allowed"
	run(t, typeOf("boolean"), cqlvalue.Options{}, []valueCase{
		{v: data.Boolean(true), want: "01"}, {v: data.Boolean(false), want: "00"},
		{v: str("TRUE"), want: "01"}, {v: str("f"), want: "00"}, {v: str("1"), want: "01"}, {v: str("0"), want: "00"}, {v: str(""), want: "null"},
		{v: str("on"), want: `the text "on" was found, ` + allowed},
		{v: data.Int8(1), want: "01"}, {v: data.Float64(0), want: "00"}, {v: decimal("1.0"), want: "01"},
		{v: data.Int8(2), want: "INT8 2 was found, " + allowed},
		{v: data.Float64(0.5), want: allowed},
		{v: data.DateMillis(1), want: allowed},
		{v: list(), want: allowed},
	})
}

func TestText(t *testing.T) {
	row, err := data.StructBuilder().Field("a", data.Int32Schema).Field("b", data.OptionalBytesSchema).Field("t", data.TimeSchema).Build()
	require.NoError(t, err)
	x, err := data.NewStruct(row)
	require.NoError(t, err)
	x.Set(0, data.Int32(1))
	x.Set(1, data.Bytes([]byte("x")))
	x.Set(2, data.DateMillis(1))
	hexed := func(s string) string { return hex.EncodeToString([]byte(s)) }
	for _, name := range []string{"text", "varchar", "ascii"} {
		run(t, typeOf(name), cqlvalue.Options{}, []valueCase{
			{v: str("abc"), want: hexed("abc")},
			{v: str(""), want: ""},
			{v: str("a\xff"), want: "which is not"},
			{v: data.Int64(-5), want: hexed("-5")},
			{v: data.Float64(1e10), want: hexed("1.0E10")},
			{v: decimal("1.50"), want: hexed("1.50")},
			{v: data.Boolean(true), want: hexed("true")},
			{v: data.DateMillis(86400_000), s: data.DateSchema, want: hexed("1970-01-02")},
			{v: data.DateMillis(3_661_001), s: data.TimeSchema, want: hexed("01:01:01.001")},
			{v: data.DateMillis(-1), s: data.TimestampSchema, want: hexed("1969-12-31T23:59:59.999Z")},
			{v: data.StructOf(x), want: hexed(`{"a":1,"b":"eA==","t":"00:00:00.001"}`)},
			{v: pairs(str("k\""), list(data.Value{}, data.Float64(math.NaN())), data.Int8(1), data.Boolean(false)), want: hexed(`{"k\"":[null,"NaN"],"1":false}`)},
			{v: pairs(data.DateMillis(0), data.Float32(1.5)), s: mustMap(t, data.DateSchema, data.Float32Schema), want: hexed(`{"1970-01-01":1.5}`)},
			{v: pairs(list(), data.Int8(1)), want: "a value of kind ARRAY was found as key of a map"},
			{v: data.Bytes([]byte("x")), want: "a value of kind BYTES was found, where anything but bytes is allowed"},
		})
	}
	run(t, typeOf("text"), cqlvalue.Options{TimeZone: "+02:00"}, []valueCase{
		{v: str("é"), want: "c3a9"}, {v: data.DateMillis(0), want: hexed("1970-01-01T02:00:00.000+02:00")},
	})
	run(t, typeOf("ascii"), cqlvalue.Options{}, []valueCase{{v: str("é"), want: `the text "é" was found, which is not ASCII`}})
	deep := data.Int8(1)
	for range 1100 {
		deep = list(deep)
	}
	run(t, typeOf("text"), cqlvalue.Options{}, []valueCase{{v: deep, want: "nested deeper than 1000 levels"}})
}

func mustMap(t *testing.T, key, value *data.Schema) *data.Schema {
	s, err := data.MapBuilder(key, value).Build()
	require.NoError(t, err)
	return s
}

func TestBlob(t *testing.T) {
	run(t, typeOf("blob"), cqlvalue.Options{}, []valueCase{
		{v: data.Bytes([]byte{0, 255}), want: "00ff"},
		{v: data.Bytes([]byte{}), want: ""},
		{v: str("0xCAFE"), want: "cafe"},
		{v: str("0x"), want: ""},
		{v: str(""), want: ""},
		{v: str("yv4="), want: "cafe"},
		{v: str("yv4"), want: "cafe"},
		{v: str("0xABC"), want: "where bytes, or a text of hexadecimal digits behind 0x or of Base64, is allowed"},
		{v: str("?"), want: "where bytes"},
		{v: str("yv\n4="), want: "where bytes"},
		{v: data.Int8(1), want: "INT8 1 was found, where bytes"},
	})
}

func TestInet(t *testing.T) {
	const allowed = "where the text of an IPv4 or IPv6 address without a zone is allowed"
	run(t, typeOf("inet"), cqlvalue.Options{}, []valueCase{
		{v: str("127.0.0.1"), want: "7f000001"},
		{v: str("::1"), want: "00000000000000000000000000000001"},
		{v: str("::ffff:1.2.3.4"), want: "01020304"},
		{v: str(""), want: "null"},
		{v: str("localhost"), want: `the text "localhost" was found, ` + allowed},
		{v: str("fe80::1%eth0"), want: allowed},
		{v: data.Int64(1), want: allowed},
	})
}

func TestUUID(t *testing.T) {
	const v1, v4 = "2c7f8f60-5b6a-11ee-8c99-0242ac120002", "f47ac10b-58cc-4372-a567-0e02b2c3d479"
	digits := func(s string) string { return strings.ReplaceAll(s, "-", "") }
	run(t, typeOf("uuid"), cqlvalue.Options{}, []valueCase{
		{v: str(v4), want: digits(v4)}, {v: str(strings.ToUpper(v1)), want: digits(v1)}, {v: str(""), want: "null"},
		{v: str(digits(v4)), want: "which is neither a UUID nor an instant"},
		{v: str(v4[:35] + "x"), want: "which is neither a UUID nor an instant"},
		{v: str("not one"), want: "which is neither a UUID nor an instant"},
		{v: data.Boolean(true), want: "which is neither a UUID nor an instant"},
		{v: data.DateMillis(0), s: data.TimeSchema, want: "which is neither a UUID nor an instant"},
		{v: data.Int64(math.MaxInt64), want: "an instant of year 292278994, which UUIDs do not hold"},
	})
	run(t, typeOf("timeuuid"), cqlvalue.Options{}, []valueCase{
		{v: str(v1), want: digits(v1)}, {v: str(v4), want: "a UUID of version 4, where version 1 is allowed"},
	})
	e := encoder(t, typeOf("timeuuid"), cqlvalue.Options{})
	for _, v := range []data.Value{data.Int64(1700000000123), str("2023-11-14T22:13:20.123Z"), data.DateMillis(1700000000123)} {
		out, _, err := e.Append(nil, v, nil)
		require.NoError(t, err)
		id, err := gocql.UUIDFromBytes(out)
		require.NoError(t, err)
		require.Equal(t, 1, id.Version())
		require.EqualValues(t, 1700000000123, id.Time().UnixMilli())
	}
	out, err := e.AppendUUID(nil, gocql.TimeUUID())
	require.NoError(t, err)
	require.Len(t, out, 16)
	_, err = e.AppendUUID(nil, gocql.MustRandomUUID())
	require.EqualError(t, err, "no timeuuid: a UUID of version 4 was found, where version 1 is allowed")
	_, err = encoder(t, typeOf("text"), cqlvalue.Options{}).AppendUUID(nil, gocql.TimeUUID())
	require.EqualError(t, err, "no text: a UUID was found")
	out, err = encoder(t, typeOf("uuid"), cqlvalue.Options{}).AppendUUID(nil, gocql.MustRandomUUID())
	require.NoError(t, err)
	require.Len(t, out, 16)
}

// Null is null for every type, and no value of a wrong kind makes a panic.
func TestNullsAndWrongKinds(t *testing.T) {
	row, err := data.NewStruct(data.StructBuilder().MustBuild())
	require.NoError(t, err)
	for _, name := range allTypes {
		e := encoder(t, typeOf(name), cqlvalue.Options{})
		require.Equal(t, "null", encode(e, data.Value{}, nil), name)
		for _, v := range []data.Value{data.Int8(1), data.Float32(float32(math.NaN())), data.Boolean(true), str("x"), str(" "), data.Bytes([]byte{}), list(),
			pairs(), data.StructOf(row), decimal("1E-2000000000"), data.DateMillis(math.MinInt64)} {
			for _, s := range []*data.Schema{nil, data.TimeSchema, data.DateSchema, data.TimestampSchema} {
				got := encode(e, v, s)
				require.NotContains(t, got, "something was left")
				require.Less(t, len(got), 1500)
			}
		}
	}
}

var allTypes = []string{
	"ascii", "text", "varchar", "blob", "boolean", "tinyint", "smallint", "int", "bigint", "varint", "decimal", "float", "double", "counter",
	"timestamp", "date", "time", "duration", "uuid", "timeuuid", "inet",
	"list<int>", "set<text>", "map<int, text>", "tuple<int, text>", "list<map<text, frozen<set<int>>>>",
	"org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType, 2)",
}

func TestUnknownTypes(t *testing.T) {
	_, err := cqlvalue.NewEncoder(nil, cqlvalue.Options{})
	require.EqualError(t, err, "a column without a type was found")
	_, err = cqlvalue.NewEncoder(gocql.UDTTypeInfo{Name: "T", Elements: []gocql.UDTField{{Name: "f", Type: gocql.NewNativeType(4, 0x99, "")}}}, cqlvalue.Options{})
	require.EqualError(t, err, `field f of "T": columns of type custom 153 are not supported; all types of CQL are, custom ones aside`)
	_, err = cqlvalue.NewEncoder(typeOf("int"), cqlvalue.Options{Unit: "x"})
	require.ErrorContains(t, err, "codec.unit")
}

func TestBound(t *testing.T) {
	for v, want := range map[gocql.Marshaler][]byte{&[]cqlvalue.Value{{1, 2}}[0]: {1, 2}, &[]cqlvalue.Value{{}}[0]: {}, new(cqlvalue.Value): nil} {
		got, err := gocql.Marshal(typeOf("blob"), v)
		require.NoError(t, err)
		require.Equal(t, want == nil, got == nil)
		require.Equal(t, len(want), len(got))
	}
	got, err := gocql.Marshal(typeOf("int"), cqlvalue.Value{1})
	require.NoError(t, err)
	require.Equal(t, []byte{1}, got)
}
