package cqlvalue

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// element is a part of a layout: it reads text at a place and returns the place
// behind what it read, or -1 for a text that does not fit.
type element interface {
	read(text string, at int, p *parsed) int
}

// layout is a compiled pattern of Java's DateTimeFormatter, for reading. It may be
// used by many goroutines.
type layout struct {
	pattern  string
	elements []element
	// strict refuses days that their month does not have, which are its last
	// day otherwise: ResolverStyle.STRICT and SMART.
	strict bool

	fields sync.Pool // of *parsed, which calls of elements keep from the stack
}

// parse returns the moment that a text stands for. The text must fit to its end.
func (l *layout) parse(text string) (moment, error) {
	p, ok := l.fields.Get().(*parsed)
	if !ok {
		p = new(parsed)
	}
	defer l.fields.Put(p)
	*p = parsed{}
	if end := readAll(l.elements, text, 0, p); end != len(text) {
		return moment{}, fmt.Errorf("%s does not fit the pattern %s", quoted(text), l.pattern)
	}
	m, err := p.resolve(l.strict)
	if err != nil {
		return moment{}, fmt.Errorf("%s, read by the pattern %s: %w", quoted(text), l.pattern, err)
	}
	return m, nil
}

func readAll(elements []element, text string, at int, p *parsed) int {
	for _, e := range elements {
		if at = e.read(text, at, p); at < 0 {
			return -1
		}
	}
	return at
}

// field names one of the numbers that patterns read.
type field uint8

const (
	fieldYear field = iota
	fieldYearOfEra
	fieldEra // 0 is BC, 1 AD
	fieldMonth
	fieldDay
	fieldDayOfYear
	fieldWeekday // Monday is 1
	fieldHour
	fieldClockHour     // 1 to 24
	fieldHourOfHalf    // 0 to 11
	fieldClockHourHalf // 1 to 12
	fieldHalf          // 0 is AM, 1 PM
	fieldMinute
	fieldSecond
	fieldNano
	fieldMilliOfDay
	fieldNanoOfDay
	fields
)

// parsed is what has been read of a text. A field that is read twice must have
// the same number both times.
type parsed struct {
	has       uint32
	conflict  bool
	values    [fields]int64
	offset    int // seconds east of UTC, if hasOffset
	hasOffset bool
	zone      *time.Location
	zoneName  string // a name such as CET
}

func (p *parsed) setOffset(seconds int) { p.offset, p.hasOffset = seconds, true }

func (p *parsed) set(f field, n int64) {
	if p.has&(1<<f) != 0 && p.values[f] != n {
		p.conflict = true
	}
	p.has |= 1 << f
	p.values[f] = n
}

func (p *parsed) get(f field) (int64, bool) { return p.values[f], p.has&(1<<f) != 0 }

// literal is text that stands for itself.
type literal struct {
	text string
	fold bool // in any case
}

func (e literal) read(text string, at int, _ *parsed) int {
	end := at + len(e.text)
	if end > len(text) || text[at:end] != e.text && !(e.fold && strings.EqualFold(text[at:end], e.text)) {
		return -1
	}
	return end
}

// optional is a part between brackets.
type optional []element

func (e optional) read(text string, at int, p *parsed) int {
	saved := *p
	if end := readAll(e, text, at, p); end >= 0 {
		return end
	}
	*p = saved
	return at
}

// sign says which signs a number may have: Java's SignStyle.
type sign uint8

const (
	signNever   sign = iota
	signNormal       // a minus
	signExceeds      // a minus; a plus where there are more digits than the least
)

// number is a field of digits.
type number struct {
	field      field
	min, max   int
	sign       sign
	subsequent int   // the width of the fixed numbers right behind it
	base       int64 // added to what is read: 2000 for years of two digits
}

func (e number) read(text string, at int, p *parsed) int {
	start, negative, plus := at, false, false
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		negative, plus = text[at] == '-', text[at] == '+'
		if e.sign == signNever || plus && e.sign != signExceeds {
			return -1
		}
		at++
	}
	digits := 0
	for digits < e.max+e.subsequent && at+digits < len(text) && isDigit(text[at+digits]) {
		digits++
	}
	if e.subsequent > 0 {
		digits = max(e.min, digits-e.subsequent)
		if at+digits > len(text) || !allDigits(text[at:at+digits]) {
			return -1
		}
	}
	if digits < e.min || digits > 18 || digits == 0 {
		return -1
	}
	if e.sign == signExceeds && (plus && digits <= e.min || start == at && digits > e.min) {
		return -1
	}
	n := atoi(text[at:at+digits]) + e.base
	if negative {
		if n == 0 {
			return -1
		}
		n = -n
	}
	p.set(e.field, n)
	return at + digits
}

// fraction is the nanosecond as digits behind the point of a second.
type fraction struct {
	min, max int
	point    bool // the digits follow a point; where there is none, there are none
}

func (e fraction) read(text string, at int, p *parsed) int {
	start := at
	if e.point {
		if at >= len(text) || text[at] != '.' {
			if e.min > 0 {
				return -1
			}
			return start
		}
		at++
	}
	digits := 0
	for digits < e.max && at+digits < len(text) && isDigit(text[at+digits]) {
		digits++
	}
	if digits < e.min {
		return -1
	}
	n := atoi(text[at : at+digits])
	for range 9 - digits {
		n *= 10
	}
	p.set(fieldNano, n)
	return at + digits
}

// word is a field written as one of several names, in any case.
type word struct {
	field field
	names []string // the longest that fits counts
	first int64    // the number of the first name
}

func (e word) read(text string, at int, p *parsed) int {
	best := -1
	for i, name := range e.names {
		end := at + len(name)
		if end <= len(text) && strings.EqualFold(text[at:end], name) && (best < 0 || len(name) > len(e.names[best])) {
			best = i
		}
	}
	if best < 0 {
		return -1
	}
	p.set(e.field, e.first+int64(best))
	return at + len(e.names[best])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// atoi returns the number of up to 18 digits.
func atoi(digits string) (n int64) {
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	return n
}
