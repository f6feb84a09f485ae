package mqtt

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// A decoder makes the value of a record. It is for one goroutine.
type decoder func(m *message) (connect.Datum, error)

// newDecoder returns the decoder of a form. schema is for PayloadStruct, in the JSON of JsonConverter; empty: it is inferred.
func newDecoder(form Payload, schema string) (decoder, error) {
	switch form {
	case PayloadString:
		return decodeString, nil
	case PayloadJSON:
		return decodeJSON, nil
	case PayloadStruct:
		if schema != "" {
			return givenDecoder(schema)
		}
		return new(inferrer).decode, nil
	}
	return decodeBytes, nil
}

func decodeBytes(m *message) (connect.Datum, error) {
	payload := m.payload
	if payload == nil {
		payload = []byte{}
	}
	return connect.Datum{Schema: data.BytesSchema, Value: data.Bytes(payload)}, nil
}

func decodeString(m *message) (connect.Datum, error) {
	if !utf8.Valid(m.payload) {
		return connect.Datum{}, errors.New("found bytes that are not UTF-8")
	}
	return stringDatum(string(m.payload)), nil
}

// decodeJSON makes null of no payload, which is how MQTT deletes a retained message.
func decodeJSON(m *message) (connect.Datum, error) {
	if len(m.payload) == 0 {
		return connect.Datum{}, nil
	}
	v, err := parseJSON(m.payload)
	return connect.Datum{Value: v}, err
}

// parseJSON reads one JSON value: objects as MAP in their own order, whole numbers as INT64, other numbers, and those that are larger, as FLOAT64.
// Of a name that is there twice the last value counts. Texts may share the memory of the payload.
func parseJSON(text []byte) (data.Value, error) {
	r := javajson.NewReader(text)
	v, err := jsonValue(&r)
	if err == nil && len(bytes.TrimSpace(text[r.Offset():])) > 0 {
		err = fmt.Errorf("there is more after the value, at byte %d", r.Offset())
	}
	if err != nil {
		return data.Value{}, fmt.Errorf("found no JSON: %w", err)
	}
	return v, nil
}

func jsonValue(r *javajson.Reader) (data.Value, error) {
	kind, err := r.Next()
	if err != nil {
		return data.Value{}, err
	}
	switch kind {
	case javajson.Null:
		return data.Value{}, r.Null()
	case javajson.Boolean:
		b, err := r.Bool()
		return data.Boolean(b), err
	case javajson.String:
		s, err := r.String()
		return data.String(s), err
	case javajson.Array:
		return jsonArray(r)
	case javajson.Object:
		return jsonObject(r)
	}
	n, err := r.Number()
	if err != nil {
		return data.Value{}, err
	}
	return jsonNumber(n.Text())
}

func jsonNumber(text string) (data.Value, error) {
	if digits := strings.TrimPrefix(text, "-"); len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return data.Value{}, fmt.Errorf("found the number %s with a leading zero", text)
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return data.Int64(i), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return data.Value{}, fmt.Errorf("found the number %s, which no double holds", text)
	}
	return data.Float64(f), nil
}

func jsonArray(r *javajson.Reader) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	elems := []data.Value{}
	for first := true; ; first = false {
		more, err := r.Element(first)
		if err != nil || !more {
			return data.ArrayOf(elems...), err
		}
		v, err := jsonValue(r)
		if err != nil {
			return v, err
		}
		elems = append(elems, v)
	}
}

func jsonObject(r *javajson.Reader) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	m := members{pairs: []data.Pair{}}
	for first := true; ; first = false {
		name, more, err := r.Key(first)
		if err != nil || !more {
			return data.MapOf(m.pairs...), err
		}
		v, err := jsonValue(r)
		if err != nil {
			return v, err
		}
		m.set(name, v)
	}
}

// members are those of an object, each name once. Large objects get an index.
type members struct {
	pairs []data.Pair
	index map[string]int
}

// indexed is from how many members on an index is worth its while.
const indexed = 16

func (m *members) set(name string, v data.Value) {
	if i := m.find(name); i >= 0 {
		m.pairs[i].Value = v
		return
	}
	m.pairs = append(m.pairs, data.Pair{Key: data.String(name), Value: v})
	switch {
	case m.index != nil:
		m.index[name] = len(m.pairs) - 1
	case len(m.pairs) == indexed:
		m.index = make(map[string]int, 2*indexed)
		for i, p := range m.pairs {
			s, _ := p.Key.Str()
			m.index[s] = i
		}
	}
}

// find returns where a name is, -1 for nowhere.
func (m *members) find(name string) int {
	if m.index != nil {
		if i, ok := m.index[name]; ok {
			return i
		}
		return -1
	}
	for i, p := range m.pairs {
		if s, _ := p.Key.Str(); s == name {
			return i
		}
	}
	return -1
}
