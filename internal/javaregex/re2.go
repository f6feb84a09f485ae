package javaregex

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// A translation writes a tree in the syntax of Go's regexp.
type translation struct {
	out strings.Builder
	// plain tells that the two agree on texts of ASCII without line ends only.
	plain bool
}

// translate returns the pattern in Go's syntax. It reports false if Go can not do it, or does something else.
func translate(n node) (t *translation, ok bool) {
	t = &translation{}
	return t, t.write(n)
}

func (t *translation) write(n node) bool {
	switch n := n.(type) {
	case *set:
		return t.set(n)
	case sequence:
		for _, part := range n {
			if !t.write(part) {
				return false
			}
		}
		return true
	case choice:
		return t.choice(n)
	case group:
		t.out.WriteByte('(')
		ok := t.write(n.body)
		t.out.WriteByte(')')
		return ok
	case repeat:
		return t.repeat(n)
	case assertion:
		return t.assertion(n)
	}
	return false
}

func (t *translation) choice(n choice) bool {
	t.out.WriteString("(?:")
	for i, branch := range n {
		if i > 0 {
			t.out.WriteByte('|')
		}
		if !t.write(branch) {
			return false
		}
	}
	t.out.WriteByte(')')
	return true
}

// set writes ranges. Java's strings have halves of surrogate pairs, which Go's texts do not.
func (t *translation) set(s *set) bool {
	t.out.WriteByte('[')
	empty := true
	for i := 0; i < len(s.ranges); i += 2 {
		fmt.Fprintf(&t.out, `\x{%X}-\x{%X}`, s.ranges[i], s.ranges[i+1])
		empty = false
	}
	if empty {
		t.out.WriteString(fmt.Sprintf(`^\x{0}-\x{%X}`, unicode.MaxRune))
	}
	t.out.WriteByte(']')
	return true
}

// repeat writes a quantifier. A body that may match nothing is left to the other engine: what its groups capture differs.
func (t *translation) repeat(n repeat) bool {
	if least, _ := length(n.body); least == 0 || n.mode == possessive {
		return false
	}
	t.out.WriteString("(?:")
	if !t.write(n.body) {
		return false
	}
	switch {
	case n.max == noEnd:
		fmt.Fprintf(&t.out, "){%d,}", n.min)
	default:
		fmt.Fprintf(&t.out, "){%d,%d}", n.min, n.max)
	}
	if n.mode == lazy {
		t.out.WriteByte('?')
	}
	return true
}

func (t *translation) assertion(a assertion) bool {
	switch a.kind {
	case textStart, matchStart: // Go's engine always starts at the start
		t.out.WriteString(`\A`)
	case textEnd:
		t.out.WriteString(`\z`)
	case lastLineEnd:
		t.plain = true
		t.out.WriteString(`\z`)
	case wordBoundary:
		t.plain = true
		t.out.WriteString(`\b`)
	case notWordBoundary:
		t.plain = true
		t.out.WriteString(`\B`)
	default:
		return false
	}
	return true
}

// engines compiles the pattern for Go's engine: to find it, and to match the whole text. Both are nil if Go finds it too large.
func (t *translation) engines() (find, whole *regexp.Regexp) {
	find, err := regexp.Compile(t.out.String())
	if err != nil {
		return nil, nil
	}
	whole, err = regexp.Compile(`\A(?:` + t.out.String() + `)\z`)
	if err != nil {
		return nil, nil
	}
	return find, whole
}

// isPlain reports whether a text is of ASCII without line ends.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c == '\n' || c == '\r' || c > unicode.MaxASCII {
			return false
		}
	}
	return true
}
