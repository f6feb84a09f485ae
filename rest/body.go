package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect/config"
)

// Bodies are read as Jackson reads Java's entities: field names count with their
// case, unknown ones are refused, numbers and booleans do for text. What cannot
// be read is a 500, as in Java.
func unreadable(format string, args ...any) error {
	return failure(http.StatusInternalServerError, nil, format, args...)
}

// parse reads a JSON value: nil, bool, json.Number, string, []any or
// map[string]any. An empty body is nil, as null is.
func parse(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, unreadable("Invalid UTF-8 in the body")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return v, nil
		}
		return nil, unreadable("Unexpected character: there is more in the body than one JSON value")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unreadable("Unexpected end-of-input: the JSON in the body is incomplete")
	}
	return nil, unreadable("Unexpected character: %v", err)
}

// parseObject reads a body that has to be an object; entity names it in errors.
func parseObject(body []byte, entity string) (map[string]any, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, badRequest("The request has no body; a JSON object (%s) is expected", entity)
	}
	return object(v, entity)
}

// object returns v if it is an object.
func object(v any, entity string) (map[string]any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case []any:
		return nil, mismatch(entity, v)
	}
	return nil, unreadable("Cannot construct instance of `%s`: no constructor takes the %s that was found", entity, jsonKind(v))
}

// mismatch is the error for a value of another kind.
func mismatch(entity string, v any) error {
	kind, token := jsonKind(v), ""
	switch v.(type) {
	case map[string]any:
		token = " (token `JsonToken.START_OBJECT`)"
	case []any:
		token = " (token `JsonToken.START_ARRAY`)"
	}
	return unreadable("Cannot deserialize value of type `%s` from %s value%s", entity, kind, token)
}

func jsonKind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "Object"
	case []any:
		return "Array"
	case string:
		return "String"
	case json.Number:
		return "Number"
	case bool:
		return "Boolean"
	}
	return "Null"
}

// knownOnly refuses fields that an entity does not have.
func knownOnly(fields map[string]any, entity string, known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			quoted := make([]string, len(known))
			for i, k := range known {
				quoted[i] = fmt.Sprintf("%q", k)
			}
			return unreadable("Unrecognized field %q (class %s), not marked as ignorable (%s: %s)",
				name, entity, countProperties(len(known)), strings.Join(quoted, ", "))
		}
	}
	return nil
}

func countProperties(n int) string {
	if n == 1 {
		return "one known property"
	}
	return fmt.Sprintf("%d known properties", n)
}

// text returns a value as text; null is false.
func text(v any) (s string, given bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case json.Number:
		return v.String(), true, nil
	case bool:
		return fmt.Sprint(v), true, nil
	}
	return "", false, mismatch("String", v)
}

const propsEntity = "Map<String,String>"

// props returns the text of an object's values, config.Null for null.
func props(v any) (config.Props, error) {
	fields, isObject := v.(map[string]any)
	if !isObject {
		return nil, mismatch(propsEntity, v)
	}
	p := make(config.Props, len(fields))
	for key, value := range fields {
		s, given, err := text(value)
		if err != nil {
			return nil, err
		}
		if !given {
			s = config.Null
		}
		p[key] = s
	}
	return p, nil
}

// parseProps reads a body that is a flat configuration.
func parseProps(body []byte) (config.Props, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, badRequest("The request has no body; a JSON object with the configuration is expected")
	}
	return props(v)
}
