package goldentest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/streamlane/connect/data"
)

// kinds maps the names of the notation to kinds of schemas.
func kinds() map[string]data.Kind {
	m := make(map[string]data.Kind)
	for k := data.KindInt8; k <= data.KindStruct; k++ {
		m[k.String()] = k
	}
	return m
}

// schemaJSON is a SCHEMA as it stands in a file.
type schemaJSON struct {
	Type        string          `json:"type"`
	Optional    bool            `json:"optional,omitempty"`
	Name        string          `json:"name,omitempty"`
	Version     *int            `json:"version,omitempty"`
	Doc         string          `json:"doc,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Fields      []fieldJSON     `json:"fields,omitempty"`
	KeySchema   json.RawMessage `json:"keySchema,omitempty"`
	ValueSchema json.RawMessage `json:"valueSchema,omitempty"`
}

type fieldJSON struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

// isNull reports whether a part is absent or null.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

// ParseSchema reads a SCHEMA. Absent or null is a nil Schema.
func ParseSchema(raw json.RawMessage) (*data.Schema, error) {
	if isNull(raw) {
		return nil, nil
	}
	var j schemaJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("schema %s: %w", raw, err)
	}
	kind, ok := kinds()[j.Type]
	if !ok {
		return nil, fmt.Errorf("schema %s: unknown type %q", raw, j.Type)
	}
	b := data.NewBuilder(kind).Name(j.Name).Doc(j.Doc)
	if j.Optional {
		b.Optional()
	}
	if j.Version != nil {
		b.Version(*j.Version)
	}
	if err := addInside(b, &j); err != nil {
		return nil, err
	}
	if isNull(j.Default) {
		return built(b)
	}
	place, err := b.Build() // a struct as default has the schema without the default
	if err != nil {
		return nil, err
	}
	v, err := ParseValue(place, j.Default)
	if err != nil {
		return nil, err
	}
	return b.Default(v).Build()
}

// noName stands for an empty name while a schema is built. Some vectors have fields without a name, which Java's builder refuses as ours does;
// they were made around it. It sorts as the empty name does.
const noName = "\x00"

// built builds a schema and takes the names away that the vector does not have.
func built(b *data.Builder) (*data.Schema, error) {
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	for i := range s.Fields() {
		if s.Fields()[i].Name == noName {
			s.Fields()[i].Name = ""
		}
	}
	return s, nil
}

// addInside adds parameters and the schemas inside.
func addInside(b *data.Builder, j *schemaJSON) error {
	params, err := orderedTexts(j.Parameters)
	if err != nil {
		return err
	}
	b.Parameters(params...)
	for _, f := range j.Fields {
		schema, err := ParseSchema(f.Schema)
		if err != nil {
			return err
		}
		if f.Name == "" {
			f.Name = noName
		}
		b.Field(f.Name, schema)
	}
	key, err := ParseSchema(j.KeySchema)
	if err != nil {
		return err
	}
	if key != nil {
		b.Key(key)
	}
	elem, err := ParseSchema(j.ValueSchema)
	if err != nil {
		return err
	}
	if elem != nil {
		b.Elem(elem)
	}
	return nil
}

// orderedTexts reads an object of texts in the order of the file.
func orderedTexts(raw json.RawMessage) ([]data.Parameter, error) {
	if isNull(raw) {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var params []data.Parameter
	for dec.More() {
		var pair [2]string
		for i := range pair {
			token, err := dec.Token()
			if err != nil {
				return nil, err
			}
			text, ok := token.(string)
			if !ok {
				return nil, fmt.Errorf("parameters %s: want texts, found %v", raw, token)
			}
			pair[i] = text
		}
		params = append(params, data.Parameter{Key: pair[0], Value: pair[1]})
	}
	return params, nil
}

// valueJSON is a V as it stands in a file.
type valueJSON struct {
	Int8         *int8                      `json:"int8,omitempty"`
	Int16        *int16                     `json:"int16,omitempty"`
	Int32        *int32                     `json:"int32,omitempty"`
	Int64        *int64                     `json:"int64,string,omitempty"`
	Float32      *string                    `json:"float32,omitempty"`
	Float64      *string                    `json:"float64,omitempty"`
	Boolean      *bool                      `json:"boolean,omitempty"`
	String       *string                    `json:"string,omitempty"`
	Bytes        *string                    `json:"bytes,omitempty"`
	Decimal      *string                    `json:"decimal,omitempty"`
	BigInteger   *string                    `json:"bigInteger,omitempty"`
	Date         *int64                     `json:"date,omitempty"`
	Array        []json.RawMessage          `json:"array,omitempty"`
	Map          [][2]json.RawMessage       `json:"map,omitempty"`
	Struct       map[string]json.RawMessage `json:"struct,omitempty"`
	StructSchema json.RawMessage            `json:"structSchema,omitempty"`
}

// ParseValue reads a V. The schema of its place, which structs take theirs from, may be nil.
func ParseValue(place *data.Schema, raw json.RawMessage) (data.Value, error) {
	if isNull(raw) {
		return data.Value{}, nil
	}
	var j valueJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return data.Value{}, fmt.Errorf("value %s: %w", raw, err)
	}
	switch {
	case j.Array != nil:
		return parseArray(place, j.Array)
	case j.Map != nil:
		return parseMap(place, j.Map)
	case j.Struct != nil:
		return parseStruct(place, &j)
	}
	v, err := j.scalar()
	if err != nil {
		return data.Value{}, fmt.Errorf("value %s: %w", raw, err)
	}
	return v, nil
}

// scalar returns the value of a V that holds no other.
func (j *valueJSON) scalar() (data.Value, error) {
	switch {
	case j.Int8 != nil:
		return data.Int8(*j.Int8), nil
	case j.Int16 != nil:
		return data.Int16(*j.Int16), nil
	case j.Int32 != nil:
		return data.Int32(*j.Int32), nil
	case j.Int64 != nil:
		return data.Int64(*j.Int64), nil
	case j.Float32 != nil:
		f, err := strconv.ParseFloat(*j.Float32, 32)
		return data.Float32(float32(f)), err
	case j.Float64 != nil:
		f, err := strconv.ParseFloat(*j.Float64, 64)
		return data.Float64(f), err
	case j.Boolean != nil:
		return data.Boolean(*j.Boolean), nil
	case j.String != nil:
		return data.String(*j.String), nil
	case j.Bytes != nil:
		b, err := base64.StdEncoding.DecodeString(*j.Bytes)
		return data.Bytes(b), err
	case j.Decimal != nil:
		d, err := data.ParseDecimal(*j.Decimal)
		return data.DecimalOf(d), err
	case j.BigInteger != nil:
		d, err := data.ParseDecimal(*j.BigInteger)
		return data.DecimalOf(d), err
	case j.Date != nil:
		return data.DateMillis(*j.Date), nil
	default:
		return data.Value{}, fmt.Errorf("unknown kind")
	}
}

func parseArray(place *data.Schema, raws []json.RawMessage) (data.Value, error) {
	elems := make([]data.Value, len(raws))
	for i, raw := range raws {
		var err error
		if elems[i], err = ParseValue(place.ElemSchema(), raw); err != nil {
			return data.Value{}, err
		}
	}
	return data.ArrayOf(elems...), nil
}

func parseMap(place *data.Schema, raws [][2]json.RawMessage) (data.Value, error) {
	pairs := make([]data.Pair, len(raws))
	for i, raw := range raws {
		var err error
		if pairs[i].Key, err = ParseValue(place.KeySchema(), raw[0]); err != nil {
			return data.Value{}, err
		}
		if pairs[i].Value, err = ParseValue(place.ElemSchema(), raw[1]); err != nil {
			return data.Value{}, err
		}
	}
	return data.MapOf(pairs...), nil
}

// parseStruct sets fields without validating, for some vectors hold invalid structs.
func parseStruct(place *data.Schema, j *valueJSON) (data.Value, error) {
	own, err := ParseSchema(j.StructSchema)
	if err != nil {
		return data.Value{}, err
	}
	if own == nil {
		own = place
	}
	x, err := data.NewStruct(own)
	if err != nil {
		return data.Value{}, err
	}
	for name, raw := range j.Struct {
		f, ok := own.Field(name)
		if !ok {
			return data.Value{}, fmt.Errorf("struct: no field %q in %s", name, own)
		}
		v, err := ParseValue(f.Schema, raw)
		if err != nil {
			return data.Value{}, err
		}
		x.Set(f.Index, v)
	}
	return data.StructOf(x), nil
}

// ParseDatum reads a DATUM.
func ParseDatum(raw json.RawMessage) (*data.Schema, data.Value, error) {
	var j struct{ Schema, Value json.RawMessage }
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, data.Value{}, fmt.Errorf("datum %s: %w", raw, err)
	}
	schema, err := ParseSchema(j.Schema)
	if err != nil {
		return nil, data.Value{}, err
	}
	v, err := ParseValue(schema, j.Value)
	return schema, v, err
}
