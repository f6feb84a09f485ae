package cqlmap

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error says where a mapping is wrong.
type Error struct {
	// Offset is the place in the text, in bytes from 0.
	Offset int
	// Message says what was found there and what is allowed.
	Message string

	character int // the place in characters, from 1
}

// Error returns the place, counted in characters from 1, and the message.
func (e *Error) Error() string { return fmt.Sprintf("character %d: %s", e.character, e.Message) }

// Parse reads a mapping. What is wrong with the text is an [*Error]; mistakes
// that do not keep the rest from being read (a column twice, a field of no part
// of a record, an unknown function) come all at once, joined.
func Parse(text string) (Mapping, error) {
	p := parser{lexer: lexer{text: text}}
	if err := p.next(); err != nil {
		return Mapping{}, err
	}
	var m Mapping
	seen := map[string]bool{}
	for {
		at := p.token.start
		a, err := p.assignment()
		if err != nil {
			return Mapping{}, err
		}
		if seen[a.Column] {
			p.mistake(at, "column %s is assigned to a second time", a.target())
		}
		seen[a.Column] = true
		m.Assignments = append(m.Assignments, a)
		if p.token.kind == tokenEnd {
			break
		}
		if err := p.expect(tokenComma, "a comma and the next assignment, or the end"); err != nil {
			return Mapping{}, err
		}
	}
	if len(p.mistakes) > 0 {
		return Mapping{}, errors.Join(p.mistakes...)
	}
	return m, nil
}

// parser reads tokens one ahead and keeps the mistakes that are no errors of
// syntax.
type parser struct {
	lexer
	token    token
	mistakes []error
}

func (p *parser) next() (err error) {
	p.token, err = p.lex()
	return err
}

// expect moves behind a token of a kind, or says that it is missing.
func (p *parser) expect(k tokenKind, allowed string) error {
	if p.token.kind != k {
		return p.unexpected(allowed)
	}
	return p.next()
}

func (p *parser) unexpected(allowed string) error {
	return p.errorf(p.token.start, "found %s, where %s may stand", p.token, allowed)
}

func (p *parser) mistake(at int, format string, args ...any) {
	p.mistakes = append(p.mistakes, p.errorf(at, format, args...))
}

func (p *parser) assignment() (a Assignment, err error) {
	t := p.token
	if t.kind != tokenName && t.kind != tokenQuoted {
		return a, p.unexpected(`the name of a column, of letters, digits and underscores or in double quotes`)
	}
	if err := p.next(); err != nil {
		return a, err
	}
	if err := p.expect(tokenEquals, "an equals sign and the field that column "+t.String()+" is filled from"); err != nil {
		return a, err
	}
	a.Source, err = p.source()
	a.Column = t.name
	if t.kind == tokenName && t.name == ttlWord {
		a.Column = TTLVariable
	} else if t.kind == tokenName && t.name == timestampWord {
		a.Column = TimestampVariable
	}
	a.TTL, a.Timestamp = a.Column == TTLVariable, a.Column == TimestampVariable
	return a, err
}

// source reads the right side: a quoted name, a dotted one or a function.
func (p *parser) source() (Source, error) {
	start := p.token.start
	switch p.token.kind {
	case tokenQuoted:
		t := p.token
		if err := p.next(); err != nil {
			return Source{}, err
		}
		if p.token.kind == tokenOpen || p.token.kind == tokenDot {
			return p.call(start, t.String())
		}
		return p.resolve(start, t.name), nil
	case tokenName:
		name, err := p.dotted()
		if err != nil {
			return Source{}, err
		}
		if p.token.kind == tokenOpen {
			return p.call(start, name)
		}
		return p.resolve(start, name), nil
	}
	return Source{}, p.unexpected("a field or function")
}

