package cqlvalue

import (
	"errors"
	"fmt"
	"time"
)

// A moment is a date, a time of day, or both, and the zone if the text has one.
type moment struct {
	day     int64 // since 1970-01-01
	nano    int64 // of the day
	hasDate bool
	hasTime bool
	// The offset, in seconds east of UTC, counts before the zone, and both before
	// the zone of the settings.
	offset    int
	hasOffset bool
	zone      *time.Location
}

const (
	nanosPerSecond = int64(time.Second)
	secondsPerDay  = int64(24 * 60 * 60)
	nanosPerDay    = secondsPerDay * nanosPerSecond
)

// instant returns the seconds since 1970, and nanoseconds, of a moment with a
// date; without a time it is midnight, without a zone it is in the one given.
func (m moment) instant(zone *time.Location) (seconds, nanos int64, err error) {
	if !m.hasDate {
		return 0, 0, errors.New("there is no date in it")
	}
	local := m.day*secondsPerDay + m.nano/nanosPerSecond
	nanos = m.nano % nanosPerSecond
	if m.hasOffset {
		return local - int64(m.offset), nanos, nil
	}
	if m.zone != nil {
		zone = m.zone
	}
	return local - offsetAt(zone, local), nanos, nil
}

// offsetAt returns the offset of a zone at a local time: of a time that comes
// twice the first, and before a gap for a time within, as Java has it.
func offsetAt(zone *time.Location, local int64) int64 {
	if zone == time.UTC {
		return 0
	}
	before, after := offsetOf(zone, local-secondsPerDay), offsetOf(zone, local+secondsPerDay)
	if before != after && offsetOf(zone, local-before) != before && offsetOf(zone, local-after) == after {
		return after
	}
	return before
}

func offsetOf(zone *time.Location, unix int64) int64 {
	_, offset := time.Unix(unix, 0).In(zone).Zone()
	return int64(offset)
}

// resolve puts the fields together.
func (p *parsed) resolve(strict bool) (m moment, err error) {
	if p.conflict {
		return m, errors.New("it says one thing twice, and differently")
	}
	if err := p.checkRanges(strict); err != nil {
		return m, err
	}
	if m.day, m.hasDate, err = p.date(strict); err != nil {
		return m, err
	}
	extraDay := int64(0)
	if m.nano, extraDay, m.hasTime, err = p.time(strict); err != nil {
		return m, err
	}
	if m.hasDate {
		m.day += extraDay
	}
	if !m.hasDate && !m.hasTime {
		return m, errors.New("there is neither a whole date nor a time in it")
	}
	m.offset, m.hasOffset, m.zone = p.offset, p.hasOffset, p.zone
	if p.zoneName == "" {
		return m, nil
	}
	offset, known := namedOffset(p.zoneName, m.day, m.nano/nanosPerSecond)
	if !known {
		return m, fmt.Errorf("no time zone is called %s", quoted(p.zoneName))
	}
	if !m.hasOffset {
		m.offset, m.hasOffset = offset, true
	}
	return m, nil
}

const maxYear = 999_999_999 // of Java's LocalDate

var ranges = [fields]struct {
	name     string
	min, max int64
}{
	fieldYear:          {"year", -maxYear, maxYear},
	fieldYearOfEra:     {"year", 1, maxYear},
	fieldEra:           {"era", 0, 1},
	fieldMonth:         {"month", 1, 12},
	fieldDay:           {"day", 1, 31},
	fieldDayOfYear:     {"day of the year", 1, 366},
	fieldWeekday:       {"day of the week", 1, 7},
	fieldHour:          {"hour", 0, 23},
	fieldClockHour:     {"hour", 1, 24},
	fieldHourOfHalf:    {"hour", 0, 11},
	fieldClockHourHalf: {"hour", 1, 12},
	fieldHalf:          {"half of the day", 0, 1},
	fieldMinute:        {"minute", 0, 59},
	fieldSecond:        {"second", 0, 59},
	fieldNano:          {"nanosecond", 0, nanosPerSecond - 1},
	fieldMilliOfDay:    {"millisecond of the day", 0, nanosPerDay/1_000_000 - 1},
	fieldNanoOfDay:     {"nanosecond of the day", 0, nanosPerDay - 1},
}

