package javaregex

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// ErrTooComplex says that a match took more steps, or went deeper, than is allowed. Java would run on, for hours perhaps, or overflow its
// stack.
var ErrTooComplex = errors.New("the regular expression takes too many steps on this text")

// The limits to one match. A step takes some 10 ns and a level some 300 bytes of stack.
const (
	maxSteps = 5_000_000
	maxDepth = 100_000
)

// A step is a part of a compiled pattern: it matches at a position, and then has what follows match.
type step interface {
	match(m *run, at int) bool
}

// A run is one attempt to match.
type run struct {
	text     string
	from     int   // where the last match ended
	groups   []int // start and end of each, -1 where it has matched nothing; the first pair is the whole
	counters []counter
	whole    bool // the end of the match has to be that of the text
	last     int  // where an inner match ended
	steps    int
	depth    int
	err      error
}

// A counter is the state of a group or repetition that is under way.
type counter struct{ start, count int }

// try matches a step, unless there was enough.
func (m *run) try(s step, at int) bool {
	if m.err != nil {
		return false
	}
	if m.steps++; m.steps > maxSteps || m.depth > maxDepth {
		m.err = ErrTooComplex
		return false
	}
	m.depth++
	ok := s.match(m, at)
	m.depth--
	return ok
}

// runeAt returns the character at a position, and its length; 0 at the end.
func (m *run) runeAt(at int) (rune, int) {
	if at < len(m.text) && m.text[at] < utf8.RuneSelf {
		return rune(m.text[at]), 1
	}
	return decode(m.text[at:])
}

func decode(text string) (rune, int) {
	if text == "" {
		return end, 0
	}
	return utf8.DecodeRuneInString(text)
}

// before returns the character that ends at a position.
func (m *run) before(at int) (rune, int) {
	if at == 0 {
		return end, 0
	}
	return utf8.DecodeLastRuneInString(m.text[:at])
}

// The steps. Each but accept has what follows in next.
type (
	accept    struct{} // the end of the pattern
	inner     struct{} // the end of an inner match
	behindEnd struct{ slot int }
	setsStep  struct { // characters in a row
		sets []*set
		next step
	}
	setRepeat struct { // a set, repeated
		set      *set
		min, max int
		mode     mode
		next     step
	}
	choiceStep struct{ branches []step } // each goes on with what follows
	groupOpen  struct {
		slot int
		next step
	}
	groupClose struct {
		slot, index int
		next        step
	}
	loopStart struct{ loop *loop }
	loopBody  struct { // the start of one round
		slot int
		next step
	}
	loop struct { // the end of a round
		slot     int
		body     step
		min, max int
		lazy     bool
		next     step
	}
	atomicStep struct{ body, next step }
	possessed  struct {
		body     step
		min, max int
		next     step
	}
	lookStep struct {
		look
		body step
		slot int
		next step
	}
	backStep struct {
		backReference
		next step
	}
	assertStep struct {
		assertion
		next step
	}
)

func (accept) match(m *run, at int) bool {
	if m.whole && at != len(m.text) {
		return false
	}
	m.last = at
	return true
}

func (inner) match(m *run, at int) bool {
	m.last = at
	return true
}

func (s behindEnd) match(m *run, at int) bool { return at == m.counters[s.slot].start }

func (s *setsStep) match(m *run, at int) bool {
	for _, set := range s.sets {
		r, n := m.runeAt(at)
		if n == 0 || !set.has(r) {
			return false
		}
		at += n
	}
	return m.try(s.next, at)
}

func (s *setRepeat) match(m *run, at int) bool {
	low, count := at, 0
	for ; count < s.min; count++ {
		r, n := m.runeAt(low)
		if n == 0 || !s.set.has(r) {
			return false
		}
		low += n
	}
	if s.mode == lazy {
		return s.matchLazy(m, low, count)
	}
	high := low
	for ; s.max == noEnd || count < s.max; count++ {
		r, n := m.runeAt(high)
		if n == 0 || !s.set.has(r) {
			break
		}
		high += n
	}
	if s.mode == possessive {
		return m.try(s.next, high)
	}
	for {
		if m.try(s.next, high) {
			return true
		}
		if high == low || m.err != nil {
			return false
		}
		_, n := m.before(high)
		high -= n
	}
}

func (s *setRepeat) matchLazy(m *run, at, count int) bool {
	for {
		if m.try(s.next, at) {
			return true
		}
		if count == s.max || m.err != nil {
			return false
		}
		r, n := m.runeAt(at)
		if n == 0 || !s.set.has(r) {
			return false
		}
		at += n
		count++
	}
}

func (s *choiceStep) match(m *run, at int) bool {
	for _, b := range s.branches {
		if m.try(b, at) {
			return true
		}
	}
	return false
}

func (s *groupOpen) match(m *run, at int) bool {
	saved := m.counters[s.slot].start
	m.counters[s.slot].start = at
	ok := m.try(s.next, at)
	m.counters[s.slot].start = saved
	return ok
}

func (s *groupClose) match(m *run, at int) bool {
	g := m.groups[2*s.index : 2*s.index+2]
	start, stop := g[0], g[1]
	g[0], g[1] = m.counters[s.slot].start, at
	if m.try(s.next, at) {
		return true
	}
	g[0], g[1] = start, stop
	return false
}

func (s loopBody) match(m *run, at int) bool {
	saved := m.counters[s.slot].start
	m.counters[s.slot].start = at
	ok := m.try(s.next, at)
	m.counters[s.slot].start = saved
	return ok
}

