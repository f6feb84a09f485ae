package javadate

import "strconv"

var (
	months   = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdays = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// Format prints milliseconds since 1970.
func (f *Format) Format(ms int64) string {
	var buf [64]byte // enough for most, and on the stack
	return string(f.Append(buf[:0], ms))
}

// Append appends the text of Format.
func (f *Format) Append(dst []byte, ms int64) []byte {
	d := dateOf(floorDiv(ms, msPerDay))
	inDay := floorMod(ms, msPerDay)
	for i := range f.tokens {
		if t := &f.tokens[i]; t.letter == 0 {
			dst = append(dst, t.text...)
		} else {
			dst = t.append(dst, &d, inDay)
		}
	}
	return dst
}

func (t *token) append(dst []byte, d *date, inDay int64) []byte {
	hour := inDay / (60 * 60 * 1000)
	switch t.letter {
	case 'G':
		if d.year <= 0 {
			return append(dst, "BC"...)
		}
		return append(dst, "AD"...)
	case 'M', 'L':
		if t.count >= 3 {
			return append(dst, named(months[d.month], t.count)...)
		}
		return padded(dst, d.month+1, t.count)
	case 'E':
		return append(dst, named(weekdays[weekday(d.days)-1], t.count)...)
	case 'a':
		if hour >= 12 {
			return append(dst, "PM"...)
		}
		return append(dst, "AM"...)
	case 'z':
		if t.count >= 4 {
			return append(dst, "Coordinated Universal Time"...)
		}
		return append(dst, "UTC"...)
	case 'Z':
		return append(dst, "+0000"...)
	case 'X':
		return append(dst, 'Z')
	case 'y', 'Y':
		return t.appendYear(dst, d)
	}
	return padded(dst, t.number(d, inDay, hour), t.count)
}

// named cuts a name to three letters unless the letter of the pattern stands four times.
func named(name string, count int) string {
	if count >= 4 {
		return name
	}
	return name[:3]
}

// appendYear writes a year, of two digits if the letter stands twice.
func (t *token) appendYear(dst []byte, d *date) []byte {
	year := d.year
	if t.letter == 'Y' {
		year = d.weekYear()
		if year <= 0 { // Java gives the proleptic year here, with its sign
			return appendNumber(dst, year, t)
		}
	} else if year <= 0 {
		year = 1 - year
	}
	return appendNumber(dst, year, t)
}

func appendNumber(dst []byte, n int64, t *token) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	if t.count == 2 {
		return padded(dst, n%100, 2)
	}
	return padded(dst, n, t.count)
}

// number returns what the letters print that stand for a number.
func (t *token) number(d *date, inDay, hour int64) int64 {
	switch t.letter {
	case 'd':
		return d.day
	case 'k':
		return (hour+23)%24 + 1
	case 'H':
		return hour
	case 'm':
		return inDay / (60 * 1000) % 60
	case 's':
		return inDay / 1000 % 60
	case 'S':
		return inDay % 1000
	case 'D':
		return d.days - d.jan1 + 1
	case 'F':
		return (d.days-d.month1)/7 + 1
	case 'w':
		return d.week()
	case 'W':
		return d.weekOfMonth()
	case 'h':
		return (hour+11)%12 + 1
	case 'K':
		return hour % 12
	default: // u
		return floorMod(weekday(d.days)-2, 7) + 1
	}
}

// padded writes a number with zeros before it.
func padded(dst []byte, n int64, width int) []byte {
	digits := 1
	for rest := n; rest >= 10; rest /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, n, 10)
}
