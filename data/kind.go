package data

import "strconv"

// Kind says what a [Value] holds and what a [Schema] describes. The zero Kind is [KindNull].
//
// A schema has one of the kinds from [KindInt8] to [KindStruct], Kafka Connect's Schema.Type. [KindDecimal] and [KindDate] are
// kinds of values only: a decimal lives under a BYTES schema with the logical name [LogicalDecimal], a date under an INT32 or INT64
// schema with one of the names [LogicalDate], [LogicalTime] and [LogicalTimestamp].
type Kind uint8

// The kinds, in the order of Kafka Connect's Schema.Type.
const (
	KindNull    Kind = iota // no value; of no schema
	KindInt8                // java.lang.Byte
	KindInt16               // java.lang.Short
	KindInt32               // java.lang.Integer
	KindInt64               // java.lang.Long
	KindFloat32             // java.lang.Float
	KindFloat64             // java.lang.Double
	KindBoolean             // java.lang.Boolean
	KindString              // java.lang.String
	KindBytes               // byte[] and java.nio.ByteBuffer
	KindArray               // java.util.List
	KindMap                 // java.util.Map, keys of any kind, order kept
	KindStruct              // org.apache.kafka.connect.data.Struct
	KindDecimal             // java.math.BigDecimal; of values only
	KindDate                // java.util.Date; of values only
)

var kindNames = [...]string{
	KindNull:    "NULL",
	KindInt8:    "INT8",
	KindInt16:   "INT16",
	KindInt32:   "INT32",
	KindInt64:   "INT64",
	KindFloat32: "FLOAT32",
	KindFloat64: "FLOAT64",
	KindBoolean: "BOOLEAN",
	KindString:  "STRING",
	KindBytes:   "BYTES",
	KindArray:   "ARRAY",
	KindMap:     "MAP",
	KindStruct:  "STRUCT",
	KindDecimal: "DECIMAL",
	KindDate:    "DATE",
}

// String returns Kafka Connect's name of the kind: INT8, FLOAT64, STRUCT and so on.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// IsPrimitive reports whether a schema of this kind has no schemas inside: all of [KindInt8] to [KindBytes].
func (k Kind) IsPrimitive() bool { return k >= KindInt8 && k <= KindBytes }

// isSchemaKind reports whether a schema may have this kind.
func (k Kind) isSchemaKind() bool { return k >= KindInt8 && k <= KindStruct }

// isNumber reports whether the kind takes part in numeric promotion.
func (k Kind) isNumber() bool { return k >= KindInt8 && k <= KindFloat64 }

// isInteger reports whether the kind is one of the four integer kinds.
func (k Kind) isInteger() bool { return k >= KindInt8 && k <= KindInt64 }
