package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// statement is one INSERT of KCQL, as far as it makes sense for MQTT.
type statement struct {
	target, source   string
	keys             [][]string
	delimiter        string
	converter, regex string
}

// parseKCQL reads statements INSERT INTO target SELECT * FROM source with the clauses that Lenses' source has, separated by semicolons.
func parseKCQL(text string) ([]statement, error) {
	tokens, err := kcqlTokens(text)
	if err != nil {
		return nil, err
	}
	p := &kcqlParser{tokens: tokens}
	var all []statement
	for p.skip(";"); !p.atEnd(); p.skip(";") {
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if !p.atEnd() && p.peek() != (token{text: ";"}) {
			return nil, fmt.Errorf("found %s, want ; or WITHKEY, KEYDELIMITER, WITHREGEX, WITHCONVERTER; other clauses are not supported", p.shown())
		}
	}
	if len(all) == 0 {
		return nil, errors.New("found no statement, want INSERT INTO kafka SELECT * FROM mqtt")
	}
	return all, nil
}

// token is a word, a quoted text, or one of ( ) , = ;.
type token struct {
	text   string
	quoted bool
}

const kcqlMarks = "(),=;"

func kcqlTokens(text string) ([]token, error) {
	var tokens []token
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return tokens, nil
		}
		switch c := text[0]; {
		case strings.IndexByte(kcqlMarks, c) >= 0:
			tokens, text = append(tokens, token{text: text[:1]}), text[1:]
		case c == '`' || c == '\'' || c == '"':
			end := strings.IndexByte(text[1:], c)
			if end < 0 {
				return nil, fmt.Errorf("%s is not closed", text)
			}
			tokens, text = append(tokens, token{text[1 : 1+end], true}), text[end+2:]
		default:
			end := strings.IndexFunc(text, func(r rune) bool {
				return unicode.IsSpace(r) || r < 128 && strings.IndexByte(kcqlMarks+"`'\"", byte(r)) >= 0
			})
			if end < 0 {
				end = len(text)
			}
			tokens, text = append(tokens, token{text: text[:end]}), text[end:]
		}
	}
}

type kcqlParser struct {
	tokens []token
	at     int
}

func (p *kcqlParser) atEnd() bool { return p.at == len(p.tokens) }

// peek returns the next token; the zero token at the end.
func (p *kcqlParser) peek() token {
	if p.atEnd() {
		return token{}
	}
	return p.tokens[p.at]
}

// shown is the next token for messages.
func (p *kcqlParser) shown() string {
	if p.atEnd() {
		return "the end"
	}
	return fmt.Sprintf("%q", p.peek().text)
}

// word takes the next token if it is that word, in any case.
func (p *kcqlParser) word(w string) bool {
	if t := p.peek(); p.atEnd() || t.quoted || !strings.EqualFold(t.text, w) {
		return false
	}
	p.at++
	return true
}

func (p *kcqlParser) skip(w string) {
	for p.word(w) {
	}
}

func (p *kcqlParser) want(words ...string) error {
	for _, w := range words {
		if !p.word(w) {
			return fmt.Errorf("found %s, want %s", p.shown(), w)
		}
	}
	return nil
}

// name takes a word or a quoted text.
func (p *kcqlParser) name(what string) (string, error) {
	t := p.peek()
	if p.atEnd() || t.text == "" || !t.quoted && strings.Contains(kcqlMarks, t.text) {
		return "", fmt.Errorf("found %s, want %s", p.shown(), what)
	}
	p.at++
	return t.text, nil
}

func (p *kcqlParser) statement() (s statement, err error) {
	s.delimiter = "."
	if err = p.want("INSERT", "INTO"); err != nil {
		return s, err
	}
	if s.target, err = p.name("a Kafka topic"); err != nil {
		return s, err
	}
	if err = p.want("SELECT"); err != nil {
		return s, err
	}
	if !p.word("*") {
		return s, fmt.Errorf("found %s, want *: a selection of fields is not supported, use transforms", p.shown())
	}
	if err = p.want("FROM"); err != nil {
		return s, err
	}
	if s.source, err = p.name("an MQTT topic"); err != nil {
		return s, err
	}
	for {
		more, err := p.clause(&s)
		if !more || err != nil {
			return s, err
		}
	}
}

// clause reads one clause, if there is one.
func (p *kcqlParser) clause(s *statement) (more bool, err error) {
	text := func(into *string) (bool, error) {
		if err := p.want("="); err != nil {
			return false, err
		}
		*into, err = p.name("a text in quotes")
		return true, err
	}
	switch {
	case p.word("WITHKEY"):
		return true, p.keys(s)
	case p.word("KEYDELIMITER"), p.word("KEYDELIM"):
		return text(&s.delimiter)
	case p.word("WITHCONVERTER"):
		return text(&s.converter)
	case p.word("WITHREGEX"):
		return text(&s.regex)
	}
	return false, nil
}

func (p *kcqlParser) keys(s *statement) error {
	if err := p.want("("); err != nil {
		return err
	}
	for {
		field, err := p.name("a field")
		if err != nil {
			return err
		}
		path := strings.Split(field, ".")
		for _, step := range path {
			if step == "" {
				return fmt.Errorf("found the field %q, want names separated by dots", field)
			}
		}
		s.keys = append(s.keys, path)
		if p.word(")") {
			return nil
		}
		if err := p.want(","); err != nil {
			return err
		}
	}
}
