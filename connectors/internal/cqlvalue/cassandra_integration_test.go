//go:build integration

package cqlvalue_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// A column of each type, a value for it, and what Cassandra then says in JSON that
// it holds.
var columns = []struct {
	name, cql string
	v         data.Value
	s         *data.Schema
	want      string
}{
	{"c_ascii", "ascii", data.String("abc"), nil, `"abc"`},
	{"c_text", "text", data.String("é€😀"), nil, `"é€😀"`},
	{"c_empty", "text", data.String(""), nil, `""`},
	{"c_json", "text", data.ArrayOf(data.Int8(1), data.String("a")), nil, `"[1,\"a\"]"`},
	{"c_varchar", "varchar", data.Float64(1e10), nil, `"1.0E10"`},
	{"c_blob", "blob", data.Bytes([]byte{0xca, 0xfe}), nil, `"0xcafe"`},
	{"c_empty_blob", "blob", data.Bytes([]byte{}), nil, `"0x"`},
	{"c_boolean", "boolean", data.String("yes"), nil, `true`},
	{"c_tinyint", "tinyint", data.Int64(-128), nil, `-128`},
	{"c_smallint", "smallint", data.Int16(-32768), nil, `-32768`},
	{"c_int", "int", data.String("1,234,567"), nil, `1234567`},
	{"c_bigint", "bigint", data.Int64(math.MinInt64), nil, `-9223372036854775808`},
	{"c_varint", "varint", decimal("-123456789012345678901234567890"), nil, `-123456789012345678901234567890`},
	{"c_varint_small", "varint", data.Int64(-129), nil, `-129`},
	{"c_decimal", "decimal", decimal("-12345.6700"), nil, `-12345.6700`},
	{"c_decimal_whole", "decimal", data.Int64(-5), nil, `-5`},
	{"c_float", "float", data.Float64(0.1), nil, `0.1`},
	{"c_double", "double", decimal("1.7976931348623157E308"), nil, `1.7976931348623157E308`},
	{"c_timestamp", "timestamp", data.DateMillis(1591006830123), data.TimestampSchema, `"2020-06-01 10:20:30.123Z"`},
	{"c_date", "date", data.DateMillis(1591006830123), data.DateSchema, `"2020-06-01"`},
	{"c_date_early", "date", data.String("-0001-03-04"), nil, `"-0001-03-04"`},
	{"c_time", "time", data.String("10:20:30.123456789"), nil, `"10:20:30.123456789"`},
	{"c_duration", "duration", data.String("-1y2mo3d4h5m6s7ns"), nil, `"-1y2mo3d4h5m6s7ns"`},
	{"c_uuid", "uuid", data.String("f47ac10b-58cc-4372-a567-0e02b2c3d479"), nil, `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`},
	{"c_timeuuid", "timeuuid", data.String("2c7f8f60-5b6a-11ee-8c99-0242ac120002"), nil, `"2c7f8f60-5b6a-11ee-8c99-0242ac120002"`},
	{"c_inet4", "inet", data.String("127.0.0.1"), nil, `"127.0.0.1"`},
	{"c_inet6", "inet", data.String("2001:db8::1"), nil, `"2001:db8:0:0:0:0:0:1"`},
	{"c_list", "list<int>", data.ArrayOf(data.Int8(3), data.Int64(1), data.String("3")), nil, `[3, 1, 3]`},
	{"c_list_empty", "frozen<list<int>>", data.ArrayOf(), nil, `[]`},
	{"c_set", "set<text>", data.String(`["b", "a", "b"]`), nil, `["a", "b"]`},
	{"c_map", "map<int, text>", pairs(data.Int8(2), data.String("b"), data.Int8(1), data.String("")), nil, `{"1": "", "2": "b"}`},
	{"c_map_dates", "map<date, frozen<list<inet>>>", data.String(`{"2020-06-01": ["::1"]}`), nil, `{"2020-06-01": ["0:0:0:0:0:0:0:1"]}`},
	{"c_nested", "list<frozen<map<text, frozen<set<int>>>>>", data.String(`[{"a":[2,1]},{}]`), nil, `[{"a": [1, 2]}, {}]`},
	{"c_tuple", "tuple<int, text, frozen<list<double>>>", data.ArrayOf(data.Int8(1), data.Value{}, data.ArrayOf(data.Float32(0.5))), nil, `[1, null, [0.5]]`},
	{"c_udt", "cqlvalue.address", data.String(`{"zip": 7, "street": "a", "tags": ["x"]}`), nil, `{"street": "a", "zip": 7, "tags": ["x"]}`},
	{"c_udts", "list<frozen<cqlvalue.address>>", data.ArrayOf(pairs(str("street"), data.Value{}, str("zip"), data.Int8(1), str("tags"), data.Value{})), nil,
		`[{"street": null, "zip": 1, "tags": null}]`},
	{"c_vector", "vector<float, 3>", data.ArrayOf(data.Float32(1), data.Float64(0.5), data.Int8(-2)), nil, `[1.0, 0.5, -2.0]`},
	{"c_vector_texts", "vector<text, 2>", data.ArrayOf(data.String("ab"), data.String(strings.Repeat("x", 200))), nil, `["ab", "` + strings.Repeat("x", 200) + `"]`},
	{"c_vector_small", "vector<smallint, 2>", data.ArrayOf(data.Int8(1), data.Int8(-2)), nil, `[1, -2]`},
	{"c_vector_tiny", "vector<tinyint, 2>", data.ArrayOf(data.Int8(1), data.Int8(-2)), nil, `[1, -2]`},
	{"c_vector_dates", "vector<date, 1>", data.String(`["2020-06-01"]`), nil, `["2020-06-01"]`},
	{"c_vector_times", "vector<time, 1>", data.String(`["10:20:30"]`), nil, `["10:20:30.000000000"]`},
	{"c_vector_uuids", "vector<timeuuid, 1>", data.String(`["2c7f8f60-5b6a-11ee-8c99-0242ac120002"]`), nil, `["2c7f8f60-5b6a-11ee-8c99-0242ac120002"]`},
	{"c_vectors", "vector<vector<int, 2>, 2>", data.String(`[[1,2],[3,4]]`), nil, `[[1, 2], [3, 4]]`},
	{"c_vector_lists", "vector<frozen<list<int>>, 2>", data.String(`[[1],[]]`), nil, `[[1], []]`},
	{"c_vector_udts", "vector<frozen<cqlvalue.address>, 1>", data.String(`[{"street":"a","zip":1,"tags":["b"]}]`), nil, `[{"street": "a", "zip": 1, "tags": ["b"]}]`},
	{"c_vector_tuples", "vector<frozen<tuple<int, text>>, 1>", data.String(`[[1,"a"]]`), nil, `[[1, "a"]]`},
	{"c_tuple_null", "tuple<int, text>", data.Value{}, nil, `null`},
	{"c_tuples", "map<text, frozen<tuple<int, text>>>", data.String(`{"k":[1,null]}`), nil, `{"k": [1, null]}`},
	{"c_vector_bigs", "vector<bigint, 1>", data.String(`[9223372036854775807]`), nil, `[9223372036854775807]`},
	{"c_null", "int", data.Value{}, nil, `null`},
}

