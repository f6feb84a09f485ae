package javaregex

import (
	"errors"
	"fmt"
	"strings"
)

// A Replacement is parsed text that takes the place of a match (Matcher.appendReplacement): $1 and ${name} stand for what a group matched,
// $0 for all, a backslash takes the meaning from the next character.
type Replacement struct {
	parts []part
	err   error
}

// A part is literal text followed by what a group matched.
type part struct {
	text  string
	group int // -1: none
}

// Replacement parses a replacement for the pattern. What is wrong with it shows in Err, and where it is used: as in Java.
func (p *Pattern) Replacement(text string) *Replacement {
	r := &Replacement{}
	var literal strings.Builder
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\\':
			if i+1 == len(text) {
				return &Replacement{err: errors.New("character to be escaped is missing")}
			}
			literal.WriteByte(text[i+1])
			i += 2
		case '$':
			group, n, err := p.reference(text[i+1:])
			if err != nil {
				return &Replacement{err: err}
			}
			r.parts = append(r.parts, part{literal.String(), group})
			literal.Reset()
			i += 1 + n
		default:
			literal.WriteByte(c)
			i++
		}
	}
	r.parts = append(r.parts, part{literal.String(), -1})
	return r
}

// Err returns what is wrong with the replacement.
func (r *Replacement) Err() error { return r.err }

// reference reads what follows a $. It returns the group and the length of what it read.
func (p *Pattern) reference(text string) (group, n int, err error) {
	if text == "" {
		return 0, 0, errors.New("Illegal group reference: group index is missing") //nolint:staticcheck // Java's words
	}
	if text[0] == '{' {
		return p.namedGroup(text)
	}
	if !isDigit(text[0]) {
		return 0, 0, fmt.Errorf("Illegal group reference: found $%c, want $ and a digit, ${name}, or \\$ for the character", text[0]) //nolint:staticcheck // Java's words
	}
	group, n = int(text[0]-'0'), 1
	if group > p.groups {
		return 0, 0, fmt.Errorf("No group %d: the expression has %d", group, p.groups) //nolint:staticcheck // Java's words
	}
	// More digits count as long as there is such a group: $11 is group 1 and the character 1 where there are but ten.
	for n < len(text) && isDigit(text[n]) {
		longer := group*10 + int(text[n]-'0')
		if longer > p.groups {
			break
		}
		group, n = longer, n+1
	}
	return group, n, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// namedGroup reads {name}.
func (p *Pattern) namedGroup(text string) (group, n int, err error) {
	stop := strings.IndexFunc(text[1:], func(r rune) bool { return !isLetter(r) && !digits.has(r) }) + 1
	switch {
	case stop == 0 || text[stop] != '}':
		return 0, 0, errors.New("named capturing group is missing trailing '}'")
	case stop == 1:
		return 0, 0, errors.New("named capturing group has no name: found ${}")
	case isDigit(text[1]):
		return 0, 0, fmt.Errorf("capturing group name %s starts with digit character", text[:stop+1])
	}
	group, ok := p.Group(text[1:stop])
	if !ok {
		return 0, 0, fmt.Errorf("No group with name %s", text[:stop+1]) //nolint:staticcheck // Java's words
	}
	return group, stop + 1, nil
}

// append appends the replacement of a match.
func (r *Replacement) append(dst []byte, text string, match []int) []byte {
	for _, part := range r.parts {
		dst = append(dst, part.text...)
		if part.group < 0 {
			continue
		}
		if from := match[2*part.group]; from >= 0 {
			dst = append(dst, text[from:match[2*part.group+1]]...)
		}
	}
	return dst
}

// ReplaceFirst replaces the first match (Matcher.replaceFirst), which need not be the whole text even if that matches. The error is that
// of the replacement, or ErrTooComplex.
func (p *Pattern) ReplaceFirst(text string, r *Replacement) (string, error) {
	match, err := p.Find(text)
	if match == nil || err != nil {
		return text, err
	}
	if r.err != nil {
		return "", r.err
	}
	out := append(make([]byte, 0, len(text)+16), text[:match[0]]...)
	return string(append(r.append(out, text, match), text[match[1]:]...)), nil
}

// ReplaceAll replaces each match (Matcher.replaceAll). The error is that of the replacement, or ErrTooComplex.
func (p *Pattern) ReplaceAll(text string, r *Replacement) (string, error) {
	var out []byte
	done, from := 0, 0
	for from <= len(text) {
		match, err := p.findFrom(text, from, done)
		if err != nil {
			return text, err
		}
		if match == nil {
			break
		}
		if r.err != nil {
			return "", r.err
		}
		out = r.append(append(out, text[done:match[0]]...), text, match)
		done, from = match[1], match[1]
		if match[0] == match[1] { // the next one starts behind the next character
			_, n := decode(text[from:])
			from += max(n, 1)
		}
	}
	return string(append(out, text[done:]...)), nil
}
