package transforms

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javadate"
)

// timestampPurpose names the transform in errors, as in Java.
const timestampPurpose = "converting timestamp formats"

// A timestampType is a way to write a point in time.
type timestampType string

const (
	stringType    timestampType = "string"
	unixType      timestampType = "unix"
	dateType      timestampType = "Date"
	timeType      timestampType = "Time"
	timestampKind timestampType = "Timestamp"
)

// A unixPrecision is the unit of numbers.
type unixPrecision string

const (
	inNanos   unixPrecision = "nanoseconds"
	inMicros  unixPrecision = "microseconds"
	inMillis  unixPrecision = "milliseconds"
	inSeconds unixPrecision = "seconds"
)

// A TimestampConverterConfig configures TimestampConverter.
type TimestampConverterConfig struct {
	// Field is the field to convert, "" for the whole.
	Field string
	// Format is a pattern of SimpleDateFormat, for text.
	Format string
	// ReplaceNullWithDefault converts the default of a field that is null.
	ReplaceNullWithDefault bool

	target    timestampType
	precision unixPrecision
}

// Describe declares the keys of org.apache.kafka.connect.transforms.TimestampConverter.
func (c *TimestampConverterConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field").Default("").Importance(config.High).
		Doc("Field of the top level to convert. Empty converts the whole.")
	config.Enum(d, &c.target, "target.type", stringType, unixType, dateType, timeType, timestampKind).Importance(config.High).
		Doc("What to convert to: string, unix (a number), Date, Time or Timestamp.")
	config.String(d, &c.Format, "format").Default("").Importance(config.Medium).
		Doc("Pattern of java.text.SimpleDateFormat, in UTC and with English names, to write text by if the target is string, and to read text by.")
	config.Enum(d, &c.precision, "unix.precision", inNanos, inMicros, inMillis, inSeconds).Default(inMillis).Importance(config.Low).
		Doc("Unit of numbers, to be read and written: seconds, milliseconds, microseconds or nanoseconds. What is finer than a millisecond is lost.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
}

// Check refuses a pattern that is missing or wrong.
func (c *TimestampConverterConfig) Check() error {
	if blank := strings.TrimSpace(c.Format) == ""; blank && c.target == stringType {
		return &config.KeyError{Key: "format", Err: errors.New("TimestampConverter requires format option to be specified when using string timestamps")} //nolint:staticcheck // Java's words
	}
	_, err := c.compile()
	return err
}

// compile returns the format, nil for none.
func (c *TimestampConverterConfig) compile() (*javadate.Format, error) {
	if strings.TrimSpace(c.Format) == "" {
		return nil, nil
	}
	f, err := javadate.Compile(c.Format, time.Now())
	if err != nil {
		return nil, &config.KeyError{Key: "format", Err: fmt.Errorf("TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: %s: %w", c.Format, err)} //nolint:staticcheck // Java's words
	}
	return f, nil
}

// timestampConverter is TimestampConverter.
type timestampConverter struct {
	side      side
	field     string
	target    timestampType
	precision unixPrecision
	format    *javadate.Format
	defaults  bool
	plans     schemaCache[*timestampPlan]
}

// A timestampPlan is the schema of the result, and what to convert.
type timestampPlan struct {
	schema *data.Schema
	field  int // -1: none of that name
	from   timestampType
}

func newTimestampConverter(c TimestampConverterConfig, s side) (*timestampConverter, error) {
	f, err := c.compile()
	return &timestampConverter{
		side: s, field: c.Field, target: c.target, precision: c.precision, format: f, defaults: c.ReplaceNullWithDefault,
	}, err
}

// Apply converts the whole or a field. Null stays null.
func (t *timestampConverter) Apply(_ context.Context, r *connect.Record) (bool, error) {
	return reshape(r, t.side, t)
}

func (t *timestampConverter) schemaless(_ *connect.Record, v data.Value) (connect.Datum, error) {
	if v.IsNull() || t.field == "" {
		v, err := t.infer(v)
		return connect.Datum{Value: v}, err
	}
	pairs, err := requireMap(v, timestampPurpose)
	if err != nil {
		return connect.Datum{}, err
	}
	old, _ := v.Lookup(t.field)
	changed, err := t.infer(old)
	if err != nil {
		return connect.Datum{}, inField(t.field, err)
	}
	return connect.Datum{Value: data.MapOf(upsert(slices.Clone(pairs), t.field, changed)...)}, nil
}

// infer converts a value without schema.
func (t *timestampConverter) infer(v data.Value) (data.Value, error) {
	switch k := v.Kind(); k {
	case data.KindNull:
		return v, nil
	case data.KindDate:
		return t.convert(v, timestampKind)
	case data.KindInt64:
		return t.convert(v, unixType)
	case data.KindString:
		return t.convert(v, stringType)
	default:
		return data.Value{}, dataError("TimestampConverter does not support %s objects as timestamps", k)
	}
}

func (t *timestampConverter) withSchema(_ *connect.Record, d connect.Datum) (connect.Datum, error) {
	row, isStruct := d.Value.Struct()
	if t.field != "" && !isStruct && !d.Value.IsNull() {
		_, err := requireStruct(d.Value, timestampPurpose)
		return connect.Datum{}, err
	}
	plan, err := t.plans.get(d.Schema, t.plan)
	if err != nil {
		return connect.Datum{}, err
	}
	switch {
	case t.field == "":
		v, err := t.convert(d.Value, plan.from)
		return connect.Datum{Schema: plan.schema, Value: v}, err
	case !isStruct:
		return connect.Datum{Schema: plan.schema}, nil
	}
	converted, err := t.convertField(row, plan, plan.schema)
	return connect.Datum{Schema: plan.schema, Value: data.StructOf(converted)}, err
}

func (t *timestampConverter) convertField(old *data.Struct, plan *timestampPlan, s *data.Schema) (*data.Struct, error) {
	row, err := data.NewStruct(s)
	if err != nil {
		return nil, err
	}
	for i, f := range s.Fields() {
		v := fieldOf(old, i, t.defaults)
		if i == plan.field {
			if v, err = t.convert(v, plan.from); err != nil {
				return nil, inField(f.Name, err)
			}
		}
		if err := setField(row, f, v); err != nil {
			return nil, err
		}
	}
	return row, nil
}

func (t *timestampConverter) plan(s *data.Schema) (*timestampPlan, error) {
	p := &timestampPlan{field: -1}
	var err error
	if t.field == "" {
		p.schema = t.targetSchema(s.Optional())
		p.from, err = timestampTypeOf(s)
		return p, err
	}
	if s.Kind() != data.KindStruct {
		return nil, dataError("Cannot list fields on non-struct type: found %s", s)
	}
	b := copyBasics(s, data.StructBuilder())
	for i, f := range s.Fields() {
		schema := f.Schema
		if f.Name == t.field {
			p.field = i
			if p.from, err = timestampTypeOf(f.Schema); err != nil {
				return nil, inField(f.Name, err)
			}
			schema = t.targetSchema(f.Schema.Optional())
		}
		b.Field(f.Name, schema)
	}
	if s.Optional() {
		b.Optional()
	}
	if p.schema, err = b.Build(); err != nil {
		return nil, err
	}
	def, ok := s.Default().Struct()
	if !ok {
		return p, nil
	}
	converted, err := t.convertField(def, p, p.schema)
	if err != nil {
		return nil, err
	}
	p.schema, err = b.Default(data.StructOf(converted)).Build()
	return p, err
}

// targetSchema returns the schema of the result.
func (t *timestampConverter) targetSchema(optional bool) *data.Schema {
	required := map[timestampType][2]*data.Schema{
		stringType:    {data.StringSchema, data.OptionalStringSchema},
		unixType:      {data.Int64Schema, data.OptionalInt64Schema},
		dateType:      {data.DateSchema, data.OptionalDateSchema},
		timeType:      {data.TimeSchema, data.OptionalTimeSchema},
		timestampKind: {data.TimestampSchema, data.OptionalTimestampSchema},
	}[t.target]
	return required[boolToInt(optional)]
}

// timestampTypeOf says what values of a schema are.
func timestampTypeOf(s *data.Schema) (timestampType, error) {
	switch s.Name() {
	case data.LogicalTimestamp:
		return timestampKind, nil
	case data.LogicalDate:
		return dateType, nil
	case data.LogicalTime:
		return timeType, nil
	}
	switch s.Kind() {
	case data.KindString:
		return stringType, nil
	case data.KindInt64:
		return unixType, nil
	}
	return "", fmt.Errorf("Schema %s does not correspond to a known timestamp type format", s) //nolint:staticcheck // Java's words
}

// convert brings a value from one type to the target.
func (t *timestampConverter) convert(v data.Value, from timestampType) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	ms, err := t.millis(v, from)
	if err != nil {
		return data.Value{}, err
	}
	switch t.target {
	case stringType:
		return data.String(t.format.Format(ms)), nil
	case unixType:
		return data.Int64(t.precision.fromMillis(ms)), nil
	case dateType:
		return data.DateMillis(ms - floorMod(ms, msPerDay)), nil
	case timeType:
		return data.DateMillis(floorMod(ms, msPerDay)), nil
	default:
		return data.DateMillis(ms), nil
	}
}

