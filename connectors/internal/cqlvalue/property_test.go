package cqlvalue_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// anyInt returns a number of any length of bits.
func anyInt(r *rand.Rand) int64 { return int64(r.Uint64()) >> r.IntN(64) }

// generators make, for a type, a value and what the driver is to read back.
var generators = map[string]func(r *rand.Rand) (data.Value, *data.Schema, any){
	"tinyint": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := int8(anyInt(r))
		return data.Int64(int64(n)), nil, n
	},
	"smallint": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := int16(anyInt(r))
		return data.Int16(n), nil, n
	},
	"int": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := int32(anyInt(r))
		return data.Float64(float64(n)), nil, n
	},
	"bigint": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := anyInt(r)
		return data.String(data.Int64(n).String()), nil, n
	},
	"counter": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := anyInt(r)
		return data.Int64(n), nil, n
	},
	"varint": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n := new(big.Int).Mul(big.NewInt(anyInt(r)), big.NewInt(anyInt(r)))
		if n.IsInt64() && r.IntN(2) == 0 {
			return data.Int64(n.Int64()), nil, *n
		}
		return data.DecimalOf(data.NewDecimal(n, 0)), nil, *n
	},
	"decimal": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		n, scale := anyInt(r), int32(r.IntN(40)-20)
		return data.DecimalOf(data.DecimalFromInt64(n, scale)), nil, *inf.NewDec(n, inf.Scale(scale))
	},
	"float": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		f := float32(r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30)))
		return data.String(data.Float32(f).String()), nil, f
	},
	"double": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		f := r.NormFloat64() * math.Pow(10, float64(r.IntN(600)-300))
		d, _ := data.DecimalOfFloat64(f)
		return data.DecimalOf(d), nil, f
	},
	"boolean": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		b := r.IntN(2) == 0
		return data.Boolean(b), nil, b
	},
	"timestamp": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		ms := anyInt(r) >> 16
		return data.DateMillis(ms), data.TimestampSchema, time.UnixMilli(ms).UTC()
	},
	"date": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		t := time.Date(r.IntN(9999)+1, time.Month(r.IntN(12)+1), r.IntN(31)+1, 0, 0, 0, 0, time.UTC)
		if t.Year() < 10_000 && r.IntN(2) == 0 {
			return data.String(t.Format("2006-01-02")), nil, t
		}
		return data.DateOf(t), data.DateSchema, t
	},
	"time": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		d := time.Duration(r.Int64N(int64(24 * time.Hour)))
		return data.String(time.Time{}.Add(d).Format("15:04:05.999999999")), nil, d
	},
	"inet": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		address := netip.AddrFrom16(b)
		if r.IntN(2) == 0 {
			address = netip.AddrFrom4([4]byte(b[:4]))
		}
		return data.String(address.String()), nil, net.IP(address.AsSlice())
	},
	"uuid": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		id := gocql.MustRandomUUID()
		return data.String(id.String()), nil, id
	},
	"text": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		runes := make([]rune, r.IntN(9))
		for i := range runes {
			runes[i] = rune(r.IntN(0x3000))
		}
		return data.String(string(runes)), nil, string(runes)
	},
	"blob": func(r *rand.Rand) (data.Value, *data.Schema, any) {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return data.Bytes(b), nil, b
	},
}

// What the driver reads out of the bytes is what went in; of lists of it, too.
func TestDriverReadsItBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, generate := range generators {
		typ := typeOf(name)
		e := encoder(t, typ, cqlvalue.Options{})
		lists := encoder(t, typeOf("list<"+name+">"), cqlvalue.Options{})
		var elems []data.Value
		var wants []any
		var schema *data.Schema
		for range 500 {
			v, s, want := generate(r)
			out, null, err := e.Append(nil, v, s)
			require.NoError(t, err, "%s of %s", name, v)
			require.False(t, null)
			requireReads(t, typ, out, want)
			elems, wants, schema = append(elems, v), append(wants, want), s
		}
		if schema != nil {
			continue // elements of several schemas make no array
		}
		out, _, err := lists.Append(nil, data.ArrayOf(elems...), nil)
		require.NoError(t, err)
		var parts []raw
		require.NoError(t, gocql.Unmarshal(typeOf("list<"+name+">"), out, &parts))
		require.Len(t, parts, len(wants))
		for i := range parts {
			requireReads(t, typ, parts[i], wants[i])
		}
	}
}

// raw takes the bytes of an element as they are.
type raw []byte

func (r *raw) UnmarshalCQL(_ gocql.TypeInfo, b []byte) error {
	*r = append(raw{}, b...)
	return nil
}

func requireReads(t *testing.T, typ gocql.TypeInfo, b []byte, want any) {
	t.Helper()
	switch want := want.(type) {
	case big.Int:
		var got big.Int
		require.NoError(t, gocql.Unmarshal(typ, b, &got))
		require.Zero(t, got.Cmp(&want))
		minimal, err := gocql.Marshal(typ, &want)
		require.NoError(t, err)
		require.Equal(t, minimal, b)
	case inf.Dec:
		var got inf.Dec
		require.NoError(t, gocql.Unmarshal(typ, b, &got))
		require.Equal(t, want.String(), got.String())
	case net.IP:
		var got net.IP
		require.NoError(t, gocql.Unmarshal(typ, b, &got))
		require.True(t, want.Equal(got))
	case time.Time:
		var got time.Time
		require.NoError(t, gocql.Unmarshal(typ, b, &got))
		require.True(t, want.Equal(got), "%s and %s", want, got)
	case []byte:
		require.Equal(t, string(want), string(b))
	default:
		reads(t, typ, b, want)
	}
}

