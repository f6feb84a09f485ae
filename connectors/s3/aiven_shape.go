package s3

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
)

// A shaper makes what is stored of a record.
type shaper func(r *connect.SinkRecord) (connect.Datum, error)

// shape returns what makes the data of files.
func (c *aivenConfig) shape() (shaper, error) {
	fields := c.outputs()
	switch c.output {
	case aivenCSV:
		return (&aivenLines{fields: fields, raw: c.encoding == "none"}).shape, nil
	case aivenJSON, aivenJSONLines:
		text, err := format.NewJSONText(false)
		return (&aivenObjects{fields: fields, envelope: c.envelope, text: text}).shape, err
	}
	return (&aivenStructs{fields: fields, envelope: c.envelope, namespace: "io.aiven." + c.output + ".output.schema"}).shape, nil
}

// aivenLines makes lines of csv: parts in Base64 with commas between, which need no quotes.
type aivenLines struct {
	fields []string
	raw    bool // values are not encoded
	buf    []byte
}

func (s *aivenLines) shape(r *connect.SinkRecord) (connect.Datum, error) {
	s.buf = s.buf[:0]
	for i, f := range s.fields {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		if err := s.part(r, f); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Value: data.Bytes(s.buf)}, nil // written before the next one is made
}

func (s *aivenLines) part(r *connect.SinkRecord, field string) error {
	switch field {
	case "key":
		return s.encoded("key", r.Key.Value, false)
	case "value":
		return s.encoded("value", r.Value.Value, s.raw)
	case "offset":
		s.buf = strconv.AppendInt(s.buf, r.Origin.Offset, 10)
	case "timestamp":
		if !r.Timestamp.IsZero() {
			s.buf = strconv.AppendInt(s.buf, r.Timestamp.UnixMilli(), 10)
		}
	case "headers":
		for _, h := range r.Headers {
			s.buf = append(base64.StdEncoding.AppendEncode(s.buf, []byte(h.Key)), ':')
			if err := s.encoded("header "+h.Key, h.Datum.Value, false); err != nil {
				return err
			}
			s.buf = append(s.buf, ';')
		}
	}
	return nil
}

func (s *aivenLines) encoded(what string, v data.Value, raw bool) error {
	if v.IsNull() {
		return nil
	}
	b, ok := v.Bytes()
	if !ok {
		text, isText := v.Str()
		if !isText {
			return fmt.Errorf("format.output.type=csv is of BYTES and STRING, the %s is %s (set the converter to ByteArrayConverter or StringConverter, or another format)", what, v.Kind())
		}
		b = []byte(text)
	}
	if raw {
		s.buf = append(s.buf, b...)
	} else {
		s.buf = base64.StdEncoding.AppendEncode(s.buf, b)
	}
	return nil
}

// aivenObjects makes JSON objects of the parts, or one part alone. Each part is what JsonConverter makes of it, without schema.
type aivenObjects struct {
	fields   []string
	envelope bool
	text     format.JSONText
	buf      []byte
}

func (s *aivenObjects) shape(r *connect.SinkRecord) (connect.Datum, error) {
	s.buf = s.buf[:0]
	if !s.envelope {
		err := s.part(r, s.fields[0])
		return connect.Datum{Value: data.Bytes(s.buf)}, err
	}
	s.buf = append(s.buf, '{')
	for i, f := range s.fields {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = append(append(append(s.buf, '"'), f...), `":`...)
		if err := s.part(r, f); err != nil {
			return connect.Datum{}, err
		}
	}
	s.buf = append(s.buf, '}')
	return connect.Datum{Value: data.Bytes(s.buf)}, nil // written before the next one is made
}

func (s *aivenObjects) part(r *connect.SinkRecord, field string) error {
	switch field {
	case "key":
		return s.datum(r.Key)
	case "value":
		return s.datum(r.Value)
	case "offset":
		s.buf = strconv.AppendInt(s.buf, r.Origin.Offset, 10)
	case "timestamp":
		if r.Timestamp.IsZero() {
			s.buf = append(s.buf, "null"...)
			return nil
		}
		s.buf = appendInstant(append(s.buf, '"'), r.Timestamp)
		s.buf = append(s.buf, '"')
	case "headers":
		return s.headers(r)
	}
	return nil
}

func (s *aivenObjects) headers(r *connect.SinkRecord) error {
	s.buf = append(s.buf, '[')
	for i, h := range r.Headers {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = append(s.buf, `{"key":`...)
		if err := s.datum(connect.Datum{Value: data.String(h.Key)}); err != nil {
			return err
		}
		s.buf = append(s.buf, `,"value":`...)
		if err := s.datum(h.Datum); err != nil {
			return err
		}
		s.buf = append(s.buf, '}')
	}
	s.buf = append(s.buf, ']')
	return nil
}

