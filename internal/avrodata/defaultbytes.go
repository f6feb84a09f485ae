package avrodata

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamlane/connect/internal/jsontree"
)

// appendDefault appends the bytes of a default as Avro's JSON has it.
func appendDefault(dst []byte, s *schema, n *jsontree.Node, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, dataError("a default is nested deeper than %d levels", maxDepth)
	}
	if !s.takes(n, depth) {
		return dst, dataError("%.100s is no default of %s", n, s.fullName())
	}
	switch s.kind {
	case null:
	case boolean:
		return appendBool(dst, n.True), nil
	case integer, long:
		i, _ := n.Int()
		return binary.AppendVarint(dst, i), nil
	case float:
		f, _ := n.Float()
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
	case double:
		f, _ := n.Float()
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
	case text:
		return append(binary.AppendVarint(dst, int64(len(n.Text))), n.Text...), nil
	case blob, fixed:
		b, ok := fromLatin1(n.Text)
		if !ok || s.kind == fixed && len(b) != s.size {
			return dst, dataError("%.100s is no default of %s", n, s.fullName())
		}
		if s.kind == blob {
			dst = binary.AppendVarint(dst, int64(len(b)))
		}
		return append(dst, b...), nil
	case enum:
		i := slices.Index(s.symbols, n.Text)
		if i < 0 {
			return dst, dataError("%q is no symbol of the enum %s", n.Text, s.fullName())
		}
		return binary.AppendVarint(dst, int64(i)), nil
	case union:
		return appendUnionDefault(dst, s, n, depth)
	case array, mapping:
		return appendBlockDefault(dst, s, n, depth)
	case record:
		return appendRecordDefault(dst, s, n, depth)
	}
	return dst, nil
}

func appendUnionDefault(dst []byte, s *schema, n *jsontree.Node, depth int) ([]byte, error) {
	for i, b := range s.branches {
		if b.takes(n, depth) {
			return appendDefault(binary.AppendVarint(dst, int64(i)), b, n, depth+1)
		}
	}
	return dst, dataError("%.100s is no default of the union", n)
}

func appendBlockDefault(dst []byte, s *schema, n *jsontree.Node, depth int) ([]byte, error) {
	if count := len(n.Items) + len(n.Members); count > 0 {
		dst = binary.AppendVarint(dst, int64(count))
	}
	var err error
	for i, item := range n.Items {
		if dst, err = appendDefault(dst, s.elem, item, depth+1); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	for _, m := range n.Members {
		dst = append(binary.AppendVarint(dst, int64(len(m.Key))), m.Key...)
		if dst, err = appendDefault(dst, s.elem, m.Value, depth+1); err != nil {
			return dst, fmt.Errorf("map key %q: %w", m.Key, err)
		}
	}
	return append(dst, 0), nil
}

func appendRecordDefault(dst []byte, s *schema, n *jsontree.Node, depth int) ([]byte, error) {
	for _, f := range s.fields {
		value := n.Get(f.name)
		if value == nil {
			value = f.def
		}
		var err error
		if dst, err = appendDefault(dst, f.schema, value, depth+1); err != nil {
			return dst, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return dst, nil
}
