package jsonschema

import (
	"fmt"

	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// canRead tells whether every payload of a Connect schema is valid by a schema of
// the registry (latest.compatibility.strict): fields have types that it allows, and
// none that it requires is missing.
func (o *options) canRead(target registry.Resolved, s *data.Schema) error {
	doc, err := newDocument(target)
	if err != nil {
		return err
	}
	c := comparison{options: o, doc: doc, seen: make(map[compared]error)}
	return c.node(doc.root, s, s.Optional())
}

type comparison struct {
	*options
	doc *document
	// seen are the findings so far; nil for what is under way.
	seen map[compared]error
}

type compared struct {
	node     *jsontree.Node
	from     *data.Schema
	optional bool
}

func (c *comparison) node(n *jsontree.Node, s *data.Schema, optional bool) error {
	key := compared{n, s, optional}
	if err, ok := c.seen[key]; ok {
		return err
	}
	c.seen[key] = nil
	c.seen[key] = c.shape(shapeOf(n), s, optional)
	return c.seen[key]
}

func (c *comparison) shape(t shape, s *data.Schema, optional bool) error {
	switch t.sort {
	case isEmpty:
		return nil
	case isReference:
		ref, _ := t.node.Get("$ref").Str()
		target, err := c.doc.lookup(t.node, ref)
		if err != nil {
			return err
		}
		return c.node(target, s, optional)
	case isAllOf:
		for _, sub := range t.subs {
			if err := c.shape(sub, s, optional); err != nil {
				return err
			}
		}
		return nil
	case isOneOf:
		return c.oneOf(t, s, optional)
	}
	if optional && !(t.sort == isEnumeration || t.sort == isConstant) {
		return dataError("%s is optional, and the schema of the registry allows no null", s)
	}
	return c.typed(t, s)
}

// oneOf wants a place for null and a place for values: for those of a union, one
// for each field.
func (c *comparison) oneOf(t shape, s *data.Schema, optional bool) error {
	null := false
	fits, why := false, dataError("no schema of the oneOf takes %s", s)
	for _, sub := range t.subs {
		if sub.sort == isNull {
			null = true
			continue
		}
		if err := c.shape(sub, s, false); err != nil {
			why = err
			continue
		}
		fits = true
	}
	if isUnion(s) {
		fits = true
		for _, f := range s.Fields() {
			if err := c.oneOf(t, f.Schema, false); err != nil {
				return err
			}
		}
	}
	switch {
	case !fits:
		return why
	case optional && !null:
		return dataError("%s is optional, and the schema of the registry allows no null", s)
	}
	return nil
}

func (c *comparison) typed(t shape, s *data.Schema) error {
	ok := false
	switch s.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		ok = t.sort == isInteger || t.sort == isNumber
	case data.KindFloat32, data.KindFloat64:
		ok = t.sort == isNumber
	case data.KindBoolean:
		ok = t.sort == isBoolean
	case data.KindString:
		ok = t.sort == isText || c.symbols(t, s)
	case data.KindBytes:
		ok = t.sort == isText
		if s.Name() == data.LogicalDecimal && c.decimals == numericDecimals {
			ok = t.sort == isNumber
		}
	case data.KindArray:
		if t.sort == isArray {
			return c.inside("items", t.node.Get("items"), s.ElemSchema())
		}
	case data.KindMap:
		return c.mapping(t, s)
	case data.KindStruct:
		if t.sort == isObject {
			return c.object(t.node, s)
		}
	}
	if !ok {
		return dataError("%s is not valid by the schema of the registry", s)
	}
	return nil
}

// symbols tells whether an enum has all of ours.
func (c *comparison) symbols(t shape, s *data.Schema) bool {
	if t.sort != isEnumeration || !isEnum(s) {
		return false
	}
	known := t.node.Get("enum")
next:
	for _, symbol := range (&draft{options: c.options}).stringOrEnum(s).behind[0].Value.Items {
		for _, k := range known.Items {
			if k.Equal(symbol) {
				continue next
			}
		}
		return false
	}
	return true
}

func (c *comparison) inside(what string, n *jsontree.Node, s *data.Schema) error {
	if n == nil || n.Is(javajson.Boolean) && n.True {
		return nil
	}
	if err := c.node(n, s, s.Optional()); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (c *comparison) mapping(t shape, s *data.Schema) error {
	switch {
	case stringKeys(s) && t.sort == isObject:
		return c.inside("map values", t.node.Get("additionalProperties"), s.ElemSchema())
	case !stringKeys(s) && t.sort == isArray:
		properties := t.node.Get("items").Get("properties")
		if err := c.inside("map keys", properties.Get(mapKey), s.KeySchema()); err != nil {
			return err
		}
		return c.inside("map values", properties.Get(mapValue), s.ElemSchema())
	}
	return dataError("%s is not valid by the schema of the registry", s)
}

func (c *comparison) object(n *jsontree.Node, s *data.Schema) error {
	properties := n.Get("properties")
	for _, f := range s.Fields() {
		property := properties.Get(f.Name)
		if property == nil {
			more := n.Get("additionalProperties")
			if more.Is(javajson.Boolean) && !more.True {
				return dataError("the schema of the registry has no property %q, and allows no others", f.Name)
			}
			if err := c.inside("field "+f.Name, more, f.Schema); err != nil {
				return err
			}
			continue
		}
		if err := c.inside("field "+f.Name, property, f.Schema); err != nil {
			return err
		}
	}
	if list := n.Get("required"); list != nil {
		for _, item := range list.Items {
			if _, ok := s.Field(item.Text); !ok {
				return dataError("the schema of the registry requires the property %q, which data do not have", item.Text)
			}
		}
	}
	return nil
}
