package cqlvalue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// docKinds are values for the columns of the table in the documentation. Each cell
// that is no dash has one that is taken; each dash has none.
func docKinds(t *testing.T) [][]valueCase {
	texts := []string{"abc", "0xcafe", "true", "1", "2020-01-02", "10:20", "2020-01-02T10:20Z", "1mo", "2c7f8f60-5b6a-11ee-8c99-0242ac120002", "::1", "[1, 2]", `{"a":1}`}
	var strings []valueCase
	for _, text := range texts {
		strings = append(strings, valueCase{v: str(text)})
	}
	return [][]valueCase{
		{{v: data.Int8(1)}, {v: data.Int64(1)}},
		{{v: data.Float32(1)}, {v: data.Float64(1)}},
		{{v: decimal("1")}},
		{{v: data.Boolean(true)}},
		strings,
		{{v: data.Bytes([]byte{1})}},
		{{v: data.DateMillis(86400_000), s: data.DateSchema}},
		{{v: data.DateMillis(100), s: data.TimeSchema}},
		{{v: data.DateMillis(100), s: data.TimestampSchema}},
		{{v: list(data.Int8(1), data.Int8(2))}},
		{{v: pairs(str("a"), data.Int8(1))}, {v: pairs(data.Int8(1), data.Int8(1))}, {v: pairs(str("a"), data.Int8(1), str("b"), data.Int8(2))}},
		{{v: structOf(t, []string{"a", "b"}, data.Int8(1), data.Int8(2))}},
	}
}

// The table of docs/connectors/cassandra-mapping.md says what is.
func TestDocumentedConversions(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../../docs/connectors/cassandra-mapping.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "| | INT8 to INT64 |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	types := map[string]gocql.TypeInfo{
		"list": typeOf("list<int>"), "set": typeOf("set<int>"), "map": typeOf("map<text, int>"), "tuple": typeOf("tuple<int, int>"),
		"user-defined": gocql.UDTTypeInfo{Name: "u", Elements: []gocql.UDTField{{Name: "a", Type: typeOf("int")}, {Name: "b", Type: typeOf("int")}}},
		"vector":       gocql.VectorType{SubType: typeOf("int"), Dimensions: 2},
	}
	kinds, rows := docKinds(t), 0
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		require.Len(t, cells, len(kinds)+1, line)
		for _, name := range strings.Split(strings.ReplaceAll(strings.TrimSpace(cells[0]), "`", ""), ", ") {
			typ, ok := types[name]
			if !ok {
				typ = typeOf(name)
			}
			rows++
			for i, cell := range cells[1:] {
				requireCell(t, encoder(t, typ, cqlvalue.Options{}), name, strings.TrimSpace(cell), kinds[i])
			}
		}
	}
	require.Equal(t, 27, rows)
}

func requireCell(t *testing.T, e *cqlvalue.Encoder, name, cell string, cases []valueCase) {
	t.Helper()
	taken := false
	for _, c := range cases {
		_, _, err := e.Append(nil, c.v, c.s)
		taken = taken || err == nil
	}
	require.Equal(t, cell != "–", taken, "%s of %s: the page says %q", name, cases[0].v.Kind(), cell)
}
