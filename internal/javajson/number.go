package javajson

import (
	"math"
	"strconv"
	"unsafe"
)

// maxNumber is the most characters of a number: Jackson's limit.
const maxNumber = 1000

// A Num is the text of a JSON number. Its methods convert as the accessors of
// Jackson's number nodes do.
type Num struct {
	text     string
	integral bool
	exponent int64
}

// Number reads the number ahead. Zeros in front are allowed, as Connect's
// JsonConverter has it.
func (r *Reader) Number() (Num, error) {
	start := r.pos
	if r.text[r.pos] == '-' {
		r.pos++
	}
	if !r.digits() {
		return Num{}, r.unexpected("a digit")
	}
	n := Num{integral: true}
	behind := 0
	if r.at('.') {
		n.integral = false
		r.pos++
		point := r.pos
		if !r.digits() {
			return Num{}, r.unexpected("a digit behind the point")
		}
		behind = r.pos - point
	}
	if r.at('e') || r.at('E') {
		n.integral = false
		var err error
		if n.exponent, err = r.exponent(); err != nil {
			return Num{}, err
		}
	}
	if r.pos-start > maxNumber {
		return Num{}, r.fail("a number of %d characters, allowed are %d", r.pos-start, maxNumber)
	}
	if scale := int64(behind) - n.exponent; scale < math.MinInt32 || scale > math.MaxInt32 {
		return Num{}, r.fail("a number whose exponent has more than 32 bits")
	}
	if r.depth == 0 && r.pos < len(r.text) && !isBlank(r.text[r.pos]) {
		return Num{}, r.unexpected("the end of a number")
	}
	n.text = unsafe.String(&r.text[start], r.pos-start)
	return n, nil
}

func (r *Reader) at(c byte) bool { return r.pos < len(r.text) && r.text[r.pos] == c }

// digits skips digits and reports whether there was one.
func (r *Reader) digits() bool {
	start := r.pos
	for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}

// exponent reads e, a sign if there is one, and digits.
func (r *Reader) exponent() (int64, error) {
	r.pos++
	start := r.pos
	if r.at('+') || r.at('-') {
		r.pos++
	}
	if !r.digits() {
		return 0, r.unexpected("a digit of an exponent")
	}
	n, err := strconv.ParseInt(string(r.text[start:r.pos]), 10, 64)
	if err != nil {
		return 0, r.fail("a number whose exponent has more than 32 bits")
	}
	return n, nil
}

// Text returns the number as it is written.
func (n Num) Text() string { return n.text }

// Integral reports whether the number has neither point nor exponent.
func (n Num) Integral() bool { return n.integral }

// Int32 returns an integral number that has 32 bits, and whether it is one.
func (n Num) Int32() (int32, bool) {
	if !n.integral {
		return 0, false
	}
	v, err := strconv.ParseInt(n.text, 10, 32)
	return int32(v), err == nil
}

// Int64 returns the low 64 bits of the number without its fraction, in two's
// complement: longValue. The low bits of that are the narrower values.
func (n Num) Int64() int64 {
	if n.integral && len(n.text) < 19 {
		return shortInt(n.text)
	}
	digits, negative := n.text, false
	if digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	// places counts the digits in front of the point, once the exponent is in.
	places := n.exponent
	for i := 0; i < len(digits) && digits[i] >= '0' && digits[i] <= '9'; i++ {
		places++
	}
	var low uint64
	for i := 0; i < len(digits) && places > 0; i++ {
		switch c := digits[i]; {
		case c == '.':
		case c == 'e' || c == 'E':
			i = len(digits)
		default:
			low = low*10 + uint64(c-'0')
			places--
		}
	}
	if places >= 64 { // 10^64 is a multiple of 2^64
		return 0
	}
	for ; places > 0; places-- {
		low *= 10
	}
	if negative {
		low = -low
	}
	return int64(low)
}

// shortInt reads an integer that can not overflow.
func shortInt(text string) int64 {
	i := 0
	if text[0] == '-' {
		i = 1
	}
	var v int64
	for ; i < len(text); i++ {
		v = v*10 + int64(text[i]-'0')
	}
	if text[0] == '-' {
		return -v
	}
	return v
}

// Float64 returns the nearest float64, ±Inf for what is too large. A zero has
// no sign, as in Java's BigDecimal.
func (n Num) Float64() float64 {
	f, _ := strconv.ParseFloat(n.text, 64) // the only error is a range that Inf says
	return f + 0
}

// Float32 returns the nearest float32, as Float64 does.
func (n Num) Float32() float32 {
	f, _ := strconv.ParseFloat(n.text, 32)
	return float32(f) + 0
}
