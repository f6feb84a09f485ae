package cqlmap

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A View is a record as mappings see it. A key or value that is a text with a
// JSON object is that object, read once and only if a field of it is asked for.
// Views are cheap to make and belong to one goroutine.
type View struct {
	record     *connect.Record
	key, value object
}

// object is the JSON object that a text holds.
type object struct {
	read    bool
	members data.Value // a MAP, or null if the text is no object
}

// NewView returns the view of a record, which must not change while the view
// is in use.
func NewView(record *connect.Record) View { return View{record: record} }

// Lookup returns what a source is in the record, and its schema (nil for
// schemaless data and for what comes out of a JSON text).
//
// found is false if the record has no such field or header: the connector then
// refuses the record, with the error of [View.Missing]. A field of a null is null
// and found; so is each field of a tombstone. Defaults of schemas stand in for
// nulls, as in Java's Struct.get. A function is never found: whoever binds it
// calls it.
func (v *View) Lookup(s Source) (value data.Value, schema *data.Schema, found bool) {
	switch s.Part {
	case Header:
		return v.header(s.Field)
	case Key, Value:
		d, text := v.part(s.Part)
		if s.Field == "" {
			return d.Value, d.Schema, true
		}
		if json, ok := d.Value.Str(); ok {
			text.load(json)
			if text.members.IsNull() {
				return data.Value{}, nil, false
			}
			return find(text.members, nil, s.Field)
		}
		return find(d.Value, d.Schema, s.Field)
	}
	return data.Value{}, nil, false
}

func (v *View) part(p Part) (connect.Datum, *object) {
	if p == Key {
		return v.record.Key, &v.key
	}
	return v.record.Value, &v.value
}

// header returns the first header of a name, or a field of the first of a name
// that begins it.
func (v *View) header(name string) (data.Value, *data.Schema, bool) {
	for end := len(name); end >= 0; end = strings.LastIndexByte(name[:end], '.') {
		for i := range v.record.Headers {
			h := &v.record.Headers[i]
			if h.Key != name[:end] {
				continue
			}
			if end == len(name) {
				return h.Datum.Value, h.Datum.Schema, true
			}
			if value, schema, ok := find(h.Datum.Value, h.Datum.Schema, name[end+1:]); ok {
				return value, schema, true
			}
			break
		}
	}
	return data.Value{}, nil, false
}

// find returns the field of a name, or else the nested one that the name is the
// way to; of several ways the one of the longest names.
func find(in data.Value, schema *data.Schema, name string) (data.Value, *data.Schema, bool) {
	if value, schema, ok := member(in, schema, name); ok {
		return value, schema, true
	}
	for end := strings.LastIndexByte(name, '.'); end >= 0; end = strings.LastIndexByte(name[:end], '.') {
		inner, innerSchema, ok := member(in, schema, name[:end])
		if !ok {
			continue
		}
		if value, schema, ok := find(inner, innerSchema, name[end+1:]); ok {
			return value, schema, true
		}
	}
	return data.Value{}, nil, false
}

// member returns a field of a struct, a map or null.
func member(in data.Value, schema *data.Schema, name string) (data.Value, *data.Schema, bool) {
	if in.IsNull() {
		return data.Value{}, nil, true
	}
	if row, ok := in.Struct(); ok {
		i := row.Schema().FieldIndex(name)
		if i < 0 {
			return data.Value{}, nil, false
		}
		return row.At(i), row.Schema().Fields()[i].Schema, true
	}
	value, ok := in.Lookup(name)
	return value, schema.ElemSchema(), ok
}

// Missing returns the error of a source that Lookup does not find: what the
// mapping asks for, and what the record has in its place.
func (v *View) Missing(s Source) error {
	if s.Part == Header {
		names := make([]string, len(v.record.Headers))
		for i := range names {
			names[i] = v.record.Headers[i].Key
		}
		return fmt.Errorf("the record has no header %q, which the mapping asks for; it has %s", s.Field, list(names))
	}
	if s.Part != Key && s.Part != Value {
		return fmt.Errorf("%s is no field of a record", s)
	}
	d, text := v.part(s.Part)
	in := d.Value
	if _, ok := in.Str(); ok {
		in = text.members
	}
	var names []string
	if row, ok := in.Struct(); ok {
		for _, f := range row.Schema().Fields() {
			names = append(names, f.Name)
		}
	} else if pairs, ok := in.Map(); ok {
		for _, p := range pairs {
			names = append(names, p.Key.String())
		}
	} else {
		return fmt.Errorf("the mapping asks for %s, but the record's %s has no fields: it is a %s%s",
			s, s.Part, d.Value.Kind(), noObject(d.Value))
	}
	return fmt.Errorf("the record has no field %s, which the mapping asks for; its %s has %s", s, s.Part, list(names))
}

func noObject(v data.Value) string {
	if v.Kind() == data.KindString {
		return " that holds no JSON object"
	}
	return ""
}

// list returns names for an error; the first few of many.
func list(names []string) string {
	const most = 20
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
