package transforms

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/streamlane/connect/data"
)

// castValue casts one value, as Java's Cast does. A nil schema is inferred from the value. Null stays null.
func castValue(s *data.Schema, v data.Value, to data.Kind) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	from := s.Kind()
	if s == nil {
		from = v.Kind()
	}
	if from == data.KindDecimal || from == data.KindDate {
		return data.Value{}, dataError("Cast transformation was passed a value of type %s which is not supported by Connect's data API", from)
	}
	if !from.IsPrimitive() {
		return data.Value{}, dataError("Cast transformation does not support casting from %s; %s", from, castTypes[:len(castTypes)-1]+", BYTES]")
	}
	if to == data.KindString {
		return castToString(v), nil
	}
	switch s.Name() {
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		var err error
		if v, err = data.FromLogical(s, v); err != nil {
			return data.Value{}, err
		}
	}
	return castScalar(v, to)
}

// castToString prints as Java does. A date is a time, a date or a timestamp, whichever it looks like.
func castToString(v data.Value) data.Value {
	if b, ok := v.Bytes(); ok {
		return data.String(base64.StdEncoding.EncodeToString(b))
	}
	if v.Kind() == data.KindDate {
		return data.String(data.Format(v))
	}
	return data.String(v.String())
}

// castScalar casts to a number or boolean.
func castScalar(v data.Value, to data.Kind) (data.Value, error) {
	if text, ok := v.Str(); ok {
		return castText(text, to)
	}
	if b, ok := v.Bool(); ok {
		return castInt(boolToInt(b), to), nil
	}
	if n, ok := v.Int(); ok {
		return castInt(n, to), nil
	}
	if f, ok := v.Float(); ok {
		return castFloat(f, to), nil
	}
	if d, ok := v.Decimal(); ok {
		switch to {
		case data.KindFloat32:
			return data.Float32(d.Float32()), nil
		case data.KindFloat64:
			return data.Float64(d.Float64()), nil
		}
		return castInt(d.Truncated(), to), nil
	}
	return data.Value{}, dataError("Unexpected type in Cast transformation: %s", v.Kind())
}

func boolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// castInt keeps the low bits.
func castInt(n int64, to data.Kind) data.Value {
	switch to {
	case data.KindInt8:
		return data.Int8(int8(n))
	case data.KindInt16:
		return data.Int16(int16(n))
	case data.KindInt32:
		return data.Int32(int32(n))
	case data.KindFloat32:
		return data.Float32(float32(n))
	case data.KindFloat64:
		return data.Float64(float64(n))
	case data.KindBoolean:
		return data.Boolean(n != 0)
	default:
		return data.Int64(n)
	}
}

// castFloat cuts off the fraction. What is too large is the largest INT32, of which the narrower types take the low bits, or INT64.
func castFloat(f float64, to data.Kind) data.Value {
	switch to {
	case data.KindFloat32:
		return data.Float32(float32(f))
	case data.KindFloat64:
		return data.Float64(f)
	case data.KindInt64, data.KindBoolean:
		return castInt(saturate(f, math.MinInt64, math.MaxInt64), to)
	default:
		return castInt(saturate(f, math.MinInt32, math.MaxInt32), to)
	}
}

func saturate(f float64, low, high int64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= float64(high):
		return high
	case f <= float64(low):
		return low
	default:
		return int64(f)
	}
}

// castText parses a number by Java's rules, and true in any case; any other text is false.
func castText(text string, to data.Kind) (data.Value, error) {
	var v data.Value
	var err error
	switch to {
	case data.KindBoolean:
		return data.Boolean(strings.EqualFold(text, "true")), nil
	case data.KindFloat32:
		var f float64
		f, err = javaFloat(text, 32)
		v = data.Float32(float32(f))
	case data.KindFloat64:
		var f float64
		f, err = javaFloat(text, 64)
		v = data.Float64(f)
	default:
		bits := map[data.Kind]int{data.KindInt8: 8, data.KindInt16: 16, data.KindInt32: 32, data.KindInt64: 64}[to]
		var n int64
		n, err = javaInt(text, bits)
		v = castInt(n, to)
	}
	if err != nil {
		return data.Value{}, dataError("Value (%s) was out of range for requested data type", text)
	}
	return v, nil
}

// javaInt reads an integer as Long.parseLong and its siblings do: a sign, then digits of any script.
func javaInt(text string, bits int) (int64, error) {
	ascii := strings.Map(func(r rune) rune {
		if n, ok := digitValue(r); ok {
			return '0' + n
		}
		return r
	}, text)
	if strings.ContainsRune(ascii, '_') {
		return 0, errNotNumber
	}
	return strconv.ParseInt(ascii, 10, bits)
}

// digitValue returns the value of a decimal digit of any script.
func digitValue(r rune) (rune, bool) {
	if r < unicode.MaxASCII {
		return r - '0', r >= '0' && r <= '9'
	}
	for _, block := range unicode.Nd.R16 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return (r - rune(block.Lo)) % 10, true // blocks of digits start with the zero
		}
	}
	return 0, false
}

var errNotNumber = errors.New("not a number")

// javaFloat reads a number as Double.parseDouble does: blanks around it, a suffix f or d, NaN, Infinity and hexadecimal numbers are
// allowed. What is too large is infinite.
func javaFloat(text string, bits int) (float64, error) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	unsigned := strings.TrimLeft(text, "+-")
	if len(text)-len(unsigned) > 1 {
		return 0, errNotNumber
	}
	switch unsigned {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return strconv.ParseFloat(text, bits)
	case "":
		return 0, errNotNumber
	}
	hex := len(unsigned) > 1 && unsigned[0] == '0' && unsigned[1]|0x20 == 'x'
	if c := unsigned[len(unsigned)-1] | 0x20; c == 'f' || c == 'd' { // in hexadecimal the exponent comes before it
		if !hex || strings.ContainsAny(unsigned, "pP") {
			text = text[:len(text)-1]
		}
	}
	if strings.ContainsAny(unsigned, "_iInN") {
		return 0, errNotNumber
	}
	f, err := strconv.ParseFloat(text, bits)
	if errors.Is(err, strconv.ErrRange) {
		return f, nil
	}
	return f, err
}
