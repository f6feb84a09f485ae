package registry

import (
	"strconv"

	"github.com/streamlane/connect/data"
)

// maxNesting bounds the depth of schemaless data whose schema is detected.
const maxNesting = 200

// maxMembers bounds the members of one object. Keys of a map that came as an object
// would make a field each.
const maxMembers = 5000

// shape is what schemaless data look like. It never changes once made: merge makes
// another.
type shape struct {
	kind   data.Kind // KindNull: only nulls and empty arrays so far
	scale  int32     // of KindDecimal
	name   string    // of a logical type, for KindDate
	nulls  bool      // among elements and values of maps
	fields []member  // of KindStruct
	key    *shape    // of KindMap
	elem   *shape    // of KindArray and KindMap
}

// member is one of an object. All are optional.
type member struct {
	name string
	of   *shape
}

// known tells whether there is a type for it.
func (s *shape) known() bool {
	switch s.kind {
	case data.KindNull:
		return false
	case data.KindArray:
		return s.elem.known()
	case data.KindMap:
		return s.key.known() && s.elem.known()
	}
	return true
}

func (f *inferrer) shapeOf(v data.Value, depth int) (*shape, error) {
	if depth > maxNesting {
		return nil, dataError("nested deeper than %d levels", maxNesting)
	}
	switch k := v.Kind(); k {
	case data.KindNull:
		return &shape{nulls: true}, nil
	case data.KindInt8, data.KindInt16, data.KindInt32:
		if !f.exact {
			k = data.KindInt64
		}
		return &shape{kind: k}, nil
	case data.KindFloat32:
		if !f.exact {
			k = data.KindFloat64
		}
		return &shape{kind: k}, nil
	case data.KindDecimal:
		d, _ := v.Decimal()
		return &shape{kind: k, scale: d.Scale()}, nil
	case data.KindDate:
		return &shape{kind: k, name: data.LogicalTimestamp}, nil
	case data.KindArray:
		elems, _ := v.Array()
		return f.shapeOfArray(elems, depth)
	case data.KindMap:
		pairs, _ := v.Map()
		return f.shapeOfMap(pairs, depth)
	case data.KindStruct:
		x, _ := v.Struct()
		out := &shape{kind: k}
		for i, field := range x.Schema().Fields() {
			of, err := f.shapeOf(x.Raw(i), depth+1)
			if err != nil {
				return nil, err
			}
			out.fields = append(out.fields, member{field.Name, of})
		}
		return out, nil
	default:
		return &shape{kind: k}, nil
	}
}