// dotted reads name.name.name.
func (p *parser) dotted() (string, error) {
	name := p.token.name
	if err := p.next(); err != nil {
		return "", err
	}
	for p.token.kind == tokenDot {
		if err := p.next(); err != nil {
			return "", err
		}
		if p.token.kind == tokenQuoted {
			return "", p.unexpected(`only a name without quotes; a field that needs quotes is quoted as a whole, as in "` + name + `.my field",`)
		}
		if p.token.kind != tokenName {
			return "", p.unexpected("the name of a field behind the dot")
		}
		name += "." + p.token.name
		if err := p.next(); err != nil {
			return "", err
		}
	}
	return name, nil
}

// call reads the rest of a function, whose name (or the first part of it) has
// been read. Only now() is one; others are read so that the mistake can be told.
func (p *parser) call(start int, name string) (Source, error) {
	if p.token.kind == tokenDot {
		if err := p.next(); err != nil {
			return Source{}, err
		}
		if p.token.kind != tokenName && p.token.kind != tokenQuoted {
			return Source{}, p.unexpected("the name of a function behind the dot")
		}
		name += "." + p.token.name
		if err := p.next(); err != nil {
			return Source{}, err
		}
	}
	if err := p.expect(tokenOpen, "an opening parenthesis"); err != nil {
		return Source{}, err
	}
	arguments, err := p.arguments()
	if err != nil {
		return Source{}, err
	}
	if name != "now" || arguments > 0 {
		p.mistake(start, "found function %s with %d arguments, the only function is %s", name, arguments, NowCall)
	}
	return Now(), nil
}

// arguments reads names between commas up to the closing parenthesis, and counts
// them.
func (p *parser) arguments() (n int, err error) {
	for p.token.kind != tokenClose {
		if n > 0 {
			if err := p.expect(tokenComma, "a comma or a closing parenthesis"); err != nil {
				return 0, err
			}
		}
		if p.token.kind != tokenName && p.token.kind != tokenQuoted {
			return 0, p.unexpected("a name or a closing parenthesis")
		}
		n++
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	return n, p.next()
}

// resolve returns the source that a name stands for.
func (p *parser) resolve(start int, name string) Source {
	if name == NowCall {
		return Now()
	}
	part, field, dot := strings.Cut(name, ".")
	for _, s := range []Source{{Part: Key, Field: field}, {Part: Value, Field: field}, {Part: Header, Field: field}} {
		if part != s.Part.String() {
			continue
		}
		if field != "" || !dot && s.Part != Header {
			return s
		}
	}
	p.mistake(start, "found %q, where key, value, a field key.NAME or value.NAME, a header header.NAME, or the function %s may stand", name, NowCall)
	return Source{}
}

// The names of what is assigned to beside columns.
const (
	ttlWord       = "__ttl"
	timestampWord = "__timestamp"
)

// String returns a text that Parse reads as the same mapping, each name quoted
// that has to be.
func (m Mapping) String() string {
	var b strings.Builder
	for i, a := range m.Assignments {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.target())
		b.WriteByte('=')
		b.WriteString(a.Source.String())
	}
	return b.String()
}

// target returns the left side of an assignment.
func (a Assignment) target() string {
	switch {
	case a.TTL:
		return ttlWord
	case a.Timestamp:
		return timestampWord
	case a.Column != ttlWord && a.Column != timestampWord && plain(a.Column):
		return a.Column
	}
	return quote(a.Column)
}

// String returns the source as the right side of an assignment.
func (s Source) String() string {
	if s.Part == Function {
		return s.Call
	}
	text := s.Part.String()
	if s.Field == "" {
		return text
	}
	text += "." + s.Field
	for name := range strings.SplitSeq(text, ".") {
		if !plain(name) {
			return quote(text)
		}
	}
	return text
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// plain reports whether a name needs no quotes.
func plain(name string) bool {
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return name != ""
}

func nameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// errorf returns an error at a place of the text.
func (l *lexer) errorf(at int, format string, args ...any) error {
	return &Error{Offset: at, Message: fmt.Sprintf(format, args...), character: utf8.RuneCountInString(l.text[:at]) + 1}
}
