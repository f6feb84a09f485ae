package jsonschema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

// maxDepth bounds the nesting of schemas and values, both ways.
const maxDepth = 1000

// draft makes the JSON Schema of a Connect schema, as JsonSchemaData's
// fromConnectSchema does.
type draft struct {
	*options
	ids map[string]bool // given to structs so far
	// open are the structs around the one under way; those that come again inside of
	// themselves get an id.
	open []*openStruct
	next int // number of the next id of ours
}

type openStruct struct {
	schema *data.Schema
	id     string // "" until it is needed
}

func (o *options) jsonSchema(s *data.Schema) (*jsontree.Node, error) {
	d := &draft{options: o, ids: make(map[string]bool), next: 1}
	return d.schema(s, -1, false, 0)
}

// schema converts. at is the position of a field, -1 for what is none. A bare one
// is not made optional.
func (d *draft) schema(s *data.Schema, at int, bare bool, depth int) (*jsontree.Node, error) {
	if depth > maxDepth {
		return nil, dataError("nested deeper than %d levels", maxDepth)
	}
	if s == nil {
		return nil, dataError("a part without a schema")
	}
	if ref := d.reference(s); ref != "" {
		return d.optionally(s, jsontree.Object(jsontree.Member{Key: "$ref", Value: jsontree.Str(ref)}), at, bare), nil
	}
	if isUnion(s) {
		return d.union(s, at, depth)
	}
	id, ok := s.Parameter(idParam)
	if ok {
		d.ids[id] = true
	}
	var open *openStruct
	if s.Kind() == data.KindStruct {
		open = &openStruct{schema: s, id: id}
		d.open = append(d.open, open)
		defer func() { d.open = d.open[:len(d.open)-1] }()
	}
	inside, connectType, err := d.inside(s, depth)
	if err != nil {
		return nil, err
	}
	if open != nil {
		id = open.id
	}
	optional := s.Optional() && !bare
	node, err := d.described(s, inside, connectType, id, at, optional)
	if err != nil {
		return nil, err
	}
	return d.optionally(s, node, at, bare), nil
}

// optionally makes a oneOf with null of what is optional.
func (d *draft) optionally(s *data.Schema, n *jsontree.Node, at int, bare bool) *jsontree.Node {
	if !s.Optional() || bare {
		return n
	}
	return oneOf(at, []*jsontree.Node{nullType(), n})
}

func nullType() *jsontree.Node {
	return jsontree.Object(jsontree.Member{Key: "type", Value: jsontree.Str("null")})
}

func oneOf(at int, schemas []*jsontree.Node) *jsontree.Node {
	out := jsontree.Object()
	if at >= 0 {
		out.Set(propIndex, jsontree.Int(int64(at)))
	}
	out.Set("oneOf", jsontree.Array(schemas...))
	return out
}

// reference returns the id of a schema that was written before, or that is being
// written; "" for a new one.
func (d *draft) reference(s *data.Schema) string {
	if s.Kind() != data.KindStruct || isUnion(s) {
		return ""
	}
	if id, ok := s.Parameter(idParam); ok && d.ids[id] {
		return id
	}
	for _, o := range d.open {
		if o.schema.Name() != s.Name() || !data.ArrayBuilder(required(o.schema)).MustBuild().Equal(data.ArrayBuilder(required(s)).MustBuild()) {
			continue
		}
		if o.id == "" {
			for ; o.id == "" || d.ids[o.id]; d.next++ {
				o.id = idPrefix + strconv.Itoa(d.next)
			}
			d.ids[o.id] = true
		}
		return o.id
	}
	return ""
}

// required returns a STRUCT schema that differs in being required at most.
func required(s *data.Schema) *data.Schema {
	if !s.Optional() {
		return s
	}
	b := data.StructBuilder().Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	return b.MustBuild()
}

func (d *draft) union(s *data.Schema, at, depth int) (*jsontree.Node, error) {
	var schemas []*jsontree.Node
	if s.Optional() {
		schemas = append(schemas, nullType())
	}
	for i, f := range s.Fields() {
		n, err := d.schema(f.Schema, i, true, depth+1)
		if err != nil {
			return nil, fmt.Errorf("branch %q: %w", f.Name, err)
		}
		schemas = append(schemas, n)
	}
	return oneOf(at, schemas), nil
}

// body is what a schema says beside what all schemas do: the members before and
// behind these.
type body struct {
	typ    string // "": none
	behind []jsontree.Member
}

