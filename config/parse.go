package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Type is the type of a key, as Java's ConfigDef.Type and the REST interface
// name it.
type Type string

// The types of keys.
const (
	TypeBoolean  Type = "BOOLEAN"
	TypeString   Type = "STRING"
	TypeInt      Type = "INT"
	TypeShort    Type = "SHORT"
	TypeLong     Type = "LONG"
	TypeDouble   Type = "DOUBLE"
	TypeList     Type = "LIST"
	TypeClass    Type = "CLASS"
	TypePassword Type = "PASSWORD"
)

// trim removes what Java's String.trim removes.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

var errBoolean = errors.New("Expected value to be either true or false")

func parseBool(text string) (bool, error) {
	switch t := trim(text); {
	case strings.EqualFold(t, "true"):
		return true, nil
	case strings.EqualFold(t, "false"):
		return false, nil
	}
	return false, errBoolean
}

// parseInteger reads a decimal integer as Java's parseInt and its siblings do.
func parseInteger(text string, typ Type) (int64, error) {
	bits := map[Type]int{TypeShort: 16, TypeInt: 32, TypeLong: 64}[typ]
	n, err := strconv.ParseInt(trim(text), 10, bits)
	if err != nil {
		return 0, errors.New("Not a number of type " + string(typ))
	}
	return n, nil
}

// CheckType tells whether a text is of a type, in Java's words: a boolean, or a
// number. Any text is of the other types.
func CheckType(text string, t Type) (err error) {
	switch t {
	case TypeBoolean:
		_, err = parseBool(text)
	case TypeShort, TypeInt, TypeLong:
		_, err = parseInteger(text, t)
	case TypeDouble:
		_, err = parseDouble(text)
	}
	return err
}

// parseDouble reads what Java's Double.parseDouble reads.
func parseDouble(text string) (float64, error) {
	t := trim(text)
	switch strings.TrimLeft(t, "+-") {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		if strings.HasPrefix(t, "-") {
			return math.Inf(-1), nil
		}
		return math.Inf(1), nil
	}
	digits := t
	if n := len(t); n > 1 && strings.ContainsRune("fFdD", rune(t[n-1])) {
		digits = t[:n-1]
	}
	f, err := strconv.ParseFloat(digits, 64)
	var numErr *strconv.NumError
	overflow := errors.As(err, &numErr) && errors.Is(numErr.Err, strconv.ErrRange)
	if strings.ContainsAny(digits, "_nN") || err != nil && !overflow {
		return 0, errors.New("Not a number of type DOUBLE")
	}
	return f, nil
}

// formatDouble prints as Java's Double.toString does for the usual magnitudes.
func formatDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	if a := math.Abs(f); a == 0 || a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mant, exp, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mant + "E" + strconv.Itoa(n)
}

// parseList splits at commas and the blanks around them. Blank text is the
// empty list; a comma alone makes two empty entries.
func parseList(text string) []string {
	t := trim(text)
	if t == "" {
		return nil
	}
	parts := strings.Split(t, ",")
	for i, p := range parts {
		// Between entries Java's \s* takes blanks off; at both ends trim did.
		parts[i] = strings.TrimFunc(p, func(r rune) bool { return r < unicode.MaxASCII && unicode.IsSpace(r) })
	}
	return parts
}

// fromUnits makes a duration of a count, refusing what does not fit: Java keeps
// milliseconds in 64 bits, of which Go's duration holds the first 292 years. The
// common "for ever" of 2^63-1 is cut to the longest duration.
func fromUnits(n int64, unit time.Duration) time.Duration {
	switch {
	case n > math.MaxInt64/int64(unit):
		return math.MaxInt64
	case n < math.MinInt64/int64(unit):
		return math.MinInt64
	}
	return time.Duration(n) * unit
}

// inUnits is the way back.
func inUnits(d, unit time.Duration) string {
	if d == math.MaxInt64 {
		return strconv.FormatInt(math.MaxInt64, 10)
	}
	return strconv.FormatInt(int64(d/unit), 10)
}
