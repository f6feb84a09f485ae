package cassandra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// What is missing in the database.
var (
	errNoKeyspace = errors.New("there is no such keyspace")
	errNoTable    = errors.New("there is no such table")
)

// A columnKind says what a column is to its table.
type columnKind string

// The kinds, in the words of system_schema.columns.
const (
	partitionKey     columnKind = "partition_key"
	clusteringColumn columnKind = "clustering"
	staticColumn     columnKind = "static"
	regularColumn    columnKind = "regular"
)

func (k columnKind) primary() bool { return k == partitionKey || k == clusteringColumn }

// A column of a table.
type column struct {
	name     string
	kind     columnKind
	position int    // in the primary key
	text     string // the type, as CQL writes it
	typ      gocql.TypeInfo
}

// A tableSchema has the columns of a table: partition key, clustering columns, the rest by name.
type tableSchema struct {
	keyspace, name string
	columns        []column
}

// counter tells whether the table is one of counters.
func (t *tableSchema) counter() bool {
	return slices.ContainsFunc(t.columns, func(c column) bool { return c.text == "counter" })
}

// column returns a column by its name, or nil.
func (t *tableSchema) column(name string) *column {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// names lists the columns of which keep is true, for messages.
func (t *tableSchema) names(keep func(*column) bool) []string {
	var names []string
	for i := range t.columns {
		if keep(&t.columns[i]) {
			names = append(names, t.columns[i].name)
		}
	}
	return names
}

// quote writes a name for CQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func qualified(keyspace, table string) string { return quote(keyspace) + "." + quote(table) }

// table implements session. It asks the system tables, not the driver's memory, which may be behind.
func (c *cluster) table(ctx context.Context, keyspace, name string) (*tableSchema, error) {
	t := &tableSchema{keyspace: keyspace, name: name}
	rows := c.s.Query("SELECT column_name, kind, position, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?", keyspace, name).
		Consistency(gocql.LocalOne).IterContext(ctx)
	var x column
	var kind string
	for rows.Scan(&x.name, &kind, &x.position, &x.text) {
		x.kind = columnKind(kind)
		t.columns = append(t.columns, x)
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("read the columns of %s.%s: %w", keyspace, name, err)
	}
	if len(t.columns) == 0 {
		return nil, c.missing(ctx, keyspace, name)
	}
	t.sort()
	return t, c.types(ctx, t)
}

// sort brings the columns into their order.
func (t *tableSchema) sort() {
	rank := []columnKind{partitionKey, clusteringColumn, staticColumn, regularColumn}
	slices.SortFunc(t.columns, func(a, b column) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.kind), slices.Index(rank, b.kind)), cmp.Compare(a.position, b.position), cmp.Compare(a.name, b.name))
	})
}

// types asks for the types of the columns as the protocol has them.
func (c *cluster) types(ctx context.Context, t *tableSchema) error {
	names := make([]string, len(t.columns))
	for i, x := range t.columns {
		names[i] = quote(x.name)
	}
	cql := "SELECT " + strings.Join(names, ", ") + " FROM " + qualified(t.keyspace, t.name)
	meta, err := c.s.StatementMetadata(ctx, cql, "")
	if err != nil {
		return fmt.Errorf("read the types of %s.%s: %w", t.keyspace, t.name, err)
	}
	for _, r := range meta.ResultColumns {
		if x := t.column(r.Name); x != nil {
			x.typ = r.TypeInfo
		}
	}
	for _, x := range t.columns {
		if x.typ == nil {
			return fmt.Errorf("read the types of %s.%s: the column %s has none", t.keyspace, t.name, x.name)
		}
	}
	return nil
}

// missing says which of the two there is not.
func (c *cluster) missing(ctx context.Context, keyspace, name string) error {
	var found string
	err := c.s.Query("SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?", keyspace).Consistency(gocql.LocalOne).ScanContext(ctx, &found)
	switch {
	case errors.Is(err, gocql.ErrNotFound):
		return fmt.Errorf("%w: %s", errNoKeyspace, keyspace)
	case err != nil:
		return fmt.Errorf("read the keyspaces: %w", err)
	}
	return fmt.Errorf("%w: %s.%s", errNoTable, keyspace, name)
}
