package jsonschema

import (
	"fmt"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

// allOf converts schemas that all hold: objects are one struct with all their
// properties, else the one that says most counts, as in JsonSchemaData.
func (t *toConnect) allOf(s shape, version int, optional bool) (*data.Schema, error) {
	if len(s.subs) == 1 && t.flatten {
		return t.schema(s.subs[0], 0, false)
	}
	found := map[sort]*shape{}
	for i := range s.subs {
		sub := &s.subs[i]
		sort := sub.sort
		switch sort {
		case isInteger:
			sort = isNumber
		case isOneOf:
			sort = isAllOf
		}
		found[sort] = sub
	}
	m := merged{t: t, seen: make(map[*jsontree.Node]bool)}
	if err := m.collect(s); err != nil {
		return nil, err
	}
	if len(m.members) > 0 {
		return t.mergedObject(s, &m, optional)
	}
	for _, choice := range []struct{ this, with, is sort }{
		{isAllOf, 0, isAllOf},
		{isConstant, isText, isText}, {isConstant, isNumber, isNumber}, {isConstant, 0, 0},
		{isEnumeration, isText, isEnumeration}, {isEnumeration, isNumber, isNumber}, {isEnumeration, 0, 0},
		{isText, isNumber, isNumber}, {isText, 0, isText}, {isReference, 0, isReference},
	} {
		if found[choice.this] == nil || choice.with != 0 && found[choice.with] == nil {
			continue
		}
		if choice.is == 0 {
			break
		}
		return t.schema(*found[choice.is], version, optional)
	}
	return nil, dataError("Unsupported criterion allOf for %.200s", s.node)
}

func (t *toConnect) mergedObject(s shape, m *merged, optional bool) (*data.Schema, error) {
	b, err := t.properties(s.node, m.members, func(name string) bool { return m.required[name] })
	if err != nil {
		return nil, err
	}
	open := t.open[s.node]
	delete(t.open, s.node)
	if open.id != "" {
		b.Parameter(idParam, open.id)
	}
	if optional {
		b.Optional()
	}
	out, err := b.Build()
	if err == nil {
		err = open.ref.Bind(out)
	}
	return out, err
}

// merged are the properties of several objects.
type merged struct {
	t        *toConnect
	members  []jsontree.Member
	required map[string]bool
	seen     map[*jsontree.Node]bool
}

func (m *merged) collect(s shape) error {
	switch s.sort {
	case isAllOf:
		for _, sub := range s.subs {
			if err := m.collect(sub); err != nil {
				return err
			}
		}
	case isReference:
		if m.seen[s.node] {
			return nil
		}
		m.seen[s.node] = true
		ref, _ := s.node.Get("$ref").Str()
		target, err := m.t.doc.lookup(s.node, ref)
		if err != nil {
			return fmt.Errorf("allOf: %w", err)
		}
		return m.collect(shapeOf(target))
	case isObject:
		m.add(s.node)
	}
	return nil
}

func (m *merged) add(n *jsontree.Node) {
	if m.required == nil {
		m.required = make(map[string]bool)
	}
next:
	for _, p := range inOrder(n.Get("properties")) {
		m.required[p.Key] = requires(n, p.Key)
		for i := range m.members {
			if m.members[i].Key == p.Key {
				m.members[i].Value = p.Value
				continue next
			}
		}
		m.members = append(m.members, p)
	}
}
