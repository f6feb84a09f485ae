//go:build integration

package cassandra

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// object makes a schemaless map.
func object(kv ...any) data.Value {
	var pairs []data.Pair
	for i := 0; i < len(kv); i += 2 {
		pairs = append(pairs, data.Pair{Key: data.String(kv[i].(string)), Value: value(kv[i+1])})
	}
	return data.MapOf(pairs...)
}

func value(v any) data.Value {
	switch v := v.(type) {
	case nil:
		return data.Value{}
	case data.Value:
		return v
	case string:
		return data.String(v)
	case int:
		return data.Int64(int64(v))
	case float64:
		return data.Float64(v)
	case bool:
		return data.Boolean(v)
	}
	panic(fmt.Sprintf("value of %T", v))
}

var noon = time.UnixMilli(1_700_000_000_123)

// rec is a record with a timestamp.
func rec(key, v any) connect.Record {
	return connect.Record{Key: connect.Datum{Value: value(key)}, Value: connect.Datum{Value: value(v)}, Timestamp: noon}
}

func (p *place) sink(t testing.TB, more config.Props) *connecttest.SinkHarness {
	t.Helper()
	return connecttest.Sink(t, plugin(func(c Config) (*task, error) {
		x, err := newTask(c)
		p.task.Store(x)
		return x, err
	}), p.props(more))
}

// table is the prefix of the keys of a table for the harness' topic.
func (p *place) table(name string) string { return "topic.topic." + p.keyspace + "." + name + "." }

func TestMappingEndToEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, `CREATE TABLE %s.m (id bigint, "Name" text, part text, head text, seen timeuuid, tags set<text>, addr frozen<map<text, int>>, PRIMARY KEY (part, id))`)
	p.run(t, `CREATE TABLE %s.second (id bigint PRIMARY KEY, v text)`)
	h := p.sink(t, config.Props{
		p.table("m") + "mapping": `id=key.id, part=key.part, "Name"="value.The Name", head=header.h, seen=now(), tags=value.tags, addr=value.addr, ` +
			`__timestamp=value.at, __ttl=value.ttl`,
		p.table("m") + "timestampTimeUnit": "SECONDS", p.table("m") + "ttlTimeUnit": "HOURS", p.table("m") + "consistencyLevel": "quorum",
		p.table("second") + "mapping": "id=key.id, v=value.v", p.table("second") + "ttl": "5000",
	})
	r := rec(object("id", 7, "part", "a"), object("The Name", "Ann", "tags", data.ArrayOf(data.String("x"), data.String("y")),
		"addr", object("n", 1), "at", 1_600_000_000, "ttl", 2, "v", "vee"))
	r.Headers = []connect.Header{{Key: "h", Datum: connect.Datum{Value: data.String("head!")}}}
	h.Produce(r)
	h.Flush()
	assert.Equal(t, []string{"a 7 map[n:1] head! Ann [x y]"}, p.rows(t, `SELECT part, id, addr, head, "Name", tags FROM %s.m`))
	assert.Equal(t, []string{"1600000000000000"}, p.rows(t, "SELECT writetime(head) FROM %s.m"))
	ttl := p.rows(t, "SELECT ttl(head) FROM %s.m")
	seconds, err := strconv.Atoi(ttl[0])
	require.NoError(t, err)
	assert.InDelta(t, 7200, seconds, 300)
	assert.Equal(t, []string{"7 vee 1700000000123000"}, p.rows(t, "SELECT id, v, writetime(v) FROM %s.second"))
	ttl = p.rows(t, "SELECT ttl(v) FROM %s.second")
	seconds, err = strconv.Atoi(ttl[0])
	require.NoError(t, err)
	assert.InDelta(t, 5000, seconds, 300)
	assert.Len(t, p.rows(t, "SELECT seen FROM %s.m WHERE part = 'a' AND id = 7"), 1)
}

