package mqtt

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// bytesConverter is the default.
const bytesConverter = "BytesConverter"

// lensesConverter returns what a converter of Lenses' makes: values, and keys, by WITHKEY if there are fields.
func lensesConverter(class string, f fieldKey) (decoder, keyMaker, error) {
	name := class
	for _, folder := range []string{
		"io.lenses.streamreactor.connect.converters.source.",
		"com.datamountaineer.streamreactor.connect.converters.source.",
	} {
		name = strings.TrimPrefix(name, folder)
	}
	switch name {
	case "", bytesConverter:
		return decodeBytes, messageKey, nil // fields or not, as in Java
	case "JsonSimpleConverter":
		x := &inferrer{named: true}
		return func(m *message) (connect.Datum, error) {
			if len(m.payload) == 0 {
				return connect.Datum{Schema: data.OptionalStringSchema}, nil
			}
			return x.decode(m)
		}, f.ofStruct, nil
	case "JsonPassThroughConverter":
		return passThrough, f.ofText, nil
	}
	return nil, nil, fmt.Errorf("WITHCONVERTER: found %q, want BytesConverter, JsonSimpleConverter or JsonPassThroughConverter "+
		"of io.lenses.streamreactor.connect.converters.source", class)
}

// passThrough keeps the text of JSON, without a schema.
func passThrough(m *message) (connect.Datum, error) {
	_, err := parseJSON(m.payload)
	return connect.Datum{Value: data.String(string(m.payload))}, err
}

// lensesKey is the schema of Lenses' keys.
var lensesKey, errLensesKey = data.StructBuilder().Name("io.lenses.streamreactor.common.converters.MsgKey").
	Field("topic", data.StringSchema).Field("id", data.StringSchema).Build()

// messageKey is Lenses' key of a message: its topic and its packet id.
func messageKey(s *subject, _ connect.Datum) (connect.Datum, error) {
	row, err := data.NewStruct(lensesKey)
	if err = errors.Join(errLensesKey, err); err != nil {
		return connect.Datum{}, err
	}
	row.Set(0, data.String(asIs(s.m.topic)))
	row.Set(1, data.String(strconv.Itoa(int(s.m.id))))
	return connect.Datum{Schema: lensesKey, Value: data.StructOf(row)}, nil
}

// fieldKey makes keys of fields of JSON payloads, as WITHKEY of KCQL does.
type fieldKey struct {
	paths     [][]string
	delimiter string
}

// ofStruct takes the fields of a struct; other values have Lenses' key.
func (k fieldKey) ofStruct(s *subject, value connect.Datum) (connect.Datum, error) {
	if value.Value.Kind() != data.KindStruct || len(k.paths) == 0 {
		return messageKey(s, value)
	}
	text, err := k.text(value.Value, false)
	return stringDatum(text), err
}

// ofText takes the fields of the JSON that the message is. Without fields, topic and packet id are the key.
func (k fieldKey) ofText(s *subject, _ connect.Datum) (connect.Datum, error) {
	text := ""
	if len(k.paths) > 0 {
		v, err := parseJSON(s.m.payload)
		if err != nil {
			return connect.Datum{}, err
		}
		if text, err = k.text(v, true); err != nil {
			return connect.Datum{}, err
		}
	}
	if text == "" {
		text = asIs(s.m.topic) + k.delimiter + strconv.Itoa(int(s.m.id))
	}
	return connect.Datum{Value: data.String(text)}, nil
}

// text joins the fields. Those that are null are left out if skipNull says so.
func (k fieldKey) text(v data.Value, skipNull bool) (string, error) {
	var texts []string
	for _, path := range k.paths {
		x, ok := lookUp(v, path)
		if ok && skipNull && x.IsNull() {
			continue
		}
		switch x.Kind() {
		case data.KindNull, data.KindStruct, data.KindMap, data.KindArray:
			return "", fmt.Errorf("for the key: want text, a number or a boolean in the field %s, found %s", strings.Join(path, "."), found(x, ok))
		}
		texts = append(texts, x.String())
	}
	return strings.Join(texts, k.delimiter), nil
}

func found(v data.Value, ok bool) string {
	switch {
	case !ok:
		return "no such field"
	case v.IsNull():
		return "null"
	}
	return v.Kind().String()
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

var slashes = regexp.MustCompile(`/+`)

// lensesTopic is what $ makes of an MQTT topic: the first slash is left out, wherever it is, and others become underscores.
func lensesTopic(topic string) string {
	topic = slashes.ReplaceAllString(strings.Replace(topic, "/", "", 1), "_")
	return replacing("_")(topic)
}
