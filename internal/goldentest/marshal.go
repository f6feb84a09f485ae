package goldentest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/streamlane/connect/data"
)

// MarshalSchema writes a SCHEMA, for a vector or the message of a failing test. A nil Schema is null.
func MarshalSchema(s *data.Schema) json.RawMessage {
	if s == nil {
		return json.RawMessage("null")
	}
	j := schemaJSON{Type: s.Kind().String(), Optional: s.Optional(), Name: s.Name(), Doc: s.Doc()}
	if version, ok := s.Version(); ok {
		j.Version = &version
	}
	if !s.Default().IsNull() {
		j.Default = MarshalValue(s.Default())
	}
	if len(s.Parameters()) > 0 {
		j.Parameters = marshalParameters(s.Parameters())
	}
	for _, f := range s.Fields() {
		j.Fields = append(j.Fields, fieldJSON{Name: f.Name, Schema: MarshalSchema(f.Schema)})
	}
	if s.KeySchema() != nil {
		j.KeySchema = MarshalSchema(s.KeySchema())
	}
	if s.ElemSchema() != nil {
		j.ValueSchema = MarshalSchema(s.ElemSchema())
	}
	return mustMarshal(j)
}

func marshalParameters(params []data.Parameter) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range params {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(mustMarshal(p.Key))
		b.WriteByte(':')
		b.Write(mustMarshal(p.Value))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// MarshalValue writes a V. A struct is written without its schema.
func MarshalValue(v data.Value) json.RawMessage {
	switch k := v.Kind(); k {
	case data.KindNull:
		return json.RawMessage("null")
	case data.KindInt8, data.KindInt16, data.KindInt32:
		return tagged(map[data.Kind]string{data.KindInt8: "int8", data.KindInt16: "int16", data.KindInt32: "int32"}[k],
			json.RawMessage(v.String()))
	case data.KindInt64:
		return tagged("int64", v.String())
	case data.KindFloat32:
		return tagged("float32", v.String())
	case data.KindFloat64:
		return tagged("float64", v.String())
	case data.KindBoolean:
		return tagged("boolean", json.RawMessage(v.String()))
	case data.KindString:
		return tagged("string", v.String())
	case data.KindBytes:
		b, _ := v.Bytes()
		return tagged("bytes", base64.StdEncoding.EncodeToString(b))
	case data.KindDecimal:
		return tagged("decimal", v.String())
	case data.KindDate:
		ms, _ := v.Millis()
		return tagged("date", ms)
	default:
		return marshalContainer(v)
	}
}

func marshalContainer(v data.Value) json.RawMessage {
	if elems, ok := v.Array(); ok {
		list := make([]json.RawMessage, len(elems))
		for i := range elems {
			list[i] = MarshalValue(elems[i])
		}
		return tagged("array", list)
	}
	if pairs, ok := v.Map(); ok {
		list := make([][2]json.RawMessage, len(pairs))
		for i := range pairs {
			list[i] = [2]json.RawMessage{MarshalValue(pairs[i].Key), MarshalValue(pairs[i].Value)}
		}
		return tagged("map", list)
	}
	x, _ := v.Struct()
	fields := make(map[string]json.RawMessage, x.Len())
	for _, f := range x.Schema().Fields() {
		fields[f.Name] = MarshalValue(x.Raw(f.Index))
	}
	return tagged("struct", fields)
}

func tagged(kind string, v any) json.RawMessage { return mustMarshal(map[string]any{kind: v}) }

// mustMarshal encodes what can not fail to encode.
func mustMarshal(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("goldentest: %v", err))
	}
	return raw
}
