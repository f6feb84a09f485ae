package javadate

import (
	"errors"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrUnparseable says that a text does not fit the pattern.
var ErrUnparseable = errors.New("the text does not match the pattern")

// fields are what was read, by their letters, and in which order: what was read last counts where fields contradict each other.
type fields struct {
	value [len(letterFields)]int64
	stamp [len(letterFields)]int // 0: not set
	next  int
	// zone is what a name stands for; its offset depends on the day.
	zone *zone
}

// A field is what a letter of a pattern stands for.
type field int

const (
	era field = iota
	year
	month
	weekOfYear
	weekOfMonth
	dayOfMonth
	dayOfYear
	dayOfWeek
	dayOfWeekInMonth
	amPM
	hour
	hourOfDay
	minute
	second
	millisecond
	zoneOffset
	dstOffset
	weekYear
)

// letterFields lists the letters in the order of the fields, for their number.
const letterFields = "GyMwWdDEFaKHmsSZ!Y"

func (p *fields) set(f field, v int64) {
	p.next++
	p.value[f], p.stamp[f] = v, p.next
}

func (p *fields) isSet(f field) bool { return p.stamp[f] > 0 }

// Parse returns the milliseconds since 1970 that a text stands for. What follows the part that fits the pattern does not count, and
// neither do ranges: month 13 is January of the next year. Fields that the pattern does not have are those of 1 January 1970, UTC.
// The error is ErrUnparseable.
func (f *Format) Parse(text string) (int64, error) {
	var p fields
	at := 0
	ambiguous := false
	for i := range f.tokens {
		t := &f.tokens[i]
		if t.letter == 0 {
			if !strings.HasPrefix(text[at:], t.text) {
				return 0, ErrUnparseable
			}
			at += len(t.text)
			continue
		}
		obey := i+1 < len(f.tokens) && f.tokens[i+1].numeric()
		s := subparser{f: f, p: &p, text: text, start: at, t: t, obey: obey, ambiguous: &ambiguous}
		next, ok := s.parse()
		if !ok {
			return 0, ErrUnparseable
		}
		at = next
	}
	if at == 0 {
		return 0, ErrUnparseable
	}
	ms, ok := p.resolve()
	if ok && ambiguous && ms < f.century {
		p.value[year] += 100
		p.value[weekYear] += 100
		ms, ok = p.resolve()
	}
	if !ok {
		return 0, ErrUnparseable
	}
	return ms, nil
}

// numeric tells whether a token is of digits: the number before it takes as many characters as its letter stands times, no more.
func (t *token) numeric() bool {
	switch t.letter {
	case 'M', 'L':
		return t.count <= 2
	case 0, 'G', 'E', 'a', 'z', 'Z', 'X':
		return false
	}
	return true
}

// A subparser reads the text of one token.
type subparser struct {
	f         *Format
	p         *fields
	text      string
	start     int // where the text of the token starts
	t         *token
	obey      bool
	ambiguous *bool
}

// parse returns where the next token starts.
func (s *subparser) parse() (next int, ok bool) {
	at := s.start
	for at < len(s.text) && (s.text[at] == ' ' || s.text[at] == '\t') {
		at++
	}
	if at == len(s.text) {
		return 0, false
	}
	switch s.t.letter {
	case 'G':
		return s.name(era, 0, "BC", "AD", "Before Christ", "Anno Domini")
	case 'M', 'L':
		if s.t.count >= 3 {
			return s.oneOf(month, 0, months[:])
		}
	case 'E':
		return s.oneOf(dayOfWeek, 1, weekdays[:])
	case 'a':
		return s.name(amPM, 0, "AM", "PM")
	case 'z', 'Z':
		return s.zone(at)
	case 'X':
		return s.isoZone(at)
	}
	return s.number(at)
}

// name reads one of several names, whose values are counted from first on and repeat after two.
func (s *subparser) name(f field, first int64, names ...string) (int, bool) {
	best, value := 0, int64(0)
	for i, name := range names {
		if len(name) > best && hasFold(s.text[s.start:], name) {
			best, value = len(name), int64(i%2)
		}
	}
	if best == 0 {
		return 0, false
	}
	s.p.set(f, first+value)
	return s.start + best, true
}

// oneOf reads a name of a list, whole or its first three letters.
func (s *subparser) oneOf(f field, first int64, names []string) (int, bool) {
	for i, name := range names {
		for _, form := range []string{name, name[:3]} {
			if hasFold(s.text[s.start:], form) {
				s.p.set(f, first+int64(i))
				return s.start + len(form), true
			}
		}
	}
	return 0, false
}

// hasFold reports whether a text begins with a name, in any case.
func hasFold(text, name string) bool {
	return len(text) >= len(name) && strings.EqualFold(text[:len(name)], name)
}

// number reads a number.
func (s *subparser) number(at int) (int, bool) {
	limit := len(s.text)
	if s.obey {
		limit = s.start
		for range s.t.count {
			_, n := utf8.DecodeRuneInString(s.text[limit:])
			if n == 0 {
				return 0, false
			}
			limit += n
		}
	}
	if at > limit {
		return 0, false
	}
	n, length := readNumber(s.text[at:limit])
	if length == 0 {
		return 0, false
	}
	s.setNumber(n, s.text[at:at+length])
	return at + length, true
}

// setNumber sets the field of the letter.
func (s *subparser) setNumber(n int64, text string) {
	f := field(strings.IndexByte(letterFields, s.t.letter))
	switch s.t.letter {
	case 'y', 'Y':
		if s.t.count <= 2 && utf8.RuneCountInString(text) == 2 && !strings.HasPrefix(text, "-") {
			n = s.century(n)
		}
	case 'M', 'L':
		f, n = month, n-1
	case 'k':
		if f = hourOfDay; n == 24 {
			n = 0
		}
	case 'h':
		if f = hour; n == 12 {
			n = 0
		}
	case 'u':
		f = dayOfWeek
		if n >= 1 && n <= 7 {
			n = n%7 + 1
		}
	}
	s.p.set(f, n)
}

// century brings a year of two digits into the hundred years of the format.
func (s *subparser) century(n int64) int64 {
	first := s.f.centuryYear % 100
	*s.ambiguous = n == first
	n += s.f.centuryYear - first
	if n < s.f.centuryYear {
		n += 100
	}
	return n
}

// readNumber reads an integer as Java's DecimalFormat does: a minus, digits of any script, an exponent. The number has 32 bits.
func readNumber(text string) (n int64, length int) {
	negative := strings.HasPrefix(text, "-")
	at := 0
	if negative {
		at = 1
	}
	digits, k := readDigits(text[at:])
	if k == 0 {
		return 0, 0
	}
	at += k
	if at < len(text) && text[at] == 'E' {
		e, k := readNumber(text[at+1:])
		if k > 0 && !strings.ContainsRune(text[at+1:at+1+k], 'E') {
			at += 1 + k
			digits *= math.Pow10(int(max(min(e, 400), -400)))
		}
	}
	if negative {
		digits = -digits
	}
	return toInt32(digits), at
}

// readDigits returns the number as a float, which has all numbers of 32 bits.
func readDigits(text string) (n float64, length int) {
	for _, r := range text {
		d := digit(r)
		if d < 0 {
			break
		}
		n = n*10 + float64(d)
		length += utf8.RuneLen(r)
	}
	return n, length
}

// digit returns the value of a digit of any script, -1 for what is none.
func digit(r rune) int {
	if r < utf8.RuneSelf {
		if r >= '0' && r <= '9' {
			return int(r - '0')
		}
		return -1
	}
	for _, block := range unicode.Nd.R16 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return int(r-rune(block.Lo)) % 10 // blocks of digits start with the zero
		}
	}
	return -1
}

// toInt32 is Java's intValue: the low bits of what fits 64 bits, the limits of what does not.
func toInt32(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt32
	case f <= math.MinInt64:
		return math.MinInt32
	}
	return int64(int32(int64(f)))
}
