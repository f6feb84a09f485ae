package cassandra

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

var nativeTypes = map[string]gocql.Type{
	"text": gocql.TypeVarchar, "int": gocql.TypeInt, "bigint": gocql.TypeBigInt, "timeuuid": gocql.TypeTimeUUID, "counter": gocql.TypeCounter,
}

// schemaOf makes a table of columns such as "a int partition_key".
func schemaOf(columns ...string) *tableSchema {
	s := &tableSchema{keyspace: "ks", name: "tbl"}
	for i, c := range columns {
		f := strings.Fields(c)
		kind := regularColumn
		if len(f) > 2 {
			kind = columnKind(f[2])
		}
		s.columns = append(s.columns, column{name: f[0], text: f[1], kind: kind, position: i, typ: gocql.NewNativeType(4, nativeTypes[f[1]], "")})
	}
	s.sort()
	return s
}

func planOf(t testing.TB, s *tableSchema, settings config.Props) *plan {
	t.Helper()
	cfg := &tableConfig{topic: "t", keyspace: "ks", table: "tbl", prefix: "topic.t.ks.tbl."}
	require.NoError(t, config.Decode(settings, cfg))
	p, err := newPlan(cfg, s, cqlvalue.Options{})
	require.NoError(t, err)
	return p
}

func mapOf(kv ...any) connect.Datum {
	var pairs []data.Pair
	for i := 0; i < len(kv); i += 2 {
		v, ok := kv[i+1].(data.Value)
		if !ok {
			v = data.String(kv[i+1].(string))
		}
		pairs = append(pairs, data.Pair{Key: data.String(kv[i].(string)), Value: v})
	}
	return connect.Datum{Value: data.MapOf(pairs...)}
}

func sinkRecord(offset int64, key, v connect.Datum) *connect.SinkRecord {
	r := &connect.SinkRecord{Record: connect.Record{Topic: "t", Key: key, Value: v, Timestamp: time.UnixMilli(1000)}}
	r.Origin.Topic, r.Origin.Offset, r.Offset = "t", offset, offset
	return r
}

// shown prints the values of a write.
func (w *write) shown() string {
	var out []string
	for i, v := range w.values {
		text := "unset"
		if x, ok := v.(*cqlvalue.Value); ok {
			switch {
			case *x == nil:
				text = "null"
			case len(*x) == 8:
				text = fmt.Sprint(binary.BigEndian.Uint64(*x))
			case len(*x) == 4:
				text = fmt.Sprint(binary.BigEndian.Uint32(*x))
			default:
				text = string(*x)
			}
		}
		out = append(out, w.stmt.params[i]+"="+text)
	}
	return strings.Join(out, " ")
}

