package cqlvalue

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/streamlane/connect/data"
)

// numeric is a number of any of the kinds that records have.
type numeric struct {
	kind    data.Kind // KindInt64, KindFloat32, KindFloat64 or KindDecimal
	int     int64
	float   float64
	decimal data.Decimal
}

func wholeNumber(n int64) numeric { return numeric{kind: data.KindInt64, int: n} }

// numericOf returns the number that a value is or stands for: a number itself, 1
// or 0 for a boolean, the units since 1970 for a timestamp, and what a text is by
// readNumber. An empty text is null.
func (s *settings) numericOf(v data.Value, schema *data.Schema) (n numeric, null bool, err error) {
	switch v.Kind() {
	case data.KindNull:
		return n, true, nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		n.kind = data.KindInt64
		n.int, _ = v.Int()
		return n, false, nil
	case data.KindFloat32, data.KindFloat64:
		n.kind = v.Kind()
		n.float, _ = v.Float()
		return n, false, nil
	case data.KindDecimal:
		n.kind = data.KindDecimal
		n.decimal, _ = v.Decimal()
		return n, false, nil
	case data.KindBoolean:
		if b, _ := v.Bool(); b {
			return wholeNumber(1), false, nil
		}
		return wholeNumber(0), false, nil
	case data.KindString:
		text, _ := v.Str()
		if text == "" {
			return n, true, nil
		}
		n, err = s.readNumber(text)
		return n, false, err
	case data.KindDate:
		if name := schema.Name(); name == data.LogicalDate || name == data.LogicalTime {
			break
		}
		ms, _ := v.Millis()
		seconds := floorDiv(ms, 1000)
		units, ok := s.unit.since(seconds, (ms-seconds*1000)*1_000_000)
		if !ok {
			return n, false, fmt.Errorf("a timestamp of %d ms has more %s than 64 bits hold", ms, s.unit)
		}
		return wholeNumber(units), false, nil
	}
	return n, false, found(v, schema, "a number, a boolean, a timestamp, or a text of one of these")
}

// readNumber reads a number that a person or program may have written: with
// commas between thousands or without, with an exponent, NaN or Infinity; a text
// of a timestamp stands for its units since 1970, a word for yes or no is 1 or 0.
func (s *settings) readNumber(text string) (numeric, error) {
	trimmed := strings.TrimSpace(text)
	digits := trimmed
	if strings.IndexByte(trimmed, ',') >= 0 && grouped(trimmed) {
		digits = strings.ReplaceAll(trimmed, ",", "")
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return wholeNumber(n), nil
	}
	if d, err := data.ParseDecimal(digits); err == nil {
		return numeric{kind: data.KindDecimal, decimal: d}, nil
	}
	switch trimmed {
	case "NaN":
		return numeric{kind: data.KindFloat64, float: math.NaN()}, nil
	case "Infinity", "+Infinity":
		return numeric{kind: data.KindFloat64, float: math.Inf(1)}, nil
	case "-Infinity":
		return numeric{kind: data.KindFloat64, float: math.Inf(-1)}, nil
	}
	if s.timestamp != nil {
		if m, err := s.timestamp.parse(trimmed); err == nil {
			if seconds, nanos, err := m.instant(s.zone); err == nil {
				if units, ok := s.unit.since(seconds, nanos); ok {
					return wholeNumber(units), nil
				}
			}
		}
	}
	if b, ok := booleanWord(trimmed); ok {
		if b {
			return wholeNumber(1), nil
		}
		return wholeNumber(0), nil
	}
	return numeric{}, fmt.Errorf("%s was found, where a number such as -1,234.5 or -1.2345E3, a timestamp%s, or one of yes, no, true, false, y, n, t, f may stand",
		quoted(text), s.timestamp.example())
}

// example tells the pattern of a layout in an error.
func (l *layout) example() string {
	if l == nil {
		return ""
	}
	return " of the pattern " + l.pattern
}

// grouped reports whether the commas of a number stand between groups of three
// digits, and in front of its point only.
func grouped(text string) bool {
	text = strings.TrimLeft(text, "+-")
	if end := strings.IndexAny(text, ".Ee"); end >= 0 {
		if strings.IndexByte(text[end:], ',') >= 0 {
			return false
		}
		text = text[:end]
	}
	first := true
	for group := range strings.SplitSeq(text, ",") {
		if !allDigits(group) || len(group) != 3 && !(first && len(group) > 0 && len(group) < 3) {
			return false
		}
		first = false
	}
	return true
}

