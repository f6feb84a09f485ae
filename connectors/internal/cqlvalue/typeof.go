package cqlvalue

import (
	"errors"
	"fmt"

	"github.com/streamlane/connect/data"
)

// TypeOf returns the CQL type that holds every value of a schema, as it is written
// in a CREATE TABLE or ALTER TABLE statement. A struct has none: CQL has no
// anonymous types with named fields, and creating user-defined ones is the user's
// to do. Collections inside of others are frozen.
func TypeOf(s *data.Schema) (string, error) { return typeOf(s, 0) }

// maxTypeDepth is far beyond what tables have, and keeps recursive schemas out.
const maxTypeDepth = 100

func typeOf(s *data.Schema, depth int) (string, error) {
	if depth > maxTypeDepth {
		return "", fmt.Errorf("a schema nested deeper than %d levels has no CQL type", maxTypeDepth)
	}
	if s == nil {
		return "", errors.New("schemaless data has no CQL type; the column must be there, or the data have a schema")
	}
	if name, ok := logicalTypes[s.Name()]; ok {
		return name, nil
	}
	switch s.Kind() {
	case data.KindArray:
		elem, err := innerType(s.ElemSchema(), depth)
		if err != nil {
			return "", fmt.Errorf("elements of an array: %w", err)
		}
		return "list<" + elem + ">", nil
	case data.KindMap:
		key, err := innerType(s.KeySchema(), depth)
		if err != nil {
			return "", fmt.Errorf("keys of a map: %w", err)
		}
		elem, err := innerType(s.ElemSchema(), depth)
		if err != nil {
			return "", fmt.Errorf("values of a map: %w", err)
		}
		return "map<" + key + ", " + elem + ">", nil
	case data.KindStruct:
		return "", errors.New("a struct has no CQL type of itself; create a user-defined type and the column of it, or a column of type text for its JSON")
	}
	name, ok := primitiveTypes[s.Kind()]
	if !ok {
		return "", fmt.Errorf("a schema of kind %s has no CQL type", s.Kind())
	}
	return name, nil
}

// innerType returns the type of what is inside of a collection.
func innerType(s *data.Schema, depth int) (string, error) {
	name, err := typeOf(s, depth+1)
	if err != nil {
		return "", err
	}
	if k := s.Kind(); k == data.KindArray || k == data.KindMap {
		name = "frozen<" + name + ">"
	}
	return name, nil
}

var logicalTypes = map[string]string{
	data.LogicalDecimal:   "decimal",
	data.LogicalDate:      "date",
	data.LogicalTime:      "time",
	data.LogicalTimestamp: "timestamp",
}

var primitiveTypes = map[data.Kind]string{
	data.KindInt8:    "tinyint",
	data.KindInt16:   "smallint",
	data.KindInt32:   "int",
	data.KindInt64:   "bigint",
	data.KindFloat32: "float",
	data.KindFloat64: "double",
	data.KindBoolean: "boolean",
	data.KindString:  "text",
	data.KindBytes:   "blob",
}
