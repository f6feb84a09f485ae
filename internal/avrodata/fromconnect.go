package avrodata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

func itoa(n int) string { return strconv.Itoa(n) }

// fromConnect makes the Avro schema of a Connect schema, as AvroData's
// fromConnectSchema does.
type fromConnect struct {
	*Options
	unnamed int // structs without a name so far
	// made are the named types so far: one that comes again, perhaps inside of
	// itself, is the same.
	made []madeType
	// seen are the names of field schemas so far.
	seen map[string]bool
}

type madeType struct {
	from *data.Schema
	to   *schema
}

// avroSchema returns the Avro schema of a Connect schema, nil for schemaless data.
func (o *Options) avroSchema(s *data.Schema) (*schema, error) {
	if s == nil {
		return anythingSchema(), nil
	}
	f := &fromConnect{Options: o, seen: make(map[string]bool)}
	return f.schema(s)
}

// schema converts, and makes a union with null of what is optional.
func (f *fromConnect) schema(s *data.Schema) (*schema, error) {
	if s == nil {
		return anythingSchema(), nil
	}
	if isUnion(s) {
		return f.union(s)
	}
	bare, err := f.bare(s)
	if err != nil || !s.Optional() {
		return bare, err
	}
	branches := []*schema{{kind: null}, bare}
	if !s.Default().IsNull() && s.Kind() != data.KindStruct {
		slices.Reverse(branches) // a default is of the first branch
	}
	return &schema{kind: union, branches: branches}, nil
}

func (f *fromConnect) union(s *data.Schema) (*schema, error) {
	u := &schema{kind: union}
	if s.Optional() {
		u.branches = append(u.branches, &schema{kind: null})
	}
	for _, field := range s.Fields() {
		if isUnion(field.Schema) {
			return nil, dataError("field %q of a union is a union itself", field.Name)
		}
		b, err := f.bare(field.Schema)
		if err != nil {
			return nil, fmt.Errorf("branch %q: %w", field.Name, err)
		}
		u.branches = append(u.branches, b)
	}
	return u, u.checkUnion()
}

// bare converts without looking at whether the schema is optional.
func (f *fromConnect) bare(s *data.Schema) (*schema, error) {
	for _, m := range f.made {
		if sameButOptional(m.from, s) {
			return m.to, nil
		}
	}
	out, connectType, err := f.base(s)
	if err != nil {
		return nil, err
	}
	if s.Kind() != data.KindStruct && out.kind.named() {
		f.made = append(f.made, madeType{s, out})
	}
	if f.MetaData {
		if err := f.addMetaData(out, s, connectType); err != nil {
			return nil, err
		}
	}
	return out, f.addLogical(out, s)
}

// sameButOptional compares STRUCT and named schemas regardless of optional.
func sameButOptional(a, b *data.Schema) bool {
	if a == b {
		return true
	}
	if a.Kind() != b.Kind() || a.Name() != b.Name() {
		return false
	}
	if a.Optional() == b.Optional() {
		return a.Equal(b)
	}
	return data.ArrayBuilder(required(a)).MustBuild().Equal(data.ArrayBuilder(required(b)).MustBuild())
}

// required returns a schema that differs in being required at most.
func required(s *data.Schema) *data.Schema {
	if !s.Optional() {
		return s
	}
	b := data.NewBuilder(s.Kind()).Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
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
	out, err := b.Build()
	if err != nil {
		return s
	}
	return out
}

// base makes the schema without properties, and says what connect.type is.
func (f *fromConnect) base(s *data.Schema) (out *schema, connectType string, err error) {
	switch s.Kind() {
	case data.KindInt8:
		return &schema{kind: integer}, "int8", nil
	case data.KindInt16:
		return &schema{kind: integer}, "int16", nil
	case data.KindInt32:
		return &schema{kind: integer}, "", nil
	case data.KindInt64:
		return &schema{kind: long}, "", nil
	case data.KindFloat32:
		return &schema{kind: float}, "", nil
	case data.KindFloat64:
		return &schema{kind: double}, "", nil
	case data.KindBoolean:
		return &schema{kind: boolean}, "", nil
	case data.KindString:
		return f.stringOrEnum(s), "", nil
	case data.KindBytes:
		out, err = f.bytesOrFixed(s)
	case data.KindArray:
		out, err = f.array(s)
	case data.KindMap:
		out, err = f.mapping(s)
	case data.KindStruct:
		out, err = f.record(s)
	default:
		err = dataError("Unknown schema type: %s", s.Kind())
	}
	return out, "", err
}

