package data

import "strconv"

// The schemas without name, version or default that most programs need: Kafka Connect's Schema.INT8_SCHEMA and so on.
var (
	Int8Schema    = NewBuilder(KindInt8).MustBuild()
	Int16Schema   = NewBuilder(KindInt16).MustBuild()
	Int32Schema   = NewBuilder(KindInt32).MustBuild()
	Int64Schema   = NewBuilder(KindInt64).MustBuild()
	Float32Schema = NewBuilder(KindFloat32).MustBuild()
	Float64Schema = NewBuilder(KindFloat64).MustBuild()
	BooleanSchema = NewBuilder(KindBoolean).MustBuild()
	StringSchema  = NewBuilder(KindString).MustBuild()
	BytesSchema   = NewBuilder(KindBytes).MustBuild()

	OptionalInt8Schema    = NewBuilder(KindInt8).Optional().MustBuild()
	OptionalInt16Schema   = NewBuilder(KindInt16).Optional().MustBuild()
	OptionalInt32Schema   = NewBuilder(KindInt32).Optional().MustBuild()
	OptionalInt64Schema   = NewBuilder(KindInt64).Optional().MustBuild()
	OptionalFloat32Schema = NewBuilder(KindFloat32).Optional().MustBuild()
	OptionalFloat64Schema = NewBuilder(KindFloat64).Optional().MustBuild()
	OptionalBooleanSchema = NewBuilder(KindBoolean).Optional().MustBuild()
	OptionalStringSchema  = NewBuilder(KindString).Optional().MustBuild()
	OptionalBytesSchema   = NewBuilder(KindBytes).Optional().MustBuild()
)

// The names of the logical types. Under a schema of such a name only a decimal, or only a date, is a value.
const (
	LogicalDecimal   = "org.apache.kafka.connect.data.Decimal"   // BYTES: big-endian two's complement of the unscaled value
	LogicalDate      = "org.apache.kafka.connect.data.Date"      // INT32: days since 1970-01-01, UTC
	LogicalTime      = "org.apache.kafka.connect.data.Time"      // INT32: milliseconds since midnight
	LogicalTimestamp = "org.apache.kafka.connect.data.Timestamp" // INT64: milliseconds since 1970-01-01T00:00:00Z
)

// DecimalScale is the parameter of a decimal schema that holds its scale as decimal text.
const DecimalScale = "scale"

// The schemas of the logical types that need no parameter.
var (
	DateSchema      = DateBuilder().MustBuild()
	TimeSchema      = TimeBuilder().MustBuild()
	TimestampSchema = TimestampBuilder().MustBuild()

	OptionalDateSchema      = DateBuilder().Optional().MustBuild()
	OptionalTimeSchema      = TimeBuilder().Optional().MustBuild()
	OptionalTimestampSchema = TimestampBuilder().Optional().MustBuild()
)

// DecimalBuilder starts the schema of decimals with that scale, version 1.
func DecimalBuilder(scale int) *Builder {
	return NewBuilder(KindBytes).Name(LogicalDecimal).Version(1).Parameter(DecimalScale, strconv.Itoa(scale))
}

// DateBuilder starts the schema of dates without time, version 1.
func DateBuilder() *Builder { return NewBuilder(KindInt32).Name(LogicalDate).Version(1) }

// TimeBuilder starts the schema of times of day, version 1.
func TimeBuilder() *Builder { return NewBuilder(KindInt32).Name(LogicalTime).Version(1) }

// TimestampBuilder starts the schema of instants, version 1.
func TimestampBuilder() *Builder { return NewBuilder(KindInt64).Name(LogicalTimestamp).Version(1) }

// DecimalSchema returns the schema of decimals with that scale. It builds a new one at each call, so keep it.
func DecimalSchema(scale int) *Schema { return DecimalBuilder(scale).MustBuild() }

// OptionalDecimalSchema returns the optional schema of decimals with that scale.
func OptionalDecimalSchema(scale int) *Schema { return DecimalBuilder(scale).Optional().MustBuild() }
