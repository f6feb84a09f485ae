package javadate

// resolve returns the instant that the fields stand for, by the rules of java.util.GregorianCalendar. It reports false for what Java
// refuses.
func (p *fields) resolve() (ms int64, ok bool) {
	y := int64(1970)
	if p.isSet(year) {
		y = p.value[year]
	}
	if p.isSet(era) && p.value[era] == 0 {
		y = 1 - y
	}
	inDay := p.timeOfDay()
	days := floorDiv(inDay, msPerDay)
	inDay = floorMod(inDay, msPerDay)
	if p.stamp[weekYear] > p.stamp[year] {
		days += p.weekDate()
	} else {
		days = p.calendarDay(y, days)
	}
	wall := days*msPerDay + inDay
	return wall - p.offset(wall), true
}

// timeOfDay returns milliseconds, of more or less than a day perhaps.
func (p *fields) timeOfDay() int64 {
	half := together(p.stamp[hour], p.stamp[amPM])
	best := max(half, p.stamp[hourOfDay])
	if best == 0 {
		best = max(p.stamp[hour], p.stamp[amPM])
	}
	var h int64
	switch {
	case best == 0:
	case best == p.stamp[hourOfDay]:
		h = p.value[hourOfDay]
	default:
		h = p.value[hour] + 12*p.value[amPM]
	}
	return ((h*60+p.value[minute])*60+p.value[second])*1000 + p.value[millisecond]
}

// together is the stamp of two fields that make sense together only.
func together(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// weekDate returns the day of a week date, by year, week and day of the week.
func (p *fields) weekDate() int64 {
	week, day := int64(1), int64(sunday)
	if p.isSet(weekOfYear) {
		week = p.value[weekOfYear]
	}
	if p.isSet(dayOfWeek) {
		day = p.value[dayOfWeek]
	}
	if day < 1 || day > 7 { // counted from Monday still
		week += floorDiv(day-1, 7)
		day = floorMod(day, 7) + 1
	}
	y := p.value[weekYear]
	first := firstWeek(fixed(y, 0, y <= 1582))
	days := first + 7*(week-1) + day - sunday
	if p.isSet(era) && p.value[era] == 0 {
		d := dateOf(days)
		days = fixed(1-d.year, d.month, true) + d.day - 1
	}
	return days
}

// A choice is the group of fields that say which day it is.
type choice uint8

const (
	byDayOfMonth choice = iota
	byWeekOfMonth
	byDayOfWeekInMonth
	byDayOfYear
	byWeekOfYear
)

// choose finds the group that was completed last.
func (p *fields) choose() choice {
	dow, dom, doy := p.stamp[dayOfWeek], p.stamp[dayOfMonth], p.stamp[dayOfYear]
	wom, dowim := together(p.stamp[weekOfMonth], dow), together(p.stamp[dayOfWeekInMonth], dow)
	woy := together(p.stamp[weekOfYear], dow)
	best := max(dom, wom, dowim, doy, woy)
	if best == 0 { // none is complete
		wom, dowim, woy = p.stamp[weekOfMonth], max(p.stamp[dayOfWeekInMonth], dow), p.stamp[weekOfYear]
		if best = max(wom, dowim, woy); best == 0 {
			return byDayOfMonth
		}
	}
	switch {
	case best == dom:
		return byDayOfMonth
	case best == wom && p.stamp[weekOfMonth] >= p.stamp[weekOfYear], best == dowim && p.stamp[dayOfWeekInMonth] >= p.stamp[weekOfYear]:
		if wom == dowim && p.stamp[weekOfMonth] >= p.stamp[dayOfWeekInMonth] || wom != dowim && best == wom {
			return byWeekOfMonth
		}
		return byDayOfWeekInMonth
	case best == doy:
		return byDayOfYear
	}
	return byWeekOfYear
}

// calendarDay returns the day, more days later. Which calendar it is of shows when it is known.
func (p *fields) calendarDay(y, more int64) int64 {
	c := p.choose()
	julian := more + p.dayIn(y, c, true)
	gregorian := more + p.dayIn(y, c, false)
	switch {
	case y > 1582 && gregorian >= gregorianStart:
		return gregorian
	case y < 1582 && julian < gregorianStart:
		return julian
	case y < 1582:
		gregorian = julian
	}
	if y == 1582 && (c == byDayOfYear || c == byWeekOfYear) {
		return julian
	}
	if gregorian >= gregorianStart {
		return gregorian
	}
	return julian
}

// dayIn returns the day in one of the calendars.
func (p *fields) dayIn(y int64, c choice, julian bool) int64 {
	if c == byDayOfYear {
		return fixed(y, 0, julian) + p.value[dayOfYear] - 1
	}
	dow := int64(sunday)
	if p.isSet(dayOfWeek) {
		dow = p.value[dayOfWeek]
	}
	if c == byWeekOfYear {
		return p.inWeek(fixed(y, 0, julian), dow) + 7*(p.value[weekOfYear]-1)
	}
	first := fixed(y, p.value[month], julian)
	switch c {
	case byWeekOfMonth:
		return p.inWeek(first, dow) + 7*(p.value[weekOfMonth]-1)
	case byDayOfWeekInMonth:
		n := int64(1)
		if p.isSet(dayOfWeekInMonth) {
			n = p.value[dayOfWeekInMonth]
		}
		if n >= 0 {
			return onOrBefore(first+7*n-1, dow)
		}
		length := fixed(y, p.value[month]+1, julian) - first
		return onOrBefore(first+length+7*(n+1)-1, dow)
	}
	if p.isSet(dayOfMonth) {
		return first + p.value[dayOfMonth] - 1
	}
	return first
}

// inWeek returns the day of the first week that has that weekday.
func (p *fields) inWeek(first, dow int64) int64 {
	start := firstWeek(first)
	if p.isSet(dayOfWeek) && dow != sunday {
		return onOrBefore(start+6, dow)
	}
	return start
}

// offset returns the offset of the zone at a wall time. What was said of it counts more than what the zone has.
func (p *fields) offset(wall int64) int64 {
	var standard, saving int64
	if p.zone != nil {
		standard, saving = p.zone.offsets(wall)
	}
	if p.isSet(zoneOffset) {
		standard = p.value[zoneOffset]
	}
	if p.isSet(dstOffset) {
		saving = p.value[dstOffset]
	}
	return standard + saving
}
