package javaregex

import (
	"fmt"
	"strings"
	"unicode"
)

// A SyntaxError says what is wrong with a pattern, in the words of Java's PatternSyntaxException.
type SyntaxError struct {
	Message string
	Pattern string
	Index   int // in characters; -1: unknown
}

// Error returns the message with the pattern below it and a mark below the place.
func (e *SyntaxError) Error() string {
	if e.Index < 0 {
		return e.Message + "\n" + e.Pattern
	}
	text := fmt.Sprintf("%s near index %d\n%s", e.Message, e.Index, e.Pattern)
	if e.Index < len([]rune(e.Pattern)) {
		text += "\n" + strings.Repeat(" ", e.Index) + "^"
	}
	return text
}

// flags are those that may stand in (?...).
type flags struct {
	fold, unixLines, multiline, dotAll, unicodeCase, comments, unicodeClass bool
}

// end is the character behind the last one.
const end = rune(-1)

// maxNesting bounds groups within groups, for a pattern may come from anybody.
const maxNesting = 1000

// A parser reads a pattern.
type parser struct {
	text   string
	in     []rune
	pos    int
	flags  flags
	groups int // seen so far
	names  map[string]int
	depth  int
}

func parse(text string) (n node, p *parser, err error) {
	p = &parser{text: text, in: unquote([]rune(text)), names: map[string]int{}}
	defer func() {
		r := recover()
		if e, ok := r.(*SyntaxError); ok {
			n, err = nil, e
		} else if r != nil {
			panic(r)
		}
	}()
	n = p.choices()
	switch {
	case p.at(0) == ')':
		p.fail("Unmatched closing ')'")
	case p.pos != len(p.in): // a backslash at the end
		p.fail("Unexpected internal error")
	}
	return n, p, nil
}

// fail ends parsing. The parser goes down many levels, of which each would do nothing but hand an error on, so this is a panic that parse
// takes back.
func (p *parser) fail(format string, args ...any) { p.failAt(p.pos-1, format, args...) }

func (p *parser) failAt(index int, format string, args ...any) {
	panic(&SyntaxError{Message: fmt.Sprintf(format, args...), Pattern: p.text, Index: index})
}

// at returns the character at an offset from the position, as it stands.
func (p *parser) at(offset int) rune {
	if i := p.pos + offset; i >= 0 && i < len(p.in) {
		return p.in[i]
	}
	return end
}

// peek returns the next character. Under the flag x blanks and comments are skipped first.
func (p *parser) peek() rune {
	for p.flags.comments && p.pos < len(p.in) {
		switch c := p.in[p.pos]; {
		case c == '#':
			for p.pos < len(p.in) && !p.lineEnd(p.in[p.pos]) {
				p.pos++
			}
		case spaces.has(c):
			p.pos++
		default:
			return c
		}
	}
	return p.at(0)
}

func (p *parser) lineEnd(c rune) bool {
	if p.flags.unixLines {
		return c == '\n'
	}
	return lineEnds.has(c)
}

// accept takes the next character if it is c.
func (p *parser) accept(c rune) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

// choices reads alternatives up to the end or a closing bracket.
func (p *parser) choices() node {
	first := p.sequence()
	if p.peek() != '|' {
		return first
	}
	all := choice{first}
	for p.accept('|') {
		all = append(all, p.sequence())
	}
	return all
}

func (p *parser) sequence() node {
	var seq sequence
	for {
		switch c := p.peek(); c {
		case end, '|', ')':
			if len(seq) == 1 {
				return seq[0]
			}
			return seq
		case '(':
			if n := p.group(); n != nil {
				seq = append(seq, n)
			}
		default:
			seq = append(seq, p.quantified(p.atom(c)))
		}
	}
}

// atom reads what a quantifier may follow, groups aside.
func (p *parser) atom(c rune) node {
	switch c {
	case '[':
		p.pos++
		return p.class(true)
	case '\\':
		return p.escapeNode()
	case '^':
		p.pos++
		if p.flags.multiline {
			return assertion{kind: lineStart, unixLines: p.flags.unixLines}
		}
		return assertion{kind: textStart}
	case '$':
		p.pos++
		kind := lastLineEnd
		if p.flags.multiline {
			kind = lineEnd
		}
		return assertion{kind: kind, unixLines: p.flags.unixLines}
	case '.':
		p.pos++
		return p.dot()
	case '?', '*', '+':
		p.pos++
		p.peek()
		p.fail("Dangling meta character '%c'", c)
	case '{':
		return sequence(nil) // what follows is a quantifier of nothing, or wrong
	}
	p.pos++
	return p.single(c)
}

func (p *parser) dot() node {
	switch {
	case p.flags.dotAll:
		return everything
	case p.flags.unixLines:
		return newline.negate()
	}
	return lineEnds.negate()
}

// single is the set of one character, with its other cases if they count.
func (p *parser) single(c rune) *set {
	if p.flags.fold {
		return folded(c, c, p.flags.unicodeCase)
	}
	return newSet(c, c)
}

// quantified reads a quantifier, if there is one.
func (p *parser) quantified(body node) node {
	r := repeat{body: body, max: noEnd}
	switch p.peek() {
	case '?':
		r.max = 1
	case '*':
	case '+':
		r.min = 1
	case '{':
		return p.counted(body)
	default:
		return body
	}
	p.pos++
	r.mode = p.repeatMode()
	return r
}

func (p *parser) repeatMode() mode {
	switch {
	case p.accept('?'):
		return lazy
	case p.accept('+'):
		return possessive
	}
	return greedy
}

