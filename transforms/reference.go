package transforms

import (
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A reference names a part of a change event that goes into a field or header.
type reference struct {
	within string // "source", "transaction" and so on; "": the event itself
	field  string
	name   string // that it gets
}

// parseReferences reads [struct.]field[:name].
func parseReferences(prefix string, list []string) []reference {
	var refs []reference
	for _, item := range list {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		path, alias, renamed := strings.Cut(item, ":")
		r := reference{field: path, within: homeOf(path)}
		r.name = prefix + path
		if within, rest, ok := strings.Cut(path, "."); ok {
			r.within = within
			r.field, _, _ = strings.Cut(rest, ".")
			r.name = prefix + within + "_" + r.field
		}
		if renamed {
			r.name = prefix + alias
		}
		refs = append(refs, r)
	}
	return refs
}

// homeOf says where a part without struct is looked up.
func homeOf(field string) string {
	switch field {
	case "id", "data_collection_order", "total_order":
		return "transaction"
	case "op", "ts_ms", "ts_us", "ts_ns":
		return ""
	case "updateDescription":
		return field
	}
	return "source"
}

// A resolvedReference is where the part is under one schema.
type resolvedReference struct {
	name   string
	schema *data.Schema
	within int // -1: the event itself
	field  int
}

// resolve finds the parts that a schema has; the others are left out. A struct that it does not have is a mistake.
func resolve(refs []reference, s *data.Schema) ([]resolvedReference, error) {
	var out []resolvedReference
	for _, r := range refs {
		x := resolvedReference{name: r.name, within: -1}
		home := s
		if r.within != "" {
			f, ok := s.Field(r.within)
			if !ok {
				return nil, dataError("%q is not in the change event %s with %s", r.within, s, fieldNames(s))
			}
			home, x.within = f.Schema, f.Index
		}
		f, ok := home.Field(r.field)
		if !ok {
			if f, ok = s.Field(r.field); !ok {
				continue
			}
			x.within = -1
		}
		x.field = f.Index
		var err error
		if x.schema, err = optionalOf(f.Schema); err != nil {
			return nil, inField(r.field, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// optionalOf is a schema made optional, without its default.
func optionalOf(s *data.Schema) (*data.Schema, error) {
	b := copyBasics(s, data.NewBuilder(s.Kind())).Optional()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if s.KeySchema() != nil {
		b.Key(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		b.Elem(s.ElemSchema())
	}
	return b.Build()
}

// value returns the part of an event, null where what holds it is null.
func (r *resolvedReference) value(event *data.Struct) data.Value {
	if r.within < 0 {
		return event.Raw(r.field)
	}
	home, ok := event.Raw(r.within).Struct()
	if !ok {
		return data.Value{}
	}
	return home.Raw(r.field)
}

// A fieldDropper takes fields out of structs. Which ones may differ from record to record, so it keeps the ways of the last few lists.
type fieldDropper struct {
	optionalOnly bool
	lists        []droppedList // the one used last comes first
}

type droppedList struct {
	names []string
	t     *replaceField
}

// drop takes the fields out of a datum, if it is a struct.
func (x *fieldDropper) drop(d connect.Datum, names []string) (connect.Datum, error) {
	row, ok := d.Value.Struct()
	if !ok {
		return d, nil
	}
	exclude := make([]string, 0, len(names))
	for _, name := range names {
		if f, ok := row.Schema().Field(name); ok && (!x.optionalOnly || f.Schema.Optional()) {
			exclude = append(exclude, name)
		}
	}
	if len(exclude) == 0 {
		return d, nil
	}
	return x.of(exclude).withSchema(nil, connect.Datum{Schema: row.Schema(), Value: d.Value})
}

func (x *fieldDropper) of(names []string) *replaceField {
	i := slices.IndexFunc(x.lists, func(l droppedList) bool { return slices.Equal(l.names, names) })
	if i >= 0 {
		return x.lists[i].t
	}
	if len(x.lists) == schemaCacheSize {
		x.lists = x.lists[:schemaCacheSize-1]
	}
	l := droppedList{names, &replaceField{side: valueSide, exclude: names, defaults: true}}
	x.lists = slices.Insert(x.lists, 0, l)
	return l.t
}
