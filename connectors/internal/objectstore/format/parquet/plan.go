package parquet

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/avrodata"
)

// plan is how data of one schema become columns, laid out once.
type plan struct {
	root     *node
	schema   *parquet.Schema
	columns  []column
	metadata map[string]string
	press    *press
}

// column is a leaf.
type column struct {
	path       []string
	dictionary bool
	unordered  bool // smallest and largest are not told: the library's order of them is not Parquet's
}

// shape says what a value becomes.
type shape uint8

const (
	asLeaf shape = iota
	asGroup
	asUnion
	asList
	asMap
	asPairs // a map as a list of groups
)

// node is a place in the schema.
type node struct {
	shape    shape
	schema   *data.Schema
	equal    *data.Schema // the last schema of a struct that was found to equal it
	kind     data.Kind    // of values; of a logical type KindDecimal or KindDate
	optional bool
	rep      int // repetition level of a list's elements behind the first
	from, to int // leaf columns
	fallback data.Value
	children []*node // of a group; of a list its elements; of a map keys and values

	scale, precision int
	size             int // of a fixed, -1 for none
}

// accepts reports whether a struct of schema s fits.
func (n *node) accepts(s *data.Schema) bool {
	if s == n.schema || s == n.equal {
		return true
	}
	if !s.Equal(n.schema) {
		return false
	}
	n.equal = s
	return true
}

// planOf lays a STRUCT schema out.
func (o *Options) planOf(s *data.Schema) (*plan, error) {
	p := &planner{o: o, p: &plan{}, open: make(map[*data.Schema]bool)}
	root, pn, err := p.node(s, nil, 0, true)
	if err != nil {
		return nil, err
	}
	if len(p.p.columns) > parquet.MaxColumnIndex {
		return nil, fmt.Errorf("found %d columns, allowed are %d", len(p.p.columns), parquet.MaxColumnIndex)
	}
	p.p.root = root
	name := s.Name()
	if a, err := o.Schema.FromConnect(s); err == nil && a.IsRecord() && avrodata.CheckNames(a) == nil {
		if text, err := a.Text(); err == nil {
			name = a.FullName()
			p.p.metadata = map[string]string{"parquet.avro.schema": text, "writer.model.name": "avro"}
		}
	}
	if name == "" {
		name = "schema"
	}
	p.p.schema = parquet.NewSchema(name, pn)
	return p.p, nil
}

type planner struct {
	o    *Options
	p    *plan
	open map[*data.Schema]bool // around the place
}

// node lays out a schema. rep is the repetition level of the place.
func (p *planner) node(s *data.Schema, path []string, rep int, required bool) (*node, parquet.Node, error) {
	switch {
	case s == nil:
		return nil, nil, errors.New("a part has no schema")
	case p.open[s]:
		return nil, nil, fmt.Errorf("%s holds itself, and Parquet has no recursive schemas", s)
	case len(path) > avrodata.MaxDepth:
		return nil, nil, fmt.Errorf("nested deeper than %d levels", avrodata.MaxDepth)
	}
	p.open[s] = true
	defer delete(p.open, s)
	n := &node{schema: s, kind: s.Kind(), optional: s.Optional() && !required, from: len(p.p.columns), size: -1}
	if !p.o.Schema.IgnoreDefaults {
		n.fallback = s.Default()
	}
	var pn parquet.Node
	var err error
	switch s.Kind() {
	case data.KindStruct:
		pn, err = p.group(n, s, path, rep)
	case data.KindArray:
		pn, err = p.list(n, s, path, rep)
	case data.KindMap:
		pn, err = p.mapping(n, s, path, rep)
	default:
		pn, err = p.leaf(n, s, path)
	}
	if err != nil {
		return nil, nil, err
	}
	n.to = len(p.p.columns)
	if n.optional {
		return n, parquet.Optional(pn), nil
	}
	return n, parquet.Required(pn), nil
}

func (p *planner) group(n *node, s *data.Schema, path []string, rep int) (parquet.Node, error) {
	n.shape = asGroup
	union := avrodata.IsUnion(s)
	if union {
		n.shape = asUnion
	}
	if len(s.Fields()) == 0 {
		return nil, fmt.Errorf("%s has no fields, and Parquet has no empty groups", s)
	}
	g := &group{}
	for i, f := range s.Fields() {
		name := p.o.Schema.FieldName(f.Name)
		if union {
			name = fmt.Sprintf("member%d", i)
		}
		child, pn, err := p.node(f.Schema, join(path, name), rep, false)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		if union && !child.optional { // of the members one is set
			child.optional, pn = true, parquet.Optional(pn)
		}
		n.children = append(n.children, child)
		g.fields = append(g.fields, &groupField{Node: pn, name: name})
	}
	return g, nil
}

func join(path []string, names ...string) []string { return append(slices.Clone(path), names...) }

func (p *planner) list(n *node, s *data.Schema, path []string, rep int) (parquet.Node, error) {
	n.shape, n.rep = asList, rep+1
	elem, pn, err := p.node(s.ElemSchema(), join(path, "list", "element"), rep+1, false)
	if err != nil {
		return nil, fmt.Errorf("elements: %w", err)
	}
	n.children = []*node{elem}
	return parquet.List(pn), nil
}