// Each type of CQL, from its value to the server and back.
func TestCassandraReadsEachType(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := cassandraSession(t)
	execute := func(cql string) { require.NoError(t, s.Query(cql).ExecContext(ctx), cql) }
	execute("CREATE KEYSPACE cqlvalue WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	execute("CREATE TYPE cqlvalue.address (street text, zip int, tags frozen<set<text>>)")
	names, definitions := make([]string, len(columns)), ""
	for i, c := range columns {
		names[i] = c.name
		definitions += ", " + c.name + " " + c.cql
	}
	execute("CREATE TABLE cqlvalue.t (k int PRIMARY KEY" + definitions + ")")
	insert := fmt.Sprintf("INSERT INTO cqlvalue.t (k, %s) VALUES (0%s)", strings.Join(names, ", "), strings.Repeat(", ?", len(names)))
	types := bindInsert(t, ctx, s, insert)
	for _, c := range columns {
		var got string
		require.NoError(t, s.Query("SELECT JSON "+c.name+" FROM cqlvalue.t WHERE k = 0").ScanContext(ctx, &got))
		require.Equal(t, `{"`+c.name+`": `+c.want+`}`, got)
	}
	var ints []int
	var vector []float32
	require.NoError(t, s.Query("SELECT c_list, c_vector FROM cqlvalue.t WHERE k = 0").ScanContext(ctx, &ints, &vector))
	require.Equal(t, []int{3, 1, 3}, ints)
	require.Equal(t, []float32{1, 0.5, -2}, vector)
	for i, typ := range types {
		require.NotEmpty(t, encoder(t, typ, cqlvalue.Options{}).Type(), columns[i].name)
	}

	execute("CREATE TABLE cqlvalue.counted (k int PRIMARY KEY, n counter)")
	n, _, err := encoder(t, typeOf("counter"), cqlvalue.Options{}).Append(nil, data.String("1,000"), nil)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, s.Query("UPDATE cqlvalue.counted SET n = n + ? WHERE k = 0", cqlvalue.Value(n)).ExecContext(ctx))
	}
	var count int64
	require.NoError(t, s.Query("SELECT n FROM cqlvalue.counted WHERE k = 0").ScanContext(ctx, &count))
	require.EqualValues(t, 2000, count)
}