func TestStatements(t *testing.T) {
	table := schemaOf("p text partition_key", "c int clustering", "v text", "w text")
	counters := schemaOf("p text partition_key", "n counter", "m counter")
	key := mapOf("p", "P", "c", data.Int32(7))
	for _, c := range []struct {
		name, mapping, cql, values string
		table                      *tableSchema
		value                      connect.Datum
		settings                   config.Props
	}{
		{"insert", "p=key.p, c=key.c, v=value.v", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=V message_internal_timestamp=1000042", table, mapOf("v", "V"), nil},
		{"ttl", "p=key.p, c=key.c, v=value.v", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ? AND TTL ?`,
			"p=P c=7 v=V message_internal_timestamp=1000042 message_internal_ttl=9", table, mapOf("v", "V"), config.Props{"ttl": "9"}},
		{"ttl and timestamp of the record", "p=key.p, c=key.c, v=value.v, __ttl=value.l, __timestamp=value.s", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ? AND TTL ?`,
			"p=P c=7 v=V message_internal_timestamp=5000000 message_internal_ttl=7200", table, mapOf("v", "V", "l", data.Int64(2), "s", data.Int64(5)),
			config.Props{"ttlTimeUnit": "HOURS", "timestampTimeUnit": "SECONDS", "ttl": "9"}},
		{"ttl below zero", "p=key.p, c=key.c, v=value.v, __ttl=value.l", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ? AND TTL ?`,
			"p=P c=7 v=V message_internal_timestamp=1000042 message_internal_ttl=0", table, mapOf("v", "V", "l", data.Int64(-1)), config.Props{"ttl": "9"}},
		{"null ttl", "p=key.p, c=key.c, v=value.v, __ttl=value.l", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ? AND TTL ?`,
			"p=P c=7 v=V message_internal_timestamp=1000042 message_internal_ttl=unset", table, mapOf("v", "V", "l", data.Value{}), nil},
		{"null is unset", "p=key.p, c=key.c, v=value.v, w=value.w", `INSERT INTO "ks"."tbl" ("p","c","v","w") VALUES (?,?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=V w=unset message_internal_timestamp=1000042", table, mapOf("v", "V", "w", data.Value{}), nil},
		{"null is null", "p=key.p, c=key.c, v=value.v, w=value.w", `INSERT INTO "ks"."tbl" ("p","c","v","w") VALUES (?,?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=V w=null message_internal_timestamp=1000042", table, mapOf("v", "V", "w", data.Value{}), config.Props{"nullToUnset": "false"}},
		{"nulls delete", "p=key.p, c=key.c, v=value.v", `DELETE FROM "ks"."tbl" USING TIMESTAMP ? WHERE "p"=? AND "c"=?`,
			"message_internal_timestamp=1000042 p=P c=7", table, mapOf("v", data.Value{}), nil},
		{"no value deletes", "p=key.p, c=key.c, v=value.v", `DELETE FROM "ks"."tbl" USING TIMESTAMP ? WHERE "p"=? AND "c"=?`,
			"message_internal_timestamp=1000042 p=P c=7", table, connect.Datum{}, nil},
		{"no deletes", "p=key.p, c=key.c, v=value.v", `INSERT INTO "ks"."tbl" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=unset message_internal_timestamp=1000042", table, connect.Datum{}, config.Props{"deletesEnabled": "false"}},
		{"keys alone", "p=key.p, c=key.c", `INSERT INTO "ks"."tbl" ("p","c") VALUES (?,?) USING TIMESTAMP ?`,
			"p=P c=7 message_internal_timestamp=1000042", table, mapOf("x", "y"), nil},
		{"keys alone delete", "p=key.p, c=key.c", `DELETE FROM "ks"."tbl" USING TIMESTAMP ? WHERE "p"=? AND "c"=?`,
			"message_internal_timestamp=1000042 p=P c=7", table, connect.Datum{}, nil},
		{"by name", "", `INSERT INTO "ks"."tbl" ("p","c","v","w") VALUES (?,?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=V w=unset message_internal_timestamp=1000042", table, mapOf("v", "V"), nil},
		{"by name, all nulls", "", `INSERT INTO "ks"."tbl" ("p","c","v","w") VALUES (?,?,?,?) USING TIMESTAMP ?`,
			"p=P c=7 v=unset w=unset message_internal_timestamp=1000042", table, mapOf("v", data.Value{}), nil},
		{"counters", "p=key.p, n=value.n, m=value.m", `UPDATE "ks"."tbl" SET "n"="n"+?,"m"="m"+? WHERE "p"=?`,
			"n=3 m=unset p=P", counters, mapOf("n", data.Int64(3), "m", data.Value{}), nil},
		{"counters are deleted", "p=key.p, n=value.n", `DELETE FROM "ks"."tbl" WHERE "p"=?`, "p=P", counters, connect.Datum{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planOf(t, c.table, c.settings.Merge(config.Props{"mapping": c.mapping}))
			var b binder
			w, _, err := b.bind(testTable, p, sinkRecord(42, key, c.value))
			require.NoError(t, err)
			assert.Equal(t, c.cql, w.stmt.cql)
			assert.Equal(t, "ks", keyspaceOf(w.stmt.cql))
			assert.Equal(t, c.values, w.shown())
			assert.Equal(t, c.table == counters, w.stmt.alone)
			assert.Equal(t, c.table != counters, w.stmt.repeatable)
		})
	}
}

// Writes of one millisecond have timestamps in the order of their offsets, and the same ones whenever they are made.
func TestTimestamps(t *testing.T) {
	p := planOf(t, schemaOf("p text partition_key", "v text"), config.Props{"mapping": "p=key.p, v=value.v"})
	var b binder
	var got []int64
	for _, offset := range []int64{7000, 7001, 7999, 7000} {
		w, _, err := b.bind(testTable, p, sinkRecord(offset, mapOf("p", "P"), mapOf("v", "V")))
		require.NoError(t, err)
		got = append(got, w.micros)
	}
	assert.Equal(t, []int64{1_000_000, 1_000_001, 1_000_999, 1_000_000}, got)
	r := sinkRecord(1, mapOf("p", "P"), mapOf("v", "V"))
	r.Timestamp = time.Time{}
	w, _, err := b.bind(testTable, p, r)
	require.NoError(t, err)
	assert.Equal(t, "p=P v=V message_internal_timestamp=unset", w.shown(), "without one, the database's clock counts")
}

func TestLanesAreOfPartitions(t *testing.T) {
	p := planOf(t, schemaOf("p text partition_key", "q text partition_key", "c int clustering"), config.Props{"mapping": "c=key.c, q=key.q, p=key.p"})
	var b binder
	lane := func(p1, q string, c int32) string {
		_, lane, err := b.bind(testTable, p, sinkRecord(1, mapOf("p", p1, "q", q, "c", data.Int32(c)), mapOf("v", "V")))
		require.NoError(t, err)
		return string(lane)
	}
	assert.Equal(t, lane("a", "b", 1), lane("a", "b", 2))
	seen := []string{lane("a", "b", 1), lane("ab", "", 1), lane("", "ab", 1), lane("b", "a", 1)}
	slices.Sort(seen)
	assert.Len(t, slices.Compact(seen), 4)
}

func TestWritesAreCarriedOverToANewPlan(t *testing.T) {
	mapping := config.Props{}
	old := planOf(t, schemaOf("p text partition_key", "a text", "b text"), mapping)
	make := func(a, b any) *write {
		var x binder
		kv := []any{"p", "P"}
		if a != nil {
			kv = append(kv, "a", a)
		}
		if b != nil {
			kv = append(kv, "b", b)
		}
		w, _, err := x.bind(testTable, old, sinkRecord(1, mapOf("p", "P"), mapOf(kv...)))
		require.NoError(t, err)
		return w
	}
	w := make("A", nil)
	require.NoError(t, w.carry(planOf(t, schemaOf("p text partition_key", "a text", "c text"), mapping)))
	assert.Equal(t, "p=P a=A c=unset message_internal_timestamp=1000001", w.shown())
	assert.ErrorIs(t, make("A", "B").carry(planOf(t, schemaOf("p text partition_key", "a text"), mapping)), errColumnGone)
	assert.ErrorIs(t, make("A", nil).carry(planOf(t, schemaOf("p text partition_key", "a int"), mapping)), errTypeChanged)
}

func TestCreateTable(t *testing.T) {
	person := data.StructBuilder().Field("Name", data.StringSchema).Field("age", data.OptionalInt32Schema).MustBuild()
	id := data.StructBuilder().Field("a", data.Int64Schema).Field("b", data.StringSchema).MustBuild()
	structOf := func(s *data.Schema) connect.Datum {
		x, err := data.NewStruct(s)
		require.NoError(t, err)
		return connect.Datum{Schema: s, Value: data.StructOf(x)}
	}
	text := connect.Datum{Schema: data.StringSchema, Value: data.String("k")}
	for _, c := range []struct {
		name       string
		primary    []string
		key, value connect.Datum
		want       string
	}{
		{"struct key", nil, structOf(id), structOf(person), `CREATE TABLE IF NOT EXISTS "ks"."tbl" ("a" bigint, "b" text, "Name" text, "age" int, PRIMARY KEY (("a"), "b"))`},
		{"text key", nil, text, structOf(person), `CREATE TABLE IF NOT EXISTS "ks"."tbl" ("key" text, "Name" text, "age" int, PRIMARY KEY (("key")))`},
		{"chosen", []string{"(Name", "a)", "age"}, structOf(id), structOf(person),
			`CREATE TABLE IF NOT EXISTS "ks"."tbl" ("a" bigint, "b" text, "Name" text, "age" int, PRIMARY KEY (("Name", "a"), "age"))`},
		{"of the value", []string{"Name"}, text, structOf(person), `CREATE TABLE IF NOT EXISTS "ks"."tbl" ("Name" text, "age" int, PRIMARY KEY (("Name")))`},
		{"unknown", []string{"nobody"}, text, structOf(person), "neither key nor value of the record have the field nobody"},
		{"no schema", nil, text, mapOf("a", "b"), "its value is no struct"},
		{"no schema of the key", nil, connect.Datum{Value: data.String("k")}, structOf(person), "auto.create.primary.key is not set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := &tableConfig{keyspace: "ks", table: "tbl"}
			cql, err := createTable(&AutoConfig{PrimaryKey: c.primary}, cfg, &connect.Record{Key: c.key, Value: c.value})
			if err != nil {
				assert.ErrorContains(t, err, c.want)
				return
			}
			assert.Equal(t, c.want, cql)
		})
	}
}

// A table that changes is read once, whoever asks.
func TestRefreshReadsOnce(t *testing.T) {
	reads := 0
	db := &fakeDB{columns: func(string, string) (*tableSchema, error) {
		reads++
		return schemaOf("p text partition_key", fmt.Sprintf("v%d text", reads)), nil
	}}
	x := newTarget(1, &tableConfig{keyspace: "ks", table: "tbl", ttlUnit: "SECONDS", timestampUnit: "SECONDS", consistency: "ONE", ttl: -1}, cqlvalue.Options{}, "")
	first, err := x.refresh(context.Background(), db, nil)
	require.NoError(t, err)
	second, err := x.refresh(context.Background(), db, first)
	require.NoError(t, err)
	assert.NotSame(t, first, second)
	third, err := x.refresh(context.Background(), db, first)
	require.NoError(t, err)
	assert.Same(t, second, third)
	assert.Equal(t, 2, reads)
}

// capture is a policy that notes the keyspaces that it is asked with.
type capture struct {
	gocql.HostSelectionPolicy
	keyspaces []string
}

func (c *capture) Pick(q gocql.ExecutableStatement) gocql.NextHost {
	c.keyspaces = append(c.keyspaces, q.Keyspace())
	return nil
}

type anyStatement struct {
	gocql.ExecutableStatement
	s gocql.Statement
}

func (a anyStatement) Keyspace() string           { return "own" }
func (a anyStatement) Statement() gocql.Statement { return a.s }

// The policy that knows the replicas hears the keyspace of batches, which the driver does not tell.
func TestRoutingOfBatches(t *testing.T) {
	c := &capture{}
	routing{c}.Pick(anyStatement{s: &gocql.Batch{Entries: []gocql.BatchEntry{{Stmt: `DELETE FROM "My ks"."t" WHERE "p"=?`}}}})
	routing{c}.Pick(anyStatement{s: &gocql.Query{}})
	assert.Equal(t, []string{"My ks", "own"}, c.keyspaces)
}
