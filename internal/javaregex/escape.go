package javaregex

import "strings"

// escapeNode reads an escape outside of classes.
func (p *parser) escapeNode() node {
	c := p.at(1)
	switch {
	case c >= '1' && c <= '9':
		return p.numberedReference()
	case c == 'k':
		return p.namedReference()
	}
	kind, ok := map[rune]assertionKind{'A': textStart, 'G': matchStart, 'B': notWordBoundary, 'b': wordBoundary, 'Z': lastLineEnd, 'z': textEnd}[c]
	switch {
	case c == 'b' && p.at(2) == '{' && p.at(3) == 'g':
		p.failAt(p.pos, "\\b{g} is not supported")
	case ok:
		p.pos += 2
		return assertion{kind: kind, unixLines: p.flags.unixLines, unicodeWords: p.flags.unicodeClass}
	case c == 'R':
		p.pos += 2
		return lineBreak()
	case c == 'X':
		p.failAt(p.pos, "\\X is not supported")
	}
	s, r := p.classEscape()
	if s != nil {
		return s
	}
	return p.single(r)
}

// numberedReference reads \1 and so on. More digits count as long as there is such a group.
func (p *parser) numberedReference() node {
	index := int(p.at(1) - '0')
	p.pos += 2
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		longer := index*10 + int(c-'0')
		if longer > p.groups {
			break
		}
		index = longer
		p.pos++
	}
	return p.reference(index)
}

func (p *parser) reference(index int) node {
	return backReference{index: index, fold: p.flags.fold, unicodeFolding: p.flags.unicodeCase}
}

func (p *parser) namedReference() node {
	p.pos += 2
	if p.at(0) != '<' {
		p.failAt(p.pos, "\\k is not followed by '<' for named capturing group")
	}
	p.pos++
	name := p.groupName()
	index, ok := p.names[name]
	if !ok {
		p.fail("named capturing group <%s> does not exist", name)
	}
	return p.reference(index)
}

// classEscape reads an escape that stands for a set, or for a character.
func (p *parser) classEscape() (*set, rune) {
	c := p.at(1)
	p.pos += 2
	if s := p.letterSet(c); s != nil {
		return s, 0
	}
	switch c {
	case 'p', 'P':
		return p.family(c == 'P'), 0
	case '0':
		return nil, p.octal()
	case 'x':
		return nil, p.hex()
	case 'u':
		return nil, p.unicodeEscape()
	case 'c':
		if p.at(0) == end {
			p.fail("Illegal control escape sequence")
		}
		p.pos++
		return nil, p.at(-1) ^ 64
	case 'N':
		p.fail("\\N is not supported")
	case end: // found out later
		return nil, 0
	}
	if i := strings.IndexRune("aefnrt", c); i >= 0 {
		return nil, []rune("\a\x1b\f\n\r\t")[i]
	}
	if isLetter(c) || digits.has(c) {
		p.fail("Illegal/unsupported escape sequence")
	}
	return nil, c
}

// letterSet returns the set of \d and its siblings.
func (p *parser) letterSet(c rune) *set {
	var s *set
	switch c | 0x20 {
	case 'd':
		s = p.wide(digits, "DIGIT")
	case 's':
		s = p.wide(spaces, "WHITESPACE")
	case 'w':
		s = p.wide(words, "WORD")
	case 'h':
		s = horizontal
	case 'v':
		s = vertical
	default:
		return nil
	}
	switch {
	case !isLetter(c):
		return nil
	case c < 'a':
		return s.negate()
	}
	return s
}

func (p *parser) wide(ascii *set, name string) *set {
	if p.flags.unicodeClass {
		return binaryProperty(name, false)
	}
	return ascii
}

// family reads the name of a property, of one letter or in braces.
func (p *parser) family(negated bool) *set {
	name := string(max(p.at(0), 0))
	p.pos++
	if name == "{" {
		start := p.pos
		for p.at(0) != '}' {
			if p.at(0) == end {
				p.failAt(len(p.in), "Unclosed character family")
			}
			p.pos++
		}
		if name = string(p.in[start:p.pos]); name == "" {
			p.failAt(p.pos, "Empty character family")
		}
		p.pos++
	}
	s, err := property(name, p.flags.fold, p.flags.unicodeClass)
	if err != nil {
		p.fail("%s", err)
	}
	if negated {
		return s.negate()
	}
	return s
}

// octal reads up to three octal digits, of which the first is at most 3 if there are three.
func (p *parser) octal() rune {
	isOctal := func(c rune) bool { return c >= '0' && c <= '7' }
	if !isOctal(p.at(0)) {
		p.failAt(p.pos, "Illegal octal escape sequence")
	}
	n := p.at(0) - '0'
	p.pos++
	for most := 3; most > 1 && isOctal(p.at(0)) && (most == 3 || n <= 037); most-- {
		n = n*8 + p.at(0) - '0'
		p.pos++
	}
	return n
}

func hexValue(c rune) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// hexDigits reads n hexadecimal digits.
func (p *parser) hexDigits(n int, what string) rune {
	var r rune
	for range n {
		v, ok := hexValue(p.at(0))
		if !ok {
			p.failAt(p.pos, "Illegal %s escape sequence", what)
		}
		r = r*16 + v
		p.pos++
	}
	return r
}

// hex reads \xhh or \x{h...h}.
func (p *parser) hex() rune {
	if p.at(0) != '{' {
		return p.hexDigits(2, "hexadecimal")
	}
	p.pos++
	var r rune
	for p.at(0) != '}' {
		v, ok := hexValue(p.at(0))
		if !ok {
			p.failAt(p.pos, "Unclosed hexadecimal escape sequence")
		}
		if r = r*16 + v; r > 0x10FFFF {
			p.fail("Hexadecimal codepoint is too big")
		}
		p.pos++
	}
	p.pos++
	return r
}

// unicodeEscape reads \uhhhh, and the second half of a pair of surrogates.
func (p *parser) unicodeEscape() rune {
	r := p.hexDigits(4, "Unicode")
	if r < 0xD800 || r > 0xDBFF || p.at(0) != '\\' || p.at(1) != 'u' {
		return r
	}
	saved := p.pos
	p.pos += 2
	if low := p.hexDigits(4, "Unicode"); low >= 0xDC00 && low <= 0xDFFF {
		return 0x10000 + (r-0xD800)<<10 + low - 0xDC00
	}
	p.pos = saved
	return r
}