// bindInsert runs the statement with the values of all columns, bound as pointers
// into one slice, and returns the types that the server says they have.
func bindInsert(t *testing.T, ctx context.Context, s *gocql.Session, insert string) (types []gocql.TypeInfo) {
	q := s.Bind(insert, func(info *gocql.QueryInfo) ([]any, error) {
		types = nil
		values, bound := make([]cqlvalue.Value, len(columns)), make([]any, len(columns))
		for i, c := range columns {
			types = append(types, info.Args[i].TypeInfo)
			e, err := cqlvalue.NewEncoder(info.Args[i].TypeInfo, cqlvalue.Options{})
			if err != nil {
				return nil, err
			}
			out, null, err := e.Append(nil, c.v, c.s)
			if err != nil {
				return nil, err
			}
			if !null {
				values[i] = out
			}
			bound[i] = &values[i]
		}
		return bound, nil
	})
	require.NoError(t, q.ExecContext(ctx))
	return types
}

// What TypeOf names, Cassandra takes as the type of a column.
func TestCassandraTakesInferredTypes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := cassandraSession(t)
	require.NoError(t, s.Query("CREATE KEYSPACE cqltypes WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").ExecContext(ctx))
	require.NoError(t, s.Query("CREATE TABLE cqltypes.t (k int PRIMARY KEY)").ExecContext(ctx))
	array := func(s *data.Schema) *data.Schema { return data.ArrayBuilder(s).MustBuild() }
	for i, schema := range []*data.Schema{data.Int8Schema, data.Int16Schema, data.Int32Schema, data.Int64Schema, data.Float32Schema, data.Float64Schema,
		data.BooleanSchema, data.StringSchema, data.BytesSchema, data.DecimalSchema(1), data.DateSchema, data.TimeSchema, data.TimestampSchema,
		array(array(data.Int8Schema)), mustMap(t, data.DateSchema, mustMap(t, data.StringSchema, array(data.BytesSchema)))} {
		name, err := cqlvalue.TypeOf(schema)
		require.NoError(t, err)
		require.NoError(t, s.Query(fmt.Sprintf("ALTER TABLE cqltypes.t ADD c%d %s", i, name)).ExecContext(ctx), name)
	}
}

func cassandraSession(t *testing.T) *gocql.Session {
	t.Helper()
	n := testenv.Cassandra(t)
	c := gocql.NewCluster(n.Host())
	c.Port, c.Timeout, c.Consistency = n.Port(), 30*time.Second, gocql.One
	c.Authenticator = gocql.PasswordAuthenticator{Username: "cassandra", Password: "cassandra"}
	types, err := cqlvalue.DriverTypes()
	require.NoError(t, err)
	c.RegisteredTypes = types
	s, err := c.CreateSession()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}