func (f *inferrer) shapeOfArray(elems []data.Value, depth int) (*shape, error) {
	out := &shape{kind: data.KindArray, elem: &shape{}}
	for _, e := range elems {
		of, err := f.shapeOf(e, depth+1)
		if err == nil {
			out.elem, err = merge(out.elem, of, "[]")
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shapeOfMap: one with texts for keys is an object.
func (f *inferrer) shapeOfMap(pairs []data.Pair, depth int) (*shape, error) {
	object := &shape{kind: data.KindStruct}
	at := make(map[string]int, len(pairs))
	for i := range pairs {
		name, ok := pairs[i].Key.Str()
		if !ok {
			return f.shapeOfEntries(pairs, depth)
		}
		of, err := f.shapeOf(pairs[i].Value, depth+1)
		if err != nil {
			return nil, err
		}
		if j, again := at[name]; again {
			object.fields[j].of = of // the last one counts
			continue
		}
		if len(object.fields) >= maxMembers {
			return nil, tooMany("an object")
		}
		at[name] = len(object.fields)
		object.fields = append(object.fields, member{name, of})
	}
	return object, nil
}

func (f *inferrer) shapeOfEntries(pairs []data.Pair, depth int) (*shape, error) {
	out := &shape{kind: data.KindMap, key: &shape{}, elem: &shape{}}
	for i := range pairs {
		for _, part := range []struct {
			into **shape
			v    data.Value
			what string
		}{{&out.key, pairs[i].Key, "key"}, {&out.elem, pairs[i].Value, "value"}} {
			of, err := f.shapeOf(part.v, depth+1)
			if err == nil {
				*part.into, err = merge(*part.into, of, part.what)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// shapeOfSchema is the shape of what the registry has.
func shapeOfSchema(s *data.Schema) (*shape, error) {
	w := &schemaWalk{open: make(map[string]bool), left: 10 * maxMembers}
	return w.shape(s, 0)
}

// schemaWalk turns a schema into a shape.
type schemaWalk struct {
	open map[string]bool // names of the structs around the one under way
	left int             // schemas that it may still visit
}

func (w *schemaWalk) shape(s *data.Schema, depth int) (out *shape, err error) {
	if s == nil {
		return &shape{}, nil
	}
	if w.left--; w.left < 0 || depth > maxNesting {
		return nil, dataError("the schema is too large to grow, or nested deeper than %d levels", maxNesting)
	}
	out = &shape{kind: s.Kind(), nulls: s.Optional()}
	switch s.Name() {
	case data.LogicalDecimal:
		out.kind = data.KindDecimal
		out.scale, err = data.DecimalScaleOf(s)
		return out, err
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		out.kind, out.name = data.KindDate, s.Name()
		return out, nil
	}
	switch s.Kind() {
	case data.KindStruct:
		if w.open[s.Name()] && s.Name() != "" {
			return nil, dataError("the schema %q holds itself: it cannot grow", s.Name())
		}
		w.open[s.Name()] = true
		for _, f := range s.Fields() {
			of, err := w.shape(f.Schema, depth+1)
			if err != nil {
				return nil, err
			}
			out.fields = append(out.fields, member{f.Name, of})
		}
		delete(w.open, s.Name())
	case data.KindMap:
		if out.key, err = w.shape(s.KeySchema(), depth+1); err != nil {
			return nil, err
		}
		out.elem, err = w.shape(s.ElemSchema(), depth+1)
	case data.KindArray:
		out.elem, err = w.shape(s.ElemSchema(), depth+1)
	}
	return out, err
}

// merge makes the shape of what looks like either.
func merge(a, b *shape, path string) (*shape, error) {
	switch {
	case a.kind == data.KindNull:
		a, b = b, a
		fallthrough
	case b.kind == data.KindNull:
		out := *a
		out.nulls = a.nulls || b.nulls
		return &out, nil
	}
	out := &shape{kind: a.kind, nulls: a.nulls || b.nulls, scale: max(a.scale, b.scale), name: a.name}
	if number(a.kind) && number(b.kind) {
		out.kind = wider(a.kind, b.kind)
		return out, nil
	}
	if a.kind != b.kind || a.name != b.name {
		return nil, dataError("%s is %s here and %s there: no schema takes both", place(path), a.kind, b.kind)
	}
	var err error
	switch a.kind {
	case data.KindStruct:
		out.fields, err = mergeFields(a.fields, b.fields, path)
	case data.KindMap:
		if out.key, err = merge(a.key, b.key, path+"{}"); err != nil {
			return nil, err
		}
		out.elem, err = merge(a.elem, b.elem, path+"{}")
	case data.KindArray:
		out.elem, err = merge(a.elem, b.elem, path+"[]")
	}
	return out, err
}

// mergeFields appends what is new, so that the numbers of Protobuf's fields stay.
func mergeFields(a, b []member, path string) ([]member, error) {
	out := append([]member(nil), a...)
	at := make(map[string]int, len(a))
	for i := range a {
		at[a[i].name] = i
	}
	for _, f := range b {
		i, ok := at[f.name]
		if !ok {
			out = append(out, f)
			continue
		}
		of, err := merge(out[i].of, f.of, path+"."+f.name)
		if err != nil {
			return nil, err
		}
		out[i].of = of
	}
	if len(out) > maxMembers {
		return nil, tooMany(place(path))
	}
	return out, nil
}

func tooMany(what string) error {
	return dataError("%s has more than %d members, too many for fields: they look like keys of a map", what, maxMembers)
}

func place(path string) string {
	if path == "" {
		return "the record"
	}
	return "field " + strconv.Quote(path)
}

func number(k data.Kind) bool { return k >= data.KindInt8 && k <= data.KindFloat64 }

// wider returns the narrowest kind that takes the numbers of both.
func wider(a, b data.Kind) data.Kind {
	a, b = min(a, b), max(a, b)
	switch {
	case b <= data.KindInt64 || a >= data.KindFloat32 || a == b:
		return b
	case a <= data.KindInt16 && b == data.KindFloat32:
		return b
	}
	return data.KindFloat64
}

// schema makes the Connect schema of a shape.
func (f *inferrer) schema(s *shape) (*data.Schema, error) {
	n := &namer{used: make(map[string]bool)}
	b, err := n.builder(s, f.name)
	if err != nil {
		return nil, err
	}
	return b.Build()
}

// namer gives each object a name of its own.
type namer struct{ used map[string]bool }

func (n *namer) unique(name string) string {
	free := name
	for i := 2; n.used[free]; i++ {
		free = name + "_" + strconv.Itoa(i)
	}
	n.used[free] = true
	return free
}

func (n *namer) builder(s *shape, name string) (*data.Builder, error) {
	switch s.kind {
	case data.KindDecimal:
		return data.DecimalBuilder(int(s.scale)), nil
	case data.KindDate:
		switch s.name {
		case data.LogicalDate:
			return data.DateBuilder(), nil
		case data.LogicalTime:
			return data.TimeBuilder(), nil
		}
		return data.TimestampBuilder(), nil
	case data.KindArray:
		elem, err := n.part(s.elem, name)
		if err != nil {
			return nil, err
		}
		return data.ArrayBuilder(elem), nil
	case data.KindMap:
		key, err := n.part(s.key, name+"_key")
		if err != nil {
			return nil, err
		}
		elem, err := n.part(s.elem, name)
		if err != nil {
			return nil, err
		}
		return data.MapBuilder(key, elem), nil
	case data.KindStruct:
		name = n.unique(name)
		b := data.StructBuilder().Name(name)
		for _, f := range s.fields {
			if !f.of.known() {
				continue // until something is seen there
			}
			inner, err := n.builder(f.of, name+"_"+f.name)
			if err != nil {
				return nil, err
			}
			fs, err := inner.Optional().Build()
			if err != nil {
				return nil, err
			}
			b.Field(f.name, fs)
		}
		return b, nil
	}
	return data.NewBuilder(s.kind), nil
}

// part makes the schema of keys, values and elements.
func (n *namer) part(s *shape, name string) (*data.Schema, error) {
	b, err := n.builder(s, name)
	if err != nil {
		return nil, err
	}
	if s.nulls {
		b.Optional()
	}
	return b.Build()
}
