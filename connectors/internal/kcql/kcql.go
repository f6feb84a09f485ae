package kcql

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A Statement is one INSERT or UPSERT.
type Statement struct {
	// Mode is INSERT or UPSERT.
	Mode string
	// Target and Source are without their quotes.
	Target, Source string
	// Fields are what is selected, with quotes; "*" alone for all.
	Fields []string
	// Clauses are in the order in which they are written.
	Clauses []Clause
}

// A Clause is what may follow a statement's source.
type Clause struct {
	// Name is in upper case.
	Name string
	// Value is that of NAME value and NAME=value, without quotes.
	Value string
	// List is that of NAME a, b and NAME(a, b), with quotes, for dots within a name are told from others by them.
	List []string
	// Properties are those of NAME(k=v, ...), without quotes, in their order.
	Properties []Property
}

// A Property is k=v.
type Property struct{ Key, Value string }

// A form is how a clause is written.
type form int

const (
	flag     form = iota // NAME
	word                 // NAME value
	equal                // NAME=value, or without the sign
	list                 // NAME a, b
	within               // NAME(a, b)
	property             // NAME(k=v, ...)
)

// forms are the clauses of the language.
var forms = map[string]form{
	"AUTOCREATE": flag, "AUTOEVOLVE": flag, "CAPITALIZE": flag, "NOPARTITION": flag, "WITHSTRUCTURE": flag, "WITHUNWRAP": flag,
	"STOREAS": word, "WITHFORMAT": word, "WITHTYPE": word, "WITHPARTITIONER": equal, "TIMESTAMP": word,
	"BATCH": equal, "LIMIT": equal, "TTL": equal, "TIMESTAMPUNIT": equal, "WITHTARGET": equal, "INCREMENTALMODE": equal, "WITHDOCTYPE": equal,
	"WITHINDEXSUFFIX": equal, "WITHCONVERTER": equal, "WITHJMSSELECTOR": equal, "WITHREGEX": equal, "WITHPIPELINE": equal, "WITHSUBSCRIPTION": equal,
	"KEYDELIMITER": equal, "KEYDELIM": equal, "WITH_FLUSH_COUNT": equal, "WITH_FLUSH_SIZE": equal, "WITH_FLUSH_INTERVAL": equal,
	"PARTITIONBY": list, "PK": list, "IGNORE": list,
	"WITHKEY": within, "WITHTAG": within, "PROPERTIES": property,
}

// Parse reads statements that are separated by semicolons. There is at least one.
func Parse(text string) ([]Statement, error) {
	tokens, err := split(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	var all []Statement
	for p.skip(";"); !p.atEnd(); p.skip(";") {
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if !p.atEnd() && p.peek() != ";" {
			return nil, fmt.Errorf("found %s, want a clause of KCQL, or ;", p.shown())
		}
	}
	if len(all) == 0 {
		return nil, errors.New("found no statement, want INSERT INTO target SELECT * FROM source")
	}
	return all, nil
}

const (
	marks  = "(),=;"
	quotes = "`'\""
)

// split makes words, which may have quoted parts, and marks of a text.
func split(text string) ([]string, error) {
	var tokens []string
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return tokens, nil
		}
		n := 1
		if !strings.Contains(marks, text[:1]) {
			var err error
			if n, err = wordLength(text); err != nil {
				return nil, err
			}
		}
		tokens, text = append(tokens, text[:n]), text[n:]
	}
}

// wordLength is where a word ends: at a space or mark that is not within quotes.
func wordLength(text string) (int, error) {
	open, from := rune(0), 0
	for i, r := range text {
		switch {
		case open != 0:
			if r == open {
				open = 0
			}
		case strings.ContainsRune(quotes, r):
			open, from = r, i
		case unicode.IsSpace(r) || strings.ContainsRune(marks, r):
			return i, nil
		}
	}
	if open != 0 {
		return 0, fmt.Errorf("%s is not closed", text[from:])
	}
	return len(text), nil
}

