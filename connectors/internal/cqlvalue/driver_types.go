package cqlvalue

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// DriverTypes returns the types for a cluster's configuration,
// [gocql.ClusterConfig.RegisteredTypes]. They are the driver's own, but for two
// things that driver 2.1.2 does not do: with its types a statement that has a
// variable for a whole tuple can not be executed (it asks for a value for each
// element, and has no place for them), and vectors of frozen collections,
// tuples and user-defined types can not be read from the server's answer.
func DriverTypes() (*gocql.RegisteredTypes, error) {
	types := &driverTypes{byName: map[string]gocql.CQLType{}}
	registered := &gocql.RegisteredTypes{}
	var errs []error
	for _, t := range driverNames {
		cql := types.cqlType(t.typ)
		if t.typ == gocql.TypeCustom {
			errs = append(errs, registered.RegisterCustom(t.name, cql))
		} else {
			errs = append(errs, registered.RegisterType(t.typ, t.name, cql))
		}
		types.byName[t.name] = cql
		for _, class := range t.classes {
			errs = append(errs, registered.AddAlias(class, t.name))
			types.byName[class] = cql
		}
	}
	return registered, errors.Join(errs...)
}

// driverNames are the types with their names in CQL, and their classes in the
// server below org.apache.cassandra.db.marshal. The custom type is the vector.
var driverNames = []struct {
	typ     gocql.Type
	name    string
	classes []string
}{
	{gocql.TypeAscii, "ascii", []string{"AsciiType"}},
	{gocql.TypeBigInt, "bigint", []string{"LongType"}},
	{gocql.TypeBlob, "blob", []string{"BytesType"}},
	{gocql.TypeBoolean, "boolean", []string{"BooleanType"}},
	{gocql.TypeCounter, "counter", []string{"CounterColumnType"}},
	{gocql.TypeDate, "date", []string{"SimpleDateType"}},
	{gocql.TypeDecimal, "decimal", []string{"DecimalType"}},
	{gocql.TypeDouble, "double", []string{"DoubleType"}},
	{gocql.TypeDuration, "duration", []string{"DurationType"}},
	{gocql.TypeFloat, "float", []string{"FloatType"}},
	{gocql.TypeInet, "inet", []string{"InetAddressType"}},
	{gocql.TypeInt, "int", []string{"Int32Type"}},
	{gocql.TypeSmallInt, "smallint", []string{"ShortType"}},
	{gocql.TypeText, "text", nil},
	{gocql.TypeTime, "time", []string{"TimeType"}},
	{gocql.TypeTimestamp, "timestamp", []string{"TimestampType", "DateType"}},
	{gocql.TypeTimeUUID, "timeuuid", []string{"TimeUUIDType"}},
	{gocql.TypeTinyInt, "tinyint", []string{"ByteType"}},
	{gocql.TypeUUID, "uuid", []string{"UUIDType", "LexicalUUIDType"}},
	{gocql.TypeVarchar, "varchar", []string{"UTF8Type"}},
	{gocql.TypeVarint, "varint", []string{"IntegerType"}},
	{gocql.TypeList, "list", []string{"ListType"}},
	{gocql.TypeSet, "set", []string{"SetType"}},
	{gocql.TypeMap, "map", []string{"MapType"}},
	{gocql.TypeTuple, "tuple", []string{"TupleType"}},
	{gocql.TypeUDT, "udt", []string{"UserType"}},
	{gocql.TypeCustom, "vector", []string{"VectorType"}},
}

// tupleType is a tuple that the driver takes for one value.
type tupleType struct{ gocql.TupleTypeInfo }

// Type returns the custom type, since of tuples the driver knows better.
func (tupleType) Type() gocql.Type { return gocql.TypeCustom }

// driverTypes are types by their names and classes. They are not changed once
// made.
type driverTypes struct{ byName map[string]gocql.CQLType }

func (d *driverTypes) cqlType(t gocql.Type) gocql.CQLType {
	switch t {
	case gocql.TypeList, gocql.TypeSet:
		return composite{types: d, params: []any{(*gocql.TypeInfo)(nil)}, build: func(elems []gocql.TypeInfo) gocql.TypeInfo { return collection(t, nil, elems[0]) }}
	case gocql.TypeMap:
		return composite{types: d, params: []any{(*gocql.TypeInfo)(nil), (*gocql.TypeInfo)(nil)},
			build: func(elems []gocql.TypeInfo) gocql.TypeInfo { return collection(t, elems[0], elems[1]) }}
	case gocql.TypeTuple:
		return composite{types: d, params: []any{[]gocql.TypeInfo(nil)}, many: true,
			build: func(elems []gocql.TypeInfo) gocql.TypeInfo {
				return tupleType{gocql.TupleTypeInfo{Elems: elems}}
			}}
	case gocql.TypeUDT:
		return udtType{d}
	case gocql.TypeCustom:
		return vectorType{d}
	}
	return gocql.SimpleCQLType{TypeInfo: gocql.NewNativeType(4, t, "")}
}

// collection returns one of the driver's collections, whose kind only the driver
// can set.
func collection(t gocql.Type, key, elem gocql.TypeInfo) gocql.TypeInfo {
	sample := "int"
	if t == gocql.TypeMap {
		sample = "int, int"
	}
	c, ok := gocql.NewNativeType(4, t, sample).(gocql.CollectionType)
	if !ok {
		return nil // never: see the driver's NewNativeType
	}
	c.Key, c.Elem = key, elem
	return c
}

const marshalPackage = "org.apache.cassandra.db.marshal."