func TestTombstonesAndNulls(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, name := range []string{"del", "keep", "nulls"} {
		p.run(t, "CREATE TABLE %s."+name+" (k text PRIMARY KEY, a text, b int)")
	}
	props := config.Props{}
	for _, name := range []string{"del", "keep", "nulls"} {
		props[p.table(name)+"mapping"] = "k=key, a=value.a, b=value.b"
	}
	props[p.table("keep")+"deletesEnabled"] = "false"
	props[p.table("nulls")+"deletesEnabled"], props[p.table("nulls")+"nullToUnset"] = "false", "false"
	h := p.sink(t, props)
	for _, k := range []string{"1", "2", "3"} {
		h.Produce(rec(k, object("a", "A", "b", 1)))
	}
	h.Produce(rec("1", nil), rec("2", object("a", nil, "b", nil)), rec("3", object("a", nil, "b", 3)))
	h.Flush()
	assert.ElementsMatch(t, []string{"3 A 3"}, p.rows(t, "SELECT k, a, b FROM %s.del"))
	assert.ElementsMatch(t, []string{"1 A 1", "2 A 1", "3 A 3"}, p.rows(t, "SELECT k, a, b FROM %s.keep"))
	assert.ElementsMatch(t, []string{"1  0", "2  0", "3  3"}, p.rows(t, "SELECT k, a, b FROM %s.nulls"))
}

func TestCountersAndQueries(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.hits (page text PRIMARY KEY, n counter, m counter)")
	p.run(t, "CREATE TABLE %s.own (page text PRIMARY KEY, n counter)")
	p.run(t, "CREATE TABLE %s.list (id text PRIMARY KEY, items list<text>)")
	h := p.sink(t, config.Props{
		p.table("hits") + "mapping": "page=key, n=value.n, m=value.m",
		p.table("own") + "mapping":  "page=key, amount=value.n", p.table("own") + "deletesEnabled": "false",
		p.table("own") + "query":    p.cql("UPDATE %s.own SET n = n + :amount WHERE page = :page"),
		p.table("list") + "mapping": "id=key, more=value.items", p.table("list") + "deletesEnabled": "false",
		p.table("list") + "query": p.cql("UPDATE %s.list SET items = items + :more WHERE id = :id"),
	})
	for i := range 50 {
		h.Produce(rec("p"+strconv.Itoa(i%2), object("n", 1, "m", nil, "items", data.ArrayOf(data.String(strconv.Itoa(i/2))))))
	}
	h.Flush()
	assert.ElementsMatch(t, []string{"p0 0 25", "p1 0 25"}, p.rows(t, "SELECT page, m, n FROM %s.hits"))
	assert.ElementsMatch(t, []string{"p0 25", "p1 25"}, p.rows(t, "SELECT page, n FROM %s.own"))
	want := []string{}
	for i := range 25 {
		want = append(want, strconv.Itoa(i))
	}
	assert.Len(t, p.rows(t, "SELECT items FROM %s.list WHERE id = 'p0'"), 1)
	assert.Equal(t, fmt.Sprint(want), p.rows(t, "SELECT items FROM %s.list WHERE id = 'p0'")[0], "the order of a row's records is kept")
}

