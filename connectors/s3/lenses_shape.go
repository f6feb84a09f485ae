package s3

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
)

// envelopeParts are what an envelope has.
type envelopeParts struct{ key, value, headers, metadata bool }

// envelope returns what makes the data of files; nil: the value as it is.
func (r *lensesRoute) envelope() (shaper, error) {
	on, err := r.flag("store.envelope", false)
	if err != nil {
		return nil, err
	}
	if !on {
		if r.stored == "TEXT" {
			return lensesText, nil
		}
		return nil, nil
	}
	r.enveloped = true
	var parts envelopeParts
	given := 0
	for name, p := range map[string]*bool{"key": &parts.key, "value": &parts.value, "headers": &parts.headers, "metadata": &parts.metadata} {
		key := "store.envelope.fields." + name
		if _, ok := r.props[key]; ok {
			given++
		}
		if *p, err = r.flag(key, true); err != nil {
			return nil, err
		}
	}
	switch {
	case given != 0 && given != 4:
		return nil, errors.New("store.envelope.fields.key, value, headers and metadata are set together, or none of them")
	case parts == envelopeParts{}:
		return nil, errors.New("store.envelope=true needs one of store.envelope.fields to be true")
	case r.stored == "JSON":
		text, err := format.NewJSONText(true)
		return (&lensesObjects{parts: parts, aivenObjects: aivenObjects{text: text}}).shape, err
	case r.stored == "AVRO" || r.stored == "PARQUET":
		return (&lensesStructs{parts: parts}).shape, nil
	}
	return nil, fmt.Errorf("store.envelope is not supported for STOREAS %s, want JSON, AVRO or PARQUET", r.stored)
}

// lensesText makes text of what is no container.
func lensesText(r *connect.SinkRecord) (connect.Datum, error) {
	switch r.Value.Value.Kind() {
	case data.KindBytes, data.KindString:
		return connect.Datum{Value: r.Value.Value}, nil
	case data.KindArray, data.KindMap, data.KindStruct:
		return connect.Datum{}, fmt.Errorf("STOREAS TEXT is of texts and numbers, found %s", r.Value.Value.Kind())
	}
	return connect.Datum{Value: data.String(data.Format(r.Value.Value))}, nil
}

// lensesObjects makes the envelope as a JSON object, the data within without their schemas.
type lensesObjects struct {
	parts envelopeParts
	aivenObjects
}

func (s *lensesObjects) shape(r *connect.SinkRecord) (connect.Datum, error) {
	s.buf = s.buf[:0]
	for _, p := range []struct {
		on   bool
		name string
		d    connect.Datum
	}{{s.parts.key, "key", r.Key}, {s.parts.value, "value", r.Value}} {
		if !p.on {
			continue
		}
		s.name(p.name)
		if err := s.datum(p.d); err != nil {
			return connect.Datum{}, err
		}
		if p.d.Value.Kind() == data.KindBytes {
			s.name(p.name + "IsArray")
			s.buf = append(s.buf, "true"...)
		}
	}
	if s.parts.headers {
		if err := s.allHeaders(r); err != nil {
			return connect.Datum{}, err
		}
	}
	if s.parts.metadata {
		if err := s.metadata(r); err != nil {
			return connect.Datum{}, err
		}
	}
	s.buf = append(s.buf, '}')
	return connect.Datum{Value: data.Bytes(s.buf)}, nil
}

// name begins a field of the object.
func (s *lensesObjects) name(name string) {
	lead := byte('{')
	if len(s.buf) > 0 {
		lead = ','
	}
	s.buf = append(append(append(s.buf, lead, '"'), name...), `":`...)
}

func (s *lensesObjects) allHeaders(r *connect.SinkRecord) error {
	s.name("headers")
	s.buf = append(s.buf, '{')
	n := 0
	for i, h := range r.Headers {
		if slices.ContainsFunc(r.Headers[i+1:], func(o connect.Header) bool { return o.Key == h.Key }) {
			continue // the last one counts
		}
		if n++; n > 1 {
			s.buf = append(s.buf, ',')
		}
		if err := s.datum(connect.Datum{Value: data.String(h.Key)}); err != nil {
			return err
		}
		s.buf = append(s.buf, ':')
		if err := s.datum(h.Datum); err != nil {
			return err
		}
	}
	s.buf = append(s.buf, '}')
	return nil
}

func (s *lensesObjects) metadata(r *connect.SinkRecord) error {
	s.name("metadata")
	s.buf = append(s.buf, '{')
	if !r.Timestamp.IsZero() {
		s.buf = append(strconv.AppendInt(append(s.buf, `"timestamp":`...), r.Timestamp.UnixMilli(), 10), ',')
	}
	s.buf = append(s.buf, `"topic":`...)
	if err := s.datum(connect.Datum{Value: data.String(r.Topic)}); err != nil {
		return err
	}
	s.buf = strconv.AppendInt(append(s.buf, `,"partition":`...), int64(r.Origin.Partition), 10)
	s.buf = append(strconv.AppendInt(append(s.buf, `,"offset":`...), r.Origin.Offset, 10), '}')
	return nil
}

// lensesStructs makes the envelope as a struct, for Avro and Parquet.
type lensesStructs struct {
	parts   envelopeParts
	schemas map[envelopeSchemas]*data.Schema
}

