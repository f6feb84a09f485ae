package javaregex

import (
	"regexp"
	"sync"
	"unicode/utf8"
)

// A Pattern is a compiled regular expression: java.util.regex.Pattern. It may be used by many goroutines at once.
type Pattern struct {
	text   string
	names  map[string]int
	groups int

	// Go's engine, where it does; plain limits it to texts that are plain.
	find, whole *regexp.Regexp
	plain       bool

	program step
	slots   int
	runs    sync.Pool // of *run
}

// Compile reads a pattern in Java's syntax. The error is a *SyntaxError.
func Compile(text string) (*Pattern, error) {
	tree, parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	p := &Pattern{text: text, names: parsed.names, groups: parsed.groups}
	if t, ok := translate(tree); ok {
		p.find, p.whole = t.engines()
		p.plain = t.plain
	}
	c := &compiler{}
	p.program = c.compile(tree, accept{})
	p.slots = c.slots
	return p, nil
}

// String returns the text that the pattern was compiled from.
func (p *Pattern) String() string { return p.text }

// Groups returns the number of groups that capture.
func (p *Pattern) Groups() int { return p.groups }

// Group returns the number of a named group, and whether there is one of that name.
func (p *Pattern) Group(name string) (int, bool) {
	i, ok := p.names[name]
	return i, ok
}

// Backtracks tells that the pattern is beyond Go's engine: matches may fail with ErrTooComplex on any text.
func (p *Pattern) Backtracks() bool { return p.find == nil }

// linear tells whether Go's engine may run on the text. Text that is no UTF-8 is left to the one that knows what it does with it.
func (p *Pattern) linear(text string) bool {
	if p.find == nil {
		return false
	}
	if p.plain {
		return isPlain(text)
	}
	return utf8.ValidString(text)
}

// Matches reports whether the pattern matches the whole text (Matcher.matches). The error is ErrTooComplex.
func (p *Pattern) Matches(text string) (bool, error) {
	if p.linear(text) {
		return p.whole.MatchString(text), nil
	}
	m := p.start(text, true)
	defer p.stop(m)
	return m.try(p.program, 0), m.err
}

// Find returns start and end of the first match (Matcher.find), then of each of its groups, -1 for one that matched nothing. It
// returns nil if there is no match. The error is ErrTooComplex.
func (p *Pattern) Find(text string) ([]int, error) { return p.findFrom(text, 0, 0) }

// findFrom is Find from a position on. What stands before it is seen by look-behind and boundaries; last is where \G matches.
func (p *Pattern) findFrom(text string, from, last int) ([]int, error) {
	if from == 0 && p.linear(text) {
		return p.find.FindStringSubmatchIndex(text), nil
	}
	m := p.start(text, false)
	m.from = last
	defer p.stop(m)
	for at := from; ; {
		if m.try(p.program, at) {
			found := append([]int{at, m.last}, m.groups[2:]...)
			return found, nil
		}
		if m.err != nil {
			return nil, m.err
		}
		_, n := m.runeAt(at)
		if n == 0 {
			return nil, nil
		}
		at += n
	}
}

// FindWhole is Find for a match of the whole text.
func (p *Pattern) FindWhole(text string) ([]int, error) {
	if p.linear(text) {
		return p.whole.FindStringSubmatchIndex(text), nil
	}
	m := p.start(text, true)
	defer p.stop(m)
	if !m.try(p.program, 0) {
		return nil, m.err
	}
	return append([]int{0, m.last}, m.groups[2:]...), nil
}

// start returns a run with nothing captured.
func (p *Pattern) start(text string, whole bool) *run {
	m, _ := p.runs.Get().(*run)
	if m == nil {
		m = &run{groups: make([]int, 2*p.groups+2), counters: make([]counter, p.slots)}
	}
	*m = run{text: text, whole: whole, groups: m.groups, counters: m.counters}
	for i := range m.groups {
		m.groups[i] = -1
	}
	for i := range m.counters {
		m.counters[i] = counter{-1, 0}
	}
	return m
}

// stop gives a run back. It does not keep the text alive.
func (p *Pattern) stop(m *run) {
	m.text = ""
	p.runs.Put(m)
}