func reads(t *testing.T, typ gocql.TypeInfo, b []byte, want any) {
	t.Helper()
	marshalled, err := gocql.Marshal(typ, want)
	require.NoError(t, err)
	require.Equal(t, marshalled, b, "%v", want)
}

// A text that goes into any column is either refused or becomes bytes which the
// driver can read, and nothing panics.
func FuzzText(f *testing.F) {
	for _, text := range []string{"", "1,234.5e3", "true", "2020-02-29T10:20:30.5+01:00", "0xCAFE", "yv4=", "[1,'a',{b:NaN}]", `{"a":[1,2]}`, "1y2mo3d", "P1Y2M3DT4H",
		"2c7f8f60-5b6a-11ee-8c99-0242ac120002", "::ffff:1.2.3.4", "1e999999999", "-1E-999999999", "[[[", "\xff", "10:20:30.123456789 PST"} {
		f.Add(text)
	}
	var encoders []*cqlvalue.Encoder
	var types []gocql.TypeInfo
	for _, name := range append(allTypes, "map<timestamp, frozen<map<inet, duration>>>", "tuple<decimal, varint, double, float, boolean>") {
		types = append(types, typeOf(name))
	}
	types = append(types, address)
	for _, typ := range types {
		encoders = append(encoders, encoder(f, typ, cqlvalue.Options{AllowMissingFields: true, AllowExtraFields: true}))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, e := range encoders {
			out, null, err := e.Append(nil, data.String(text), nil)
			if err != nil {
				require.Empty(t, out)
				require.Less(t, len(err.Error()), 2000, "%v", err)
				continue
			}
			if null {
				require.Nil(t, out)
				continue
			}
			var elems []raw
			switch types[i].(type) {
			case gocql.TupleTypeInfo, gocql.UDTTypeInfo: // which the driver reads into places of their types
				continue
			case gocql.CollectionType, gocql.VectorType:
				if types[i].Type() != gocql.TypeMap {
					require.NoError(t, gocql.Unmarshal(types[i], out, &elems), "%s of %q: %x", e.Type(), text, out)
				}
				continue
			}
			into := reflect.New(reflect.TypeOf(types[i].Zero()))
			require.NoError(t, gocql.Unmarshal(types[i], out, into.Interface()), "%s of %q: %x", e.Type(), text, out)
		}
	})
}

type sample struct {
	name string
	v    data.Value
	s    *data.Schema
}

// samples are values as converters make them for columns of their types.
var samples = []sample{
	{"tinyint", data.Int8(1), nil}, {"smallint", data.Int16(1), nil}, {"int", data.Int32(1), nil}, {"bigint", data.Int64(1), nil},
	{"counter", data.Int64(1), nil}, {"varint", data.Int64(1 << 40), nil}, {"decimal", decimal("123456789.55"), nil}, {"float", data.Float32(0.1), nil},
	{"float", data.Float64(0.1), nil}, {"double", data.Float64(0.1), nil}, {"boolean", data.Boolean(true), nil}, {"text", data.String("some text"), nil},
	{"ascii", data.String("some text"), nil}, {"blob", data.Bytes([]byte("some bytes")), nil}, {"timestamp", data.DateMillis(1700000000000), data.TimestampSchema},
	{"timestamp", data.Int64(1700000000000), nil}, {"date", data.DateMillis(1700000000000), data.DateSchema}, {"time", data.DateMillis(1), data.TimeSchema},
	{"uuid", data.String("2c7f8f60-5b6a-11ee-8c99-0242ac120002"), nil}, {"duration", data.String("1mo2d3h"), nil}, {"bigint", data.String("123456"), nil},
	{"date", data.String("2023-11-14"), nil}, {"timestamp", data.String("2023-11-14T22:13:20.123Z"), nil}, {"text", data.Int64(5), nil},
	{"list<int>", data.ArrayOf(data.Int32(1), data.Int32(2)), nil},
	{"map<text, bigint>", data.MapOf(data.Pair{Key: data.String("a"), Value: data.Int64(1)}), nil},
}

// Scalars cost no memory beside the buffer; nor do collections of them.
func TestAppendAllocates(t *testing.T) {
	for _, s := range samples {
		e := encoder(t, typeOf(s.name), cqlvalue.Options{})
		buffer := make([]byte, 0, 256)
		allocations := testing.AllocsPerRun(100, func() {
			if _, _, err := e.Append(buffer, s.v, s.s); err != nil {
				t.Error(err)
			}
		})
		require.Zero(t, allocations, "%s of %s %s", s.name, s.v.Kind(), s.v)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, s := range samples {
		e := encoder(b, typeOf(s.name), cqlvalue.Options{})
		b.Run(s.name+"/"+s.v.Kind().String(), func(b *testing.B) {
			buffer := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := e.Append(buffer, s.v, s.s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