// envelopeSchemas are the schemas that an envelope is made of; headers are their names and schemas as text.
type envelopeSchemas struct {
	key, value *data.Schema
	headers    string
}

var lensesMetadata = data.StructBuilder().Field("timestamp", data.Int64Schema).Field("topic", data.StringSchema).
	Field("partition", data.Int32Schema).Field("offset", data.Int64Schema).Optional().MustBuild()

func (s *lensesStructs) shape(r *connect.SinkRecord) (connect.Datum, error) {
	headers := headersByName(r)
	schema, err := s.schema(r, headers)
	if err != nil {
		return connect.Datum{}, err
	}
	x := data.NewStructs(schema, 1)
	for i, f := range schema.Fields() {
		switch f.Name {
		case "key":
			x[0].Set(i, underSchema(r.Key.Value, f.Schema))
		case "value":
			x[0].Set(i, underSchema(r.Value.Value, f.Schema))
		case "headers":
			h := data.NewStructs(f.Schema, 1)
			for j, one := range headers {
				h[0].Set(j, underSchema(one.Datum.Value, f.Schema.Fields()[j].Schema))
			}
			x[0].Set(i, data.StructOf(&h[0]))
		case "metadata":
			if r.Timestamp.IsZero() {
				return connect.Datum{}, errors.New("the record has no timestamp")
			}
			m := data.NewStructs(lensesMetadata, 1)
			m[0].Set(0, data.Int64(r.Timestamp.UnixMilli()))
			m[0].Set(1, data.String(r.Topic))
			m[0].Set(2, data.Int32(r.Origin.Partition))
			m[0].Set(3, data.Int64(r.Origin.Offset))
			x[0].Set(i, data.StructOf(&m[0]))
		}
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(&x[0])}, nil
}

// headersByName returns the last header of each name that has a schema, sorted.
func headersByName(r *connect.SinkRecord) []connect.Header {
	var all []connect.Header
	for i, h := range r.Headers {
		if h.Datum.Schema == nil || slices.ContainsFunc(r.Headers[i+1:], func(o connect.Header) bool { return o.Key == h.Key }) {
			continue
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b connect.Header) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func (s *lensesStructs) schema(r *connect.SinkRecord, headers []connect.Header) (*data.Schema, error) {
	known := envelopeSchemas{key: r.Key.Schema, value: r.Value.Schema}
	if s.parts.headers {
		for _, h := range headers {
			known.headers += fmt.Sprintf("%q %s;", h.Key, h.Datum.Schema)
		}
	}
	if schema := s.schemas[known]; schema != nil {
		return schema, nil
	}
	b := data.StructBuilder()
	for _, p := range []struct {
		on   bool
		name string
		d    connect.Datum
	}{{s.parts.key, "key", r.Key}, {s.parts.value, "value", r.Value}} {
		switch {
		case !p.on || p.d.Schema == nil && p.d.Value.IsNull():
		case p.d.Schema == nil:
			return nil, fmt.Errorf("the record's %s has no schema, which store.envelope needs with AVRO and PARQUET", p.name)
		default:
			b.Field(p.name, optionalSchema(p.d.Schema))
		}
	}
	if s.parts.headers && len(headers) > 0 {
		h := data.StructBuilder()
		for _, one := range headers {
			h.Field(one.Key, optionalSchema(one.Datum.Schema))
		}
		made, err := h.Build()
		if err != nil {
			return nil, fmt.Errorf("schema of the headers: %w", err)
		}
		b.Field("headers", made)
	}
	if s.parts.metadata {
		b.Field("metadata", lensesMetadata)
	}
	schema, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("schema of the envelope: %w", err)
	}
	if s.schemas == nil || len(s.schemas) >= maxShapes {
		s.schemas = map[envelopeSchemas]*data.Schema{}
	}
	s.schemas[known] = schema
	return schema, nil
}

// optionalSchema returns the schema as one of which null is a value.
func optionalSchema(s *data.Schema) *data.Schema {
	if s.Optional() {
		return s
	}
	b := data.NewBuilder(s.Kind()).Optional()
	if s.Name() != "" {
		b.Name(s.Name())
	}
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if s.Doc() != "" {
		b.Doc(s.Doc())
	}
	b.Parameters(s.Parameters()...)
	switch s.Kind() {
	case data.KindStruct:
		for _, f := range s.Fields() {
			b.Field(f.Name, f.Schema)
		}
	case data.KindArray:
		b.Elem(s.ElemSchema())
	case data.KindMap:
		b.Key(s.KeySchema()).Elem(s.ElemSchema())
	}
	made, err := b.Build()
	if err != nil { // it is a schema already, and says so
		return s
	}
	return made
}

// underSchema returns the value under a schema that differs in being optional alone.
func underSchema(v data.Value, s *data.Schema) data.Value {
	x, ok := v.Struct()
	if !ok || x.Schema() == s {
		return v
	}
	y := data.NewStructs(s, 1)
	if y == nil || y[0].Len() != x.Len() {
		return v
	}
	for i := range x.Len() {
		y[0].Set(i, x.Raw(i))
	}
	return data.StructOf(&y[0])
}
