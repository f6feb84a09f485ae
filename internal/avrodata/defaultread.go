package avrodata

import (
	"fmt"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// defaultValue reads a default: what Avro's parser takes as the default of a
// field, and what AvroData writes into connect.default.
func (t *toConnect) defaultValue(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	if depth > maxDepth {
		return data.Value{}, dataError("a default is nested deeper than %d levels", maxDepth)
	}
	if n == nil || n.Kind == javajson.Null {
		return data.Value{}, nil
	}
	var v data.Value
	var err error
	switch a.kind {
	case integer, long:
		v, err = defaultInteger(s, n)
	case float, double:
		v, err = defaultFloat(s, n)
	case boolean:
		if !n.Is(javajson.Boolean) {
			return v, notDefault(s, n)
		}
		v = data.Boolean(n.True)
	case text, enum:
		t, ok := n.Str()
		if !ok {
			return v, notDefault(s, n)
		}
		v = data.String(t)
	case blob, fixed:
		v, err = defaultBytes(s, n)
	case array:
		return t.defaultArray(s, a, n, depth)
	case mapping:
		return t.defaultMap(s, a, n, depth)
	case record:
		return t.defaultRecord(s, a, n, depth)
	case union:
		return t.defaultUnion(s, a, n, depth)
	default:
		return v, notDefault(s, n)
	}
	if err == nil && isLogical(s) {
		v, err = data.ToLogical(s, v)
	}
	return v, err
}

func isLogical(s *data.Schema) bool {
	switch s.Name() {
	case data.LogicalDecimal, data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		return true
	}
	return false
}

func notDefault(s *data.Schema, n *jsontree.Node) error {
	return dataError("%.100s is no default of %s", n, s)
}

func defaultInteger(s *data.Schema, n *jsontree.Node) (data.Value, error) {
	i, ok := n.Int()
	if !ok {
		return data.Value{}, notDefault(s, n)
	}
	switch s.Kind() {
	case data.KindInt8:
		return data.Int8(int8(i)), nil
	case data.KindInt16:
		return data.Int16(int16(i)), nil
	case data.KindInt32:
		return data.Int32(int32(i)), nil
	}
	return data.Int64(i), nil
}

func defaultFloat(s *data.Schema, n *jsontree.Node) (data.Value, error) {
	f, ok := n.Float()
	if !ok {
		return data.Value{}, notDefault(s, n)
	}
	if s.Kind() == data.KindFloat32 {
		return data.Float32(float32(f)), nil
	}
	return data.Float64(f), nil
}

func defaultBytes(s *data.Schema, n *jsontree.Node) (data.Value, error) {
	t, ok := n.Str()
	if !ok {
		return data.Value{}, notDefault(s, n)
	}
	b, ok := fromLatin1(t)
	if !ok {
		return data.Value{}, notDefault(s, n)
	}
	return data.Bytes(b), nil
}

func (t *toConnect) defaultArray(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	if !n.Is(javajson.Array) {
		return data.Value{}, notDefault(s, n)
	}
	if s.Kind() == data.KindMap {
		return t.defaultPairs(s, a, n, depth)
	}
	var elems []data.Value
	for i, item := range n.Items {
		v, err := t.defaultValue(s.ElemSchema(), t.inside(a.elem), item, depth+1)
		if err != nil {
			return data.Value{}, fmt.Errorf("element %d: %w", i, err)
		}
		elems = append(elems, v)
	}
	return data.ArrayOf(elems...), nil
}

// inside returns the schema of what an optional one holds.
func (t *toConnect) inside(a *schema) *schema {
	if only := t.single(a); only != nil {
		return only
	}
	if other := a.nullable(); other != nil {
		return other
	}
	return a
}

// defaultPairs reads a map whose keys are no texts: pairs, as connect.default has
// them, or entries, as the default of a field would.
func (t *toConnect) defaultPairs(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	var pairs []data.Pair
	key, value := a.elem.field(mapKey), a.elem.field(mapValue)
	for i, item := range n.Items {
		k, v := item.Get(mapKey), item.Get(mapValue)
		if item.Is(javajson.Array) && len(item.Items) == 2 {
			k, v = item.Items[0], item.Items[1]
		} else if !item.Is(javajson.Object) {
			return data.Value{}, notDefault(s, n)
		}
		var pair data.Pair
		var err error
		if pair.Key, err = t.defaultValue(s.KeySchema(), t.inside(key.schema), k, depth+1); err == nil {
			pair.Value, err = t.defaultValue(s.ElemSchema(), t.inside(value.schema), v, depth+1)
		}
		if err != nil {
			return data.Value{}, fmt.Errorf("entry %d: %w", i, err)
		}
		pairs = append(pairs, pair)
	}
	return data.MapOf(pairs...), nil
}

func (t *toConnect) defaultMap(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	if !n.Is(javajson.Object) {
		return data.Value{}, notDefault(s, n)
	}
	var pairs []data.Pair
	for _, m := range n.Members {
		v, err := t.defaultValue(s.ElemSchema(), t.inside(a.elem), m.Value, depth+1)
		if err != nil {
			return data.Value{}, fmt.Errorf("map key %q: %w", m.Key, err)
		}
		pairs = append(pairs, data.Pair{Key: data.String(m.Key), Value: v})
	}
	return data.MapOf(pairs...), nil
}

func (t *toConnect) defaultRecord(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	if !n.Is(javajson.Object) {
		return data.Value{}, notDefault(s, n)
	}
	x, err := data.NewStruct(s)
	if err != nil {
		return data.Value{}, err
	}
	for i, f := range s.Fields() {
		if i >= len(a.fields) {
			break
		}
		value := n.Get(a.fields[i].name)
		if value == nil {
			x.Set(i, f.Schema.Default())
			continue
		}
		v, err := t.defaultValue(f.Schema, t.inside(a.fields[i].schema), value, depth+1)
		if err != nil {
			return data.Value{}, fmt.Errorf("field %q: %w", f.Name, err)
		}
		x.Set(i, v)
	}
	return data.StructOf(x), x.Validate()
}

// defaultUnion reads the default of a union, which is of its first branch; of a
// later one where the first cannot take it.
func (t *toConnect) defaultUnion(s *data.Schema, a *schema, n *jsontree.Node, depth int) (data.Value, error) {
	place := -1
	for i, b := range a.branches {
		if b.kind == null {
			continue
		}
		place++
		if !b.takes(n, depth) || place >= len(s.Fields()) {
			continue
		}
		v, err := t.defaultValue(s.Fields()[place].Schema, a.branches[i], n, depth+1)
		if err != nil {
			return data.Value{}, err
		}
		x, err := data.NewStruct(s)
		if err != nil {
			return data.Value{}, err
		}
		x.Set(place, v)
		return data.StructOf(x), nil
	}
	return data.Value{}, notDefault(s, n)
}
