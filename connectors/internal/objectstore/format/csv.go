package format

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/data"
)

// Nested says what becomes of structs, arrays and maps inside of a row of CSV.
type Nested string

// What becomes of nested data.
const (
	// NestedJSON writes them as JSON into their cell.
	NestedJSON Nested = "json"
	// NestedError refuses the datum.
	NestedError Nested = "error"
)

// CSVOptions configure [CSV]. The zero CSVOptions are those of RFC 4180 with a header row, but for line feeds at the
// end of lines.
type CSVOptions struct {
	Compression Compression
	// NoHeader leaves out the row of the columns' names.
	NoHeader bool
	// Delimiter stands between cells. 0 is a comma.
	Delimiter rune
	// Quote encloses cells that need it, and is doubled inside. 0 is a double quote.
	Quote rune
	// Null stands for null. A text that equals it is quoted, so with the empty Null an empty text is "".
	Null string
	// LineEnd ends each row. Empty is a line feed; RFC 4180 has "\r\n".
	LineEnd string
	// Nested is for structs, arrays and maps in cells. Empty is NestedJSON.
	Nested Nested
	// DecimalFormat is for decimals inside of nested data; those in cells of their own are plain numbers. Empty is
	// NUMERIC.
	DecimalFormat converters.DecimalFormat
}

// CSV returns the format of comma-separated values. A struct is a row, its fields the columns in their order; a map
// without schema has the keys of the file's first one as its columns; anything else is a row of the one column "value".
//
// A date is written as 2006-01-02, a time as 15:04:05.000, a timestamp as 2006-01-02T15:04:05.000Z, bytes in Base64.
// A null field is written as the default of its schema if there is one.
func CSV(o CSVOptions) (Format, error) {
	o.Delimiter, o.Quote = cmp.Or(o.Delimiter, ','), cmp.Or(o.Quote, '"')
	o.LineEnd, o.Nested = cmp.Or(o.LineEnd, "\n"), cmp.Or(o.Nested, NestedJSON)
	o.DecimalFormat = cmp.Or(o.DecimalFormat, converters.DecimalNumeric)
	if err := o.validate(); err != nil {
		return nil, err
	}
	converter, err := converters.NewJSON(converters.JSONConfig{
		SchemasCacheSize: 1000, DecimalFormat: o.DecimalFormat, ReplaceNullWithDefault: true,
	})
	if err != nil {
		return nil, err
	}
	return &csvFormat{o: o, converter: converter, lender: newLender(o.Compression), special: string([]rune{o.Delimiter, o.Quote, '\r', '\n'})}, nil
}

func (o *CSVOptions) validate() error {
	bad := func(r rune) bool { return r == '\r' || r == '\n' || !utf8.ValidRune(r) || r == utf8.RuneError }
	switch {
	case bad(o.Delimiter), bad(o.Quote), o.Delimiter == o.Quote:
		return fmt.Errorf("found delimiter %q and quote %q, allowed are two different characters that end no line", o.Delimiter, o.Quote)
	case o.LineEnd != "\n" && o.LineEnd != "\r\n" && o.LineEnd != "\r":
		return fmt.Errorf("found line end %q, allowed are \"\\n\", \"\\r\\n\" and \"\\r\"", o.LineEnd)
	case strings.ContainsAny(o.Null, string([]rune{o.Delimiter, o.Quote, '\r', '\n'})):
		return fmt.Errorf("found null text %q, allowed is one that needs no quotes", o.Null)
	}
	if err := oneOf("nested", o.Nested, NestedJSON, NestedError); err != nil {
		return err
	}
	if err := oneOf("decimal format", o.DecimalFormat, converters.DecimalBase64, converters.DecimalNumeric); err != nil {
		return err
	}
	return o.Compression.Validate()
}

type csvFormat struct {
	o         CSVOptions
	converter *converters.JSONConverter
	lender    *lender
	special   string // characters for which a cell is quoted
	cell      []byte // room for the text of a cell
}

func (f *csvFormat) Extension() string { return ".csv" + f.o.Compression.Extension() }

