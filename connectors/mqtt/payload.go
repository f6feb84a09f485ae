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
	"github.com/streamlane/connect/internal/jsonvalue"
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
	v, err := jsonvalue.Read(&r, jsonNumber)
	if err == nil && len(bytes.TrimSpace(text[r.Offset():])) > 0 {
		err = fmt.Errorf("there is more after the value, at byte %d", r.Offset())
	}
	if err != nil {
		return data.Value{}, fmt.Errorf("found no JSON: %w", err)
	}
	return v, nil
}

func jsonNumber(n javajson.Num) (data.Value, error) {
	text := n.Text()
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
