package cqlmap

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// tokenKind tells the tokens of the language apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenQuoted
	tokenEquals
	tokenComma
	tokenDot
	tokenOpen
	tokenClose
)

// token is one of the language. The name is without quotes.
type token struct {
	kind  tokenKind
	start int
	name  string
}

// String returns the token as an error shows it.
func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenQuoted:
		return quote(t.name)
	}
	return strconv.Quote(t.name)
}

// lexer cuts a text into tokens.
type lexer struct {
	text string
	pos  int
}

var marks = map[byte]tokenKind{'=': tokenEquals, ',': tokenComma, '.': tokenDot, '(': tokenOpen, ')': tokenClose}

func (l *lexer) lex() (token, error) {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
	start := l.pos
	if start == len(l.text) {
		return token{kind: tokenEnd, start: start}, nil
	}
	c := l.text[start]
	if kind, ok := marks[c]; ok {
		l.pos++
		return token{kind: kind, start: start, name: l.text[start:l.pos]}, nil
	}
	if c == '"' {
		return l.quoted()
	}
	for l.pos < len(l.text) && nameByte(l.text[l.pos]) {
		l.pos++
	}
	if l.pos == start {
		r, _ := utf8.DecodeRuneInString(l.text[start:])
		return token{}, l.errorf(start, "found %q; names that are not of letters A to Z, digits and underscores alone are in double quotes", r)
	}
	return token{kind: tokenName, start: start, name: l.text[start:l.pos]}, nil
}

// quoted reads a name in double quotes, in which a quote is written twice.
func (l *lexer) quoted() (token, error) {
	start := l.pos
	var name strings.Builder
	for rest := l.text[start+1:]; ; {
		before, after, closed := strings.Cut(rest, `"`)
		if !closed {
			return token{}, l.errorf(start, "the quote that opens here is not closed")
		}
		name.WriteString(before)
		if !strings.HasPrefix(after, `"`) {
			l.pos = len(l.text) - len(after)
			break
		}
		name.WriteByte('"')
		rest = after[1:]
	}
	if name.Len() == 0 {
		return token{}, l.errorf(start, "found a name of no characters in quotes")
	}
	return token{kind: tokenQuoted, start: start, name: name.String()}, nil
}