const msPerDay = 24 * 60 * 60 * 1000

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// millis returns the milliseconds since 1970 that a value stands for.
func (t *timestampConverter) millis(v data.Value, from timestampType) (int64, error) {
	switch from {
	case stringType:
		text, ok := v.Str()
		if !ok {
			return 0, dataError("Expected string timestamp to be a String, but found %s", v.Kind())
		}
		if t.format == nil {
			return 0, dataError("the timestamp is text, and the key format has no pattern to read it by: found %q", text)
		}
		ms, err := t.format.Parse(text)
		if err != nil {
			return 0, dataError("Could not parse timestamp: value (%s) does not match pattern (%s)", text, t.format)
		}
		return ms, nil
	case unixType:
		n, ok := v.Int()
		if !ok {
			return 0, dataError("Expected Unix timestamp to be a Long, but found %s", v.Kind())
		}
		return t.precision.toMillis(n), nil
	}
	ms, ok := v.Millis()
	if !ok {
		return 0, dataError("Expected %s to be a java.util.Date, but found %s", from, v.Kind())
	}
	return ms, nil
}

// toMillis cuts what is finer off, towards 1970. What is too large is the largest.
func (p unixPrecision) toMillis(n int64) int64 {
	switch p {
	case inSeconds:
		return times(n, 1000)
	case inMicros:
		return n / 1000
	case inNanos:
		return n / 1_000_000
	}
	return n
}

func (p unixPrecision) fromMillis(ms int64) int64 {
	switch p {
	case inSeconds:
		return ms / 1000
	case inMicros:
		return times(ms, 1000)
	case inNanos:
		return times(ms, 1_000_000)
	}
	return ms
}

// times multiplies, up to the limits of 64 bits.
func times(n, factor int64) int64 {
	switch {
	case n > math.MaxInt64/factor:
		return math.MaxInt64
	case n < math.MinInt64/factor:
		return math.MinInt64
	}
	return n * factor
}