func (d *draft) inside(s *data.Schema, depth int) (b body, connectType string, err error) {
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return body{typ: "integer"}, strings.ToLower(s.Kind().String()), nil
	case data.KindFloat32, data.KindFloat64:
		return body{typ: "number"}, strings.ToLower(s.Kind().String()), nil
	case data.KindBoolean:
		return body{typ: "boolean"}, "", nil
	case data.KindString:
		return d.stringOrEnum(s), "", nil
	case data.KindBytes:
		if s.Name() == data.LogicalDecimal && d.decimals == numericDecimals {
			return body{typ: "number"}, "bytes", nil
		}
		return body{typ: "string"}, "bytes", nil
	case data.KindArray:
		elem, err := d.schema(s.ElemSchema(), -1, false, depth+1)
		if err != nil {
			return b, "", fmt.Errorf("elements: %w", err)
		}
		return body{typ: "array", behind: []jsontree.Member{{Key: "items", Value: elem}}}, "", nil
	case data.KindMap:
		b, err = d.mapping(s, depth)
		return b, "map", err
	}
	b, err = d.object(s, depth)
	return b, "", err
}

func (d *draft) stringOrEnum(s *data.Schema) body {
	if !isEnum(s) {
		return body{typ: "string"}
	}
	symbols := jsontree.Array()
	for _, p := range s.Parameters() {
		symbol, ok := strings.CutPrefix(p.Key, d.enumParam()+".")
		switch {
		case !ok:
		case symbol == nullMarker:
			symbols.Items = append(symbols.Items, jsontree.Null())
		default:
			symbols.Items = append(symbols.Items, jsontree.Str(symbol))
		}
	}
	return body{behind: []jsontree.Member{{Key: "enum", Value: symbols}}}
}

func (d *draft) mapping(s *data.Schema, depth int) (body, error) {
	if stringKeys(s) {
		elem, err := d.schema(s.ElemSchema(), -1, false, depth+1)
		if err != nil {
			return body{}, fmt.Errorf("map values: %w", err)
		}
		return body{typ: "object", behind: []jsontree.Member{{Key: "additionalProperties", Value: elem}}}, nil
	}
	key, err := d.schema(s.KeySchema(), 0, false, depth+1)
	if err != nil {
		return body{}, fmt.Errorf("map keys: %w", err)
	}
	value, err := d.schema(s.ElemSchema(), 1, false, depth+1)
	if err != nil {
		return body{}, fmt.Errorf("map values: %w", err)
	}
	entry := jsontree.Object(jsontree.Member{Key: "type", Value: jsontree.Str("object")},
		jsontree.Member{Key: "properties", Value: jsontree.Object(jsontree.Member{Key: mapKey, Value: key}, jsontree.Member{Key: mapValue, Value: value})})
	return body{typ: "array", behind: []jsontree.Member{{Key: "items", Value: entry}}}, nil
}

func (d *draft) object(s *data.Schema, depth int) (body, error) {
	b := body{typ: "object"}
	if !d.additional {
		b.behind = append(b.behind, jsontree.Member{Key: "additionalProperties", Value: jsontree.Bool(false)})
	}
	properties := jsontree.Object()
	for i, f := range s.Fields() {
		n, err := d.schema(f.Schema, i, false, depth+1)
		if err != nil {
			return b, fmt.Errorf("field %q: %w", f.Name, err)
		}
		properties.Members = append(properties.Members, jsontree.Member{Key: f.Name, Value: n})
	}
	if len(properties.Members) > 0 {
		b.behind = append(b.behind, jsontree.Member{Key: "properties", Value: properties})
	}
	return b, nil
}

// described puts together what a schema says, in the order in which Java prints it.
func (d *draft) described(s *data.Schema, b body, connectType, id string, at int, optional bool) (*jsontree.Node, error) {
	out := jsontree.Object()
	if b.typ != "" {
		out.Set("type", jsontree.Str(b.typ))
	}
	if s.Name() != "" {
		out.Set("title", jsontree.Str(s.Name()))
	}
	if s.Doc() != "" {
		out.Set("description", jsontree.Str(s.Doc()))
	}
	if def := s.Default(); !def.IsNull() {
		text, err := d.newEncoder(s, make(map[*data.Schema]*encoder)).append(nil, def, 0)
		if err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		n, err := jsontree.Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		out.Set("default", n)
	}
	if id != "" {
		out.Set("$id", jsontree.Str(id))
	}
	var props []jsontree.Member
	if connectType != "" {
		props = append(props, jsontree.Member{Key: propType, Value: jsontree.Str(connectType)})
	}
	if v, ok := s.Version(); ok {
		props = append(props, jsontree.Member{Key: propVersion, Value: jsontree.Int(int64(v))})
	}
	if params := parameters(s); len(params) > 0 {
		props = append(props, jsontree.Member{Key: propParameters, Value: jsontree.Object(inHashOrder(params)...)})
	}
	if at >= 0 && !optional {
		props = append(props, jsontree.Member{Key: propIndex, Value: jsontree.Int(int64(at))})
	}
	out.Members = append(append(out.Members, inHashOrder(props)...), b.behind...)
	return out, nil
}

func parameters(s *data.Schema) (out []jsontree.Member) {
	for _, p := range s.Parameters() {
		if !strings.HasPrefix(p.Key, ourPrefix) {
			out = append(out, jsontree.Member{Key: p.Key, Value: jsontree.Str(p.Value)})
		}
	}
	return out
}
