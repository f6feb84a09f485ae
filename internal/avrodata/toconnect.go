package avrodata

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// toConnect makes Connect schemas of Avro schemas, as AvroData's toConnectSchema
// does. It keeps the Connect schema of every part, for decoders.
type toConnect struct {
	*Options
	unions int // generalized unions so far
	// open are the records around the one under way.
	open map[*schema]*data.Reference
	// done are the named types that were converted: one that comes again, in a place
	// that adds nothing, is the same.
	done map[doneType]*data.Schema
}

type doneType struct {
	of       *schema
	optional bool
}

// connectSchema returns the Connect schema of an Avro schema, nil for that of
// schemaless data. version counts where the schema has none of its own; 0: none.
func (o *Options) connectSchema(s *schema, version int) (*data.Schema, error) {
	if s.isAnything() {
		return nil, nil
	}
	t := &toConnect{Options: o, open: make(map[*schema]*data.Reference), done: make(map[doneType]*data.Schema)}
	return t.schema(s, situation{version: version})
}

// situation is what the place of a schema adds to it.
type situation struct {
	optional bool
	def      *jsontree.Node // default of the field; nil: none
	doc      string         // of the field
	version  int            // 0: none
}

func (t *toConnect) schema(s *schema, at situation) (*data.Schema, error) {
	if s.kind == union {
		return t.union(s, at)
	}
	if ref, ok := t.open[s]; ok {
		if at.optional {
			return ref.Optional(), nil
		}
		return ref.Required(), nil
	}
	key, plain := doneType{s, at.optional}, s.kind.named() && at == situation{optional: at.optional}
	if again, ok := t.done[key]; ok && plain {
		return again, nil
	}
	b, err := t.base(s)
	if err != nil {
		return nil, err
	}
	if err := t.attributes(b, s, &at); err != nil {
		return nil, err
	}
	if at.optional {
		b.Optional()
	}
	out, err := t.finish(b, s, at)
	if err == nil && plain {
		t.done[key] = out
	}
	return out, err
}

// finish adds the default and binds what refers to the schema.
func (t *toConnect) finish(b *data.Builder, s *schema, at situation) (*data.Schema, error) {
	ref := t.open[s]
	delete(t.open, s)
	plain, err := b.Build()
	if err != nil {
		return nil, err
	}
	out := plain
	if def := at.def; def != nil && def.Kind != javajson.Null {
		// One that does not fit is left out, as in Java.
		if v, err := t.defaultValue(plain, s, def, 0); err == nil && !v.IsNull() {
			if with, err := b.Default(v).Build(); err == nil {
				out = with
			}
		}
	}
	if ref != nil {
		err = ref.Bind(out)
	}
	return out, err
}

// base starts the schema by its type.
func (t *toConnect) base(s *schema) (*data.Builder, error) {
	switch s.kind {
	case boolean:
		return data.NewBuilder(data.KindBoolean), nil
	case double:
		return data.NewBuilder(data.KindFloat64), nil
	case float:
		return data.NewBuilder(data.KindFloat32), nil
	case integer:
		return t.integer(s)
	case long:
		if strings.EqualFold(s.textProp("logicalType"), "timestamp-millis") {
			return data.TimestampBuilder(), nil
		}
		return data.NewBuilder(data.KindInt64), nil
	case text:
		return data.NewBuilder(data.KindString), nil
	case blob, fixed:
		return t.bytes(s)
	case enum:
		return t.enum(s), nil
	case array:
		return t.array(s)
	case mapping:
		elem, err := t.schema(s.elem, situation{})
		if err != nil {
			return nil, fmt.Errorf("map values: %w", err)
		}
		return data.MapBuilder(data.StringSchema, elem), nil
	case record:
		return t.record(s)
	}
	return nil, dataError("Standalone null schemas are not supported by this converter")
}

func (t *toConnect) integer(s *schema) (*data.Builder, error) {
	logical, typ := s.textProp("logicalType"), s.textProp(propType)
	switch {
	case strings.EqualFold(logical, "date"):
		return data.DateBuilder(), nil
	case strings.EqualFold(logical, "time-millis"):
		return data.TimeBuilder(), nil
	case logical != "", typ == "":
		return data.NewBuilder(data.KindInt32), nil
	case typ == "int8":
		return data.NewBuilder(data.KindInt8), nil
	case typ == "int16":
		return data.NewBuilder(data.KindInt16), nil
	}
	return nil, dataError("%s of an int is %q, allowed are int8 and int16", propType, typ)
}