// counted reads {n}, {n,} or {n,m}.
func (p *parser) counted(body node) node {
	if c := p.at(1); c < '0' || c > '9' {
		p.failAt(p.pos+1, "Illegal repetition")
	}
	p.pos++
	r := repeat{body: body}
	r.min = p.count()
	r.max = r.min
	if p.at(0) == ',' {
		p.pos++
		r.max = noEnd
		if p.at(0) != '}' {
			r.max = p.count()
		}
	}
	if p.at(0) != '}' {
		p.failAt(p.pos, "Unclosed counted closure")
	}
	if r.max != noEnd && r.max < r.min {
		p.failAt(p.pos, "Illegal repetition range")
	}
	p.pos++
	r.mode = p.repeatMode()
	return r
}

func (p *parser) count() int {
	n := 0
	for c := p.at(0); c >= '0' && c <= '9'; c = p.at(0) {
		if n = n*10 + int(c-'0'); n > 1<<31-1 {
			p.failAt(p.pos, "Illegal repetition range")
		}
		p.pos++
	}
	return n
}

// group reads a group. It returns nil for flags alone, which count from here to the end of the group around.
func (p *parser) group() node {
	if p.depth++; p.depth > maxNesting {
		p.fail("Groups are nested too deeply")
	}
	defer func() { p.depth-- }()
	saved := p.flags
	p.pos++
	var wrap func(body node) node
	if p.at(0) == '?' {
		p.pos++
		if wrap = p.special(); wrap == nil {
			return nil
		}
	} else {
		p.groups++
		index := p.groups
		wrap = func(body node) node { return group{index, body} }
	}
	n := wrap(p.closed())
	p.flags = saved
	return p.quantified(n)
}

// closed reads the body of a group and the bracket behind it.
func (p *parser) closed() node {
	body := p.choices()
	if !p.accept(')') {
		p.failAt(p.pos, "Unclosed group")
	}
	return body
}

// special reads what follows (? and returns what to make of the body.
func (p *parser) special() func(body node) node {
	c := p.at(0)
	switch c {
	case ':':
		p.pos++
		return func(body node) node { return body }
	case '=', '!':
		p.pos++
		return func(body node) node { return look{body: body, negative: c == '!'} }
	case '>':
		p.pos++
		return func(body node) node { return atomic{body} }
	case '<':
		p.pos++
		if c := p.at(0); c == '=' || c == '!' {
			p.pos++
			return func(body node) node {
				least, most := length(body)
				return look{body: body, behind: true, negative: c == '!', min: least, max: most}
			}
		}
		return p.named()
	case '$', '@':
		p.failAt(p.pos, "Unknown group type")
	}
	p.readFlags()
	switch p.peek() {
	case ')':
		p.pos++
		return nil
	case ':':
		p.pos++
		return func(body node) node { return body }
	}
	p.failAt(p.pos, "Unknown inline modifier")
	return nil
}

// named reads the name of a group.
func (p *parser) named() func(body node) node {
	name := p.groupName()
	if _, twice := p.names[name]; twice {
		p.fail("Named capturing group <%s> is already defined", name)
	}
	p.groups++
	index := p.groups
	p.names[name] = index
	return func(body node) node { return group{index, body} }
}

func (p *parser) groupName() string {
	start := p.pos
	if !isLetter(p.at(0)) {
		p.failAt(p.pos, "capturing group name does not start with a Latin letter")
	}
	for isLetter(p.at(0)) || digits.has(p.at(0)) {
		p.pos++
	}
	name := string(p.in[start:p.pos])
	if p.at(0) != '>' {
		p.failAt(p.pos, "named capturing group is missing trailing '>'")
	}
	p.pos++
	return name
}

func isLetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// readFlags reads flags, those behind a minus are cleared.
func (p *parser) readFlags() {
	for on := true; ; p.pos++ {
		switch p.peek() {
		case 'i':
			p.flags.fold = on
		case 'd':
			p.flags.unixLines = on
		case 'm':
			p.flags.multiline = on
		case 's':
			p.flags.dotAll = on
		case 'u':
			p.flags.unicodeCase = on
		case 'x':
			p.flags.comments = on
		case 'U':
			p.flags.unicodeClass, p.flags.unicodeCase = on, on
		case '-':
			if !on {
				return
			}
			on = false
		case 'c': // canonical equivalence: accepted, and without effect, within a pattern
		default:
			return
		}
	}
}

// unquote writes what stands between \Q and \E with backslashes.
func unquote(in []rune) []rune {
	i := 0
	for i+1 < len(in) && (in[i] != '\\' || in[i+1] != 'Q') {
		if in[i] == '\\' {
			i++
		}
		i++
	}
	if i+1 >= len(in) {
		return in
	}
	out := append([]rune(nil), in[:i]...)
	quoted := false
	for first := false; i < len(in); i++ {
		c := in[i]
		switch {
		case c == '\\' && i+1 < len(in) && in[i+1] == 'Q' && !quoted:
			quoted, first = true, true
			i++
			continue
		case c == '\\' && i+1 < len(in) && in[i+1] == 'E' && quoted:
			quoted = false
			i++
		case c == '\\' && !quoted:
			out = append(out, c)
			if i+1 < len(in) {
				i++
				out = append(out, in[i])
			}
		case !quoted || c > unicode.MaxASCII || isLetter(c):
			out = append(out, c)
		case digits.has(c) && first: // might become a part of what stands before
			out = append(out, '\\', 'x', '3', c)
		case digits.has(c):
			out = append(out, c)
		default:
			out = append(out, '\\', c)
		}
		first = false
	}
	return out
}
