package javadate

import (
	"fmt"
	"strings"
	"time"
)

// letters are those that patterns may have.
const letters = "GyMdkHmsSEDFwWahKzZYuXL"

// A Format is a compiled pattern: java.text.SimpleDateFormat, in UTC. It is safe for concurrent use.
type Format struct {
	pattern string
	tokens  []token
	// century is where the hundred years begin that a year of two digits is in.
	century     int64
	centuryYear int64
}

// A token is a letter, as often as it is repeated, or literal text.
type token struct {
	letter byte // 0: literal
	count  int
	text   string
}

// Compile reads a pattern. A year of two digits will be one in the 80 years before now, or the 20 years after.
func Compile(pattern string, now time.Time) (*Format, error) {
	f := &Format{pattern: pattern}
	start := now.UTC().AddDate(-80, 0, 0)
	f.century, f.centuryYear = start.UnixMilli(), int64(start.Year())
	for rest := pattern; rest != ""; {
		c := rest[0]
		n := 1
		switch {
		case c == '\'':
			text, length, closed := Quoted(rest)
			if !closed {
				return nil, fmt.Errorf("Unterminated quote") //nolint:staticcheck // Java's words
			}
			f.literal(text)
			n = length
		case !isLetter(c):
			f.literal(rest[:1])
		default:
			for n < len(rest) && rest[n] == c {
				n++
			}
			if !strings.Contains(letters, string(c)) {
				return nil, fmt.Errorf("Illegal pattern character '%c'", c) //nolint:staticcheck // Java's words
			}
			if c == 'X' && n > 3 {
				return nil, fmt.Errorf("invalid ISO 8601 format: length=%d", n)
			}
			f.tokens = append(f.tokens, token{letter: c, count: n})
		}
		rest = rest[n:]
	}
	return f, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// Quoted reads the text in quotes that rest begins with, and how long it is there; two quotes in a row are one. closed tells whether it
// has an end before that of rest.
func Quoted(rest string) (text string, n int, closed bool) {
	if strings.HasPrefix(rest, "''") {
		return "'", 2, true
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] != '\'' {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return b.String(), len(rest), false
}

func (f *Format) literal(text string) {
	if n := len(f.tokens); n > 0 && f.tokens[n-1].letter == 0 {
		f.tokens[n-1].text += text
		return
	}
	f.tokens = append(f.tokens, token{text: text})
}

// String returns the pattern.
func (f *Format) String() string { return f.pattern }
