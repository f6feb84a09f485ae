package connectjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/streamlane/connect/data"
)

// ParseObject reads an object of primitives, in the order of its text: integers
// as Int64, other numbers as Float64. JSON null gives nil and no error.
func ParseObject(b []byte) ([]data.Entry, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	entries, err := readObject(d)
	if err != nil {
		return nil, err
	}
	return entries, atEnd(d)
}

// ParseOffsetKey reads a key of the offsets topic: ["connector",{partition}].
// A null partition gives nil entries and isNull.
func ParseOffsetKey(b []byte) (connector string, partition []data.Entry, isNull bool, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return "", nil, false, fmt.Errorf("offset key: %w", err)
	}
	if len(parts) != 2 {
		return "", nil, false, fmt.Errorf("offset key: array of %d, want [connector, partition]", len(parts))
	}
	if err := json.Unmarshal(parts[0], &connector); err != nil || parts[0][0] != '"' {
		return "", nil, false, errors.New("offset key: the connector's name is no string")
	}
	partition, err = ParseObject(parts[1])
	if err != nil {
		return "", nil, false, fmt.Errorf("offset key of connector %q: %w", connector, err)
	}
	return connector, partition, partition == nil, nil
}

func readObject(d *json.Decoder) ([]data.Entry, error) {
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	if t == nil {
		return nil, nil
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("object: found %v", t)
	}
	entries := []data.Entry{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("object: %w", err)
		}
		v, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("object: %w", err)
		}
		value, err := primitive(v)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", k, err)
		}
		entries = append(entries, data.E(k.(string), value))
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	return entries, nil
}

func primitive(t json.Token) (data.Value, error) {
	switch t := t.(type) {
	case nil:
		return data.Value{}, nil
	case bool:
		return data.Boolean(t), nil
	case string:
		return data.String(t), nil
	case json.Number:
		if n, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return data.Int64(n), nil
		}
		f, err := t.Float64()
		if err != nil {
			return data.Value{}, err
		}
		return data.Float64(f), nil
	default:
		return data.Value{}, fmt.Errorf("found %v, want a primitive", t)
	}
}

func atEnd(d *json.Decoder) error {
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the object")
	}
	return nil
}
