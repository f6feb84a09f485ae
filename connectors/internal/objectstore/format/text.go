package format

import (
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
)

// JSONText makes JSON of data, for formats that put several data into one text. It is used from one goroutine.
type JSONText struct{ converter *converters.JSONConverter }

// NewJSONText returns a JSONText that has decimals in Base64, or as numbers.
func NewJSONText(numbers bool) (JSONText, error) {
	c := converters.JSONConfig{SchemasCacheSize: 1000, ReplaceNullWithDefault: true}
	if numbers {
		c.DecimalFormat = converters.DecimalNumeric
	}
	converter, err := converters.NewJSON(c)
	if err != nil {
		return JSONText{}, fmt.Errorf("JSON: %w", err)
	}
	return JSONText{converter}, nil
}

// Append appends what JsonConverter makes of a datum without its schema; null is null.
func (t JSONText) Append(buf []byte, d connect.Datum) ([]byte, error) {
	if d.Value.IsNull() {
		return append(buf, "null"...), nil
	}
	out, _, err := t.converter.AppendEncodeHeader(buf, "", "", d)
	if err != nil {
		return buf, fmt.Errorf("JSON: %w", err)
	}
	return out, nil
}
