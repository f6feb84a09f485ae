package cqlvalue

import (
	"fmt"
	"strings"
)

// compileLayout reads a pattern of Java's DateTimeFormatter, or the name of one of
// its constants.
func compileLayout(pattern string, known *zoneCache) (*layout, error) {
	if elements, ok := predefined(pattern, known); ok {
		return &layout{pattern: pattern, elements: elements}, nil
	}
	c := compiler{pattern: pattern, known: known}
	elements, err := c.sequence(0)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a constant nor a pattern of Java's DateTimeFormatter: %w", pattern, err)
	}
	if len(elements) == 0 {
		return nil, fmt.Errorf("a pattern of no letters was found, where one of Java's DateTimeFormatter is allowed")
	}
	return &layout{pattern: pattern, elements: elements}, nil
}

type compiler struct {
	pattern string
	pos     int
	known   *zoneCache
}

const maxBrackets = 100

// sequence reads up to the end, or to the bracket that closes an optional part.
func (c *compiler) sequence(depth int) (out []element, err error) {
	for c.pos < len(c.pattern) {
		start := c.pos
		ch := c.pattern[start]
		c.pos++
		switch {
		case 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z':
			for c.pos < len(c.pattern) && c.pattern[c.pos] == ch {
				c.pos++
			}
			e, err := c.letters(ch, c.pos-start)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		case ch == '\'':
			text, err := c.quoted()
			if err != nil {
				return nil, err
			}
			out = append(out, literal{text: text, fold: true})
		case ch == '[':
			if depth == maxBrackets {
				return nil, fmt.Errorf("more than %d brackets are open", maxBrackets)
			}
			inner, err := c.sequence(depth + 1)
			if err != nil {
				return nil, err
			}
			out = append(out, optional(inner))
		case ch == ']':
			if depth == 0 {
				return nil, fmt.Errorf("no bracket is open that the one at %d closes", start+1)
			}
			return adjoin(out), nil
		case ch == '{' || ch == '}' || ch == '#':
			return nil, fmt.Errorf("%q at %d is reserved", ch, start+1)
		default:
			out = append(out, literal{text: string(ch), fold: true})
		}
	}
	return adjoin(out), nil // Java closes brackets at the end
}

// quoted reads the rest of a quoted text; two quotes are one.
func (c *compiler) quoted() (string, error) {
	start := c.pos
	var text strings.Builder
	for c.pos < len(c.pattern) {
		ch := c.pattern[c.pos]
		c.pos++
		if ch != '\'' {
			text.WriteByte(ch)
			continue
		}
		if c.pos < len(c.pattern) && c.pattern[c.pos] == '\'' {
			text.WriteByte('\'')
			c.pos++
			continue
		}
		if text.Len() == 0 {
			return "'", nil
		}
		return text.String(), nil
	}
	return "", fmt.Errorf("the quote at %d is not closed", start)
}

// adjoin tells each number how many digits of fixed numbers follow it without
// anything between, which it must leave to them.
func adjoin(elements []element) []element {
	width := 0
	for i := len(elements) - 1; i >= 0; i-- {
		if f, ok := elements[i].(fraction); ok && f.min == f.max && !f.point {
			width += f.min
			continue
		}
		n, ok := elements[i].(number)
		if !ok {
			width = 0
			continue
		}
		n.subsequent = width
		elements[i] = n
		if n.min == n.max && n.sign == signNever {
			width += n.min
		} else {
			width = 0
		}
	}
	return elements
}