// parse returns the type of a name in CQL or of a class in Java: map<int, text>,
// MapType(Int32Type,UTF8Type).
func (d *driverTypes) parse(proto int, name string) (gocql.TypeInfo, error) {
	base, params := strings.TrimPrefix(strings.TrimSpace(name), marshalPackage), ""
	if open := strings.IndexAny(base, "<("); open >= 0 {
		if last := base[len(base)-1]; last != '>' && last != ')' {
			return nil, fmt.Errorf("%q is no type of CQL", name)
		}
		base, params = base[:open], base[open+1:len(base)-1]
	}
	if base == "frozen" || base == "FrozenType" {
		return d.parse(proto, params)
	}
	t, ok := d.byName[base]
	if !ok {
		return nil, fmt.Errorf("%q is no type of CQL that is known", name)
	}
	return t.TypeInfoFromString(proto, params)
}

// parseAll returns the types of several names between commas.
func (d *driverTypes) parseAll(proto int, names []string) ([]gocql.TypeInfo, error) {
	types := make([]gocql.TypeInfo, len(names))
	for i, name := range names {
		var err error
		if types[i], err = d.parse(proto, name); err != nil {
			return nil, err
		}
	}
	return types, nil
}

// splitParams cuts at the commas that are not inside of brackets.
func splitParams(s string) (parts []string) {
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[start:i]))
				start = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}

// composite is a type of other types: of as many as it has params, or of many.
type composite struct {
	types  *driverTypes
	params []any
	many   bool
	build  func(elems []gocql.TypeInfo) gocql.TypeInfo
}

// Params returns what the driver is to read of the type.
func (c composite) Params(int) []any { return append([]any(nil), c.params...) }

// TypeInfoFromParams returns the type of what the driver has read.
func (c composite) TypeInfoFromParams(_ int, params []any) (gocql.TypeInfo, error) {
	var elems []gocql.TypeInfo
	for _, p := range params {
		switch p := p.(type) {
		case gocql.TypeInfo:
			elems = append(elems, p)
		case []gocql.TypeInfo:
			elems = append(elems, p...)
		}
	}
	return c.of(elems)
}

// TypeInfoFromString returns the type of what stands between its brackets.
func (c composite) TypeInfoFromString(proto int, name string) (gocql.TypeInfo, error) {
	elems, err := c.types.parseAll(proto, splitParams(name))
	if err != nil {
		return nil, err
	}
	return c.of(elems)
}

func (c composite) of(elems []gocql.TypeInfo) (gocql.TypeInfo, error) {
	if !c.many && len(elems) != len(c.params) {
		return nil, fmt.Errorf("a type of %d others was found, where %d are expected", len(elems), len(c.params))
	}
	return c.build(elems), nil
}

// udtType is that of user-defined types.
type udtType struct{ types *driverTypes }

// Params returns what the driver is to read of the type.
func (udtType) Params(int) []any { return []any{"", "", []gocql.UDTField(nil)} }

// TypeInfoFromParams returns the type of what the driver has read.
func (udtType) TypeInfoFromParams(_ int, params []any) (gocql.TypeInfo, error) {
	if len(params) == 3 {
		keyspace, ok1 := params[0].(string)
		name, ok2 := params[1].(string)
		fields, ok3 := params[2].([]gocql.UDTField)
		if ok1 && ok2 && ok3 {
			return gocql.UDTTypeInfo{Keyspace: keyspace, Name: name, Elements: fields}, nil
		}
	}
	return nil, fmt.Errorf("a user-defined type of %d parts was found, where its keyspace, name and fields are expected", len(params))
}

// TypeInfoFromString returns the type of the text of its class: the keyspace, the
// name, and each field as name:type; names in hexadecimal digits.
func (u udtType) TypeInfoFromString(proto int, text string) (gocql.TypeInfo, error) {
	parts := splitParams(text)
	if len(parts) < 2 {
		return nil, fmt.Errorf("%q is no class of a user-defined type", text)
	}
	name, err := hex.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("%q is no name of a user-defined type: %w", parts[1], err)
	}
	t := gocql.UDTTypeInfo{Keyspace: parts[0], Name: string(name)}
	for _, part := range parts[2:] {
		fieldName, class, _ := strings.Cut(part, ":")
		field, err := hex.DecodeString(fieldName)
		if err != nil {
			return nil, fmt.Errorf("%q is no field of a user-defined type: %w", part, err)
		}
		fieldType, err := u.types.parse(proto, class)
		if err != nil {
			return nil, err
		}
		t.Elements = append(t.Elements, gocql.UDTField{Name: string(field), Type: fieldType})
	}
	return t, nil
}

// vectorType is that of vectors, which the server names by their class.
type vectorType struct{ types *driverTypes }

// Params returns nothing: the type is read as a text.
func (vectorType) Params(int) []any { return nil }

// TypeInfoFromParams fails: the type is read as a text.
func (vectorType) TypeInfoFromParams(int, []any) (gocql.TypeInfo, error) {
	return nil, errors.New("a vector is named by its class")
}

// TypeInfoFromString returns the type of the element's type and the dimensions.
func (v vectorType) TypeInfoFromString(proto int, text string) (gocql.TypeInfo, error) {
	parts := splitParams(text)
	if len(parts) != 2 {
		return nil, fmt.Errorf("%q is no vector's type of elements and dimensions", text)
	}
	elem, err := v.types.parse(proto, parts[0])
	if err != nil {
		return nil, err
	}
	dimensions, err := strconv.Atoi(parts[1])
	if err != nil || dimensions < 1 {
		return nil, fmt.Errorf("%q are no dimensions of a vector", parts[1])
	}
	return gocql.VectorType{SubType: elem, Dimensions: dimensions}, nil
}