// Each type of CQL is written through the whole pipeline, as a column, as a key, in collections.
func TestAllTypesEndToEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TYPE %s.address (street text, zip int)")
	types := map[string]struct {
		v    data.Value
		want string // as the driver prints it
	}{
		"ascii": {data.String("a"), "a"}, "text": {data.String("ä"), "ä"}, "bigint": {data.Int64(-5), "-5"}, "int": {data.Int64(5), "5"},
		"smallint": {data.Int64(300), "300"}, "tinyint": {data.Int64(-8), "-8"}, "varint": {data.String("123456789012345678901234567890"), "123456789012345678901234567890"},
		"decimal": {data.DecimalOf(data.DecimalFromInt64(12345, 2)), "123.45"}, "double": {data.Float64(1.5), "1.5"}, "float": {data.Float64(0.25), "0.25"},
		"boolean": {data.Boolean(true), "true"}, "blob": {data.Bytes([]byte{1, 2}), "[1 2]"}, "inet": {data.String("::1"), "::1"},
		"uuid":      {data.String("123e4567-e89b-12d3-a456-426614174000"), "123e4567-e89b-12d3-a456-426614174000"},
		"timeuuid":  {data.String("123e4567-e89b-12d3-a456-426614174000"), "123e4567-e89b-12d3-a456-426614174000"},
		"timestamp": {data.DateMillis(noon.UnixMilli()), "2023-11-14 22:13:20.123 +0000 UTC"}, "date": {data.String("2023-11-14"), "2023-11-14 00:00:00 +0000 UTC"},
		"time": {data.String("01:02:03"), "1h2m3s"}, "duration": {data.String("1mo2d3s"), "{1 2 3000000000}"},
		"list<int>": {data.ArrayOf(data.Int64(1), data.Int64(2)), "[1 2]"}, "set<text>": {data.ArrayOf(data.String("b"), data.String("a")), "[a b]"},
		"map<text, int>": {object("k", 7), "map[k:7]"}, "frozen<address>": {object("street", "S", "zip", 9), "map[street:S zip:9]"},
		"list<frozen<tuple<int, text>>>": {data.ArrayOf(data.ArrayOf(data.Int64(1), data.String("x"))), `[[1, "x"]]`},
		"tuple<int, text>":               {data.ArrayOf(data.Int64(1), data.String("x")), `[1, "x"]`},
		"vector<float, 3>":               {data.ArrayOf(data.Float64(1), data.Float64(2), data.Float64(3)), "[1 2 3]"},
	}
	var columns, mapping []string
	var fields []any
	for i, typ := range slices.Sorted(maps.Keys(types)) {
		columns = append(columns, fmt.Sprintf("c%d %s", i, p.cql(strings.ReplaceAll(typ, "address", "%s.address"))))
		mapping = append(mapping, fmt.Sprintf("c%d=value.c%d", i, i))
		fields = append(fields, fmt.Sprintf("c%d", i), types[typ].v)
	}
	p.run(t, "CREATE TABLE %s.types (k text PRIMARY KEY, "+strings.Join(columns, ", ")+")")
	h := p.sink(t, config.Props{p.table("types") + "mapping": "k=key, " + strings.Join(mapping, ", ")})
	h.Produce(rec("a", object(fields...)))
	h.Flush()
	for i, typ := range slices.Sorted(maps.Keys(types)) {
		cql := fmt.Sprintf("SELECT c%d FROM %%s.types", i)
		if strings.Contains(typ, "tuple") { // which the test's own driver cannot print
			cql = fmt.Sprintf("SELECT toJson(c%d) FROM %%s.types", i)
		}
		got := p.rows(t, cql)
		assert.Equal(t, []string{types[typ].want}, got, typ)
	}
}

// person is the schema of records of the tests of tables that are made.
func person(more ...string) *data.Schema {
	b := data.StructBuilder().Field("name", data.OptionalStringSchema).Field("age", data.OptionalInt32Schema)
	for _, f := range more {
		b.Field(f, data.OptionalFloat64Schema)
	}
	return b.MustBuild()
}

func structOf(t testing.TB, s *data.Schema, values ...any) connect.Datum {
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	for i, v := range values {
		x.Set(i, value(v))
	}
	return connect.Datum{Schema: s, Value: data.StructOf(x)}
}

func TestTablesAreMadeAndGrow(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	h := p.sink(t, config.Props{"keyspace": p.keyspace, "table.name": "auto_${topic}", "auto.create": "true", "auto.evolve": "true"})
	produce := func(id int, v connect.Datum) {
		h.Produce(connect.Record{Key: structOf(t, data.StructBuilder().Field("Id", data.Int64Schema).MustBuild(), id), Value: v, Timestamp: noon})
	}
	produce(1, structOf(t, person(), "Ann", data.Int32(30)))
	produce(2, structOf(t, person("Size"), "Bob", data.Int32(40), 1.5))
	produce(1, connect.Datum{})
	produce(3, structOf(t, person(), "Cay", nil))
	h.Flush()
	assert.ElementsMatch(t, []string{"2 40 Bob 1.5", "3 0 Cay 0"}, p.rows(t, `SELECT "Id", age, name, "Size" FROM %s.auto_topic`))
}