func (p *planner) mapping(n *node, s *data.Schema, path []string, rep int) (parquet.Node, error) {
	n.shape, n.rep = asMap, rep+1
	names := []string{"key_value"}
	if !p.o.Schema.HasStringKeys(s) {
		n.shape, names = asPairs, []string{"list", "element"}
	}
	key, keyNode, err := p.node(s.KeySchema(), join(path, append(names, "key")...), rep+1, n.shape == asMap)
	if err != nil {
		return nil, fmt.Errorf("map keys: %w", err)
	}
	value, valueNode, err := p.node(s.ElemSchema(), join(path, append(names, "value")...), rep+1, false)
	if err != nil {
		return nil, fmt.Errorf("map values: %w", err)
	}
	n.children = []*node{key, value}
	if n.shape == asMap {
		return parquet.Map(keyNode, valueNode), nil
	}
	return parquet.List(parquet.Required(&group{fields: []parquet.Field{
		&groupField{Node: keyNode, name: "key"}, &groupField{Node: valueNode, name: "value"},
	}})), nil
}

func (p *planner) leaf(n *node, s *data.Schema, path []string) (parquet.Node, error) {
	c := column{path: path}
	pn, err := p.leafNode(n, s, &c)
	if err != nil {
		return nil, err
	}
	pn = frugal{pn}
	if c.dictionary {
		pn = parquet.Encoded(pn, &parquet.RLEDictionary)
	}
	p.p.columns = append(p.p.columns, c)
	return pn, nil
}

func (p *planner) leafNode(n *node, s *data.Schema, c *column) (parquet.Node, error) {
	switch s.Name() {
	case data.LogicalDecimal:
		n.kind, c.unordered = data.KindDecimal, true
		return p.decimal(n, s)
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		n.kind = data.KindDate
		return temporal(s)
	}
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32:
		return parquet.Leaf(parquet.Int32Type), nil
	case data.KindInt64:
		return parquet.Leaf(parquet.Int64Type), nil
	case data.KindFloat32:
		return parquet.Leaf(parquet.FloatType), nil
	case data.KindFloat64:
		return parquet.Leaf(parquet.DoubleType), nil
	case data.KindBoolean:
		return parquet.Leaf(parquet.BooleanType), nil
	case data.KindString:
		c.dictionary = !p.o.NoDictionary
		if p.o.Schema.IsEnum(s) {
			return parquet.Enum(), nil
		}
		return parquet.String(), nil
	case data.KindBytes:
		return fixedOrBytes(n, s)
	}
	return nil, fmt.Errorf("found the kind %s", s.Kind())
}

func fixedOrBytes(n *node, s *data.Schema) (parquet.Node, error) {
	size, ok := avrodata.FixedSize(s)
	switch {
	case !ok:
		return parquet.Leaf(parquet.ByteArrayType), nil
	case size == 0:
		return nil, fmt.Errorf("%s has the size 0, and Parquet has no such FIXED_LEN_BYTE_ARRAY", s)
	}
	n.size = size
	return parquet.Leaf(parquet.FixedLenByteArrayType(size)), nil
}

func (p *planner) decimal(n *node, s *data.Schema) (_ parquet.Node, err error) {
	if n.scale, n.precision, err = avrodata.DecimalOf(s); err != nil {
		return nil, err
	}
	if n.scale < 0 || n.precision < 1 || n.scale > n.precision {
		return nil, fmt.Errorf("found a decimal of scale %d and precision %d, and Parquet's have a scale of 0 to their precision; "+
			"set the schema's parameter connect.decimal.precision", n.scale, n.precision)
	}
	typ := parquet.ByteArrayType
	if size, ok := avrodata.FixedSize(s); ok && size > 0 {
		n.size, typ = size, parquet.FixedLenByteArrayType(size)
	}
	return parquet.Decimal(n.scale, n.precision, typ), nil
}

// temporal returns the leaf of a date; the kind of its schema must be that which the name asks for.
func temporal(s *data.Schema) (parquet.Node, error) {
	switch {
	case s.Name() == data.LogicalDate && s.Kind() == data.KindInt32:
		return parquet.Date(), nil
	case s.Name() == data.LogicalTime && s.Kind() == data.KindInt32:
		return parquet.Time(parquet.Millisecond), nil
	case s.Name() == data.LogicalTimestamp && s.Kind() == data.KindInt64:
		return parquet.Timestamp(parquet.Millisecond), nil
	}
	return nil, fmt.Errorf("%s is of kind %s, which it is not in Connect", s, s.Kind())
}

// group is a parquet.Group whose fields keep their order.
type group struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (g *group) Fields() []parquet.Field { return g.fields }

// String implements parquet.Node.
func (g *group) String() string { return fmt.Sprintf("group of %d fields", len(g.fields)) }

// GoType implements parquet.Node. No row is read by reflection, so it is any type.
func (g *group) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }

type groupField struct {
	parquet.Node
	name string
}

// Name implements parquet.Field.
func (f *groupField) Name() string { return f.name }

// Value implements parquet.Field. Rows are not made of Go's structs.
func (f *groupField) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// frugal is a leaf whose buffers begin small and grow. The library's begin with the size of a page in each required column,
// which is much for who has a thousand files open.
type frugal struct{ parquet.Node }

// Type implements parquet.Node.
func (n frugal) Type() parquet.Type { return frugalType{n.Node.Type()} }

type frugalType struct{ parquet.Type }

// EstimateNumValues implements parquet.Type.
func (frugalType) EstimateNumValues(int) int { return batchRows }
