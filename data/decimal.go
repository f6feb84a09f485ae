package data

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is a decimal number of any precision, unscaled × 10^-scale: the twin of Java's BigDecimal. 1.0 and 1.00 are different
// decimals of the same number. The zero Decimal is 0. A Decimal is immutable.
type Decimal struct {
	unscaled *big.Int // nil: 0; never changed once it is in here
	scale    int32
}

// NewDecimal returns unscaled × 10^-scale. The number is copied; nil counts as 0.
func NewDecimal(unscaled *big.Int, scale int32) Decimal {
	if unscaled == nil {
		return Decimal{scale: scale}
	}
	return Decimal{unscaled: new(big.Int).Set(unscaled), scale: scale}
}

// DecimalFromInt64 returns unscaled × 10^-scale.
func DecimalFromInt64(unscaled int64, scale int32) Decimal {
	return Decimal{unscaled: big.NewInt(unscaled), scale: scale}
}

// int returns the unscaled value, which must not be changed.
func (d Decimal) int() *big.Int {
	if d.unscaled == nil {
		return new(big.Int)
	}
	return d.unscaled
}

// Unscaled returns a copy of the unscaled value.
func (d Decimal) Unscaled() *big.Int { return new(big.Int).Set(d.int()) }

// Scale returns the number of digits behind the point; a negative scale counts zeros in front of it.
func (d Decimal) Scale() int32 { return d.scale }

// Sign returns -1, 0 or +1.
func (d Decimal) Sign() int { return d.int().Sign() }

// Precision returns the number of decimal digits of the unscaled value, 1 for zero.
func (d Decimal) Precision() int {
	n := d.int()
	if n.IsInt64() {
		digits := 1
		for rest := n.Int64() / 10; rest != 0; rest /= 10 {
			digits++
		}
		return digits
	}
	// A number of b bits has this many digits, or one more; writing it out to count would take far longer.
	digits := int(float64(n.BitLen()-1)*math.Log10(2)) + 1
	if n.CmpAbs(pow10(int64(digits))) >= 0 {
		digits++
	}
	return digits
}

// digits returns the digits of the unscaled value without its sign.
func (d Decimal) digits() string { return strings.TrimPrefix(d.int().String(), "-") }

// String returns the text of BigDecimal.toString: plain for scales from 0 on down to an exponent of -6, else with an exponent, as in
// "5E+2" and "1E-7". It carries the scale, so [ParseDecimal] brings the same decimal back.
func (d Decimal) String() string {
	digits := d.digits()
	exponent := int64(len(digits)) - 1 - int64(d.scale)
	if d.scale >= 0 && exponent >= -6 {
		return d.sign() + pointed(digits, int64(d.scale))
	}
	text := d.sign() + digits[:1]
	if len(digits) > 1 {
		text += "." + digits[1:]
	}
	if exponent == 0 {
		return text
	}
	if exponent > 0 {
		return text + "E+" + strconv.FormatInt(exponent, 10)
	}
	return text + "E" + strconv.FormatInt(exponent, 10)
}

// sign returns "-" for negative numbers.
func (d Decimal) sign() string {
	if d.Sign() < 0 {
		return "-"
	}
	return ""
}

// pointed sets the point scale digits from the right; scale is not negative.
func pointed(digits string, scale int64) string {
	if scale == 0 {
		return digits
	}
	at := int64(len(digits)) - scale
	if at > 0 {
		return digits[:at] + "." + digits[at:]
	}
	return "0." + strings.Repeat("0", int(-at)) + digits
}

// Plain returns the text of BigDecimal.toPlainString, without exponent. A decimal of a large scale gives a text that long; see
// [Decimal.PlainLen] for what comes from outside.
func (d Decimal) Plain() string {
	if d.scale >= 0 {
		return d.sign() + pointed(d.digits(), int64(d.scale))
	}
	if d.Sign() == 0 {
		return "0"
	}
	return d.sign() + d.digits() + strings.Repeat("0", int(-int64(d.scale)))
}

// PlainLen returns the length of the text of [Decimal.Plain] to within a few characters, without making it.
func (d Decimal) PlainLen() int64 {
	return int64(d.Precision()) + int64(math.Abs(float64(d.scale)))
}

// Cmp compares the numbers, whatever their scales: -1, 0 or +1.
func (d Decimal) Cmp(o Decimal) int {
	if s, t := d.Sign(), o.Sign(); s != t || s == 0 {
		return cmp.Compare(s, t)
	}
	// Numbers of different magnitude need no common scale, which might be a very long one.
	if m, n := d.magnitude(), o.magnitude(); m != n {
		return d.Sign() * cmp.Compare(m, n)
	}
	a, b := d.int(), o.int()
	switch diff := int64(d.scale) - int64(o.scale); {
	case diff > 0:
		b = new(big.Int).Mul(b, pow10(diff))
	case diff < 0:
		a = new(big.Int).Mul(a, pow10(-diff))
	}
	return a.Cmp(b)
}

// magnitude returns the number of digits in front of the point.
func (d Decimal) magnitude() int64 { return int64(d.Precision()) - int64(d.scale) }

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// maxRescale is the most digits that Rescale adds: more than any database has, few enough to be no danger.
const maxRescale = 100_000

// Rescale returns the same number with another scale. It is an error if that would cut digits off that are not zero, or add more than
// 100,000 zeros.
func (d Decimal) Rescale(scale int32) (Decimal, error) {
	diff := int64(scale) - int64(d.scale)
	switch {
	case diff == 0 || d.Sign() == 0:
		return Decimal{unscaled: d.unscaled, scale: scale}, nil
	case diff > maxRescale:
		return Decimal{}, dataError("a decimal of scale %d can not be written with scale %d: more than %d zeros", d.scale, scale, maxRescale)
	case diff > 0:
		return Decimal{unscaled: new(big.Int).Mul(d.int(), pow10(diff)), scale: scale}, nil
	case -diff < int64(d.Precision()):
		var rest big.Int
		if n, _ := new(big.Int).QuoRem(d.int(), pow10(-diff), &rest); rest.Sign() == 0 {
			return Decimal{unscaled: n, scale: scale}, nil
		}
	}
	return Decimal{}, dataError("a decimal of scale %d can not be written with scale %d: digits would be lost", d.scale, scale)
}
