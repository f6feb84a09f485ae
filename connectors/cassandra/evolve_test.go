package cassandra

import (
	"context"
	"errors"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// growingDB is a database whose table gets the columns that are added to it.
type growingDB struct {
	fakeDB
	schema  *tableSchema
	defined []string
	refuse  error // the answer to statements
	deaf    bool  // statements succeed and change nothing
	byOther bool  // statements fail, and the column is there all the same
}

func (g *growingDB) table(context.Context, string, string) (*tableSchema, error) {
	s := *g.schema
	s.columns = append([]column(nil), s.columns...)
	return &s, nil
}

func (g *growingDB) define(_ context.Context, cql string) error {
	g.defined = append(g.defined, cql)
	if !g.deaf && (g.refuse == nil || g.byOther) {
		g.schema.columns = append(g.schema.columns, column{name: "name " + string(rune('0'+len(g.defined))), text: "text", kind: regularColumn,
			typ: gocql.NewNativeType(4, gocql.TypeVarchar, "")})
	}
	return g.refuse
}

func structRecord(t *testing.T, fields ...string) *connect.SinkRecord {
	t.Helper()
	b := data.StructBuilder().Field("p", data.StringSchema)
	for _, name := range fields {
		b.Field(name, data.OptionalStringSchema)
	}
	x, err := data.NewStruct(b.MustBuild())
	require.NoError(t, err)
	return sinkRecord(1, connect.Datum{}, connect.Datum{Schema: x.Schema(), Value: data.StructOf(x)})
}

func evolving(schema *tableSchema, evolve bool) (*autoTables, *target, *growingDB) {
	db := &growingDB{schema: schema}
	cfg := &tableConfig{topic: "t", keyspace: "ks", table: "tbl", prefix: "topic.t.ks.tbl.", ttl: -1, ttlUnit: "SECONDS", timestampUnit: "SECONDS", consistency: "ONE"}
	return &autoTables{c: &AutoConfig{Evolve: evolve}, db: db, looked: map[*target]time.Time{}}, newTarget(1, cfg, cqlvalue.Options{}, ""), db
}

// Each field without a column becomes one, of the type that its schema has.
func TestColumnsAreAdded(t *testing.T) {
	a, x, db := evolving(schemaOf("p text partition_key"), true)
	for range 2 { // the second finds them
		p, err := a.ensure(t.Context(), x, structRecord(t, "name 1", "name 2"))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, p.index("name 2"), 0)
	}
	assert.Equal(t, []string{`ALTER TABLE "ks"."tbl" ADD "name 1" text`, `ALTER TABLE "ks"."tbl" ADD "name 2" text`}, db.defined)
}

// Types of columns are those of the schemas, quoted names and all.
func TestTypesOfAddedColumns(t *testing.T) {
	list := data.ArrayBuilder(data.DecimalSchema(2)).Optional().MustBuild()
	s := data.StructBuilder().Field("p", data.StringSchema).Field(`a "b"`, data.OptionalInt8Schema).Field("at", data.OptionalTimestampSchema).Field("l", list).MustBuild()
	x, err := data.NewStruct(s)
	require.NoError(t, err)
	a, table, db := evolving(schemaOf("p text partition_key"), true)
	db.deaf = true
	_, err = a.ensure(t.Context(), table, sinkRecord(1, connect.Datum{}, connect.Datum{Schema: s, Value: data.StructOf(x)}))
	assert.ErrorIs(t, err, errNoColumn)
	assert.ErrorContains(t, err, `a "b", at, l, in ks.tbl, which auto.evolve could not add`)
	assert.Equal(t, []string{`ALTER TABLE "ks"."tbl" ADD "a ""b""" tinyint`, `ALTER TABLE "ks"."tbl" ADD "at" timestamp`, `ALTER TABLE "ks"."tbl" ADD "l" list<decimal>`}, db.defined)
}

// A column that another task adds at the same time is as good.
func TestAnotherTaskAddsTheColumn(t *testing.T) {
	a, x, db := evolving(schemaOf("p text partition_key"), true)
	db.refuse, db.byOther = answer{gocql.ErrCodeInvalid, "Invalid column name name 1 because it conflicts with an existing column"}, true
	_, err := a.ensure(t.Context(), x, structRecord(t, "name 1"))
	require.NoError(t, err)
	db.byOther = false
	_, err = a.ensure(t.Context(), x, structRecord(t, "name 1", "another"))
	assert.ErrorIs(t, err, errNoColumn)
	db.refuse = errors.New("the node is gone")
	_, err = a.ensure(t.Context(), x, structRecord(t, "name 1", "another"))
	assert.ErrorContains(t, err, "auto.evolve: the node is gone")
}

// Without auto.evolve, and for what has no type, the record is refused, and the
// table stays as it is.
func TestColumnsAreNotAdded(t *testing.T) {
	a, x, db := evolving(schemaOf("p text partition_key"), false)
	_, err := a.ensure(t.Context(), x, structRecord(t, "more", "and more"))
	assert.ErrorIs(t, err, errNoColumn)
	assert.ErrorContains(t, err, "more, and more, in ks.tbl: add it, set auto.evolve=true, or say by topic.t.ks.tbl.mapping what goes where")
	assert.Empty(t, db.defined)

	a, x, db = evolving(schemaOf("p text partition_key"), true)
	_, err = a.ensure(t.Context(), x, sinkRecord(1, connect.Datum{}, mapOf("p", "P", "more", "x")))
	assert.ErrorIs(t, err, errNoSchema)
	inner := data.StructBuilder().Field("x", data.Int8Schema).Optional().MustBuild()
	s := data.StructBuilder().Field("p", data.StringSchema).Field("inner", inner).MustBuild()
	row, err := data.NewStruct(s)
	require.NoError(t, err)
	_, err = a.ensure(t.Context(), x, sinkRecord(1, connect.Datum{}, connect.Datum{Schema: s, Value: data.StructOf(row)}))
	assert.ErrorIs(t, err, errNoColumn)
	assert.ErrorContains(t, err, "field inner of ks.tbl: a struct has no CQL type of itself")
	assert.Empty(t, db.defined)
}
