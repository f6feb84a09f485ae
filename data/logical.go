package data

import (
	"math"
	"math/big"
	"strconv"
)

// millisPerDay is the length of a day in UTC.
const millisPerDay = 24 * 60 * 60 * 1000

// FromLogical encodes a value of a logical type as its base type, by the name of the schema: a decimal as BYTES, a date or time as INT32, a
// timestamp as INT64 (Java's Decimal, Date, Time and Timestamp.fromLogical). Null stays null. It is an error if the schema is not logical,
// the scale of a decimal is not that of the schema, a date has a time of day, or a time is not between midnight and midnight, both
// included.
func FromLogical(s *Schema, v Value) (Value, error) {
	if v.IsNull() {
		return v, nil
	}
	if s.Name() == LogicalDecimal {
		return decimalToBytes(s, v)
	}
	if !isTemporal(s) {
		return Value{}, dataError("Requested conversion of a logical value but the schema does not match: found %s", s)
	}
	ms, ok := v.Millis()
	if !ok {
		return Value{}, dataError("a value of %s is a DATE, found %s", s, v.Kind())
	}
	switch s.Name() {
	case LogicalDate:
		return dateToDays(ms)
	case LogicalTime:
		if ms < 0 || ms > millisPerDay {
			return Value{}, dataError("Kafka Connect Time type should not have any date fields set to non-zero values: "+
				"found %d ms, allowed 0 to %d", ms, millisPerDay)
		}
		return Int32(int32(ms)), nil
	default:
		return Int64(ms), nil
	}
}

// ToLogical decodes a value of the base type as one of the logical type that the name of the schema says (Java's Decimal, Date, Time
// and Timestamp.toLogical). Null stays null. It is an error if the schema is not logical, the value is not of its base kind, or a time
// is not between midnight and midnight, both included.
func ToLogical(s *Schema, v Value) (Value, error) {
	if v.IsNull() {
		return v, nil
	}
	if s.Name() == LogicalDecimal {
		return decimalFromBytes(s, v)
	}
	if !isTemporal(s) {
		return Value{}, dataError("Requested conversion to a logical value but the schema does not match: found %s", s)
	}
	n, ok := v.Int()
	if want := baseKind(s.Name()); !ok || v.Kind() != want {
		return Value{}, dataError("%s is encoded as %s, found %s", s, want, v.Kind())
	}
	switch s.Name() {
	case LogicalDate:
		return DateMillis(n * millisPerDay), nil
	case LogicalTime:
		return timeOfDay(int32(n))
	default:
		return DateMillis(n), nil
	}
}

// isTemporal reports whether the values of a schema are dates.
func isTemporal(s *Schema) bool {
	switch s.Name() {
	case LogicalDate, LogicalTime, LogicalTimestamp:
		return true
	default:
		return false
	}
}

// baseKind returns the kind that a temporal logical type is encoded as.
func baseKind(name string) Kind {
	if name == LogicalTimestamp {
		return KindInt64
	}
	return KindInt32
}

func dateToDays(ms int64) (Value, error) {
	if ms%millisPerDay != 0 {
		return Value{}, dataError("Kafka Connect Date type should not have any time fields set to non-zero values: found %d ms since 1970", ms)
	}
	days := ms / millisPerDay
	if days < math.MinInt32 || days > math.MaxInt32 {
		return Value{}, dataError("a Date has 32 bits for its days since 1970, found %d days", days)
	}
	return Int32(int32(days)), nil
}

func timeOfDay(ms int32) (Value, error) {
	if ms < 0 || ms > millisPerDay {
		return Value{}, dataError("Time values must use number of milliseconds greater than 0 and less than %d, found %d", millisPerDay, ms)
	}
	return DateMillis(int64(ms)), nil
}

// DecimalScaleOf returns the scale of a decimal schema. It is an error if the parameter is missing or no 32-bit number.
func DecimalScaleOf(s *Schema) (int32, error) {
	text, ok := s.Parameter(DecimalScale)
	if !ok {
		return 0, dataError("Invalid Decimal schema: scale parameter not found in %s.", s)
	}
	scale, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, &Error{Message: "Invalid scale parameter found in Decimal schema: " + strconv.Quote(text), Err: err}
	}
	return int32(scale), nil
}

func decimalToBytes(s *Schema, v Value) (Value, error) {
	d, ok := v.Decimal()
	if !ok {
		return Value{}, dataError("a value of %s is a DECIMAL, found %s", s, v.Kind())
	}
	scale, err := DecimalScaleOf(s)
	if err != nil {
		return Value{}, err
	}
	if d.scale != scale {
		return Value{}, dataError("Decimal value has mismatching scale for given Decimal schema: value has scale %d, schema has scale %d",
			d.scale, scale)
	}
	return Bytes(d.AppendUnscaled(nil)), nil
}

func decimalFromBytes(s *Schema, v Value) (Value, error) {
	b, ok := v.Bytes()
	if !ok {
		return Value{}, dataError("%s is encoded as BYTES, found %s", s, v.Kind())
	}
	scale, err := DecimalScaleOf(s)
	if err != nil {
		return Value{}, err
	}
	d, err := DecimalFromUnscaled(b, scale)
	if err != nil {
		return Value{}, err
	}
	return DecimalOf(d), nil
}

// AppendUnscaled appends the unscaled value as big-endian two's complement, as short as it goes and of one byte at least: Java's
// BigInteger.toByteArray.
func (d Decimal) AppendUnscaled(dst []byte) []byte {
	n, negative := d.int(), d.Sign() < 0
	if negative {
		n = new(big.Int).Not(n) // the inverted bits: -n-1
	}
	start := len(dst)
	dst = append(dst, make([]byte, n.BitLen()/8+1)...) // room for the sign
	n.FillBytes(dst[start:])
	if negative {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// DecimalFromUnscaled returns the decimal whose unscaled value is given as big-endian two's complement of any length from one byte
// up: Java's BigInteger(byte[]).
func DecimalFromUnscaled(b []byte, scale int32) (Decimal, error) {
	if len(b) == 0 {
		return Decimal{}, dataError("a decimal has at least one byte, found none (Zero length BigInteger)")
	}
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return Decimal{unscaled: n, scale: scale}, nil
}
