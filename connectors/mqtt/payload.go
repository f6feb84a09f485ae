package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// maxDepth is how deep JSON may be nested.
const maxDepth = 100

// parseJSON reads one JSON value: objects as MAP in their own order, whole numbers as INT64, other numbers as FLOAT64. Of a name that is there
// twice the last value counts.
func parseJSON(text []byte) (data.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := jsonValue(d, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the value")
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return data.Value{}, fmt.Errorf("found no JSON: %w", err)
	}
	return v, nil
}

func jsonValue(d *json.Decoder, depth int) (data.Value, error) {
	if depth > maxDepth {
		return data.Value{}, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return data.Value{}, err
	}
	switch t := token.(type) {
	case bool:
		return data.Boolean(t), nil
	case string:
		return data.String(t), nil
	case json.Number:
		return jsonNumber(t)
	case json.Delim:
		if t == '[' {
			return jsonArray(d, depth)
		}
		return jsonObject(d, depth)
	}
	return data.Value{}, nil
}

func jsonNumber(n json.Number) (data.Value, error) {
	if !strings.ContainsAny(n.String(), ".eE") {
		if i, err := n.Int64(); err == nil {
			return data.Int64(i), nil
		}
	}
	f, err := n.Float64()
	return data.Float64(f), err
}

func jsonArray(d *json.Decoder, depth int) (data.Value, error) {
	elems := []data.Value{}
	for d.More() {
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return data.Value{}, err
		}
		elems = append(elems, v)
	}
	_, err := d.Token()
	return data.ArrayOf(elems...), err
}

func jsonObject(d *json.Decoder, depth int) (data.Value, error) {
	pairs, at := []data.Pair{}, map[string]int{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return data.Value{}, err
		}
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return data.Value{}, err
		}
		key, _ := name.(string)
		if i, again := at[key]; again {
			pairs[i].Value = v
			continue
		}
		at[key] = len(pairs)
		pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
	}
	_, err := d.Token()
	return data.MapOf(pairs...), err
}

// maxSchemas is how many shapes of messages are remembered, so that equal ones share a schema.
const maxSchemas = 1000

// inferrer gives JSON values schemas. It is for one goroutine.
type inferrer struct{ schemas map[string]*data.Schema }

// infer returns a value with the schema that it has by itself: objects are STRUCTs whose fields are optional, in the order of the text; null is
// an optional STRING; elements of an array have to be of one schema, null aside.
func (f *inferrer) infer(v data.Value) (connect.Datum, error) {
	var shape strings.Builder
	if err := describeShape(&shape, v); err != nil {
		return connect.Datum{}, err
	}
	s := f.schemas[shape.String()]
	if s == nil {
		var err error
		if s, err = schemaOf(v); err != nil {
			return connect.Datum{}, err
		}
		if f.schemas == nil || len(f.schemas) >= maxSchemas {
			f.schemas = map[string]*data.Schema{}
		}
		f.schemas[shape.String()] = s
	}
	typed, err := withSchema(s, v)
	return connect.Datum{Schema: s, Value: typed}, err
}

// describeShape writes a text that is the same for values of the same schema.
func describeShape(b *strings.Builder, v data.Value) error {
	switch v.Kind() {
	case data.KindMap:
		pairs, _ := v.Map()
		b.WriteByte('{')
		for _, p := range pairs {
			name, _ := p.Key.Str()
			fmt.Fprintf(b, "%q:", name)
			if err := describeShape(b, p.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case data.KindArray:
		elems, _ := v.Array()
		b.WriteByte('[')
		first := ""
		for _, e := range elems {
			if e.IsNull() {
				continue
			}
			var one strings.Builder
			if err := describeShape(&one, e); err != nil {
				return err
			}
			if first != "" && one.String() != first {
				return errors.New("found an array with elements of different types, which has no schema")
			}
			first = one.String()
		}
		b.WriteString(first)
		b.WriteByte(']')
	default:
		b.WriteString(v.Kind().String())
		b.WriteByte(';')
	}
	return nil
}

// schemaOf returns the optional schema of a value whose shape could be described.
func schemaOf(v data.Value) (*data.Schema, error) {
	switch v.Kind() {
	case data.KindMap:
		pairs, _ := v.Map()
		b := data.StructBuilder().Optional()
		for _, p := range pairs {
			s, err := schemaOf(p.Value)
			if err != nil {
				return nil, err
			}
			name, _ := p.Key.Str()
			b.Field(name, s)
		}
		return b.Build()
	case data.KindArray:
		elems, _ := v.Array()
		var elem data.Value
		for _, e := range elems {
			if !e.IsNull() {
				elem = e
				break
			}
		}
		s, err := schemaOf(elem)
		if err != nil {
			return nil, err
		}
		return data.ArrayBuilder(s).Optional().Build()
	case data.KindNull:
		return data.NewBuilder(data.KindString).Optional().Build()
	}
	return data.NewBuilder(v.Kind()).Optional().Build()
}

// withSchema makes structs of maps.
func withSchema(s *data.Schema, v data.Value) (data.Value, error) {
	switch v.Kind() {
	case data.KindMap:
		row, err := data.NewStruct(s)
		if err != nil {
			return data.Value{}, err
		}
		pairs, _ := v.Map()
		fields := s.Fields()
		for i, p := range pairs {
			x, err := withSchema(fields[i].Schema, p.Value)
			if err != nil {
				return data.Value{}, err
			}
			row.Set(i, x)
		}
		return data.StructOf(row), nil
	case data.KindArray:
		elems, _ := v.Array()
		typed := make([]data.Value, len(elems))
		for i, e := range elems {
			var err error
			if typed[i], err = withSchema(s.ElemSchema(), e); err != nil {
				return data.Value{}, err
			}
		}
		return data.ArrayOf(typed...), nil
	}
	return v, nil
}

// fieldKey makes keys of fields of JSON payloads, as WITHKEY of KCQL does.
type fieldKey struct {
	paths     [][]string
	delimiter string
}

// of returns the text of the fields, joined. value is what the payload became; if that is no JSON, the payload is parsed.
func (k *fieldKey) of(m *message, value connect.Datum) (string, error) {
	v := value.Value
	if v.Kind() != data.KindMap && v.Kind() != data.KindStruct {
		var err error
		if v, err = parseJSON(m.payload); err != nil {
			return "", fmt.Errorf("for the fields of the key: %w", err)
		}
	}
	var b strings.Builder
	for i, path := range k.paths {
		if i > 0 {
			b.WriteString(k.delimiter)
		}
		x, ok := lookUp(v, path)
		if !ok || x.IsNull() {
			return "", fmt.Errorf("for the key: found no field %s", strings.Join(path, "."))
		}
		b.WriteString(x.String())
	}
	return b.String(), nil
}

func lookUp(v data.Value, path []string) (data.Value, bool) {
	for _, name := range path {
		var ok bool
		if row, isRow := v.Struct(); isRow {
			v, ok = row.Get(name)
		} else {
			v, ok = v.Lookup(name)
		}
		if !ok {
			return data.Value{}, false
		}
	}
	return v, true
}