// match starts a repetition, perhaps within a round of itself.
func (s loopStart) match(m *run, at int) bool {
	l := s.loop
	c := &m.counters[l.slot]
	saved := c.count
	c.count = 1
	var ok bool
	switch {
	case l.min > 0:
		ok = m.try(l.body, at)
	case l.max == 0:
		ok = m.try(l.next, at)
	case l.lazy:
		ok = m.try(l.next, at) || m.try(l.body, at)
	default:
		ok = m.try(l.body, at) || m.try(l.next, at)
	}
	m.counters[l.slot].count = saved
	return ok
}

// match ends a round. One that matched nothing is the last, for all that follow would do the same.
func (l *loop) match(m *run, at int) bool {
	c := &m.counters[l.slot]
	if at <= c.start {
		return m.try(l.next, at)
	}
	count := c.count
	again := func() bool {
		c.count = count + 1
		if m.try(l.body, at) {
			return true
		}
		c.count = count
		return false
	}
	switch {
	case count < l.min:
		return again()
	case l.lazy:
		return m.try(l.next, at) || (l.max == noEnd || count < l.max) && again()
	}
	return (l.max == noEnd || count < l.max) && again() || m.try(l.next, at)
}

func (s *atomicStep) match(m *run, at int) bool {
	return m.try(s.body, at) && m.try(s.next, m.last)
}

func (s *possessed) match(m *run, at int) bool {
	for count := 0; s.max == noEnd || count < s.max; count++ {
		if !m.try(s.body, at) {
			if count < s.min {
				return false
			}
			break
		}
		if m.last == at {
			break
		}
		at = m.last
	}
	return m.try(s.next, at)
}

func (s *lookStep) match(m *run, at int) bool {
	if s.holds(m, at) == s.negative || m.err != nil {
		return false
	}
	return m.try(s.next, at)
}

func (s *lookStep) holds(m *run, at int) bool {
	if !s.behind {
		return m.try(s.body, at)
	}
	c := &m.counters[s.slot]
	saved := c.start
	c.start = at
	defer func() { m.counters[s.slot].start = saved }()
	from := at
	for count := 0; s.max == noEnd || count <= s.max; count++ {
		if count >= s.min && m.try(s.body, from) {
			return true
		}
		_, n := m.before(from)
		if n == 0 {
			return false
		}
		from -= n
	}
	return false
}

func (s *backStep) match(m *run, at int) bool {
	if 2*s.index+1 >= len(m.groups) || m.groups[2*s.index] < 0 {
		return false
	}
	for captured := m.text[m.groups[2*s.index]:m.groups[2*s.index+1]]; captured != ""; {
		want, n := decode(captured)
		got, k := m.runeAt(at)
		if k == 0 || !s.same(want, got) {
			return false
		}
		captured, at = captured[n:], at+k
	}
	return m.try(s.next, at)
}

func (s *backStep) same(a, b rune) bool {
	switch {
	case a == b:
		return true
	case !s.fold:
		return false
	case s.unicodeFolding:
		return foldKey(a) == foldKey(b)
	}
	return a|0x20 == b|0x20 && isLetter(a) && isLetter(b)
}

func (s *assertStep) match(m *run, at int) bool {
	return s.holds(m, at) && m.try(s.next, at)
}

func (s *assertStep) holds(m *run, at int) bool {
	switch s.kind {
	case textStart:
		return at == 0
	case matchStart:
		return at == m.from
	case textEnd:
		return at == len(m.text)
	case lastLineEnd:
		return s.atLineEnd(m, at) && (at == len(m.text) || m.lastLine(at))
	case lineEnd:
		return s.atLineEnd(m, at)
	case lineStart:
		return s.atLineStart(m, at)
	}
	return m.wordAt(at, s.unicodeWords) == (s.kind == wordBoundary)
}

// lastLine reports whether what stands at a position is the last line end.
func (m *run) lastLine(at int) bool {
	_, n := m.runeAt(at)
	return at+n == len(m.text) || m.text[at:] == "\r\n"
}

func (s *assertStep) ends(r rune) bool {
	if s.unixLines {
		return r == '\n'
	}
	return lineEnds.has(r)
}

// atLineEnd reports whether a line ends here. There is no end between \r and \n.
func (s *assertStep) atLineEnd(m *run, at int) bool {
	r, n := m.runeAt(at)
	if n == 0 {
		return true
	}
	if !s.ends(r) {
		return false
	}
	b, _ := m.before(at)
	return s.unixLines || r != '\n' || b != '\r'
}

// atLineStart reports whether a line starts here. At the end of the text none does.
func (s *assertStep) atLineStart(m *run, at int) bool {
	r, n := m.runeAt(at)
	if n == 0 {
		return false
	}
	if at == 0 {
		return true
	}
	b, _ := m.before(at)
	return s.ends(b) && (s.unixLines || b != '\r' || r != '\n')
}

// wordAt reports whether a word begins or ends here.
func (m *run) wordAt(at int, unicodeWords bool) bool {
	before, n := m.before(at)
	left := n > 0 && m.isWord(before, at-n, unicodeWords)
	after, n := m.runeAt(at)
	return left != (n > 0 && m.isWord(after, at, unicodeWords))
}

// isWord tells whether a character at a position belongs to a word. Marks do if they have a base.
func (m *run) isWord(r rune, at int, unicodeWords bool) bool {
	if unicodeWords {
		return unicodeWordSet().has(r)
	}
	if r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nd, r) {
		return true
	}
	for unicode.Is(unicode.Mn, r) {
		var n int
		if r, n = m.before(at); n == 0 {
			return false
		}
		at -= n
		if unicode.IsLetter(r) || unicode.Is(unicode.Nd, r) {
			return true
		}
	}
	return false
}
