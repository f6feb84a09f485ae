package converters

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/streamlane/connect/converters/internal/lru"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// jsonWriter writes data as JSON. It prepares once for each schema what every
// record needs.
type jsonWriter struct {
	numeric bool // decimals as numbers
	replace bool // null by default
	plans   *lru.Cache[*data.Schema, *writePlan]
	// byHash finds a prepared schema that equals another one: connectors that
	// build their schema anew for each record share one plan.
	byHash map[uint64]*writePlan
}

func newJSONWriter(c JSONConfig) jsonWriter {
	return jsonWriter{
		numeric: c.DecimalFormat == DecimalNumeric,
		replace: c.ReplaceNullWithDefault,
		plans:   lru.New[*data.Schema, *writePlan](c.SchemasCacheSize),
		byHash:  make(map[uint64]*writePlan),
	}
}

// appendDatum appends a value, in an envelope with its schema if wanted.
func (w *jsonWriter) appendDatum(dst []byte, s *data.Schema, v data.Value, envelope bool) ([]byte, error) {
	if s == nil {
		if !envelope {
			return w.appendAny(dst, v, 0)
		}
		dst, err := w.appendAny(append(dst, `{"schema":null,"payload":`...), v, 1)
		return append(dst, '}'), err
	}
	p := w.planOf(s)
	if !envelope {
		return w.appendValue(dst, p, v, 0)
	}
	if p.envelope == nil {
		text, err := w.appendSchema([]byte(`{"schema":`), p, "", 1)
		if err != nil {
			return dst, fmt.Errorf("schema %s: %w", s, err)
		}
		p.envelope = append(text, `,"payload":`...)
	}
	dst, err := w.appendValue(append(dst, p.envelope...), p, v, 1)
	return append(dst, '}'), err
}

// appendValue appends a value under a schema. depth counts the objects and
// arrays around it.
func (w *jsonWriter) appendValue(dst []byte, p *writePlan, v data.Value, depth int) ([]byte, error) {
	if p == nil {
		return w.appendAny(dst, v, depth)
	}
	if v.IsNull() {
		if !w.replace || p.fallback.IsNull() {
			return appendNull(dst, p)
		}
		v = p.fallback
	}
	if p.logical != notLogical {
		return w.appendLogical(dst, p, v)
	}
	if v.Kind() != p.kind {
		return dst, dataError("Invalid type for %s: found %s", p.kind, v.Kind())
	}
	switch p.kind {
	case data.KindStruct:
		return w.appendStruct(dst, p, v, depth)
	case data.KindArray:
		return w.appendArray(dst, p.elem, v, depth)
	case data.KindMap:
		return w.appendMap(dst, p, v, depth)
	}
	return appendScalar(dst, v), nil
}

func appendNull(dst []byte, p *writePlan) ([]byte, error) {
	if p.schema.Optional() {
		return append(dst, "null"...), nil
	}
	return dst, dataError("Conversion error: null value for field that is required and has no default value")
}

// appendScalar appends a number, boolean, string or bytes.
func appendScalar(dst []byte, v data.Value) []byte {
	switch v.Kind() {
	case data.KindString:
		s, _ := v.Str()
		return javajson.AppendString(dst, s)
	case data.KindBytes:
		b, _ := v.Bytes()
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
	case data.KindFloat32, data.KindFloat64:
		if f, _ := v.Float(); f-f != 0 { // NaN or infinite, which JSON has no number for
			return append(v.Append(append(dst, '"')), '"')
		}
		return v.Append(dst)
	case data.KindBoolean:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b)
	}
	n, _ := v.Int()
	return strconv.AppendInt(dst, n, 10)
}

func (w *jsonWriter) appendStruct(dst []byte, p *writePlan, v data.Value, depth int) ([]byte, error) {
	x, _ := v.Struct()
	if !p.accepts(x.Schema()) {
		return dst, dataError("Mismatching schema: found a struct of %s under %s (all attributes count)", x.Schema(), p.schema)
	}
	if err := checkDepth(depth); err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i := range p.fields {
		var err error
		dst = append(dst, p.fields[i].key...)
		if dst, err = w.appendValue(dst, p.fields[i].plan, x.Raw(i), depth+1); err != nil {
			return dst, fmt.Errorf("field %q: %w", p.schema.Fields()[i].Name, err)
		}
	}
	return append(dst, '}'), nil
}

