package data

import (
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// The patterns of SimpleDateFormat that Connect reads and writes, as layouts of package time for writing.
const (
	timeLayout      = "15:04:05.000Z"
	dateLayout      = "2006-01-02"
	timestampLayout = "2006-01-02T15:04:05.000Z"
)

// temporalPatterns are the same patterns for reading: a letter is a number, all else is itself. The length is fixed, counted as Java does.
var temporalPatterns = []struct {
	length  int
	pattern string
	schema  *Schema
}{
	{len(dateLayout), "y-M-d", DateSchema},
	{len(timeLayout), "H:m:s.SZ", TimeSchema},
	{len(timestampLayout), "y-M-dTH:m:s.SZ", TimestampSchema},
}

// parseTemporal reads a date, time or timestamp in UTC. Like a lenient SimpleDateFormat it takes numbers of any length and size, 25 hours
// for one, and does not look at what follows.
func parseTemporal(token string) (*Schema, Value, bool) {
	token = unescapeColons(token)
	length := 0
	for _, r := range token {
		length += utf16.RuneLen(r)
	}
	for _, p := range temporalPatterns {
		if p.length != length {
			continue
		}
		if ms, ok := readPattern(token, p.pattern); ok {
			return p.schema, DateMillis(ms), true
		}
	}
	return nil, Value{}, false
}

// unescapeColons turns \: into a colon.
func unescapeColons(token string) string {
	for i := 0; i+1 < len(token); i++ {
		if token[i] != '\\' || token[i+1] != ':' {
			continue
		}
		out := append(make([]byte, 0, len(token)), token[:i]...)
		for ; i < len(token); i++ {
			if token[i] == '\\' && i+1 < len(token) && token[i+1] == ':' {
				continue
			}
			out = append(out, token[i])
		}
		return string(out)
	}
	return token
}

// readPattern reads text by a pattern and returns milliseconds since 1970.
func readPattern(text, pattern string) (int64, bool) {
	year, month, day := int64(1970), int64(1), int64(1)
	var ms int64
	for _, c := range []byte(pattern) {
		var field *int64
		unit := int64(0)
		switch c {
		case 'y':
			field = &year
		case 'M':
			field = &month
		case 'd':
			field = &day
		case 'H':
			unit = time.Hour.Milliseconds()
		case 'm':
			unit = time.Minute.Milliseconds()
		case 's':
			unit = time.Second.Milliseconds()
		case 'S':
			unit = 1
		default:
			if text == "" || text[0] != c {
				return 0, false
			}
			text = text[1:]
			continue
		}
		n, rest, ok := readNumber(text)
		if !ok {
			return 0, false
		}
		if text = rest; field != nil {
			*field = n
		} else {
			ms += n * unit
		}
	}
	return daysOf(year, month, day)*millisPerDay + ms, true
}

// maxField bounds a field, so that milliseconds stay in 64 bits.
const maxField = 100_000_000

// readNumber reads one field: blanks, a minus sign, digits of any script.
func readNumber(text string) (n int64, rest string, ok bool) {
	for text != "" && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	negative := text != "" && text[0] == '-'
	if negative {
		text = text[1:]
	}
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		digit, isDigit := digitOf(r)
		if !isDigit {
			break
		}
		if n = n*10 + int64(digit); n >= maxField {
			return 0, "", false
		}
		text, ok = text[size:], true
	}
	if negative {
		n = -n
	}
	return n, text, ok
}

// gregorianStart is 1582-10-15 in days since 1970. Java's calendar is Julian before it.
const gregorianStart = -141427

// daysOf returns the days since 1970 of a date, whose month and day may be out of range: month 13 is January of the next year. Dates
// before 15 October 1582 are dates of the Julian calendar, as in Java.
func daysOf(year, month, day int64) int64 {
	year += floorDiv(month-1, 12)
	month = month - 1 - 12*floorDiv(month-1, 12)
	// Years from March on put the leap day at the end; days since 1 March of year 0.
	shifted := (month + 10) % 12
	if month < 2 {
		year--
	}
	days := year*365 + floorDiv(year, 4) + (153*shifted+2)/5 + day - 1
	gregorian := days - floorDiv(year, 100) + floorDiv(year, 400) - 719468
	if gregorian >= gregorianStart {
		return gregorian
	}
	return days - 719470
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// civilTime returns an instant whose clock shows the date and time that Java prints, which is a date of the Julian calendar before
// 15 October 1582. It is for printing only.
func civilTime(ms int64) (t time.Time, weekday time.Weekday) {
	t = time.UnixMilli(ms).UTC()
	weekday = t.Weekday()
	days := floorDiv(ms, millisPerDay)
	if days >= gregorianStart {
		return t, weekday
	}
	// The Julian calendar repeats every 4 years of 1461 days.
	n := days + 719470
	cycle := floorDiv(n, 1461)
	rest := n - cycle*1461
	year := min(rest/365, 3)
	rest -= year * 365
	shifted := (5*rest + 2) / 153
	day := rest - (153*shifted+2)/5 + 1
	month := (shifted+2)%12 + 1
	if year += 4 * cycle; month <= 2 {
		year++
	}
	return time.Date(int(year), time.Month(month), int(day), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), weekday
}