func (f *fromConnect) stringOrEnum(s *data.Schema) *schema {
	if !f.Generalized && !f.Enhanced || !isEnum(s) {
		return &schema{kind: text}
	}
	param := f.enumParam()
	full, _ := s.Parameter(param)
	out := &schema{kind: enum}
	out.space, out.name = splitPlain(full)
	for _, p := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(p.Key, param+"."); ok {
			out.symbols = append(out.symbols, symbol)
		}
	}
	_, short := f.nameOf(s)
	if f.Discard {
		out.doc, out.hasDoc = s.Parameter(propEnumDoc)
		return out
	}
	out.doc, out.hasDoc = s.Parameter(enumDocParam + short)
	out.fallback, _ = s.Parameter(enumDefaultParam + short)
	return out
}

func splitPlain(full string) (space, name string) {
	dot := strings.LastIndexByte(full, '.')
	if dot < 0 {
		return "", full
	}
	return full[:dot], full[dot+1:]
}

// nameOf returns the name of a type: the schema's, or a made-up one.
func (f *fromConnect) nameOf(s *data.Schema) (space, name string) {
	if s.Name() != "" {
		return f.split(s.Name())
	}
	if f.unnamed++; f.unnamed > 1 {
		return namespace, defaultName + itoa(f.unnamed)
	}
	return namespace, defaultName
}

func (f *fromConnect) bytesOrFixed(s *data.Schema) (*schema, error) {
	out := &schema{kind: blob}
	if isFixed(s) {
		size, err := intParameter(s, propFixedSize)
		if err != nil || size < 0 || size > maxFixed {
			return nil, dataError("parameter %s of %s is no size", propFixedSize, s)
		}
		out.kind, out.size = fixed, size
		out.space, out.name = f.nameOf(s)
	}
	if !isDecimal(s) {
		return out, nil
	}
	scale, precision, err := decimalOf(s)
	if err != nil {
		return nil, err
	}
	out.props = append(out.props,
		jsontree.Member{Key: "scale", Value: jsontree.Int(int64(scale))}, jsontree.Member{Key: "precision", Value: jsontree.Int(int64(precision))})
	return out, nil
}

// isDecimal goes by the name alone, as Java does.
func isDecimal(s *data.Schema) bool { return strings.EqualFold(s.Name(), data.LogicalDecimal) }

func decimalOf(s *data.Schema) (scale, precision int, err error) {
	wide, err := data.DecimalScaleOf(s)
	if err != nil {
		return 0, 0, err
	}
	precision = defaultPrecision
	if _, ok := s.Parameter(propPrecision); ok {
		if precision, err = intParameter(s, propPrecision); err != nil {
			return 0, 0, err
		}
	}
	return int(wide), precision, nil
}

func intParameter(s *data.Schema, key string) (int, error) {
	value, _ := s.Parameter(key)
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, dataError("parameter %s of %s is %q, want a number", key, s, value)
	}
	return int(n), nil
}

func (f *fromConnect) array(s *data.Schema) (*schema, error) {
	elem, err := f.schema(s.ElemSchema())
	if err != nil {
		return nil, fmt.Errorf("elements: %w", err)
	}
	return &schema{kind: array, elem: elem}, nil
}

// mapping makes a map of what has texts as keys, else an array of entries.
func (f *fromConnect) mapping(s *data.Schema) (*schema, error) {
	if f.stringKeys(s) {
		elem, err := f.schema(s.ElemSchema())
		if err != nil {
			return nil, fmt.Errorf("map values: %w", err)
		}
		return &schema{kind: mapping, elem: elem}, nil
	}
	entry := &schema{kind: record, space: namespace, name: mapEntry}
	if s.Name() != "" {
		entry.space, entry.name = f.nameOf(s)
		entry.props = []jsontree.Member{{Key: propInternalType, Value: jsontree.Str(mapEntry)}}
	}
	for _, part := range []struct {
		name string
		s    *data.Schema
	}{{mapKey, s.KeySchema()}, {mapValue, s.ElemSchema()}} {
		if err := f.addField(entry, part.name, part.s, "", false); err != nil {
			return nil, fmt.Errorf("map %s: %w", part.name, err)
		}
	}
	return &schema{kind: array, elem: entry}, nil
}

