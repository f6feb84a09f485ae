package expression

import (
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// variables are those of one record: nothing is converted before an expression asks for it.
type variables struct{ record *connect.Record }

// ResolveName returns a variable.
func (v *variables) ResolveName(name string) (any, bool) {
	r := v.record
	switch name {
	case "value":
		return valueOf(r.Value.Value), true
	case "key":
		return valueOf(r.Key.Value), true
	case "topic":
		return types.String(r.Topic), true
	case "partition":
		if p, ok := r.Partition.Get(); ok {
			return types.Int(p), true
		}
		return types.Int(-1), true
	case "offset":
		return types.Int(r.Offset), true
	case "timestamp":
		if r.Timestamp.IsZero() {
			return types.NullValue, true
		}
		return types.Timestamp{Time: r.Timestamp.UTC()}, true
	case "headers":
		return &headers{object{types.MapType}, r.Headers}, true
	case "keySchema":
		return types.String(r.Key.Schema.Name()), true
	case "valueSchema":
		return types.String(r.Value.Schema.Name()), true
	}
	return nil, false
}

// Parent tells that there are no other variables.
func (*variables) Parent() interpreter.Activation { return nil }

// valueOf turns a value into one of CEL's. What it holds is turned when it is asked for.
func valueOf(v data.Value) ref.Val {
	switch v.Kind() {
	case data.KindNull:
		return types.NullValue
	case data.KindBoolean:
		b, _ := v.Bool()
		return types.Bool(b)
	case data.KindString:
		s, _ := v.Str()
		return types.String(s)
	case data.KindBytes:
		b, _ := v.Bytes()
		return types.Bytes(b)
	case data.KindFloat32, data.KindFloat64:
		f, _ := v.Float()
		return types.Double(f)
	case data.KindDecimal:
		d, _ := v.Decimal()
		return types.Double(d.Float64())
	case data.KindDate:
		ms, _ := v.Millis()
		return types.Timestamp{Time: time.UnixMilli(ms).UTC()}
	case data.KindArray:
		elems, _ := v.Array()
		out := make([]ref.Val, len(elems))
		for i := range elems {
			out[i] = valueOf(elems[i])
		}
		return types.NewRefValList(types.DefaultTypeAdapter, out)
	case data.KindStruct:
		row, _ := v.Struct()
		return &rowMap{object{types.MapType}, row}
	case data.KindMap:
		pairs, _ := v.Map()
		return &pairMap{object{types.MapType}, v, pairs}
	}
	n, _ := v.Int()
	return types.Int(n)
}

// object has what is the same for everything that CEL sees as a map.
type object struct{ t ref.Type }

// Type is map.
func (o object) Type() ref.Type { return o.t }

// ConvertToNative is for callers of cel-go, and none needs it.
func (object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a map of a record can not become %s", t)
}

// converted is type() and map().
func converted(v ref.Val, t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return v
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("type conversion error from map to '%s'", t)
}

// equalMaps compares member by member.
func equalMaps(m traits.Mapper, other ref.Val) ref.Val {
	o, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		a, _ := m.Find(k)
		b, found := o.Find(k)
		if !found || types.Equal(a, b) != types.True {
			return types.False
		}
	}
	return types.True
}

// getFrom is m[key].
func getFrom(m traits.Mapper, key ref.Val) ref.Val {
	v, ok := m.Find(key)
	if ok {
		return v
	}
	if v != nil {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

// keys goes through the keys of a map.
type keys struct {
	object
	n, at int
	key   func(i int) ref.Val
}

// HasNext tells whether there is another.
func (k *keys) HasNext() ref.Val { return types.Bool(k.at < k.n) }

// Next returns it.
func (k *keys) Next() ref.Val {
	if k.at >= k.n {
		return nil
	}
	k.at++
	return k.key(k.at - 1)
}

// ConvertToType is not for iterators.
func (k *keys) ConvertToType(t ref.Type) ref.Val { return types.NewErr("no such conversion to %s", t) }

// Equal is not for iterators.
func (k *keys) Equal(ref.Val) ref.Val { return types.False }

// Value is the iterator itself.
func (k *keys) Value() any { return k }

// A rowMap is a struct.
type rowMap struct {
	object
	row *data.Struct
}

func (m *rowMap) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	v, ok := m.row.Get(string(name))
	if !ok {
		return nil, false
	}
	return valueOf(v), true
}

func (m *rowMap) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	return types.Bool(ok && m.row.Schema().FieldIndex(string(name)) >= 0)
}

func (m *rowMap) Get(key ref.Val) ref.Val          { return getFrom(m, key) }
func (m *rowMap) Size() ref.Val                    { return types.Int(m.row.Len()) }
func (m *rowMap) Equal(other ref.Val) ref.Val      { return equalMaps(m, other) }
func (m *rowMap) ConvertToType(t ref.Type) ref.Val { return converted(m, t) }
func (m *rowMap) Value() any                       { return m }
func (m *rowMap) Iterator() traits.Iterator {
	fields := m.row.Schema().Fields()
	return &keys{object{types.IteratorType}, len(fields), 0, func(i int) ref.Val { return types.String(fields[i].Name) }}
}

// A pairMap is a map.
type pairMap struct {
	object
	v     data.Value
	pairs []data.Pair
}

func (m *pairMap) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		v, found := m.v.Lookup(string(name))
		return valueOf(v), found
	}
	for i := range m.pairs {
		if types.Equal(valueOf(m.pairs[i].Key), key) == types.True {
			return valueOf(m.pairs[i].Value), true
		}
	}
	return nil, false
}

func (m *pairMap) Contains(key ref.Val) ref.Val {
	_, ok := m.Find(key)
	return types.Bool(ok)
}

func (m *pairMap) Get(key ref.Val) ref.Val          { return getFrom(m, key) }
func (m *pairMap) Size() ref.Val                    { return types.Int(len(m.pairs)) }
func (m *pairMap) Equal(other ref.Val) ref.Val      { return equalMaps(m, other) }
func (m *pairMap) ConvertToType(t ref.Type) ref.Val { return converted(m, t) }
func (m *pairMap) Value() any                       { return m }
func (m *pairMap) Iterator() traits.Iterator {
	return &keys{object{types.IteratorType}, len(m.pairs), 0, func(i int) ref.Val { return valueOf(m.pairs[i].Key) }}
}

// headers are a map of the last header of each name.
type headers struct {
	object
	list []connect.Header
}

func (m *headers) Find(key ref.Val) (ref.Val, bool) {
	name, _ := key.(types.String)
	for i := len(m.list) - 1; i >= 0; i-- {
		if m.list[i].Key == string(name) {
			return valueOf(m.list[i].Datum.Value), true
		}
	}
	return nil, false
}

func (m *headers) Contains(key ref.Val) ref.Val {
	_, ok := m.Find(key)
	return types.Bool(ok)
}

// names are without doubles.
func (m *headers) names() []string {
	seen := make(map[string]bool, len(m.list))
	var out []string
	for i := range m.list {
		if name := m.list[i].Key; !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

func (m *headers) Get(key ref.Val) ref.Val          { return getFrom(m, key) }
func (m *headers) Size() ref.Val                    { return types.Int(len(m.names())) }
func (m *headers) Equal(other ref.Val) ref.Val      { return equalMaps(m, other) }
func (m *headers) ConvertToType(t ref.Type) ref.Val { return converted(m, t) }
func (m *headers) Value() any                       { return m }
func (m *headers) Iterator() traits.Iterator {
	names := m.names()
	return &keys{object{types.IteratorType}, len(names), 0, func(i int) ref.Val { return types.String(names[i]) }}
}