func booleanWord(text string) (value, ok bool) {
	for _, w := range []string{"1", "y", "t", "yes", "true"} {
		if strings.EqualFold(text, w) {
			return true, true
		}
	}
	for _, w := range []string{"0", "n", "f", "no", "false"} {
		if strings.EqualFold(text, w) {
			return false, true
		}
	}
	return false, false
}

// text returns the number as errors show it.
func (n numeric) text() string {
	switch n.kind {
	case data.KindFloat32:
		return data.Float32(float32(n.float)).String()
	case data.KindFloat64:
		return data.Float64(n.float).String()
	case data.KindDecimal:
		return shorten(n.decimal.String())
	}
	return strconv.FormatInt(n.int, 10)
}

// toInt64 returns the number as a whole one of 64 bits, and whether it is exactly
// that.
func (n numeric) toInt64() (int64, bool) {
	switch n.kind {
	case data.KindInt64:
		return n.int, true
	case data.KindDecimal:
		return n.decimal.Int64()
	}
	// 1<<63 itself is too large, and every float beside it as well.
	if n.float != math.Trunc(n.float) || n.float < -(1<<63) || n.float >= 1<<63 {
		return 0, false
	}
	return int64(n.float), true
}

// toBig returns the number as a whole one of any size, and whether it is exactly
// that; what has more than 100,000 zeros at its end is not.
func (n numeric) toBig() (data.Decimal, bool) {
	if i, ok := n.toInt64(); ok {
		return data.DecimalFromInt64(i, 0), true
	}
	if n.kind == data.KindDecimal {
		d, err := n.decimal.Rescale(0)
		return d, err == nil
	}
	if n.float != math.Trunc(n.float) || math.IsInf(n.float, 0) {
		return data.Decimal{}, false // NaN differs from itself
	}
	whole, _ := big.NewFloat(n.float).Int(nil)
	return data.NewDecimal(whole, 0), true
}

// toDecimal returns the number as a decimal, and whether it is one; floats by
// their shortest text, as in Java.
func (n numeric) toDecimal() (data.Decimal, bool) {
	switch n.kind {
	case data.KindInt64:
		return data.DecimalFromInt64(n.int, 0), true
	case data.KindDecimal:
		return n.decimal, true
	case data.KindFloat32:
		d, err := data.ParseDecimal(data.Float32(float32(n.float)).String())
		return d, err == nil
	}
	d, err := data.DecimalOfFloat64(n.float)
	return d, err == nil
}

// toFloat64 returns the number as a float of 64 bits, and whether nothing is
// lost: the shortest text of the float is the number.
func (n numeric) toFloat64() (float64, bool) {
	switch n.kind {
	case data.KindInt64:
		f := float64(n.int)
		return f, f < 1<<63 && int64(f) == n.int
	case data.KindDecimal:
		f := n.decimal.Float64()
		if math.IsInf(f, 0) {
			return 0, false
		}
		d, err := data.DecimalOfFloat64(f)
		return f, err == nil && d.Cmp(n.decimal) == 0
	}
	return n.float, true
}

// toFloat32 is as toFloat64, with 32 bits.
func (n numeric) toFloat32() (float32, bool) {
	switch n.kind {
	case data.KindInt64:
		f := float32(n.int)
		return f, float64(f) < 1<<63 && int64(f) == n.int
	case data.KindDecimal:
		f := n.decimal.Float32()
		if math.IsInf(float64(f), 0) {
			return 0, false
		}
		d, err := data.ParseDecimal(data.Float32(f).String())
		return f, err == nil && d.Cmp(n.decimal) == 0
	case data.KindFloat32:
		return float32(n.float), true
	}
	f := float32(n.float)
	if float64(f) == n.float || n.float != n.float {
		return f, true
	}
	var short, long [32]byte
	return f, !math.IsInf(float64(f), 0) &&
		bytes.Equal(strconv.AppendFloat(short[:0], float64(f), 'e', -1, 32), strconv.AppendFloat(long[:0], n.float, 'e', -1, 64))
}