// appendArray appends an array whose elements have a plan, nil for any.
func (w *jsonWriter) appendArray(dst []byte, elem *writePlan, v data.Value, depth int) ([]byte, error) {
	elems, _ := v.Array()
	if err := checkDepth(depth); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.appendValue(dst, elem, elems[i], depth+1); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

// appendMap appends an object if keys are texts, else an array of pairs.
func (w *jsonWriter) appendMap(dst []byte, p *writePlan, v data.Value, depth int) ([]byte, error) {
	pairs, _ := v.Map()
	if p.key == nil && allTexts(pairs) || p.key != nil && p.key.kind == data.KindString {
		return w.appendObject(dst, p.key, p.elem, pairs, depth)
	}
	return w.appendPairs(dst, p.key, p.elem, pairs, depth)
}

func allTexts(pairs []data.Pair) bool {
	for i := range pairs {
		if pairs[i].Key.Kind() != data.KindString {
			return false
		}
	}
	return true
}

func (w *jsonWriter) appendObject(dst []byte, key, elem *writePlan, pairs []data.Pair, depth int) ([]byte, error) {
	if err := checkDepth(depth); err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		k := pairs[i].Key
		var err error
		if dst, err = w.appendKey(dst, key, k); err == nil {
			dst, err = w.appendValue(append(dst, ':'), elem, pairs[i].Value, depth+1)
		}
		if err != nil {
			return dst, fmt.Errorf("map key %q: %w", k, err)
		}
	}
	return append(dst, '}'), nil
}

// appendKey appends the key of an object's member. A null key is the text null,
// as with Jackson's asText.
func (w *jsonWriter) appendKey(dst []byte, p *writePlan, k data.Value) ([]byte, error) {
	if p != nil && k.IsNull() {
		if !w.replace || p.fallback.IsNull() {
			out, err := appendNull(append(dst, '"'), p)
			return append(out, '"'), err
		}
		k = p.fallback
	}
	s, ok := k.Str()
	if !ok {
		return dst, dataError("Invalid type for STRING: found %s", k.Kind())
	}
	return javajson.AppendString(dst, s), nil
}

func (w *jsonWriter) appendPairs(dst []byte, key, elem *writePlan, pairs []data.Pair, depth int) ([]byte, error) {
	if err := checkDepth(depth + 1); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.appendValue(append(dst, '['), key, pairs[i].Key, depth+2); err == nil {
			dst, err = w.appendValue(append(dst, ','), elem, pairs[i].Value, depth+2)
		}
		if err != nil {
			return dst, fmt.Errorf("map entry %d: %w", i, err)
		}
		dst = append(dst, ']')
	}
	return append(dst, ']'), nil
}

// appendAny appends a value that has no schema.
func (w *jsonWriter) appendAny(dst []byte, v data.Value, depth int) ([]byte, error) {
	switch k := v.Kind(); k {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindArray:
		return w.appendArray(dst, nil, v, depth)
	case data.KindMap:
		pairs, _ := v.Map()
		if allTexts(pairs) {
			return w.appendObject(dst, nil, nil, pairs, depth)
		}
		return w.appendPairs(dst, nil, nil, pairs, depth)
	case data.KindStruct:
		return dst, dataError("Mismatching schema: found a STRUCT where there is no schema")
	case data.KindDecimal, data.KindDate:
		return dst, dataError("a %s does not have a corresponding schema type: it can be written under a schema only", k)
	}
	return appendScalar(dst, v), nil
}

// appendLogical appends a decimal or date.
func (w *jsonWriter) appendLogical(dst []byte, p *writePlan, v data.Value) ([]byte, error) {
	if p.logical != logicalDecimal {
		if v.Kind() != data.KindDate {
			return dst, dataError("Invalid type for %s: found %s, allowed is DATE", p.schema.Name(), v.Kind())
		}
		base, err := data.FromLogical(p.schema, v)
		if err != nil {
			return dst, err
		}
		return appendScalar(dst, base), nil
	}
	d, ok := v.Decimal()
	if !ok {
		return dst, dataError("Invalid type for Decimal: found %s, allowed is DECIMAL", v.Kind())
	}
	if w.numeric {
		return append(dst, d.String()...), nil
	}
	scale, err := data.DecimalScaleOf(p.schema)
	if err != nil {
		return dst, err
	}
	if d.Scale() != scale {
		return dst, dataError("Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.",
			scale, d.Scale())
	}
	var short [64]byte
	unscaled := d.AppendUnscaled(short[:0])
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), unscaled), '"'), nil
}

// checkDepth refuses an object or array inside of so many others, which no
// Jackson would read.
func checkDepth(depth int) error {
	if depth >= javajson.MaxDepth {
		return dataError("nested deeper than %d levels", javajson.MaxDepth)
	}
	return nil
}
