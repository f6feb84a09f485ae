package data

import (
	"math"
	"math/big"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// digitOf returns the value of a decimal digit of any script of the Basic Multilingual Plane: Java's Character.digit of a char.
func digitOf(r rune) (int, bool) {
	if r < utf8.RuneSelf {
		return int(r - '0'), r >= '0' && r <= '9'
	}
	for _, block := range unicode.Nd.R16 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return int(r-rune(block.Lo)) % 10, true // blocks of digits start with the zero
		}
	}
	return 0, false
}

func startsWithDigit(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	_, ok := digitOf(r)
	return ok
}

// ParseDecimal reads the text of a BigDecimal: an optional sign, digits with an optional point, an optional exponent. The scale is
// the number of digits behind the point less the exponent, and must have 32 bits. Blanks are not allowed, digits of other scripts are.
func ParseDecimal(text string) (Decimal, error) {
	d, problem := readDecimal(text)
	if problem != "" {
		return Decimal{}, dataError("%s is not a decimal number: %s", quoteShort(text), problem)
	}
	return d, nil
}

// readDecimal is ParseDecimal for those who try: it says what is wrong without making an error of it.
func readDecimal(text string) (d Decimal, problem string) {
	digits, rest, scale := significand(text)
	if len(digits) == 0 || digits[len(digits)-1] == '-' {
		return Decimal{}, "it has no digits"
	}
	exponent, ok := exponentOf(rest)
	if !ok {
		return Decimal{}, "something else than an exponent follows its digits"
	}
	scale -= exponent
	if scale < math.MinInt32 || scale > math.MaxInt32 {
		return Decimal{}, "its scale has more than 32 bits"
	}
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	n := integerOf(digits)
	if negative {
		n.Neg(n)
	}
	return Decimal{unscaled: n, scale: int32(scale)}, ""
}

// integerOf returns the number that ASCII digits stand for. It reads halves on their own, for reading many digits in a row takes time by
// the square of their number, and text of any length may come from outside.
func integerOf(digits []byte) *big.Int {
	const few = 2000
	if len(digits) <= few {
		n, _ := new(big.Int).SetString(string(digits), 10) // can not fail: there are digits, and nothing else
		return n
	}
	half := len(digits) / 2
	n := integerOf(digits[:half])
	n.Mul(n, pow10(int64(len(digits)-half)))
	return n.Add(n, integerOf(digits[half:]))
}

// significand returns the digits in front of an exponent as ASCII with a minus sign if there is one, the text behind them, and the number
// of digits behind the point.
func significand(text string) (digits []byte, rest string, scale int64) {
	rest = text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		if rest[0] == '-' {
			digits = append(digits, '-')
		}
		rest = rest[1:]
	}
	pointed := false
	for rest != "" {
		r, size := utf8.DecodeRuneInString(rest)
		n, ok := digitOf(r)
		switch {
		case ok:
			digits = append(digits, byte('0'+n))
			if pointed {
				scale++
			}
		case r == '.' && !pointed:
			pointed = true
		default:
			return digits, rest, scale
		}
		rest = rest[size:]
	}
	return digits, rest, scale
}

// exponentOf reads what may follow the digits: nothing, or e and an integer.
func exponentOf(rest string) (int64, bool) {
	if rest == "" {
		return 0, true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return 0, false
	}
	digits, rest, scale := significand(rest[1:])
	if rest != "" || scale != 0 || len(digits) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(digits), 10, 33) // one bit more than the scale has
	return n, err == nil
}

// numberOf returns a number of the smallest schema that Connect infers for it.
func numberOf(d Decimal) (*Schema, Value) {
	if n, ok := d.Int64(); ok {
		switch {
		case n == int64(int8(n)):
			return Int8Schema, Int8(int8(n))
		case n == int64(int16(n)):
			return Int16Schema, Int16(int16(n))
		case n == int64(int32(n)):
			return Int32Schema, Int32(int32(n))
		default:
			return Int64Schema, Int64(n)
		}
	}
	if d.scale != 0 {
		if f := d.Float32(); !math.IsInf(float64(f), 0) {
			return Float32Schema, Float32(f)
		}
		if f := d.Float64(); !math.IsInf(f, 0) {
			return Float64Schema, Float64(f)
		}
	}
	return DecimalSchema(int(d.scale)), DecimalOf(d)
}

// int64Digits is the most digits that an int64 has.
const int64Digits = 19

// Int64 returns the number as an int64 and whether it is exactly that.
func (d Decimal) Int64() (int64, bool) {
	n := d.int()
	if d.scale == 0 || n.Sign() == 0 {
		return n.Int64(), n.IsInt64()
	}
	if digits := d.magnitude(); digits <= 0 || digits > int64Digits {
		return 0, false // below one, or too large: no need to write it out
	}
	if d.scale < 0 {
		n = new(big.Int).Mul(n, pow10(-int64(d.scale)))
	} else {
		var rest big.Int
		n, _ = new(big.Int).QuoRem(n, pow10(int64(d.scale)), &rest)
		if rest.Sign() != 0 {
			return 0, false
		}
	}
	return n.Int64(), n.IsInt64()
}

// Truncated returns the low 64 bits of the number without its fraction: BigDecimal.longValue.
func (d Decimal) Truncated() int64 {
	if d.Sign() == 0 || d.magnitude() <= 0 || d.scale <= -64 {
		return 0 // 10^64 is a multiple of 2^64
	}
	n := d.int()
	if d.scale < 0 {
		n = new(big.Int).Mul(n, pow10(-int64(d.scale)))
	} else if d.scale > 0 {
		n = new(big.Int).Quo(n, pow10(int64(d.scale)))
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)) // of the two's complement
	return int64(low.Uint64())
}

// Float64 returns the nearest float64, ±Inf for what is too large.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64) // the only error is a range that Inf says
	return f
}

// Float32 returns the nearest float32, ±Inf for what is too large.
func (d Decimal) Float32() float32 {
	f, _ := strconv.ParseFloat(d.String(), 32)
	return float32(f)
}

// DecimalOfFloat64 returns the decimal that Double.toString prints: BigDecimal.valueOf(double). NaN and the infinities are no decimals.
func DecimalOfFloat64(f float64) (Decimal, error) {
	return ParseDecimal(string(appendFloat(nil, f, 64)))
}

// truncated returns a float without its fraction, saturated, NaN as 0: Java's cast to long.
func truncated(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(f)
	}
}
