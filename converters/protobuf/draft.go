package protobuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/streamlane/connect/data"
)

// draft writes the .proto file of a Connect schema, as ProtobufData's
// fromConnectSchema does.
type draft struct {
	*options
	unnamed int
	imports []string
	// open are the messages around the one under way.
	open []*message
}

// message is one under way.
type message struct {
	name   string
	schema *data.Schema // nil for an entry of a map
	fields []string
	oneofs []string
	enums  []string
	nested []*message
	types  map[string]*data.Schema // of the names inside
	next   int                     // tag of the next field without one of its own
	used   map[int]bool
}

// protoFile returns the text of the file, the full name of the message in it, and
// that message's place.
func (o *options) protoFile(s *data.Schema) (text, name string, path []int, err error) {
	switch {
	case isLogical(s):
		return "", "", nil, dataError("%s cannot stand at the root of a Protobuf record: put it into a STRUCT", s)
	case s.Kind() == data.KindStruct && isUnion(s):
		return "", "", nil, dataError("a union cannot stand at the root of a Protobuf record: put it into a STRUCT")
	case s.Kind() == data.KindStruct:
	case s.Kind() == data.KindArray || s.Kind() == data.KindMap:
		return "", "", nil, dataError("Unsupported root schema of type %s: put it into a STRUCT", s.Kind())
	default:
		at := wrapperOf(s)
		return wrappersText(), "google.protobuf." + wrappers[at].name, []int{at}, nil
	}
	d := &draft{options: o}
	space, short := d.split(d.nameOf(s))
	for part := range strings.SplitSeq(space, ".") {
		if space != "" {
			if err := checkName("part of the package", part); err != nil {
				return "", "", nil, err
			}
		}
	}
	m, err := d.message(short, s)
	if err != nil {
		return "", "", nil, err
	}
	var b strings.Builder
	b.WriteString("syntax = \"proto3\";\n")
	if space != "" {
		b.WriteString("package " + space + ";\n")
		short = space + "." + short
	}
	b.WriteByte('\n')
	slices.Sort(d.imports)
	for _, i := range slices.Compact(d.imports) {
		b.WriteString("import \"" + i + "\";\n")
	}
	if len(d.imports) > 0 {
		b.WriteByte('\n')
	}
	m.print(&b, "")
	return b.String(), short, []int{0}, nil
}

// wrapperOf returns the place of the wrapper for a primitive.
func wrapperOf(s *data.Schema) int {
	k := s.Kind()
	if k == data.KindInt8 || k == data.KindInt16 {
		k = data.KindInt32
	}
	return slices.IndexFunc(wrappers, func(w struct {
		name string
		kind data.Kind
	}) bool {
		return w.kind == k
	})
}

// wrappersText is the file of the wrappers, which is the schema of primitives.
func wrappersText() string {
	file := wrapperspb.File_google_protobuf_wrappers_proto
	var b strings.Builder
	b.WriteString("syntax = \"proto3\";\npackage google.protobuf;\n\noption cc_enable_arenas = true;\noption csharp_namespace = \"Google.Protobuf.WellKnownTypes\";\n" +
		"option go_package = \"google.golang.org/protobuf/types/known/wrapperspb\";\noption java_multiple_files = true;\noption java_outer_classname = \"WrappersProto\";\n" +
		"option java_package = \"com.google.protobuf\";\noption objc_class_prefix = \"GPB\";\n\n")
	for i := range file.Messages().Len() {
		m := file.Messages().Get(i)
		f := m.Fields().Get(0)
		fmt.Fprintf(&b, "message %s {\n  %s %s = %d;\n}\n", m.Name(), f.Kind(), f.Name(), f.Number())
	}
	return b.String()
}

func (d *draft) nameOf(s *data.Schema) string {
	if s.Name() != "" {
		return s.Name()
	}
	d.unnamed++
	return defaultName + strconv.Itoa(d.unnamed)
}

func (d *draft) shortName(s *data.Schema) string {
	_, short := d.split(d.nameOf(s))
	return short
}

func newMessage(name string, s *data.Schema) *message {
	return &message{name: name, schema: s, types: make(map[string]*data.Schema), next: 1, used: make(map[int]bool)}
}