func (t *toConnect) bytes(s *schema) (*data.Builder, error) {
	b := data.NewBuilder(data.KindBytes)
	if strings.EqualFold(s.textProp("logicalType"), "decimal") {
		scale, _ := s.prop("scale").Int()
		if int64(int32(scale)) != scale {
			return nil, dataError("scale %d of a decimal has more than 32 bits", scale)
		}
		b = data.DecimalBuilder(int(scale))
		if p := s.prop("precision"); p != nil {
			precision, ok := p.Int()
			if !ok {
				return nil, dataError("precision of a decimal is %s, want a JSON integer", p)
			}
			if precision != defaultPrecision {
				b.Parameter(propPrecision, itoa(int(precision)))
			}
		}
	}
	if s.kind == fixed {
		b.Parameter(propFixedSize, itoa(s.size))
	}
	return b, nil
}

func (t *toConnect) enum(s *schema) *data.Builder {
	b := data.NewBuilder(data.KindString)
	if t.MetaData {
		if s.hasDoc {
			key := enumDocParam + s.name
			if t.Discard {
				key = propEnumDoc
			}
			b.Parameter(key, s.doc)
		}
		if !t.Discard && s.fallback != "" {
			b.Parameter(enumDefaultParam+s.name, s.fallback)
		}
	}
	param := t.enumParam()
	b.Parameter(param, s.fullName())
	for i, symbol := range s.symbols {
		value := symbol
		if t.Generalized {
			value = itoa(i)
		}
		b.Parameter(param+"."+symbol, value)
	}
	return b
}

// isMapEntry tells whether a record is an entry of a map with keys that are no
// texts.
func (s *schema) isMapEntry() bool {
	return s.kind == record && (s.space == namespace && s.name == mapEntry || s.textProp(propInternalType) == mapEntry)
}

func (t *toConnect) array(s *schema) (*data.Builder, error) {
	if !s.elem.isMapEntry() {
		elem, err := t.schema(s.elem, situation{})
		if err != nil {
			return nil, fmt.Errorf("elements: %w", err)
		}
		return data.ArrayBuilder(elem), nil
	}
	key, value := s.elem.field(mapKey), s.elem.field(mapValue)
	if len(s.elem.fields) != 2 || key == nil || value == nil {
		return nil, dataError("Found map encoded as array of key-value pairs, but array elements do not match the expected format.")
	}
	k, err := t.schema(key.schema, situation{})
	if err != nil {
		return nil, fmt.Errorf("map key: %w", err)
	}
	v, err := t.schema(value.schema, situation{})
	if err != nil {
		return nil, fmt.Errorf("map value: %w", err)
	}
	return data.MapBuilder(k, v), nil
}

func (t *toConnect) record(s *schema) (*data.Builder, error) {
	b := data.StructBuilder()
	t.open[s] = data.NewReference()
	if !t.Discard && t.MetaData && s.hasDoc {
		b.Parameter(recordDocParam, s.doc)
	}
	for _, f := range s.fields {
		if !t.Discard && t.MetaData && f.hasDoc {
			b.Parameter(fieldDocParam+f.name, f.doc)
		}
		fs, err := t.schema(f.schema, situation{def: f.def, doc: f.doc})
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.name, err)
		}
		if params := member(f.props, propParameters); t.MetaData && params.Is(javajson.Object) {
			if fs, err = withParameters(fs, params); err != nil {
				return nil, fmt.Errorf("field %q: %w", f.name, err)
			}
		}
		b.Field(f.name, fs)
	}
	return b, nil
}

