package converters

import (
	"fmt"
	"unsafe"

	"github.com/streamlane/connect/converters/internal/lru"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// maxRowFields bounds the fields of all structs of one record, of which a short
// text can ask for many: {} is a struct of any number of optional fields.
const maxRowFields = 1 << 24

// jsonReader reads JSON as data. It prepares each schema once.
type jsonReader struct {
	replace bool // null by default
	plans   *lru.Cache[string, *readPlan]
}

func newJSONReader(c JSONConfig) jsonReader {
	return jsonReader{replace: c.ReplaceNullWithDefault, plans: lru.New[string, *readPlan](c.SchemasCacheSize)}
}

// payload reads a text that is a value under a schema, nil for none.
func (j *jsonReader) payload(text []byte, p *readPlan) (data.Value, error) {
	d := decoding{Reader: javajson.NewReader(text)}
	return d.value(p)
}

// envelope reads {"schema":...,"payload":...}, the members in any order.
func (j *jsonReader) envelope(text []byte) (*data.Schema, data.Value, error) {
	d := decoding{Reader: javajson.NewReader(text)}
	if kind, err := d.Next(); err != nil || kind != javajson.Object {
		return nil, data.Value{}, orEnvelope(err)
	}
	if err := d.Open(); err != nil {
		return nil, data.Value{}, err
	}
	slow := d
	p, ok, err := j.schemaAhead(&d)
	if err != nil || !ok {
		return j.envelopeAnyhow(slow)
	}
	key, ok, err := d.Key(false)
	if err != nil || !ok || key != "payload" {
		return j.envelopeAnyhow(slow)
	}
	v, err := d.value(p)
	if err != nil {
		return nil, data.Value{}, err
	}
	if _, more, err := d.Key(false); err != nil || more {
		return j.envelopeAnyhow(slow)
	}
	return p.schemaOf(), v, nil
}

// schemaAhead reads the schema where it is the first member, as Connect writes
// it. A text that was read just before is known by its bytes.
func (j *jsonReader) schemaAhead(d *decoding) (p *readPlan, ok bool, err error) {
	key, ok, err := d.Key(true)
	if err != nil || !ok || key != "schema" {
		return nil, false, err
	}
	if text, last, ok := j.plans.Latest(); ok && d.Take(unsafe.Slice(unsafe.StringData(text), len(text))) {
		return last, true, nil
	}
	raw, err := d.raw()
	if err != nil {
		return nil, false, err
	}
	p, err = j.planOf(raw)
	return p, err == nil, err
}

// envelopeAnyhow reads an envelope whose members are in another order or
// doubled, in which case the last one counts. It reads from behind the brace.
func (j *jsonReader) envelopeAnyhow(d decoding) (*data.Schema, data.Value, error) {
	var schema, payload []byte
	for first := true; ; first = false {
		key, more, err := d.Key(first)
		if err != nil {
			return nil, data.Value{}, err
		}
		if !more {
			break
		}
		raw, err := d.raw()
		switch {
		case err != nil:
			return nil, data.Value{}, err
		case key == "schema":
			schema = raw
		case key == "payload":
			payload = raw
		default:
			return nil, data.Value{}, orEnvelope(nil)
		}
	}
	if schema == nil || payload == nil {
		return nil, data.Value{}, orEnvelope(nil)
	}
	p, err := j.planOf(schema)
	if err != nil {
		return nil, data.Value{}, err
	}
	v, err := j.payload(payload, p)
	return p.schemaOf(), v, err
}

// orEnvelope returns the error, or that there is no envelope.
func orEnvelope(err error) error {
	if err != nil {
		return err
	}
	return dataError(`JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ` +
		"If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.")
}

// decoding is one text under way.
type decoding struct {
	javajson.Reader
	fields int // of structs so far
}

// raw reads the value ahead and returns its text.
func (d *decoding) raw() ([]byte, error) {
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	start := d.Offset()
	if err := d.Skip(); err != nil {
		return nil, err
	}
	return d.Slice(start), nil
}

// value reads the value ahead under a schema, nil for none.
func (d *decoding) value(p *readPlan) (data.Value, error) {
	kind, err := d.Next()
	if err != nil {
		return data.Value{}, err
	}
	if p == nil {
		return d.any(kind)
	}
	if kind == javajson.Null {
		if err := d.Null(); err != nil {
			return data.Value{}, err
		}
		return p.null()
	}
	if p.logical != notLogical {
		return d.logical(p, kind)
	}
	switch p.kind {
	case data.KindStruct:
		return d.row(p, kind)
	case data.KindArray:
		return d.array(p.elem, kind)
	case data.KindMap:
		return d.mapping(p, kind)
	case data.KindString:
		return d.text(p, kind)
	case data.KindBytes:
		return d.bytes(p, kind)
	case data.KindBoolean:
		return d.boolean(kind)
	case data.KindFloat32, data.KindFloat64:
		return d.float(p, kind)
	}
	return d.integer(p, kind)
}

// any reads the value ahead, of that kind, without a schema.
func (d *decoding) any(kind javajson.Kind) (data.Value, error) {
	switch kind {
	case javajson.Boolean:
		return d.boolean(kind)
	case javajson.String:
		s, err := d.String()
		return data.String(s), err
	case javajson.Array:
		return d.array(nil, kind)
	case javajson.Object:
		return d.object(nil)
	case javajson.Number:
		n, err := d.Number()
		switch {
		case err != nil:
			return data.Value{}, err
		case n.Integral():
			return data.Int64(n.Int64()), nil
		}
		return data.Float64(n.Float64()), nil
	}
	return data.Value{}, d.Null()
}

// integer reads any value as Jackson's intValue and longValue do: a fraction is
// cut off, then the low bits count; what is no number is 0.
func (d *decoding) integer(p *readPlan, kind javajson.Kind) (data.Value, error) {
	var bits int64
	if kind != javajson.Number {
		if err := d.Skip(); err != nil {
			return data.Value{}, err
		}
	} else {
		n, err := d.Number()
		if err != nil {
			return data.Value{}, err
		}
		bits = n.Int64()
	}
	switch p.kind {
	case data.KindInt8:
		return data.Int8(int8(bits)), nil
	case data.KindInt16:
		return data.Int16(int16(bits)), nil
	case data.KindInt32:
		return data.Int32(int32(bits)), nil
	}
	return data.Int64(bits), nil
}

// float reads any value as Jackson's floatValue and doubleValue do: what is no
// number is 0, the text NaN included.
func (d *decoding) float(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Number {
		err := d.Skip()
		if p.kind == data.KindFloat32 {
			return data.Float32(0), err
		}
		return data.Float64(0), err
	}
	n, err := d.Number()
	if err != nil {
		return data.Value{}, err
	}
	if p.kind == data.KindFloat32 {
		return data.Float32(n.Float32()), nil
	}
	return data.Float64(n.Float64()), nil
}

// boolean reads any value as Jackson's booleanValue does: only true is true.
func (d *decoding) boolean(kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Boolean {
		return data.Boolean(false), d.Skip()
	}
	b, err := d.Bool()
	return data.Boolean(b), err
}

// text reads any value as Jackson's textValue does: what is no text is null.
func (d *decoding) text(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.String {
		return d.misfit(p, kind)
	}
	s, err := d.String()
	return data.String(s), err
}

// bytes reads any value as Jackson's binaryValue does: Base64 text, and null for
// what is no text.
func (d *decoding) bytes(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.String {
		return d.misfit(p, kind)
	}
	b, ok, err := d.base64()
	if err == nil && !ok {
		err = dataError("Invalid bytes field: found a text that is no Base64")
	}
	return data.Bytes(b), err
}

func (d *decoding) base64() (b []byte, ok bool, err error) {
	s, err := d.String()
	if err != nil {
		return nil, false, err
	}
	b, ok = javajson.AppendBase64(make([]byte, 0, len(s)/4*3), s)
	return b, ok, nil
}

// misfit skips a value of a kind that becomes null. Structs do not take that where
// their field is required; elsewhere Java lets it pass.
func (d *decoding) misfit(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if err := d.Skip(); err != nil {
		return data.Value{}, err
	}
	if p.inStruct && !p.schema.Optional() {
		return data.Value{}, dataError("Invalid value: null used for required %s field, found %s", p.kind, kind)
	}
	return data.Value{}, nil
}

// logical reads a decimal or date.
func (d *decoding) logical(p *readPlan, kind javajson.Kind) (data.Value, error) {
	switch {
	case p.logical == logicalDecimal && kind == javajson.String:
		b, ok, err := d.base64()
		if err != nil {
			return data.Value{}, err
		}
		if !ok {
			return data.Value{}, dataError("Invalid bytes for Decimal field: found a text that is no Base64")
		}
		v, err := data.ToLogical(p.schema, data.Bytes(b))
		if err != nil {
			return data.Value{}, &data.Error{Message: "Invalid bytes for Decimal field", Err: err}
		}
		return v, nil
	case kind != javajson.Number:
		return data.Value{}, dataError("Invalid type for %s, underlying representation should be %s but was %s",
			p.schema.Name(), p.logical.representation(), kind)
	}
	n, err := d.Number()
	if err != nil {
		return data.Value{}, err
	}
	switch p.logical {
	case logicalDecimal:
		dec, err := data.ParseDecimal(n.Text())
		return data.DecimalOf(dec), err
	case logicalTimestamp:
		if n.Integral() {
			return data.DateMillis(n.Int64()), nil
		}
	default:
		if i, ok := n.Int32(); ok {
			return data.ToLogical(p.schema, data.Int32(i))
		}
	}
	return data.Value{}, dataError("Invalid type for %s, underlying representation should be %s but was NUMBER %s",
		p.schema.Name(), p.logical.representation(), n.Text())
}

// representation says what JSON stands for a logical type.
func (l logical) representation() string {
	switch l {
	case logicalDecimal:
		return "numeric or bytes"
	case logicalTimestamp:
		return "integral"
	}
	return "integer"
}

// wrongContainer is the error for a kind that a container can not be read from.
func wrongContainer(what string, kind javajson.Kind) error {
	return dataError("%s, but found %s", what, kind)
}

// at names the place of an error.
func at(err error, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, err)...)
}
