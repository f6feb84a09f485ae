package cqlvalue

import (
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"
)

// A text of a type as the server writes it, and the name that typeName gives it.
func TestDriverTypesFromText(t *testing.T) {
	types := &driverTypes{byName: map[string]gocql.CQLType{}}
	for _, n := range driverNames {
		for _, name := range append(n.classes, n.name) {
			types.byName[name] = types.cqlType(n.typ)
		}
	}
	const m = "org.apache.cassandra.db.marshal."
	for text, want := range map[string]string{
		"int":               "int",
		"frozen<list<int>>": "list<int>",
		"map<text, frozen<set<tuple<int, text>>>>":                                                                  "map<text, set<tuple<int, text>>>",
		m + "VectorType(" + m + "FrozenType(" + m + "ListType(" + m + "Int32Type)), 3)":                             "vector<list<int>, 3>",
		m + "MapType(" + m + "UTF8Type," + m + "TupleType(" + m + "Int32Type," + m + "LongType))":                   "map<text, tuple<int, bigint>>",
		m + "VectorType(" + m + "UserType(ks,4d79,61:" + m + "Int32Type,62:" + m + "SetType(" + m + "UUIDType)),1)": `vector<"My", 1>`,
	} {
		typ, err := types.parse(4, text)
		require.NoError(t, err, text)
		require.Equal(t, want, typeName(typ))
		_, err = NewEncoder(typ, Options{})
		require.NoError(t, err)
	}
	for text, want := range map[string]string{
		"":                  `"" is no type of CQL that is known`,
		"address":           `"address" is no type of CQL that is known`,
		"list<int":          `"list<int" is no type of CQL`,
		"list<int, int>":    "a type of 2 others was found, where 1 are expected",
		"map<int>":          "a type of 1 others was found, where 2 are expected",
		"tuple<x>":          `"x" is no type of CQL that is known`,
		"vector<int>":       `"int" is no vector's type of elements and dimensions`,
		"vector<int, 0>":    `"0" are no dimensions of a vector`,
		"vector<x, 1>":      `"x" is no type of CQL that is known`,
		"UserType(ks)":      `"ks" is no class of a user-defined type`,
		"UserType(ks,x)":    `"x" is no name of a user-defined type`,
		"UserType(k,61,x:)": `"x:" is no field of a user-defined type`,
		"UserType(k,61,61)": `"" is no type of CQL that is known`,
	} {
		_, err := types.parse(4, text)
		require.ErrorContains(t, err, want, text)
	}
	_, err := vectorType{}.TypeInfoFromParams(4, nil)
	require.Error(t, err)
	_, err = udtType{}.TypeInfoFromParams(4, []any{1})
	require.Error(t, err)
}

// The driver's own types have all names that DriverTypes has, and no others that
// CQL writes.
func TestDriverTypesAreComplete(t *testing.T) {
	registered, err := DriverTypes()
	require.NoError(t, err)
	for _, n := range driverNames {
		if n.typ != gocql.TypeCustom {
			require.ErrorContains(t, registered.RegisterType(n.typ, "another", gocql.SimpleCQLType{}), "already registered")
			require.ErrorContains(t, gocql.GlobalTypes.Copy().RegisterType(n.typ, "another", gocql.SimpleCQLType{}), "already registered")
		}
		for _, name := range append(n.classes, n.name) {
			require.ErrorContains(t, gocql.GlobalTypes.Copy().AddAlias(name, "int"), "already registered", name)
			require.ErrorContains(t, registered.AddAlias(name, "int"), "already registered", name)
		}
	}
	for typ := gocql.Type(1); typ < 0x100; typ++ {
		ours, theirs := registered.Copy().RegisterType(typ, "another", gocql.SimpleCQLType{}), gocql.GlobalTypes.Copy().RegisterType(typ, "another", gocql.SimpleCQLType{})
		require.Equal(t, theirs == nil, ours == nil, "%#x", int(typ))
	}
}
