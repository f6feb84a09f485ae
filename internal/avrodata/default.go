package avrodata

import (
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// defaultNode writes a default as JSON.
func (f *fromConnect) defaultNode(s *data.Schema, v data.Value) (*jsontree.Node, error) {
	if v.IsNull() {
		return jsontree.Null(), nil
	}
	if k := v.Kind(); k == data.KindDecimal || k == data.KindDate {
		var err error
		if v, err = data.FromLogical(s, v); err != nil {
			return nil, err
		}
	}
	switch v.Kind() {
	case data.KindBoolean:
		b, _ := v.Bool()
		return jsontree.Bool(b), nil
	case data.KindString:
		t, _ := v.Str()
		return jsontree.Str(t), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		return jsontree.Str(latin1(b)), nil
	case data.KindArray:
		return f.defaultArray(s, v)
	case data.KindMap:
		return f.defaultMap(s, v)
	case data.KindStruct:
		return f.defaultStruct(s, v)
	}
	return jsontree.Number(v), nil
}

func (f *fromConnect) defaultArray(s *data.Schema, v data.Value) (*jsontree.Node, error) {
	out := jsontree.Array()
	elems, _ := v.Array()
	for i := range elems {
		n, err := f.defaultNode(s.ElemSchema(), elems[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, n)
	}
	return out, nil
}

func (f *fromConnect) defaultMap(s *data.Schema, v data.Value) (*jsontree.Node, error) {
	object, pairs := jsontree.Object(), jsontree.Array()
	entries, _ := v.Map()
	for _, e := range entries {
		value, err := f.defaultNode(s.ElemSchema(), e.Value)
		if err != nil {
			return nil, err
		}
		if f.stringKeys(s) {
			key, _ := e.Key.Str()
			object.Set(key, value)
			continue
		}
		key, err := f.defaultNode(s.KeySchema(), e.Key)
		if err != nil {
			return nil, err
		}
		pairs.Items = append(pairs.Items, jsontree.Array(key, value))
	}
	if f.stringKeys(s) {
		return object, nil
	}
	return pairs, nil
}

func (f *fromConnect) defaultStruct(s *data.Schema, v data.Value) (*jsontree.Node, error) {
	out := jsontree.Object()
	x, _ := v.Struct()
	for i, field := range s.Fields() {
		n, err := f.defaultNode(field.Schema, x.At(i))
		if err != nil {
			return nil, err
		}
		if isUnion(s) {
			if n.Kind != javajson.Null {
				return n, nil
			}
			continue
		}
		out.Members = append(out.Members, jsontree.Member{Key: f.scrubbed(field.Name), Value: n})
	}
	if isUnion(s) {
		return jsontree.Null(), nil
	}
	return out, nil
}

// latin1 turns bytes into a text of as many characters, as Avro writes them.
func latin1(b []byte) string {
	var t strings.Builder
	for _, c := range b {
		t.WriteRune(rune(c))
	}
	return t.String()
}

// fromLatin1 is the way back; false for characters beyond it.
func fromLatin1(t string) ([]byte, bool) {
	b := make([]byte, 0, len(t))
	for _, r := range t {
		if r > 0xff {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

// takes tells whether a JSON value is a default that Avro's parser takes.
func (s *schema) takes(n *jsontree.Node, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch s.kind {
	case null:
		return n.Is(javajson.Null)
	case boolean:
		return n.Is(javajson.Boolean)
	case integer:
		i, ok := n.Int()
		return ok && int64(int32(i)) == i
	case long:
		_, ok := n.Int()
		return ok
	case float, double:
		return n.Is(javajson.Number)
	case text, blob, enum, fixed:
		return n.Is(javajson.String)
	case union:
		for _, b := range s.branches {
			if b.takes(n, depth+1) {
				return true
			}
		}
		return false
	}
	return s.takesInside(n, depth)
}

func (s *schema) takesInside(n *jsontree.Node, depth int) bool {
	switch s.kind {
	case array:
		if !n.Is(javajson.Array) {
			return false
		}
		for _, item := range n.Items {
			if !s.elem.takes(item, depth+1) {
				return false
			}
		}
		return true
	case mapping:
		if !n.Is(javajson.Object) {
			return false
		}
		for _, m := range n.Members {
			if !s.elem.takes(m.Value, depth+1) {
				return false
			}
		}
		return true
	}
	if !n.Is(javajson.Object) {
		return false
	}
	for _, f := range s.fields {
		value := n.Get(f.name)
		if value == nil {
			value = f.def
		}
		if value == nil || !f.schema.takes(value, depth+1) {
			return false
		}
	}
	return true
}

// maxDepth bounds the nesting of values, both ways.
const maxDepth = 1000
