package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds filters within filters.
const maxNesting = 100

// A parser reads one path.
type parser struct {
	text  string
	pos   int
	depth int
}

// Compile reads a path. The error says where it is wrong.
func Compile(text string) (*Path, error) {
	p := &parser{text: strings.TrimSpace(text)}
	if !p.accept("$") {
		return nil, p.fail("want $, which every path begins with")
	}
	path := &Path{text: text}
	if err := p.steps(path); err != nil {
		return nil, err
	}
	if p.pos < len(p.text) {
		return nil, p.fail("want a dot or a bracket")
	}
	return path, nil
}

func (p *parser) fail(format string, args ...any) error {
	rest := p.text[p.pos:]
	if len(rest) > 20 {
		rest = rest[:20] + "..."
	}
	return fmt.Errorf("JSONPath %q, at byte %d (%q): %s", p.text, p.pos, rest, fmt.Sprintf(format, args...))
}

func (p *parser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// steps reads steps as long as there are any.
func (p *parser) steps(path *Path) error {
	for {
		var s step
		switch {
		case path.count:
			return nil
		case p.accept(".."):
			s.deep = true
		case p.accept("."):
		case strings.HasPrefix(p.text[p.pos:], "["):
		default:
			return nil
		}
		if err := p.step(&s, path); err != nil {
			return err
		}
		if !path.count {
			path.steps = append(path.steps, s)
		}
	}
}

// step reads what follows the dots, or brackets.
func (p *parser) step(s *step, path *Path) error {
	if p.accept("[") {
		return p.bracket(s)
	}
	if p.accept("*") {
		s.all = true
		return nil
	}
	start := p.pos
	for p.pos < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.pos:])
		if strings.ContainsRune(" \t\r\n.[](),=!<>&|~'\"?@*:/", r) {
			break
		}
		p.pos += n
	}
	name := p.text[start:p.pos]
	if name == "" {
		return p.fail("want a name")
	}
	if !p.accept("(") {
		s.names = []string{name}
		return nil
	}
	p.space()
	if name != "length" && name != "size" || s.deep || !p.accept(")") {
		p.pos = start
		return p.fail("want a name, length() or size(): other functions are not supported")
	}
	path.count = true
	return nil
}

// bracket reads what stands in brackets.
func (p *parser) bracket(s *step) error {
	p.space()
	var err error
	switch {
	case p.accept("*"):
		s.all = true
	case p.accept("?"):
		err = p.filterStep(s)
	case p.pos < len(p.text) && (p.text[p.pos] == '\'' || p.text[p.pos] == '"'):
		err = p.quotedNames(s)
	default:
		err = p.positions(s)
	}
	if err != nil {
		return err
	}
	p.space()
	if !p.accept("]") {
		return p.fail("want a closing bracket")
	}
	return nil
}

func (p *parser) filterStep(s *step) error {
	p.space()
	if !p.accept("(") {
		return p.fail("want a bracket behind the question mark")
	}
	f, err := p.either()
	if err != nil {
		return err
	}
	p.space()
	if !p.accept(")") {
		return p.fail("want the closing bracket of the filter")
	}
	s.filter = f
	return nil
}

func (p *parser) quotedNames(s *step) error {
	for {
		p.space()
		name, err := p.quoted()
		if err != nil {
			return err
		}
		s.names = append(s.names, name)
		p.space()
		if !p.accept(",") {
			return nil
		}
	}
}

// quoted reads text in quotes, in which a backslash takes the meaning from the next character.
func (p *parser) quoted() (string, error) {
	if p.pos >= len(p.text) || p.text[p.pos] != '\'' && p.text[p.pos] != '"' {
		return "", p.fail("want text in quotes")
	}
	quote := p.text[p.pos]
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == quote:
			p.pos = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(p.text):
			i++
			b.WriteByte(unescaped(p.text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail("the quote is never closed")
}

func unescaped(c byte) byte {
	if i := strings.IndexByte("bfnrt", c); i >= 0 {
		return "\b\f\n\r\t"[i]
	}
	return c
}

// positions reads 1, 1,2 or 1:2.
func (p *parser) positions(s *step) error {
	first, err := p.position()
	if err != nil {
		return err
	}
	p.space()
	if p.accept(":") {
		p.space()
		last, err := p.position()
		if err != nil {
			return err
		}
		s.slice = &slice{first, last}
		return nil
	}
	if first == nil {
		return p.fail("want a position, a name in quotes, * or a filter")
	}
	s.indexes = append(s.indexes, *first)
	for p.accept(",") {
		p.space()
		next, err := p.position()
		if err != nil {
			return err
		}
		if next == nil {
			return p.fail("want a position")
		}
		s.indexes = append(s.indexes, *next)
		p.space()
	}
	return nil
}

// position reads a number, nil where there is none.
func (p *parser) position() (*int, error) {
	start := p.pos
	p.accept("-")
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	if p.pos == start {
		return nil, nil
	}
	n, err := strconv.ParseInt(p.text[start:p.pos], 10, 32)
	if err != nil {
		p.pos = start
		return nil, p.fail("want a position of 32 bits")
	}
	i := int(n)
	return &i, nil
}