var (
	monthsShort   = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
	months        = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdaysShort = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	weekdays      = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// letters returns the element of a run of one letter.
func (c *compiler) letters(ch byte, n int) (element, error) {
	switch ch {
	case 'y', 'u':
		return year(ch, n)
	case 'M', 'L':
		switch n {
		case 3:
			return word{fieldMonth, monthsShort, 1}, nil
		case 4:
			return word{fieldMonth, months, 1}, nil
		}
		return upToTwo(ch, n, fieldMonth)
	case 'E':
		switch {
		case n <= 3:
			return word{fieldWeekday, weekdaysShort, 1}, nil
		case n == 4:
			return word{fieldWeekday, weekdays, 1}, nil
		}
	case 'G':
		switch {
		case n <= 3:
			return word{fieldEra, []string{"BC", "AD"}, 0}, nil
		case n == 4:
			return word{fieldEra, []string{"Before Christ", "Anno Domini"}, 0}, nil
		}
	case 'a':
		if n == 1 {
			return word{fieldHalf, []string{"AM", "PM"}, 0}, nil
		}
	case 'D':
		if n <= 3 {
			return number{field: fieldDayOfYear, min: n, max: 3}, nil
		}
	case 'S':
		if n <= 9 {
			return fraction{min: n, max: n}, nil
		}
	case 'A', 'n', 'N':
		if n <= 18 {
			return number{field: map[byte]field{'A': fieldMilliOfDay, 'n': fieldNano, 'N': fieldNanoOfDay}[ch], min: n, max: 19}, nil
		}
	case 'd', 'H', 'k', 'K', 'h', 'm', 's':
		return upToTwo(ch, n, map[byte]field{'d': fieldDay, 'H': fieldHour, 'k': fieldClockHour, 'K': fieldHourOfHalf,
			'h': fieldClockHourHalf, 'm': fieldMinute, 's': fieldSecond}[ch])
	case 'V', 'z', 'X', 'x', 'Z', 'O':
		if e, ok := c.zone(ch, n); ok {
			return e, nil
		}
	default:
		return nil, fmt.Errorf("the letter %c is not supported; those that are: y u G M L d D E a H k K h m s S A n N V z X x Z O", ch)
	}
	return nil, fmt.Errorf("the letter %c does not stand %d times", ch, n)
}

func year(ch byte, n int) (element, error) {
	f := fieldYear
	if ch == 'y' {
		f = fieldYearOfEra
	}
	switch {
	case n == 2:
		return number{field: f, min: 2, max: 2, base: 2000}, nil
	case n < 4:
		return number{field: f, min: n, max: 19, sign: signNormal}, nil
	case n <= 18:
		return number{field: f, min: n, max: 19, sign: signExceeds}, nil
	}
	return nil, fmt.Errorf("the letter %c does not stand %d times", ch, n)
}

func upToTwo(ch byte, n int, f field) (element, error) {
	switch n {
	case 1:
		return number{field: f, min: 1, max: 19, sign: signNormal}, nil
	case 2:
		return number{field: f, min: 2, max: 2}, nil
	}
	return nil, fmt.Errorf("the letter %c does not stand %d times", ch, n)
}

// zone returns the element of one of the letters of zones and offsets.
func (c *compiler) zone(ch byte, n int) (element, bool) {
	localized := offset{minutes: mayBe, seconds: mayBe, colon: true, prefix: "GMT"}
	switch ch {
	case 'V':
		return zoneID{known: c.known}, n == 2
	case 'z':
		return zoneID{known: c.known, names: true}, n <= 4
	case 'O':
		localized.shortHour = n == 1
		return localized, n == 1 || n == 4
	case 'Z':
		if n == 4 {
			return localized, true
		}
		if n == 5 {
			return offset{minutes: always, seconds: mayBe, colon: true, zero: "Z"}, true
		}
		return offset{minutes: always, zero: "+0000"}, n < 4
	}
	e := [...]offset{{minutes: mayBe}, {minutes: always}, {minutes: always, colon: true},
		{minutes: always, seconds: mayBe}, {minutes: always, seconds: mayBe, colon: true}}[min(n, 5)-1]
	switch {
	case ch == 'X':
		e.zero = "Z"
	case n == 1:
		e.zero = "+00"
	case e.colon:
		e.zero = "+00:00"
	default:
		e.zero = "+0000"
	}
	return e, n <= 5
}
