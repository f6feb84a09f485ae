package cqlvalue

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/streamlane/connect/data"
)

// durationCodec is that of months, days and nanoseconds, from the texts that CQL
// knows: 1y2mo3w4d5h6m7s8ms9us10ns, and ISO 8601's P1Y2M3DT4H5M6S, P4W and
// P0001-02-03T04:05:06; each with a minus in front or without.
type durationCodec struct{}

func (durationCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	text, ok := v.Str()
	if v.IsNull() || ok && text == "" {
		return dst, true, nil
	}
	if !ok {
		return dst, false, found(v, s, "the text of a duration such as 1mo2d3h or P1M2DT3H")
	}
	d, err := parseDuration(text)
	if err != nil {
		return dst, false, fmt.Errorf("%s was found: %w", describe(v, s), err)
	}
	for _, n := range d {
		dst = appendVint(dst, n)
	}
	return dst, false, nil
}

// duration is months, days and nanoseconds.
type duration [3]int64

// part is what a number in front of a letter counts for.
type part struct {
	name  string
	index int
	each  int64
}

var (
	cqlParts = []part{{"y", 0, 12}, {"mo", 0, 1}, {"w", 1, 7}, {"d", 1, 1}, {"h", 2, 3600e9}, {"m", 2, 60e9}, {"s", 2, 1e9},
		{"ms", 2, 1e6}, {"us", 2, 1e3}, {"µs", 2, 1e3}, {"ns", 2, 1}}
	isoDateParts = []part{{"Y", 0, 12}, {"M", 0, 1}, {"W", 1, 7}, {"D", 1, 1}}
	isoTimeParts = []part{{"H", 2, 3600e9}, {"M", 2, 60e9}, {"S", 2, 1e9}}
)

var errDuration = errors.New("the text of a duration such as 1mo2d3h, P1M2DT3H, P4W or P0001-02-03T04:05:06 is allowed")

func parseDuration(text string) (d duration, err error) {
	rest, negative := strings.CutPrefix(text, "-")
	iso, isISO := strings.CutPrefix(rest, "P")
	if isISO {
		d, err = parseISODuration(iso)
	} else {
		d, rest, err = readParts(rest, cqlParts, strings.EqualFold)
		if err == nil && rest != "" {
			err = errDuration
		}
	}
	if err != nil {
		return duration{}, err
	}
	if d[0] > math.MaxInt32 || d[1] > math.MaxInt32 {
		return duration{}, fmt.Errorf("more than %d months or days are too many", math.MaxInt32)
	}
	if negative {
		d = duration{-d[0], -d[1], -d[2]}
	}
	return d, nil
}

func parseISODuration(text string) (d duration, err error) {
	if alternative, ok := parseAlternative(text); ok {
		return alternative, nil
	}
	date, clock, hasTime := strings.Cut(text, "T")
	exact := func(a, b string) bool { return a == b }
	if date != "" {
		var rest string
		if d, rest, err = readParts(date, isoDateParts, exact); err != nil || rest != "" {
			return d, errors.Join(err, errIf(rest != ""))
		}
		// Weeks stand alone.
		if strings.HasSuffix(date, "W") && (hasTime || strings.ContainsAny(date, "YMD")) || strings.Contains(strings.TrimSuffix(date, "W"), "W") {
			return d, errDuration
		}
	}
	if hasTime {
		t, rest, err := readParts(clock, isoTimeParts, exact)
		if err != nil || rest != "" {
			return d, errors.Join(err, errIf(rest != ""))
		}
		d[2] = t[2]
	}
	return d, errIf(text == "")
}

func errIf(wrong bool) error {
	if wrong {
		return errDuration
	}
	return nil
}

// readParts reads numbers and the names behind them, each name once and in order.
func readParts(text string, parts []part, equal func(a, b string) bool) (d duration, rest string, err error) {
	if text == "" {
		return d, "", errDuration
	}
	order := -1
	for text != "" {
		digits := 0
		for digits < len(text) && isDigit(text[digits]) {
			digits++
		}
		if digits == 0 || digits > 18 {
			return d, text, errDuration
		}
		n := atoi(text[:digits])
		text = text[digits:]
		found := -1
		for i, p := range parts {
			if len(text) >= len(p.name) && equal(text[:len(p.name)], p.name) && (found < 0 || len(p.name) > len(parts[found].name)) {
				found = i
			}
		}
		if found <= order {
			return d, text, errDuration
		}
		order = found
		p := parts[found]
		product, ok := multiply(n, p.each)
		if !ok || d[p.index] > math.MaxInt64-product {
			return d, text, fmt.Errorf("%d%s are too many", n, p.name)
		}
		d[p.index] += product
		text = text[len(p.name):]
	}
	return d, "", nil
}

// parseAlternative reads YYYY-MM-DDThh:mm:ss.
func parseAlternative(text string) (d duration, ok bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) != len(shape) {
		return d, false
	}
	for i := range len(shape) {
		if shape[i] == '0' && !isDigit(text[i]) || shape[i] != '0' && text[i] != shape[i] {
			return d, false
		}
	}
	d[0] = atoi(text[:4])*12 + atoi(text[5:7])
	d[1] = atoi(text[8:10])
	d[2] = (atoi(text[11:13])*3600 + atoi(text[14:16])*60 + atoi(text[17:])) * nanosPerSecond
	return d, true
}

// appendVint appends a number that may be negative, small ones in few bytes.
func appendVint(dst []byte, n int64) []byte { return appendUvint(dst, uint64(n>>63)^uint64(n<<1)) }

// appendUvint appends a number in one to nine bytes. As many ones lead the first
// byte as bytes follow it.
func appendUvint(dst []byte, n uint64) []byte {
	extra := uvintSize(n) - 1
	lead := ^byte(0xff >> extra)
	if extra < 8 {
		lead |= byte(n >> (8 * extra))
	}
	dst = append(dst, lead)
	for i := extra - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// uvintSize returns how many bytes appendUvint takes: each holds seven bits, but
// the ninth eight.
func uvintSize(n uint64) int { return max(1, min(9, (bits.Len64(n)+6)/7)) }
