package objectstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/internal/javadate"
)

// A pattern prints times by a pattern of Joda-Time's DateTimeFormat, which path.format is written in: 'year'=YYYY/'month'=MM.
// Names of months, days and eras are English.
type pattern struct {
	tokens []patternToken
	text   bool // has names in it
}

// A patternToken is a letter, as often as it is repeated, or literal text.
type patternToken struct {
	letter byte
	count  int
	text   string
}

const patternLetters = "GCyYxweEDMdaKhHkmsSzZ"

// parsePattern reads a pattern.
func parsePattern(text string) (pattern, error) {
	var p pattern
	if text == "" {
		return p, errors.New("the pattern is empty")
	}
	for rest := text; rest != ""; {
		c := rest[0]
		switch {
		case c == '\'':
			lit, n, _ := javadate.Quoted(rest) // the last quote may be missing
			p.literal(lit)
			rest = rest[n:]
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			if !strings.Contains(patternLetters, string(c)) {
				return p, fmt.Errorf("%q is no letter of a Joda-Time pattern (%s); text is written in quotes", string(c), patternLetters)
			}
			n := len(rest) - len(strings.TrimLeft(rest, string(c)))
			p.tokens = append(p.tokens, patternToken{letter: c, count: n})
			p.text = p.text || c == 'G' || c == 'a' || c == 'E' || c == 'M' && n > 2
			rest = rest[n:]
		default:
			p.literal(rest[:1])
			rest = rest[1:]
		}
	}
	return p, nil
}

func (p *pattern) literal(text string) {
	if n := len(p.tokens); n > 0 && p.tokens[n-1].letter == 0 {
		p.tokens[n-1].text += text
		return
	}
	p.tokens = append(p.tokens, patternToken{text: text})
}

// format prints a time, in its own zone.
func (p pattern) format(t time.Time) string {
	var b strings.Builder
	for _, k := range p.tokens {
		if k.letter == 0 {
			b.WriteString(k.text)
			continue
		}
		b.WriteString(k.format(t))
	}
	return b.String()
}

func (k patternToken) format(t time.Time) string {
	switch k.letter {
	case 'G':
		if t.Year() <= 0 {
			return "BC"
		}
		return "AD"
	case 'a':
		return t.Format("PM")
	case 'E':
		return shortened(t.Weekday().String(), k.count)
	case 'M':
		if k.count > 2 {
			return shortened(t.Month().String(), k.count)
		}
		return k.pad(int(t.Month()))
	case 'S':
		return fraction(t, k.count)
	case 'z':
		if k.count < 4 {
			return t.Format("MST")
		}
		return t.Location().String()
	case 'Z':
		return k.zone(t)
	}
	return k.number(t)
}

// number prints the letters that are numbers.
func (k patternToken) number(t time.Time) string {
	weekYear, week := t.ISOWeek()
	year := t.Year()
	era := year
	if era <= 0 {
		era = 1 - era
	}
	switch k.letter {
	case 'C':
		return k.pad(era / 100)
	case 'y':
		return k.year(year)
	case 'Y':
		return k.year(era)
	case 'x':
		return k.year(weekYear)
	case 'w':
		return k.pad(week)
	case 'e':
		return k.pad((int(t.Weekday())+6)%7 + 1)
	case 'D':
		return k.pad(t.YearDay())
	case 'd':
		return k.pad(t.Day())
	case 'K':
		return k.pad(t.Hour() % 12)
	case 'h':
		return k.pad((t.Hour()+11)%12 + 1)
	case 'H':
		return k.pad(t.Hour())
	case 'k':
		return k.pad((t.Hour()+23)%24 + 1)
	case 'm':
		return k.pad(t.Minute())
	default: // 's'
		return k.pad(t.Second())
	}
}

func (k patternToken) pad(n int) string { return fmt.Sprintf("%0*d", k.count, n) }

// year prints a year; two letters are its last two digits.
func (k patternToken) year(n int) string {
	if k.count == 2 {
		return fmt.Sprintf("%02d", ((n%100)+100)%100)
	}
	return k.pad(n)
}

func shortened(name string, count int) string {
	if count < 4 {
		return name[:3]
	}
	return name
}

// fraction prints so many digits of the fraction of the second.
func fraction(t time.Time, digits int) string {
	s := fmt.Sprintf("%09d", t.Nanosecond())
	if digits > len(s) {
		s += strings.Repeat("0", digits-len(s))
	}
	return s[:digits]
}

func (k patternToken) zone(t time.Time) string {
	switch k.count {
	case 1:
		return t.Format("-0700")
	case 2:
		return t.Format("-07:00")
	}
	return t.Location().String()
}

// location finds a time zone by the names that Joda-Time and Java know.
func location(name string) (*time.Location, error) {
	switch name {
	case "":
		return time.UTC, nil
	case "UTC", "GMT", "Z":
		return time.UTC, nil
	}
	if loc, err := time.LoadLocation(name); err == nil && name != "Local" {
		return loc, nil
	}
	if loc, ok := offsetZone(name); ok {
		return loc, nil
	}
	return nil, fmt.Errorf("the time zone %q is not known; names are those of the time zone database, as in Europe/Berlin, or offsets, as in +02:00", name)
}

// offsetZone reads +hh:mm, with or without GMT or UTC before it.
func offsetZone(name string) (*time.Location, bool) {
	text := strings.TrimPrefix(strings.TrimPrefix(name, "UTC"), "GMT")
	if len(text) != 6 || text[3] != ':' || text[0] != '+' && text[0] != '-' {
		return nil, false
	}
	h, err1 := strconv.ParseUint(text[1:3], 10, 8)
	m, err2 := strconv.ParseUint(text[4:], 10, 8)
	if err1 != nil || err2 != nil || h > 23 || m > 59 {
		return nil, false
	}
	seconds := int(h)*3600 + int(m)*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(name, seconds), true
}