// Unquote takes the quotes out of a word.
func Unquote(word string) string {
	var b strings.Builder
	open := rune(0)
	for _, r := range word {
		switch {
		case open == 0 && strings.ContainsRune(quotes, r):
			open = r
		case r == open:
			open = 0
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Path splits a word at the dots that are not within quotes. Empty parts are left out.
func Path(word string) []string {
	var parts []string
	var part strings.Builder
	open := rune(0)
	end := func() {
		if part.Len() > 0 {
			parts = append(parts, part.String())
		}
		part.Reset()
	}
	for _, r := range word {
		switch {
		case open == 0 && strings.ContainsRune(quotes, r):
			open = r
		case open != 0 && r == open:
			open = 0
		case open == 0 && r == '.':
			end()
		default:
			part.WriteRune(r)
		}
	}
	end()
	return parts
}

type parser struct {
	tokens []string
	at     int
}

func (p *parser) atEnd() bool { return p.at == len(p.tokens) }

// peek returns the next token; "" at the end.
func (p *parser) peek() string {
	if p.atEnd() {
		return ""
	}
	return p.tokens[p.at]
}

// shown is the next token for messages.
func (p *parser) shown() string {
	if p.atEnd() {
		return "the end"
	}
	return fmt.Sprintf("%q", p.peek())
}

// take takes the next token if it is that word, in any case.
func (p *parser) take(w string) bool {
	if p.atEnd() || !strings.EqualFold(p.peek(), w) {
		return false
	}
	p.at++
	return true
}

func (p *parser) skip(w string) {
	for p.take(w) {
	}
}

func (p *parser) want(words ...string) error {
	for _, w := range words {
		if !p.take(w) {
			return fmt.Errorf("found %s, want %s", p.shown(), w)
		}
	}
	return nil
}

// word takes a word.
func (p *parser) word(what string) (string, error) {
	t := p.peek()
	if t == "" || strings.Contains(marks, t) {
		return "", fmt.Errorf("found %s, want %s", p.shown(), what)
	}
	p.at++
	return t, nil
}

// name takes a word that is not empty without its quotes.
func (p *parser) name(what string) (string, error) {
	w, err := p.word(what)
	if err != nil {
		return "", err
	}
	if w = Unquote(w); w == "" {
		return "", fmt.Errorf("found an empty name, want %s", what)
	}
	return w, nil
}

// words takes a list with commas.
func (p *parser) words(what string) ([]string, error) {
	var all []string
	for {
		w, err := p.word(what)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
		if !p.take(",") {
			return all, nil
		}
	}
}

func (p *parser) statement() (s Statement, err error) {
	s.Mode = strings.ToUpper(p.peek())
	if !p.take("INSERT") && !p.take("UPSERT") {
		return s, fmt.Errorf("found %s, want INSERT or UPSERT", p.shown())
	}
	if err = p.want("INTO"); err != nil {
		return s, err
	}
	if s.Target, err = p.name("a target"); err != nil {
		return s, err
	}
	if err = p.want("SELECT"); err != nil {
		return s, err
	}
	if s.Fields, err = p.words("* or fields"); err != nil {
		return s, err
	}
	if err = p.want("FROM"); err != nil {
		return s, err
	}
	if s.Source, err = p.name("a source"); err != nil {
		return s, err
	}
	for !p.atEnd() && p.peek() != ";" {
		c, err := p.clause()
		if err != nil {
			return s, err
		}
		for _, other := range s.Clauses {
			if other.Name == c.Name {
				return s, fmt.Errorf("%s occurs twice", c.Name)
			}
		}
		s.Clauses = append(s.Clauses, c)
	}
	return s, nil
}

func (p *parser) clause() (c Clause, err error) {
	c.Name = strings.ToUpper(p.peek())
	f, ok := forms[c.Name]
	if !ok {
		return c, fmt.Errorf("found %s, want a clause of KCQL, or ;", p.shown())
	}
	p.at++
	switch f {
	case word, equal:
		if f == equal {
			p.take("=")
		}
		w, err := p.word("a value for " + c.Name)
		c.Value = Unquote(w)
		return c, err
	case list:
		c.List, err = p.words("a field for " + c.Name)
	case within:
		if err = p.want("("); err == nil {
			c.List, err = p.words("a field for " + c.Name)
		}
		if err == nil {
			err = p.want(")")
		}
	case property:
		c.Properties, err = p.properties()
	}
	return c, err
}

// properties reads (k=v, ...), which may be empty.
func (p *parser) properties() (all []Property, err error) {
	if err = p.want("("); err != nil {
		return nil, err
	}
	for !p.take(")") {
		if len(all) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
		var x Property
		if x.Key, err = p.name("a property"); err != nil {
			return nil, err
		}
		if err = p.want("="); err != nil {
			return nil, err
		}
		w, err := p.word("a value for " + x.Key)
		if err != nil {
			return nil, err
		}
		x.Value = Unquote(w)
		for _, other := range all {
			if other.Key == x.Key {
				return nil, fmt.Errorf("the property %q occurs twice", x.Key)
			}
		}
		all = append(all, x)
	}
	return all, nil
}