func (f *fromConnect) record(s *data.Schema) (*schema, error) {
	out := &schema{kind: record}
	out.space, out.name = f.nameOf(s)
	docParam := recordDocParam
	if f.Discard {
		docParam = propRecordDoc
	}
	out.doc, out.hasDoc = s.Parameter(docParam)
	f.made = append(f.made, madeType{s, out})
	for _, field := range s.Fields() {
		doc, hasDoc := "", false
		if !f.Discard {
			doc, hasDoc = s.Parameter(fieldDocParam + field.Name)
		}
		if err := f.addField(out, f.scrubbed(field.Name), field.Schema, doc, hasDoc); err != nil {
			return nil, fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return out, nil
}

func (f *fromConnect) addField(to *schema, name string, s *data.Schema, doc string, hasDoc bool) error {
	scrubbed := ""
	if s.Name() != "" {
		scrubbed = f.scrubbedFull(s.Name())
	}
	again := scrubbed != "" && f.seen[scrubbed]
	f.seen[scrubbed] = true
	inner, err := f.schema(s)
	if err != nil {
		return err
	}
	out := &field{name: name, schema: inner, doc: doc, hasDoc: hasDoc}
	if f.Discard {
		out.doc, out.hasDoc = s.Doc(), s.Doc() != ""
	}
	switch {
	case s != nil && !s.Default().IsNull():
		def, err := f.defaultNode(s, s.Default())
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		if inner.takes(def, 0) { // else it is left out
			out.def = def
		}
	case s.Optional():
		out.def = jsontree.Null()
	}
	if f.MetaData && again && len(s.Parameters()) > 0 && inner.hasNamed() {
		if params := f.parameters(s); len(params.Members) > 0 {
			out.props = append(out.props, jsontree.Member{Key: propParameters, Value: params})
		}
	}
	if to.field(name) != nil {
		return dataError("Duplicate field %s in record %s", name, to.fullName())
	}
	to.fields = append(to.fields, out)
	return nil
}

// hasNamed tells whether a schema, or a branch of it, is a named type.
func (s *schema) hasNamed() bool {
	return s.kind.named() || slices.ContainsFunc(s.branches, func(b *schema) bool { return b.kind.named() })
}

// addMetaData adds what Avro has no place for.
func (f *fromConnect) addMetaData(out *schema, s *data.Schema, connectType string) error {
	var props []jsontree.Member
	add := func(key string, value *jsontree.Node) { props = append(props, jsontree.Member{Key: key, Value: value}) }
	if s.Doc() != "" {
		add(propDoc, jsontree.Str(s.Doc()))
	}
	if v, ok := s.Version(); ok {
		add(propVersion, jsontree.Int(int64(v)))
	}
	if params := f.parameters(s); len(params.Members) > 0 {
		add(propParameters, params)
	}
	if _, fromField := s.Parameter(fieldDefaultParam); !s.Default().IsNull() && (f.Discard || !fromField) {
		def, err := f.defaultNode(s, s.Default())
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		add(propDefault, def)
	}
	if s.Name() != "" {
		add(propName, jsontree.Str(s.Name()))
	}
	if connectType != "" {
		add(propType, jsontree.Str(connectType))
	}
	for _, p := range props {
		if err := out.set(p.Key, p.Value); err != nil {
			return err
		}
	}
	return nil
}

func (f *fromConnect) parameters(s *data.Schema) *jsontree.Node {
	out := jsontree.Object()
	for _, p := range s.Parameters() {
		if f.Discard || p.Key != fieldDefaultParam {
			out.Members = append(out.Members, jsontree.Member{Key: p.Key, Value: jsontree.Str(p.Value)})
		}
	}
	return out
}

// addLogical adds Avro's name of a logical type, and the parameters that are meant
// for Avro.
func (f *fromConnect) addLogical(out *schema, s *data.Schema) error {
	logical := ""
	switch {
	case isDecimal(s):
		logical = "decimal" // a scale that Avro does not allow is read all the same
	case strings.EqualFold(s.Name(), data.LogicalTime):
		logical = "time-millis"
	case strings.EqualFold(s.Name(), data.LogicalTimestamp):
		logical = "timestamp-millis"
	case strings.EqualFold(s.Name(), data.LogicalDate):
		logical = "date"
	}
	if logical != "" {
		if err := out.set("logicalType", jsontree.Str(logical)); err != nil {
			return err
		}
	}
	for _, p := range s.Parameters() {
		if strings.HasPrefix(p.Key, avroPrefix) {
			if err := out.set(p.Key, jsontree.Str(p.Value)); err != nil {
				return err
			}
		}
	}
	return nil
}

// anythingSchema is the schema of schemaless data: one field of these is set.
func anythingSchema() *schema {
	self := &schema{kind: record, space: namespace, name: "Anything"}
	entry := &schema{kind: record, space: namespace, name: mapEntry, fields: []*field{{name: mapKey, schema: self}, {name: mapValue, schema: self}}}
	for _, inner := range []*schema{
		{kind: boolean}, {kind: blob}, {kind: double}, {kind: float}, {kind: integer}, {kind: long}, {kind: text},
		{kind: array, elem: self}, {kind: array, elem: entry},
	} {
		name := inner.kind.String()
		if inner.kind == array && inner.elem == entry {
			name = "map"
		}
		self.fields = append(self.fields, &field{
			name: name, schema: &schema{kind: union, branches: []*schema{{kind: null}, inner}}, def: jsontree.Null(),
		})
	}
	return self
}