func (f *csvFormat) ContentType() string { return f.o.Compression.contentType("text/csv") }

func (f *csvFormat) NewWriter(out io.Writer, first connect.Datum) (Writer, error) {
	w := &csvWriter{stream: newStream(out, f.lender), f: f, schema: first.Schema}
	if err := w.columns(first); err != nil {
		return nil, err
	}
	if !f.o.NoHeader {
		for i, name := range w.names {
			w.buf = f.appendText(w.delimited(w.buf, i), name)
		}
		w.buf = append(w.buf, f.o.LineEnd...)
	}
	return w, nil
}

type csvWriter struct {
	*stream
	f      *csvFormat
	schema *data.Schema
	equal  *data.Schema // the last schema that was found to equal it
	names  []string
	byName bool // rows are maps
	row    []data.Value
}

// Memory implements [Writer].
func (w *csvWriter) Memory() int64 {
	const name, value = 16, 32
	return w.stream.Memory() + int64(cap(w.names))*name + int64(cap(w.row))*value
}

// columns finds the columns in the first datum.
func (w *csvWriter) columns(first connect.Datum) error {
	pairs, isMap := first.Value.Map()
	switch {
	case w.schema.Kind() == data.KindStruct:
		for _, f := range w.schema.Fields() {
			w.names = append(w.names, f.Name)
		}
	case w.schema == nil && isMap:
		w.byName = true
		for _, p := range pairs {
			name, ok := p.Key.Str()
			if !ok {
				return dataError("the columns of CSV are the keys of maps, found a key of kind %s", p.Key.Kind())
			}
			w.names = append(w.names, name)
		}
		w.row = make([]data.Value, len(w.names))
	default:
		w.names = []string{"value"}
	}
	if len(w.names) == 0 {
		return dataError("a row of CSV has one column or more, found %s without any", found(first))
	}
	return nil
}

// Write implements [Writer].
func (w *csvWriter) Write(d connect.Datum) error {
	if w.err != nil {
		return w.err
	}
	out, err := w.appendRow(w.buf, d)
	if err != nil {
		return &DataError{Err: err}
	}
	if len(out) == len(w.buf) { // readers skip lines without anything
		out = utf8.AppendRune(utf8.AppendRune(out, w.f.o.Quote), w.f.o.Quote)
	}
	w.buf = append(out, w.f.o.LineEnd...)
	return w.ready()
}