// withParameters returns a schema with parameters of its place.
func withParameters(s *data.Schema, params *jsontree.Node) (*data.Schema, error) {
	same := true
	for _, m := range params.Members {
		have, ok := s.Parameter(m.Key)
		want, _ := m.Value.Str()
		same = same && ok && have == want
	}
	if same {
		return s, nil
	}
	b := data.NewBuilder(s.Kind()).Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if s.Optional() {
		b.Optional()
	}
	for _, m := range params.Members {
		value, _ := m.Value.Str()
		b.Parameter(m.Key, value)
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if s.KeySchema() != nil {
		b.Key(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	if s.Kind() != data.KindStruct && !s.Default().IsNull() {
		b.Default(s.Default())
	}
	return b.Build()
}

// nullable returns the branch of a union of it and null, nil for other unions.
func (s *schema) nullable() *schema {
	if s.kind != union || len(s.branches) != 2 {
		return nil
	}
	switch s.nullBranch() {
	case 0:
		return s.branches[1]
	case 1:
		return s.branches[0]
	}
	return nil
}

// single returns the only branch of a union that counts as none.
func (o *Options) single(s *schema) *schema {
	if s.kind == union && len(s.branches) == 1 && o.Flatten {
		return s.branches[0]
	}
	return nil
}

func (t *toConnect) union(s *schema, at situation) (*data.Schema, error) {
	if only := t.single(s); only != nil {
		return t.schema(only, situation{doc: at.doc, optional: at.optional})
	}
	if other := s.nullable(); other != nil {
		return t.schema(other, situation{optional: true, doc: at.doc})
	}
	b, name := data.StructBuilder(), unionName
	if t.Generalized {
		name = generalUnionName + itoa(t.unions)
		t.unions++
		b.Parameter(generalUnion, name)
	}
	b.Name(name)
	names := map[string]bool{}
	for i, branch := range s.branches {
		if branch.kind == null {
			at.optional = true
			continue
		}
		fieldName := t.unionField(branch, i)
		if names[fieldName] {
			return nil, dataError("Multiple union schemas map to the Connect union field name %q", fieldName)
		}
		names[fieldName] = true
		fs, err := t.schema(branch, situation{optional: true})
		if err != nil {
			return nil, fmt.Errorf("branch %q: %w", fieldName, err)
		}
		b.Field(fieldName, fs)
	}
	if at.optional {
		b.Optional()
	}
	if v, ok := versionOf(nil, at.version); ok {
		b.Version(v)
	}
	if t.Discard && at.doc != "" {
		b.Doc(at.doc)
	}
	if at.def != nil && !t.Discard && t.MetaData {
		b.Parameter(fieldDefaultParam, "true")
	}
	return t.finish(b, s, at)
}

func versionOf(own *jsontree.Node, registry int) (int, bool) {
	if n, ok := own.Int(); ok {
		return int(int32(n)), n >= 0
	}
	return registry, registry > 0
}

// attributes adds name, version, doc and parameters, and finds the default.
func (t *toConnect) attributes(b *data.Builder, s *schema, at *situation) error {
	t.addDoc(b, s, at)
	own := s.prop(propVersion)
	if own != nil && !own.Is(javajson.Number) {
		return dataError("Invalid Connect version found: %s", own)
	}
	if v, ok := versionOf(own, at.version); ok {
		b.Version(v)
	}
	if err := t.addParameters(b, s); err != nil {
		return err
	}
	connectDefault := s.prop(propDefault)
	switch {
	case at.def == nil:
		at.def = connectDefault
	case !t.Discard && t.MetaData && connectDefault == nil:
		b.Parameter(fieldDefaultParam, "true")
	}
	return t.addName(b, s)
}

func (t *toConnect) addDoc(b *data.Builder, s *schema, at *situation) {
	connectDoc := s.textProp(propDoc)
	switch {
	case !t.Discard:
		if t.MetaData && connectDoc != "" {
			b.Doc(connectDoc)
		}
		return
	case at.doc != "":
		b.Doc(at.doc)
	case s.hasDoc:
		b.Doc(s.doc)
	case connectDoc != "":
		b.Doc(connectDoc)
	}
	if t.MetaData && s.hasDoc {
		b.Parameter(propRecordDoc, s.doc)
	}
}

func (t *toConnect) addParameters(b *data.Builder, s *schema) error {
	if params := s.prop(propParameters); t.MetaData && params != nil {
		if !params.Is(javajson.Object) {
			return dataError("Expected JSON object for schema parameters but found: %s", params)
		}
		for _, m := range params.Members {
			value, ok := m.Value.Str()
			if !ok {
				return dataError("Expected schema parameter values to be strings but found: %s", m.Value)
			}
			b.Parameter(m.Key, value)
		}
	}
	for _, m := range s.props {
		if strings.HasPrefix(m.Key, avroPrefix) {
			value, ok := m.Value.Str()
			if !ok {
				value = m.Value.String()
			}
			b.Parameter(m.Key, value)
		}
	}
	return nil
}

// addName adds the name that Connect gave, else that of a named type. A logical
// type that has its name already must not have another.
func (t *toConnect) addName(b *data.Builder, s *schema) error {
	sofar, err := b.Build()
	if err != nil {
		return err
	}
	name := ""
	if own := s.prop(propName); own != nil {
		var ok bool
		if name, ok = own.Str(); !ok {
			return dataError("Invalid schema name: %s", own)
		}
	} else if s.kind == record || s.kind == enum || s.kind == fixed && sofar.Name() != data.LogicalDecimal {
		name = s.fullName()
	}
	if name == "" || strings.HasPrefix(name, defaultFullName) {
		return nil
	}
	if sofar.Name() != "" && sofar.Name() != name {
		return dataError("Mismatched names: name already added to SchemaBuilder (%s) differs from name in source schema (%s)", sofar.Name(), name)
	}
	b.Name(name)
	return nil
}

// isAnything tells whether a schema is that of schemaless data.
func (s *schema) isAnything() bool {
	return s.kind == record && s.fullName() == anything && sameType(s, anythingSchema())
}