func (d *draft) message(name string, s *data.Schema) (*message, error) {
	if err := checkName("message", name); err != nil {
		return nil, err
	}
	if len(d.open) > maxDepth {
		return nil, dataError("nested deeper than %d levels", maxDepth)
	}
	m := newMessage(name, s)
	d.open = append(d.open, m)
	defer func() { d.open = d.open[:len(d.open)-1] }()
	for _, f := range s.Fields() {
		if err := d.field(m, d.scrubbed(f.Name), f.Schema); err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	return m, nil
}

// field adds a field, or the oneof of a union.
func (d *draft) field(m *message, name string, s *data.Schema) error {
	if isUnion(s) {
		return d.oneof(m, s)
	}
	line, err := d.line(m, name, s, false)
	if err == nil {
		m.fields = append(m.fields, line)
	}
	return err
}

func (d *draft) oneof(m *message, s *data.Schema) error {
	name := strings.TrimPrefix(s.Name(), unionPrefix)
	if general, ok := s.Parameter(generalUnion); ok && d.generalized {
		name = general
	}
	_, name = d.split(name)
	if err := checkName("oneof", name); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("oneof " + name + " {\n")
	for _, f := range s.Fields() {
		if isUnion(f.Schema) || f.Schema.Kind() == data.KindArray || f.Schema.Kind() == data.KindMap {
			return dataError("member %q of a union is of kind %s, for which a oneof has no place", f.Name, f.Schema.Kind())
		}
		line, err := d.line(m, d.scrubbed(f.Name), f.Schema, true)
		if err != nil {
			return fmt.Errorf("member %q: %w", f.Name, err)
		}
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("}")
	m.oneofs = append(m.oneofs, b.String())
	return nil
}

// line writes one field.
func (d *draft) line(m *message, name string, s *data.Schema, member bool) (string, error) {
	if err := checkName("field", name); err != nil {
		return "", err
	}
	tag, err := m.tag(s)
	if err != nil {
		return "", err
	}
	label, inner := "", s
	switch {
	case s.Kind() == data.KindArray:
		label, inner = "repeated ", s.ElemSchema()
		if inner.Kind() == data.KindArray || inner.Kind() == data.KindMap {
			return "", dataError("an ARRAY of %s has no Protobuf form: put the inner one into a STRUCT", inner.Kind())
		}
	case s.Kind() == data.KindMap:
		label = "repeated "
	case d.optionalNulls && s.Optional() && !member:
		label = "optional "
	}
	if inner == nil {
		return "", dataError("a part without a schema")
	}
	typ, params, err := d.typeOf(m, name, inner, member)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s %s = %d%s;", label, typ, name, tag, d.meta(params)), nil
}

// tag returns the number of a field: its own, else the next one. Those of an entry
// are 1 and 2.
func (m *message) tag(s *data.Schema) (int, error) {
	own, ok := s.Parameter(tagParam)
	tag := m.next
	if ok && m.schema != nil {
		n, err := strconv.Atoi(own)
		if err != nil || n < 1 {
			return 0, dataError("parameter %s is %q, want a number of a field", tagParam, own)
		}
		tag = n
	} else {
		for m.used[tag] {
			tag++
		}
		m.next = tag + 1
	}
	if m.used[tag] {
		return 0, dataError("the number %d of a field is there twice: what comes from several messages has to lose its parameters %s", tag, tagParam)
	}
	m.used[tag] = true
	return tag, nil
}

// param is one that a field carries in its meta data.
type param struct{ key, value string }

func (d *draft) meta(params []param) string {
	if len(params) == 0 {
		return ""
	}
	d.imports = append(d.imports, "confluent/meta.proto")
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = fmt.Sprintf("{key: %q, value: %q}", p.key, p.value)
	}
	return " [(confluent.field_meta) = {params: [" + strings.Join(parts, ", ") + "]}]"
}

// typeOf names the type of a field, and defines it if need be.
func (d *draft) typeOf(m *message, field string, s *data.Schema, member bool) (typ string, params []param, err error) {
	if name := logicalMessage(s); name != "" {
		return d.logicalType(s, name)
	}
	if name, ok := d.enumOf(s); ok {
		typ, err = d.enum(m, name, s)
		return typ, nil, err
	}
	switch s.Kind() {
	case data.KindInt8:
		params = []param{{"connect.type", "int8"}}
	case data.KindInt16:
		params = []param{{"connect.type", "int16"}}
	case data.KindMap:
		typ, err = d.entry(m, s)
		return typ, nil, err
	case data.KindStruct:
		typ, err = d.structType(m, field, s)
		return typ, nil, err
	case data.KindArray:
		return "", nil, dataError("Array cannot be nested")
	}
	typ = scalarType(s)
	_, marked := s.Parameter(wrapperParam)
	if d.wrapperNulls && s.Optional() && (!member || marked) {
		d.imports = append(d.imports, wrapperFile)
		return "google.protobuf." + wrapperFor(s, typ), params, nil
	}
	return typ, params, nil
}

func (d *draft) logicalType(s *data.Schema, name string) (string, []param, error) {
	var params []param
	switch name {
	case decimalType:
		d.imports = append(d.imports, "confluent/type/decimal.proto")
		if precision, ok := s.Parameter(precisionParam); ok {
			params = append(params, param{"precision", precision})
		}
		if scale, ok := s.Parameter(data.DecimalScale); ok {
			params = append(params, param{"scale", scale})
		}
	case dateType:
		d.imports = append(d.imports, "google/type/date.proto")
	case timeType:
		d.imports = append(d.imports, "google/type/timeofday.proto")
	default:
		d.imports = append(d.imports, "google/protobuf/timestamp.proto")
	}
	return name, params, nil
}

// scalarType names the type of a primitive: that of the parameter, where it suits.
func scalarType(s *data.Schema) string {
	own, _ := s.Parameter(typeParam)
	switch s.Kind() {
	case data.KindInt32:
		if own == "sint32" || own == "sfixed32" {
			return own
		}
		return "int32"
	case data.KindInt8, data.KindInt16:
		return "int32"
	case data.KindInt64:
		if slices.Contains([]string{"uint32", "fixed32", "uint64", "fixed64", "sint64", "sfixed64"}, own) {
			return own
		}
		return "int64"
	case data.KindFloat32:
		return "float"
	case data.KindFloat64:
		return "double"
	case data.KindBoolean:
		return "bool"
	case data.KindBytes:
		return "bytes"
	}
	return "string"
}

func wrapperFor(s *data.Schema, typ string) string {
	switch typ {
	case "uint32", "fixed32":
		return "UInt32Value"
	case "uint64", "fixed64":
		return "UInt64Value"
	}
	return wrappers[wrapperOf(s)].name
}

// define notes what a name inside of a message stands for, and says whether it does
// so already.
func (m *message) define(name string, s *data.Schema) (again bool, err error) {
	before, ok := m.types[name]
	if ok && !sameType(before, s) {
		return false, dataError("two different schemas are both called %q in the message %q", name, m.name)
	}
	m.types[name] = s
	return ok, nil
}

// sameType compares schemas regardless of optional, default and the field that they
// are of.
func sameType(a, b *data.Schema) bool {
	return a == b || data.ArrayBuilder(bare(a)).MustBuild().Equal(data.ArrayBuilder(bare(b)).MustBuild())
}

func bare(s *data.Schema) *data.Schema {
	b := data.NewBuilder(s.Kind()).Name(s.Name())
	for _, p := range s.Parameters() {
		if p.Key != tagParam {
			b.Parameter(p.Key, p.Value)
		}
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
	return b.MustBuild()
}

func (d *draft) structType(m *message, field string, s *data.Schema) (string, error) {
	for _, o := range d.open { // one that holds itself
		if o.schema != nil && s.Name() != "" && o.schema.Name() == s.Name() && sameType(o.schema, s) {
			return o.name, nil
		}
	}
	name := d.shortName(s)
	if name == field {
		name += "Message" // a message and a field cannot share a name
	}
	if name == m.name {
		return "", dataError("two different schemas are both called %q", name)
	}
	again, err := m.define(name, s)
	if err != nil || again {
		return name, err
	}
	inner, err := d.message(name, s)
	if err == nil {
		m.nested = append(m.nested, inner)
	}
	return name, err
}

func (d *draft) enum(m *message, full string, s *data.Schema) (string, error) {
	_, name := d.split(full)
	if err := checkName("enum", name); err != nil {
		return "", err
	}
	again, err := m.define(name, s)
	if err != nil || again {
		return name, err
	}
	prefix := d.enumParam() + "."
	if s.Kind() == data.KindInt32 {
		prefix = enumParam + "."
	}
	var b strings.Builder
	b.WriteString("enum " + name + " {\n")
	for _, p := range s.Parameters() {
		symbol, ok := strings.CutPrefix(p.Key, prefix)
		if !ok {
			continue
		}
		if err := checkName("symbol", symbol); err != nil {
			return "", err
		}
		n, err := strconv.ParseInt(p.Value, 10, 32)
		if err != nil {
			return "", dataError("symbol %q of enum %q has the number %q", symbol, name, p.Value)
		}
		fmt.Fprintf(&b, "  %s = %d;\n", symbol, n)
	}
	b.WriteString("}")
	m.enums = append(m.enums, b.String())
	return name, nil
}

// entry defines the message of a map's entries.
func (d *draft) entry(m *message, s *data.Schema) (string, error) {
	name := mapEntryName(d.shortName(s))
	again, err := m.define(name, s)
	if err != nil || again {
		return name, err
	}
	if err := checkName("message", name); err != nil {
		return "", err
	}
	e := newMessage(name, nil)
	d.open = append(d.open, e)
	defer func() { d.open = d.open[:len(d.open)-1] }()
	if s.KeySchema() == nil || s.ElemSchema() == nil {
		return "", dataError("a part without a schema")
	}
	for _, part := range []struct {
		name string
		s    *data.Schema
	}{{mapKey, s.KeySchema()}, {mapValue, s.ElemSchema()}} {
		if err := d.field(e, part.name, part.s); err != nil {
			return "", fmt.Errorf("map %s: %w", part.name, err)
		}
	}
	m.nested = append(m.nested, e)
	return name, nil
}

// print writes the message: fields, oneofs, what is inside.
func (m *message) print(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%smessage %s {\n", indent, m.name)
	within := indent + "  "
	for _, part := range slices.Concat(m.fields, m.oneofs) {
		b.WriteString(within + strings.ReplaceAll(part, "\n", "\n"+within) + "\n")
	}
	for _, n := range m.nested {
		b.WriteByte('\n')
		n.print(b, within)
	}
	for _, part := range m.enums {
		b.WriteString("\n" + within + strings.ReplaceAll(part, "\n", "\n"+within) + "\n")
	}
	b.WriteString(indent + "}\n")
}
