package format

import (
	"cmp"
	"io"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
)

// JSONOptions configure [JSON]. The zero JSONOptions write what Confluent's JsonFormat does by default.
type JSONOptions struct {
	Compression Compression
	// DecimalFormat says how decimals are shown (json.decimal.format). Empty is BASE64.
	DecimalFormat converters.DecimalFormat
	// Schemas puts each datum into an envelope with its schema: {"schema":...,"payload":...}.
	Schemas bool
	// KeepNull writes a null field as null although its schema has a default.
	KeepNull bool
	// SchemasCacheSize bounds how many schemas are kept at hand (schemas.cache.config). 0 is 1000.
	SchemasCacheSize int
}

// JSON returns the format of lines of JSON, each what JsonConverter makes of one datum, as Confluent's JsonFormat and
// Aiven's jsonl do. Files end in .json.
func JSON(o JSONOptions) (Format, error) {
	if err := o.Compression.Validate(); err != nil {
		return nil, err
	}
	if err := oneOf("decimal format", cmp.Or(o.DecimalFormat, converters.DecimalBase64), converters.DecimalBase64, converters.DecimalNumeric); err != nil {
		return nil, err
	}
	c := converters.JSONConfig{
		SchemasEnable: o.Schemas, SchemasCacheSize: cmp.Or(o.SchemasCacheSize, 1000),
		DecimalFormat: o.DecimalFormat, ReplaceNullWithDefault: !o.KeepNull,
	}
	converter, err := converters.NewJSON(c)
	if err != nil {
		return nil, err
	}
	return &jsonFormat{o: o, converter: converter, lender: newLender(o.Compression)}, nil
}

type jsonFormat struct {
	o         JSONOptions
	converter *converters.JSONConverter
	lender    *lender
}

func (f *jsonFormat) Extension() string { return ".json" + f.o.Compression.Extension() }

func (f *jsonFormat) ContentType() string {
	return f.o.Compression.contentType("application/x-ndjson")
}

func (f *jsonFormat) NewWriter(out io.Writer, _ connect.Datum) (Writer, error) {
	return &jsonWriter{stream: newStream(out, f.lender), converter: f.converter}, nil
}

type jsonWriter struct {
	*stream
	converter *converters.JSONConverter
}

// Write implements [Writer].
func (w *jsonWriter) Write(d connect.Datum) error {
	if w.err != nil {
		return w.err
	}
	out, null, err := w.converter.AppendEncodeHeader(w.buf, "", "", d)
	if err != nil {
		return &DataError{Err: err}
	}
	if null {
		out = append(out, "null"...)
	}
	w.buf = append(out, '\n')
	return w.ready()
}
