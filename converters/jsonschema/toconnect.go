package jsonschema

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// toConnect makes Connect schemas of JSON Schemas, as JsonSchemaData's
// toConnectSchema does.
type toConnect struct {
	*options
	doc    *document
	unions int // generalized unions so far
	ids    int // given to structs that hold themselves
	depth  int
	// open are the objects around the one under way.
	open map[*jsontree.Node]*openObject
	// done are the targets of references that were converted.
	done map[doneTarget]*data.Schema
}

type doneTarget struct {
	node     *jsontree.Node
	optional bool
}

type openObject struct {
	ref *data.Reference
	id  string // "" unless it holds itself
}

func (o *options) connectSchema(d *document, version int) (*data.Schema, error) {
	t := &toConnect{options: o, doc: d, open: make(map[*jsontree.Node]*openObject), done: make(map[doneTarget]*data.Schema)}
	return t.schema(shapeOf(d.root), version, false)
}

func (t *toConnect) node(n *jsontree.Node, optional bool) (*data.Schema, error) {
	if n == nil {
		return nil, dataError("a part of the schema is missing")
	}
	return t.schema(shapeOf(n), 0, optional)
}

func (t *toConnect) schema(s shape, version int, optional bool) (*data.Schema, error) {
	if t.depth++; t.depth > maxDepth {
		return nil, dataError("nested deeper than %d levels", maxDepth)
	}
	defer func() { t.depth-- }()
	var b *data.Builder
	var err error
	switch s.sort {
	case isReference:
		return t.reference(s, version, optional)
	case isAllOf:
		return t.allOf(s, version, optional)
	case isOneOf:
		var done *data.Schema
		if b, done, err = t.oneOf(s, version, &optional); done != nil || err != nil {
			return done, err
		}
	case isObject:
		if b, err = t.object(s); err != nil {
			return nil, err
		}
	case isArray:
		if b, err = t.array(s); err != nil {
			return nil, err
		}
	default:
		if b, err = t.simple(s); err != nil {
			return nil, err
		}
	}
	return t.finish(b, s, version, optional)
}

// simple starts the schema of what has nothing inside.
func (t *toConnect) simple(s shape) (*data.Builder, error) {
	typ, _ := s.node.Get(propType).Str()
	switch s.sort {
	case isBoolean:
		return data.NewBuilder(data.KindBoolean), nil
	case isInteger, isNumber:
		return number(s.sort, typ)
	case isText:
		if typ == "bytes" {
			return data.NewBuilder(data.KindBytes), nil
		}
		return data.NewBuilder(data.KindString), nil
	case isEnumeration:
		return t.enum(s.node.Get("enum").Items), nil
	case isConstant:
		return t.enum([]*jsontree.Node{s.node.Get("const")}), nil
	case isEmpty:
		return nil, dataError("a schema that says nothing has no Connect schema")
	}
	return nil, dataError("the JSON Schema %.200s has no Connect schema", s.node)
}

func number(sort sort, typ string) (*data.Builder, error) {
	kinds := map[string]data.Kind{
		"int8": data.KindInt8, "int16": data.KindInt16, "int32": data.KindInt32, "int64": data.KindInt64,
		"float32": data.KindFloat32, "float64": data.KindFloat64, "bytes": data.KindBytes,
	}
	k, ok := kinds[typ]
	switch {
	case ok:
	case typ != "":
		return nil, dataError("%s is %q, allowed are int8 to int64, float32, float64 and bytes", propType, typ)
	case sort == isInteger:
		k = data.KindInt64
	default:
		k = data.KindFloat64
	}
	return data.NewBuilder(k), nil
}

func (t *toConnect) enum(symbols []*jsontree.Node) *data.Builder {
	b := data.NewBuilder(data.KindString).Parameter(t.enumParam(), "") // they have no name
	for i, n := range symbols {
		symbol, ok := n.Str()
		switch {
		case n.Is(javajson.Null):
			symbol = nullMarker
		case !ok:
			symbol = n.String()
		}
		value := symbol
		if t.generalized {
			value = strconv.Itoa(i)
		}
		b.Parameter(t.enumParam()+"."+symbol, value)
	}
	return b
}

func (t *toConnect) array(s shape) (*data.Builder, error) {
	items := s.node.Get("items")
	if items == nil || items.Is(javajson.Array) {
		return nil, dataError("Array schema did not specify the items type")
	}
	if typ, _ := s.node.Get(propType).Str(); typ == "map" && shapeOf(items).sort == isObject {
		key, err := t.node(items.Get("properties").Get(mapKey), false)
		if err != nil {
			return nil, fmt.Errorf("map key: %w", err)
		}
		value, err := t.node(items.Get("properties").Get(mapValue), false)
		if err != nil {
			return nil, fmt.Errorf("map value: %w", err)
		}
		return data.MapBuilder(key, value), nil
	}
	elem, err := t.node(items, false)
	if err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return data.ArrayBuilder(elem), nil
}

func (t *toConnect) object(s shape) (*data.Builder, error) {
	if typ, _ := s.node.Get(propType).Str(); typ == "map" {
		elem, err := t.node(s.node.Get("additionalProperties"), false)
		if err != nil {
			return nil, fmt.Errorf("map values: %w", err)
		}
		return data.MapBuilder(data.StringSchema, elem), nil
	}
	return t.properties(s.node, inOrder(s.node.Get("properties")), func(name string) bool { return requires(s.node, name) })
}