func (s *aivenObjects) datum(d connect.Datum) (err error) {
	s.buf, err = s.text.Append(s.buf, d)
	return err
}

// aivenStructs makes structs of the parts for Parquet and Avro.
type aivenStructs struct {
	fields    []string
	envelope  bool
	namespace string
	schemas   map[aivenParts]*data.Schema
}

// aivenParts are the schemas that a struct is made of.
type aivenParts struct{ key, value, header *data.Schema }

// maxShapes bounds the schemas that are remembered.
const maxShapes = 1000

func (s *aivenStructs) shape(r *connect.SinkRecord) (connect.Datum, error) {
	if !s.envelope {
		if d, ok := bare(r, s.fields[0]); ok {
			return d, nil
		}
	}
	schema, err := s.schema(r)
	if err != nil {
		return connect.Datum{}, err
	}
	x := data.NewStructs(schema, 1)
	for i, f := range s.fields {
		switch f {
		case "key":
			x[0].Set(i, r.Key.Value)
		case "value":
			x[0].Set(i, r.Value.Value)
		case "offset":
			x[0].Set(i, data.Int64(r.Origin.Offset))
		case "timestamp":
			if r.Timestamp.IsZero() {
				return connect.Datum{}, errors.New("the record has no timestamp")
			}
			x[0].Set(i, data.Int64(r.Timestamp.UnixMilli()))
		case "headers":
			pairs := make([]data.Pair, 0, len(r.Headers))
			for _, h := range r.Headers {
				at := slices.IndexFunc(pairs, func(p data.Pair) bool { k, _ := p.Key.Str(); return k == h.Key })
				if at >= 0 { // the last one counts
					pairs[at].Value = h.Datum.Value
					continue
				}
				pairs = append(pairs, data.Pair{Key: data.String(h.Key), Value: h.Datum.Value})
			}
			x[0].Set(i, data.MapOf(pairs...))
		}
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(&x[0])}, nil
}

// appendInstant appends a time as Java prints an Instant of milliseconds.
func appendInstant(buf []byte, at time.Time) []byte {
	layout := "2006-01-02T15:04:05.000Z"
	if at.UnixMilli()%1000 == 0 {
		layout = "2006-01-02T15:04:05Z"
	}
	return at.UTC().AppendFormat(buf, layout)
}

// bare returns a part that is a struct, or nothing that stands alone.
func bare(r *connect.SinkRecord, field string) (connect.Datum, bool) {
	d := r.Value
	if field == "key" {
		d = r.Key
	}
	kind := d.Schema.Kind()
	return d, (field == "key" || field == "value") && d.Schema != nil && (kind == data.KindStruct || kind == data.KindMap)
}

func (s *aivenStructs) schema(r *connect.SinkRecord) (*data.Schema, error) {
	parts := aivenParts{key: r.Key.Schema, value: r.Value.Schema}
	if slices.Contains(s.fields, "headers") {
		var err error
		if parts.header, err = headerSchema(r); err != nil {
			return nil, err
		}
	}
	if known := s.schemas[parts]; known != nil {
		return known, nil
	}
	b := data.StructBuilder().Name(s.namespace + ".connector_records")
	for _, f := range s.fields {
		schema, err := parts.of(f)
		if err != nil {
			return nil, err
		}
		b.Field(f, schema)
	}
	made, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("schema of the envelope: %w", err)
	}
	if s.schemas == nil || len(s.schemas) >= maxShapes {
		s.schemas = map[aivenParts]*data.Schema{}
	}
	s.schemas[parts] = made
	return made, nil
}

func (p aivenParts) of(field string) (*data.Schema, error) {
	switch field {
	case "offset", "timestamp":
		return data.Int64Schema, nil
	case "headers":
		return data.MapBuilder(data.StringSchema, p.header).Build()
	}
	schema := p.value
	if field == "key" {
		schema = p.key
	}
	if schema == nil {
		return nil, fmt.Errorf("the record's %s has no schema, which format.output.type=parquet and avro need", field)
	}
	return schema, nil
}

// headerSchema is that of all headers' values.
func headerSchema(r *connect.SinkRecord) (*data.Schema, error) {
	var one *data.Schema
	for _, h := range r.Headers {
		switch {
		case h.Datum.Schema == nil:
			return nil, fmt.Errorf("the header %q has no schema, which format.output.type=parquet and avro need", h.Key)
		case one == nil:
			one = h.Datum.Schema
		case one.Kind() != h.Datum.Schema.Kind():
			return nil, fmt.Errorf("the headers are of different kinds, %s and %s (set header.converter to StringConverter)", one.Kind(), h.Datum.Schema.Kind())
		}
	}
	if one == nil {
		return data.OptionalStringSchema, nil
	}
	return one, nil
}