func (p *parsed) checkRanges(strict bool) error {
	for f := range fields {
		n, ok := p.get(f)
		if !ok || n >= ranges[f].min && n <= ranges[f].max {
			continue
		}
		// As in Java: midnight by other names.
		if !strict && (f == fieldHour && n == 24 || (f == fieldClockHour || f == fieldClockHourHalf) && n == 0) {
			continue
		}
		return fmt.Errorf("the %s is %d, and may be %d to %d", ranges[f].name, n, ranges[f].min, ranges[f].max)
	}
	return nil
}

// date returns the day, if the fields make one.
func (p *parsed) date(strict bool) (day int64, ok bool, err error) {
	year, ok := p.get(fieldYear)
	if !ok {
		if year, ok = p.get(fieldYearOfEra); ok {
			if era, hasEra := p.get(fieldEra); hasEra && era == 0 {
				year = 1 - year
			}
		}
	}
	if !ok {
		return 0, false, nil
	}
	month, hasMonth := p.get(fieldMonth)
	dayOfMonth, hasDay := p.get(fieldDay)
	switch dayOfYear, hasDayOfYear := p.get(fieldDayOfYear); {
	case hasMonth && hasDay:
		if last := int64(daysIn(year, month)); dayOfMonth > last {
			if strict {
				return 0, false, fmt.Errorf("the month has no day %d", dayOfMonth)
			}
			dayOfMonth = last
		}
		day = daysOf(year, month, dayOfMonth)
	case hasDayOfYear:
		day = daysOf(year, 1, 1) + dayOfYear - 1
		if y, _, _ := civil(day); y != year {
			return 0, false, fmt.Errorf("the year has no day %d", dayOfYear)
		}
	default:
		return 0, false, nil
	}
	if weekday, ok := p.get(fieldWeekday); ok && weekday != 1+floorMod(day+3, 7) {
		return 0, false, errors.New("the day of the week is not that of the date")
	}
	return day, true, nil
}

// time returns the nanosecond of the day, if the fields make one, and the day
// after for hour 24.
func (p *parsed) time(strict bool) (nano, extraDay int64, ok bool, err error) {
	if n, ok := p.get(fieldNanoOfDay); ok {
		return n, 0, true, nil
	}
	if n, ok := p.get(fieldMilliOfDay); ok {
		return n * 1_000_000, 0, true, nil
	}
	hour, ok := p.hour()
	if !ok {
		return 0, 0, false, nil
	}
	minute, _ := p.get(fieldMinute)
	second, _ := p.get(fieldSecond)
	nano, _ = p.get(fieldNano)
	if hour == 24 {
		if minute != 0 || second != 0 || nano != 0 {
			return 0, 0, false, errors.New("hour 24 has nothing behind it")
		}
		return 0, 1, true, nil
	}
	return ((hour*60+minute)*60+second)*nanosPerSecond + nano, 0, true, nil
}

func (p *parsed) hour() (int64, bool) {
	if hour, ok := p.get(fieldHour); ok {
		return hour, true
	}
	if hour, ok := p.get(fieldClockHour); ok {
		return hour % 24, true
	}
	hour, ok := p.get(fieldHourOfHalf)
	if !ok {
		if hour, ok = p.get(fieldClockHourHalf); ok {
			hour %= 12
		}
	}
	half, hasHalf := p.get(fieldHalf)
	return hour + 12*half, ok && hasHalf
}

// daysOf returns the day since 1970-01-01 of a date of the proleptic Gregorian
// calendar.
func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146_097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719_468
}

// civil returns the date of a day since 1970-01-01.
func civil(days int64) (year, month, day int64) {
	days += 719_468
	era := floorDiv(days, 146_097)
	dayOfEra := days - era*146_097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153
	year, month, day = yearOfEra+era*400, shifted+3, dayOfYear-(153*shifted+2)/5+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

func daysIn(year, month int64) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