func (w *csvWriter) appendRow(dst []byte, d connect.Datum) ([]byte, error) {
	switch {
	case w.byName:
		return w.appendMap(dst, d)
	case !w.accepts(d.Schema):
		return dst, fmt.Errorf("found %s in a file of %s", found(d), w.schema)
	case w.schema.Kind() != data.KindStruct:
		return w.f.appendCell(dst, d.Schema, d.Value, &w.f.cell)
	}
	x, ok := d.Value.Struct()
	if !ok || !w.accepts(x.Schema()) {
		return dst, fmt.Errorf("found %s in a file of %s", d.Value.Kind(), w.schema)
	}
	for i := range w.names {
		field := &w.schema.Fields()[i]
		var err error
		if dst, err = w.f.appendCell(w.delimited(dst, i), field.Schema, x.At(i), &w.f.cell); err != nil {
			return dst, fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return dst, nil
}

func (w *csvWriter) accepts(s *data.Schema) bool {
	if s == w.schema || s != nil && s == w.equal {
		return true
	}
	if s == nil || w.schema == nil || !s.Equal(w.schema) {
		return false
	}
	w.equal = s
	return true
}

func (w *csvWriter) appendMap(dst []byte, d connect.Datum) ([]byte, error) {
	pairs, ok := d.Value.Map()
	if !ok || d.Schema != nil {
		return dst, fmt.Errorf("found %s in a file of maps without schema", found(d))
	}
	clear(w.row)
	for i, p := range pairs {
		at := i
		name, _ := p.Key.Str()
		if i >= len(w.names) || w.names[i] != name {
			at = indexOf(w.names, name)
		}
		if at < 0 || p.Key.Kind() != data.KindString {
			return dst, fmt.Errorf("found key %q, the columns of this file are %q", p.Key, w.names)
		}
		w.row[at] = p.Value
	}
	for i, v := range w.row {
		var err error
		if dst, err = w.f.appendCell(w.delimited(dst, i), nil, v, &w.f.cell); err != nil {
			return dst, fmt.Errorf("key %q: %w", w.names[i], err)
		}
	}
	return dst, nil
}

func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

func (w *csvWriter) delimited(dst []byte, column int) []byte {
	if column == 0 {
		return dst
	}
	return utf8.AppendRune(dst, w.f.o.Delimiter)
}

// appendText appends a text, in quotes if it needs them.
func (f *csvFormat) appendText(dst []byte, text string) []byte {
	if text != f.o.Null && text != "" && !strings.ContainsAny(text, f.special) && !blankEnd(text) {
		return append(dst, text...)
	}
	dst = utf8.AppendRune(dst, f.o.Quote)
	for {
		i := strings.IndexRune(text, f.o.Quote)
		if i < 0 {
			break
		}
		dst = append(dst, text[:i]...)
		dst = utf8.AppendRune(utf8.AppendRune(dst, f.o.Quote), f.o.Quote)
		text = text[i+utf8.RuneLen(f.o.Quote):]
	}
	return utf8.AppendRune(append(dst, text...), f.o.Quote)
}

// blankEnd says whether a text begins or ends with blanks, which some readers trim.
func blankEnd(text string) bool {
	return text[0] == ' ' || text[0] == '\t' || text[len(text)-1] == ' ' || text[len(text)-1] == '\t'
}

// maxPlain bounds the digits of a decimal, whose scale may ask for any number of zeros.
const maxPlain = 100_000

// appendCell appends a value. cell is room for its text.
func (f *csvFormat) appendCell(dst []byte, s *data.Schema, v data.Value, cell *[]byte) ([]byte, error) {
	switch v.Kind() {
	case data.KindNull:
		return append(dst, f.o.Null...), nil
	case data.KindString:
		text, _ := v.Str()
		return f.appendText(dst, text), nil
	case data.KindDecimal:
		n, _ := v.Decimal()
		if n.PlainLen() > maxPlain {
			return dst, fmt.Errorf("found a decimal of %d digits, allowed are %d", n.PlainLen(), maxPlain)
		}
		return f.appendText(dst, n.Plain()), nil
	case data.KindDate:
		out, err := appendTime((*cell)[:0], s, v)
		if *cell = out; err != nil {
			return dst, err
		}
		return f.appendText(dst, string(out)), nil
	case data.KindStruct, data.KindArray, data.KindMap:
		if f.o.Nested == NestedError {
			return dst, fmt.Errorf("found %s, which CSV has no cell for; flatten the record (Flatten), or write nested data as JSON", v.Kind())
		}
		out, _, err := f.converter.AppendEncodeHeader((*cell)[:0], "", "", connect.Datum{Schema: s, Value: v})
		if err != nil {
			return dst, err
		}
		*cell = out
		return f.appendText(dst, string(out)), nil
	}
	*cell = v.Append((*cell)[:0]) // numbers, booleans, bytes in Base64
	return f.appendText(dst, string(*cell)), nil
}

// appendTime appends a date by the name of its schema; without one it is an instant.
func appendTime(dst []byte, s *data.Schema, v data.Value) ([]byte, error) {
	layout := "2006-01-02T15:04:05.000Z"
	switch s.Name() {
	case data.LogicalDate:
		layout = time.DateOnly
	case data.LogicalTime:
		layout = "15:04:05.000"
	}
	if s != nil {
		if _, err := data.FromLogical(s, v); err != nil {
			return dst, err
		}
	}
	if ms, _ := v.Millis(); ms == 24*60*60*1000 && s.Name() == data.LogicalTime {
		return append(dst, "24:00:00.000"...), nil
	}
	t, _ := v.Time()
	return t.AppendFormat(dst, layout), nil
}
