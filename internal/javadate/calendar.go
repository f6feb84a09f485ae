package javadate

const msPerDay = 24 * 60 * 60 * 1000

// The days of the week are numbered from Sunday, 1, as in Java. Weeks start there, and one day in a year makes a week of it.
const sunday = 1

// gregorianStart is 15 October 1582, in days since 1970: the first day of Java's Gregorian calendar.
const gregorianStart = -141427

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - b*floorDiv(a, b) }

// fixed returns the days since 1970 of the first of a month, from 0 on, in one of the two calendars.
func fixed(year, month int64, julian bool) int64 {
	year += floorDiv(month, 12)
	month = floorMod(month, 12)
	// Years from March on put the leap day at the end; days since 1 March of year 0.
	shifted := (month + 10) % 12
	if month < 2 {
		year--
	}
	days := year*365 + floorDiv(year, 4) + (153*shifted+2)/5
	if julian {
		return days - 719470
	}
	return days - floorDiv(year, 100) + floorDiv(year, 400) - 719468
}

// weekday returns the day of the week of days since 1970.
func weekday(days int64) int64 { return floorMod(days+4, 7) + 1 }

// onOrBefore returns the last day of that weekday up to a day.
func onOrBefore(days, weekday int64) int64 { return days - floorMod(days+5-weekday, 7) }

// firstWeek returns the start of the week that holds a day, the first of a year or month.
func firstWeek(first int64) int64 { return onOrBefore(first, sunday) }

// A date is a day with all that patterns print of it.
type date struct {
	days       int64 // since 1970
	year       int64 // 0 is 1 BC
	month, day int64 // from 0, from 1
	jan1       int64 // days since 1970 of the first of the year,
	month1     int64 // of the month
	next1      int64 // and of the next year
}

// dateOf returns the date of days since 1970.
func dateOf(days int64) date {
	julian := days < gregorianStart
	estimate := floorDiv(days*400, 146097) + 1970
	if julian {
		estimate = floorDiv((days+719470)*4, 1461)
	}
	year := estimate + 2
	for fixed(year, 0, julian) > days {
		year--
	}
	month := int64(11)
	for fixed(year, month, julian) > days {
		month--
	}
	d := date{days: days, year: year, month: month, month1: fixed(year, month, julian)}
	d.day = days - d.month1 + 1
	if year == 1582 && month == 9 { // began in one calendar and ended in the other
		d.month1 = fixed(year, month, true)
	}
	d.jan1 = fixed(year, 0, year <= 1582)
	d.next1 = fixed(year+1, 0, year+1 <= 1582)
	return d
}

// week returns the week of the year, 1 for the last days of December if the week reaches into January.
func (d date) week() int64 {
	if d.days >= firstWeek(d.next1) {
		return 1
	}
	return (d.days-firstWeek(d.jan1))/7 + 1
}

// weekYear returns the year that the week belongs to.
func (d date) weekYear() int64 {
	if d.days >= firstWeek(d.next1) {
		return d.year + 1
	}
	return d.year
}

// weekOfMonth returns the week of the month.
func (d date) weekOfMonth() int64 { return floorDiv(d.days-firstWeek(d.month1), 7) + 1 }
