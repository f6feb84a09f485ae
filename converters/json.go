package converters

import (
	"bytes"
	"context"
	"errors"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// JSON is the plugin of [JSONConverter].
var JSON = connect.ConverterOf(connect.Info{
	Class:     "JsonConverter",
	Version:   version,
	Doc:       "Writes and reads JSON, with the schema beside the payload or without schemas.",
	StandsFor: []connect.JavaClass{{Class: "org.apache.kafka.connect.json.JsonConverter"}},
}, NewJSON)

// A DecimalFormat says how JSON shows decimals.
type DecimalFormat string

// The formats of decimals.
const (
	// DecimalBase64 writes the unscaled value in Base64. The scale is in the
	// schema only.
	DecimalBase64 DecimalFormat = "BASE64"
	// DecimalNumeric writes a number, zeros at its end included.
	DecimalNumeric DecimalFormat = "NUMERIC"
)

// JSONConfig configures a JSONConverter. The zero JSONConfig is not that of
// absent keys; see [DefaultJSONConfig].
type JSONConfig struct {
	Use Use
	// SchemasEnable puts payloads into an envelope with their schema, and expects
	// such envelopes.
	SchemasEnable bool
	// SchemasCacheSize bounds, for each direction, how many schemas are kept at
	// hand. Less than 1 counts as 1.
	SchemasCacheSize int
	// SchemaContent is a schema in Connect's JSON form. With it payloads are read
	// without envelope and get this schema; writing is unchanged. Empty is none. It
	// counts only where SchemasEnable is set.
	SchemaContent string
	// DecimalFormat is for writing; both formats are read. Empty is DecimalBase64.
	DecimalFormat DecimalFormat
	// ReplaceNullWithDefault gives null the default of its schema where there is
	// one, both ways.
	ReplaceNullWithDefault bool
}

// DefaultJSONConfig returns the configuration that absent keys stand for.
func DefaultJSONConfig() JSONConfig {
	return JSONConfig{SchemasEnable: true, SchemasCacheSize: 1000, DecimalFormat: DecimalBase64, ReplaceNullWithDefault: true}
}

// Describe declares the keys, those of Java's JsonConverterConfig.
func (c *JSONConfig) Describe(d *config.Def) {
	const schemas, serialization = "Schemas", "Serialization"
	def := DefaultJSONConfig()
	describeUse(d, &c.Use)
	config.Bool(d, &c.SchemasEnable, "schemas.enable").Default(def.SchemasEnable).
		Importance(config.High).Group(schemas, 0).Width(config.MediumWidth).DisplayName("Enable Schemas").
		Doc("Include schemas within each of the serialized values and keys.")
	config.Int(d, &c.SchemasCacheSize, "schemas.cache.size").Default(def.SchemasCacheSize).
		Importance(config.High).Group(schemas, 1).Width(config.MediumWidth).DisplayName("Schema Cache Size").
		Doc("The maximum number of schemas that can be cached in this converter instance. Less than 1 counts as 1.")
	config.String(d, &c.SchemaContent, "schema.content").Optional().
		Importance(config.High).Group(schemas, 2).Width(config.MediumWidth).DisplayName("Schema Content").
		Doc("When set, this is used as the schema for all messages, and messages are read without envelope. " +
			"It has no effect with schemas.enable=false, nor on writing.")
	config.EnumFold(d, &c.DecimalFormat, "decimal.format", DecimalNumeric, DecimalBase64).Default(def.DecimalFormat).
		Importance(config.Low).Group(serialization, 0).Width(config.MediumWidth).DisplayName("Decimal Format").
		Doc("Controls which format this converter will serialize decimals in: BASE64 or NUMERIC, in any case. Both are read.")
	config.Bool(d, &c.ReplaceNullWithDefault, "replace.null.with.default").Default(def.ReplaceNullWithDefault).
		Importance(config.Low).Group(serialization, 1).Width(config.MediumWidth).DisplayName("Replace null with default").
		Doc("Whether to replace fields that have a default value and that are null to the default value. " +
			"When set to true, the default value is used, otherwise null is used.")
}

// A JSONConverter writes and reads JSON as org.apache.kafka.connect.json.JsonConverter
// does: the same bytes, the same leniencies. With schemas it writes
//
//	{"schema":{"type":"int32","optional":false},"payload":7}
//
// and without only 7. Equal bytes of a schema are decoded to the same
// *data.Schema as long as the cache holds it. It keeps caches, and so is for one
// goroutine at a time.
//
// Known departures from Java: an array schema over a payload of another kind is
// an error instead of an empty array, a default that is null counts as none, and
// the default of a STRUCT that stands in for null has the schema of its place,
// so that the record it is in is valid. Maps keep the order of the text. Text
// is UTF-8, and valid; Jackson guesses UTF-16 and UTF-32 too.
type JSONConverter struct {
	writer  jsonWriter
	reader  jsonReader
	enabled bool
	content *readPlan // of schema.content; nil for none
}

// NewJSON returns a converter. It fails if the schema content is no schema.
func NewJSON(c JSONConfig) (*JSONConverter, error) {
	j := &JSONConverter{
		writer:  newJSONWriter(c),
		reader:  newJSONReader(c),
		enabled: c.SchemasEnable,
	}
	if c.SchemasEnable && c.SchemaContent != "" {
		plan, err := j.reader.planOf([]byte(c.SchemaContent))
		if err != nil {
			err = &data.Error{Message: "Failed to parse schema in converter config", Err: err}
			return nil, &config.KeyError{Key: "schema.content", Value: c.SchemaContent, Err: err}
		}
		j.content = plan
	}
	return j, nil
}

// AppendEncode implements [connect.Converter]. Null without a schema is Kafka's
// null; null under a schema is an envelope around null or, without schemas, the
// text null.
func (j *JSONConverter) AppendEncode(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
	return j.encode(dst, d)
}

// AppendEncodeHeader implements [connect.HeaderConverter], as AppendEncode.
func (j *JSONConverter) AppendEncodeHeader(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) {
	return j.encode(dst, d)
}

// Decode implements [connect.Converter]. Strings alias b where they have no
// escapes. Text behind the first value is not looked at.
func (j *JSONConverter) Decode(_ context.Context, _ *connect.Wire, b []byte) (connect.Datum, error) {
	return j.decode(b)
}

// DecodeHeader implements [connect.HeaderConverter], as Decode.
func (j *JSONConverter) DecodeHeader(_, _ string, b []byte) (connect.Datum, error) {
	return j.decode(b)
}

func (j *JSONConverter) encode(dst []byte, d connect.Datum) ([]byte, bool, error) {
	if d.IsNull() {
		return dst, true, nil
	}
	out, err := j.writer.appendDatum(dst, d.Schema, d.Value, j.enabled)
	if err != nil {
		return dst, false, err
	}
	return out, false, nil
}

func (j *JSONConverter) decode(b []byte) (connect.Datum, error) {
	if b == nil {
		return connect.Datum{}, nil
	}
	var d connect.Datum
	var err error
	switch {
	case !j.enabled:
		d.Value, err = j.reader.payload(b, nil)
	case j.content != nil:
		d.Schema = j.content.schema
		d.Value, err = j.reader.payload(b, j.content)
	default:
		d.Schema, d.Value, err = j.reader.envelope(b)
	}
	if err == nil {
		return d, nil
	}
	if fits := (*data.Error)(nil); errors.As(err, &fits) {
		return connect.Datum{}, err
	}
	if len(bytes.TrimSpace(b)) == 0 && j.content == nil { // to Jackson no text is a value that is missing
		if j.enabled {
			return connect.Datum{}, orEnvelope(nil)
		}
		return connect.Datum{}, nil
	}
	// Letters carry the message without the cause: Java's, blank and all.
	return connect.Datum{}, &data.Error{Message: "Converting byte[] to Kafka Connect data failed due to serialization error: ", Err: err}
}