// inOrder returns the properties of an object by connect.index; one without has the
// next place.
func inOrder(n *jsontree.Node) []jsontree.Member {
	if n == nil {
		return nil
	}
	type placed struct {
		at     int64
		member jsontree.Member
	}
	var all []placed
	for i, m := range n.Members {
		at, ok := m.Value.Get(propIndex).Int()
		if !ok {
			at = int64(i)
		}
		all = append(all, placed{at, m})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return int(min(max(a.at-b.at, -1), 1)) })
	out := make([]jsontree.Member, len(all))
	for i := range all {
		out[i] = all[i].member
	}
	return out
}

func requires(n *jsontree.Node, name string) bool {
	list := n.Get("required")
	return list != nil && slices.ContainsFunc(list.Items, func(i *jsontree.Node) bool { return i.Is(javajson.String) && i.Text == name })
}

func (t *toConnect) properties(of *jsontree.Node, members []jsontree.Member, required func(string) bool) (*data.Builder, error) {
	b := data.StructBuilder()
	t.open[of] = &openObject{ref: data.NewReference()}
	for _, m := range members {
		fs, err := t.node(m.Value, t.optional && !required(m.Key))
		if err != nil {
			return nil, fmt.Errorf("property %q: %w", m.Key, err)
		}
		b.Field(m.Key, fs)
	}
	return b, nil
}

func (t *toConnect) reference(s shape, version int, optional bool) (*data.Schema, error) {
	ref, ok := s.node.Get("$ref").Str()
	if !ok {
		return nil, dataError("$ref is no text: %.100s", s.node.Get("$ref"))
	}
	target, err := t.doc.lookup(s.node, ref)
	if err != nil {
		return nil, err
	}
	if open, ok := t.open[target]; ok {
		t.ids++
		open.id = idPrefix + strconv.Itoa(t.ids)
		if optional {
			return open.ref.Optional(), nil
		}
		return open.ref.Required(), nil
	}
	key := doneTarget{target, optional}
	if done, ok := t.done[key]; ok && version == 0 {
		return done, nil
	}
	out, err := t.schema(shapeOf(target), version, optional)
	if err == nil && version == 0 {
		t.done[key] = out
	}
	return out, err
}

// oneOf starts the struct of a union, or converts what is none.
func (t *toConnect) oneOf(s shape, version int, optional *bool) (b *data.Builder, done *data.Schema, err error) {
	if len(s.subs) == 1 && t.flatten {
		done, err = t.schema(s.subs[0], 0, false)
		return nil, done, err
	}
	if len(s.subs) == 2 {
		for i := range s.subs {
			if s.subs[i].sort == isNull {
				done, err = t.schema(s.subs[1-i], version, true)
				return nil, done, err
			}
		}
	}
	name, field := oneOfName, oneOfField
	b = data.StructBuilder()
	if t.generalized {
		name, field = generalUnionName+strconv.Itoa(t.unions), generalUnionField
		t.unions++
		b.Parameter(generalUnion, name)
	}
	b.Name(name)
	at := 0
	for _, sub := range s.subs {
		if sub.sort == isNull {
			*optional = true
			continue
		}
		fieldName := field + strconv.Itoa(at)
		at++
		fs, err := t.schema(sub, 0, true)
		if err != nil {
			return nil, nil, fmt.Errorf("schema %d of a oneOf: %w", at, err)
		}
		b.Field(fieldName, fs)
	}
	return b, nil, nil
}

// finish adds name, version, doc, parameters and default, and binds what refers to
// the schema.
func (t *toConnect) finish(b *data.Builder, s shape, version int, optional bool) (*data.Schema, error) {
	open := t.open[s.node]
	if s.sort == isObject || s.sort == isAllOf {
		delete(t.open, s.node)
	} else {
		open = nil
	}
	if err := t.attributes(b, s, version); err != nil {
		return nil, err
	}
	if open != nil && open.id != "" {
		b.Parameter(idParam, open.id)
	}
	if optional {
		b.Optional()
	}
	out, err := b.Build()
	if err != nil {
		return nil, err
	}
	if def := s.node.Get("default"); def != nil && !s.bare && !def.Is(javajson.Null) {
		v, err := newDecoder(out, make(map[*data.Schema]*decoder)).decodeRoot([]byte(def.String()))
		if err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		if out, err = b.Default(data.Clone(v)).Build(); err != nil {
			return nil, err
		}
	}
	if open != nil {
		err = open.ref.Bind(out)
	}
	return out, err
}

func (t *toConnect) attributes(b *data.Builder, s shape, version int) error {
	if s.bare {
		if version > 0 {
			b.Version(version)
		}
		return nil
	}
	if title, ok := s.node.Get("title").Str(); ok && s.sort != isOneOf {
		b.Name(title)
	}
	if own, ok := s.node.Get(propVersion).Int(); ok {
		version = int(int32(own))
	}
	if version > 0 {
		b.Version(version)
	}
	if doc, ok := s.node.Get("description").Str(); ok {
		b.Doc(doc)
	}
	params := s.node.Get(propParameters)
	if params == nil {
		return nil
	}
	for _, m := range params.Members {
		value, ok := m.Value.Str()
		if !ok {
			return dataError("%s %q is %s, want a text", propParameters, m.Key, m.Value)
		}
		b.Parameter(m.Key, value)
	}
	return nil
}