// A field without a column is not lost in silence.
func TestAFieldWithoutAColumnIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.topic (key text PRIMARY KEY, name text, age int)")
	h := p.sink(t, config.Props{"keyspace": p.keyspace})
	h.Produce(rec("a", object("name", "Ann", "age", 3)))
	h.Flush()
	assert.Equal(t, []string{"a Ann 3"}, p.rows(t, "SELECT key, name, age FROM %s.topic"))
	p.run(t, "ALTER TABLE %s.topic ADD extra text")
	h.Produce(rec("b", object("name", "Bob", "extra", "now there is a column")))
	h.Flush()
	assert.Equal(t, []string{"now there is a column"}, p.rows(t, "SELECT extra FROM %s.topic WHERE key = 'b'"))
	h.Produce(rec("c", object("nmae", "typo")))
	assert.Contains(t, h.AwaitFailure(), "there is no column for a field of the value, nmae, in "+p.keyspace+".topic: add it, set auto.evolve=true, or say by topic.topic."+
		p.keyspace+".topic.mapping what goes where")
}

func TestRecordsThatDoNotFit(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.t (k text PRIMARY KEY, n int)")
	props := config.Props{p.table("t") + "mapping": "k=key, n=value.n"}
	bad := []connect.Record{rec("x", object("n", "not a number")), rec(nil, object("n", 1)), rec("y", object("other", 1)), rec("", object("n", 1))}
	for name, more := range map[string]config.Props{
		"dead letters": {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"},
		"ignoreErrors": {"ignoreErrors": "All"},
	} {
		t.Run(name, func(t *testing.T) {
			p.run(t, "TRUNCATE %s.t")
			h := p.sink(t, props.Merge(more))
			h.Produce(rec("a", object("n", 1)))
			h.Produce(bad...)
			h.Produce(rec("b", object("n", 2)))
			h.Flush()
			assert.ElementsMatch(t, []string{"a 1", "b 2"}, p.rows(t, "SELECT k, n FROM %s.t"))
			if name == "dead letters" {
				assert.Len(t, h.Broker.Messages("dead"), len(bad))
			}
		})
	}
	for i, want := range []string{"", "k: a column of the primary key is null", "other", "Key may not be empty"} {
		t.Run("fails "+strconv.Itoa(i), func(t *testing.T) {
			h := p.sink(t, props.Merge(config.Props{"ignoreErrors": "None"}))
			h.Produce(bad[i])
			trace := h.AwaitFailure()
			t.Log(trace)
			assert.Contains(t, trace, p.keyspace+".t")
			assert.Contains(t, trace, want)
		})
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.c (o bigint, k text, v text, PRIMARY KEY (k, o))")
	props := p.props(config.Props{"topics": "topic", p.table("c") + "mapping": "k=header.k, o=header.o, v=value"})
	connecttest.TestPlugin(t, Plugins()[0], props, p.props(config.Props{"topics": "topic", "keyspace": p.keyspace, "auto.create": "true"}))
	records := make([]connect.SinkRecord, 20)
	for i := range records {
		r := &records[i]
		r.Topic, r.Timestamp = "topic", noon
		r.Value = connect.Datum{Schema: data.StringSchema, Value: data.String("value " + strconv.Itoa(i))}
		r.Headers = []connect.Header{{Key: "k", Datum: connect.Datum{Value: data.String("k" + strconv.Itoa(i%3))}}, {Key: "o", Datum: connect.Datum{Value: data.Int64(int64(i))}}}
	}
	connecttest.TestSinkTask(t, Plugins()[0], connecttest.SinkOptions{
		Props: props, Records: records,
		Prepare: func(t testing.TB) config.Props { p.run(t, "TRUNCATE %s.c"); return nil },
		Written: func(t testing.TB, _ config.Props, records []connect.SinkRecord) {
			var want []string
			for i := range records {
				o, _ := records[i].Headers[1].Datum.Value.Int()
				want = append(want, fmt.Sprint(o, " ", records[i].Value.Value))
			}
			assert.ElementsMatch(t, want, p.rows(t, "SELECT o, v FROM %s.c"))
		},
	})
}

// What validation says stands beside the key that is wrong.
func TestValidationNamesTheKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TABLE %s.t (a text, b int, v text, PRIMARY KEY (a, b))")
	p.run(t, "CREATE TABLE %s.n (a text PRIMARY KEY, n counter)")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := strconv.Itoa(closed.Addr().(*net.TCPAddr).Port)
	require.NoError(t, closed.Close())
	mapping := p.table("t") + "mapping"
	good := config.Props{mapping: "a=key, b=value.b, v=value.v"}
	for _, c := range []struct {
		name, key, want string
		props           config.Props
	}{
		{"all is well", "", "", nil},
		{"node", "contactPoints", "no node can be reached at port " + free, config.Props{"port": free}},
		{"password", "auth.password", `the cluster refuses user "cassandra" with this password`, config.Props{"auth.password": "wrong"}},
		{"no user", "auth.provider", "the cluster asks for a user", config.Props{"auth.username": "", "auth.password": ""}},
		{"data centre", "loadBalancing.localDc", "there is no such data centre; the cluster has datacenter1", config.Props{"loadBalancing.localDc": "dc7"}},
		{"keyspace", "topic.topic.nowhere.t.mapping", "there is no such keyspace: nowhere", config.Props{"topic.topic.nowhere.t.mapping": "a=key"}},
		{"table", p.table("nowhere") + "mapping", "there is no such table: " + p.keyspace + ".nowhere", config.Props{p.table("nowhere") + "mapping": "a=key"}},
		{"auto keyspace", "keyspace", "there is no such keyspace: nowhere", config.Props{"keyspace": "nowhere", "topics": "topic,other"}},
		{"auto table", "table.name", "there is no such table: " + p.keyspace + ".other; create it, or set auto.create=true", config.Props{"keyspace": p.keyspace, "topics": "topic,other"}},
		{"column", mapping, "has no column w; it has a, b, v", config.Props{mapping: "a=key, b=value.b, w=value.v"}},
		{"primary key", mapping, "the primary key of " + p.keyspace + ".t is not mapped whole: b missing", config.Props{mapping: "a=key, v=value.v"}},
		{"function", mapping, "now() makes a timeuuid, and the column v is a text", config.Props{mapping: "a=key, b=value.b, v=now()"}},
		{"counter", p.table("n") + "mapping", "is one of counters, and none of them is mapped", config.Props{p.table("n") + "mapping": "a=key"}},
		{"query", p.table("t") + "query", "", config.Props{p.table("t") + "query": "UPDATE nonsense", p.table("t") + "deletesEnabled": "false"}},
		{"parameter", p.table("t") + "query", "the parameter q is not in the mapping",
			config.Props{p.table("t") + "query": p.cql("DELETE FROM %s.t WHERE a = :a AND b = :q"), p.table("t") + "deletesEnabled": "false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			props := p.props(config.Props{"topics": "topic"}).Merge(good).Merge(c.props)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			r := config.Validate(ctx, props, Plugins()[0].Config())
			var found []string
			for _, k := range r.Configs {
				for _, e := range k.Value.Errors {
					found = append(found, k.Value.Name+": "+e)
				}
			}
			if c.key == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Contains(t, found[0], c.key+": ")
			assert.Contains(t, found[0], c.want)
			assert.NotContains(t, found[0], "wrong\"")
			t.Log(found[0])
		})
	}
}
