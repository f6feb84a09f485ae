package transforms

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// fromJava writes a pattern of Java's in Go's syntax. It refuses what the two understand differently, and what Go can not do; plain
// syntax errors are left to the compiler. Differences in characters that no topic has (line ends, letters beyond ASCII) do not matter.
func fromJava(text string) (string, error) {
	d := dialect{text: text}
	for d.pos < len(d.text) {
		if err := d.step(); err != nil {
			return "", fmt.Errorf("%w, at index %d of %q", err, d.pos, text)
		}
	}
	return d.out.String(), nil
}

// The parts of Java's syntax that Go has no twin for.
var (
	errBackReference = errors.New("back references are not supported")
	errLookAround    = errors.New("look-ahead and look-behind are not supported")
	errAtomicGroup   = errors.New("atomic groups are not supported")
	errClassAlgebra  = errors.New("unions and intersections of character classes are not supported")
	errOctal         = errors.New("octal escapes are not supported; write \\x")
	errUnicodeFlag   = errors.New("the flag U is not supported")
	errPossessive    = errors.New("possessive quantifiers are supported only where they can not differ from greedy ones")
)

// A dialect is a pattern on its way from Java's syntax to Go's.
type dialect struct {
	text  string
	pos   int
	out   strings.Builder
	atom  string // the single character, escape or class right before pos, in Go's syntax; "" if it is something else
	depth int    // open groups
}

// step takes over one element.
func (d *dialect) step() error {
	rest := d.text[d.pos:]
	switch rest[0] {
	case '\\':
		return d.escape(rest)
	case '[':
		return d.class(rest)
	case '(':
		return d.group(rest)
	case ')':
		d.depth--
		d.emit(1, rest[:1], "")
	case '*', '+', '?', '{':
		return d.quantifier(rest)
	case '|', '^', '$':
		d.emit(1, rest[:1], "")
	default:
		_, n := utf8.DecodeRuneInString(rest)
		d.emit(n, rest[:n], rest[:n])
	}
	return nil
}

// emit writes Go's text for the next n bytes.
func (d *dialect) emit(n int, text, atom string) {
	d.out.WriteString(text)
	d.atom = atom
	d.pos += n
}

// escape takes over a backslash and what belongs to it.
func (d *dialect) escape(rest string) error {
	if len(rest) == 1 {
		d.emit(1, rest, "")
		return nil
	}
	switch c := rest[1]; {
	case c >= '1' && c <= '9' || c == 'k':
		return errBackReference
	case c == '0':
		return errOctal
	case c == 'Q':
		n := len(rest)
		if i := strings.Index(rest, `\E`); i >= 0 {
			n = i + 2
		}
		d.emit(n, rest[:n], "")
	case c == 'u' && len(rest) >= 6:
		text := `\x{` + rest[2:6] + `}`
		d.emit(6, text, text)
	default:
		n := escapeLen(rest)
		d.emit(n, rest[:n], rest[:n])
	}
	return nil
}

// escapeLen is the length of an escape, with the braces that \p and \x may have.
func escapeLen(rest string) int {
	if strings.IndexByte("pPx", rest[1]) >= 0 && len(rest) > 2 && rest[2] == '{' {
		if i := strings.IndexByte(rest, '}'); i >= 0 {
			return i + 1
		}
	}
	if rest[1] == 'x' {
		return min(len(rest), 4)
	}
	if rest[1] == 'p' || rest[1] == 'P' {
		return min(len(rest), 3)
	}
	_, n := utf8.DecodeRuneInString(rest[1:])
	return 1 + n
}

// class takes over a character class.
func (d *dialect) class(rest string) error {
	i := 1
	if strings.HasPrefix(rest[i:], "^") {
		i++
	}
	for first := i; i < len(rest); {
		switch {
		case rest[i] == ']' && i > first:
			d.emit(i+1, rest[:i+1], rest[:i+1])
			return nil
		case rest[i] == '[' || strings.HasPrefix(rest[i:], "&&"):
			return errClassAlgebra
		case rest[i] == '\\' && i+1 < len(rest):
			if c := rest[i+1]; isDigit(c) {
				return errOctal
			}
			if c := rest[i+1]; c == 'Q' || c == 'u' {
				return fmt.Errorf("\\%c is not supported in a character class", c)
			}
			i += escapeLen(rest[i:])
		default:
			i++
		}
	}
	d.emit(len(rest), rest, "") // never ends: the compiler will say so
	return nil
}

// group takes over the start of a group.
func (d *dialect) group(rest string) error {
	for _, p := range []struct {
		prefix string
		err    error
	}{
		{"(?=", errLookAround}, {"(?!", errLookAround}, {"(?<=", errLookAround}, {"(?<!", errLookAround}, {"(?>", errAtomicGroup},
	} {
		if strings.HasPrefix(rest, p.prefix) {
			return p.err
		}
	}
	d.depth++
	n := 1
	if strings.HasPrefix(rest, "(?") {
		end := strings.IndexAny(rest, ":)>")
		if end < 0 { // never ends: the compiler will say so
			d.emit(len(rest), rest, "")
			return nil
		}
		if rest[2:3] != "<" && strings.ContainsRune(rest[2:end], 'U') {
			return errUnicodeFlag
		}
		if n = end + 1; rest[end] == ')' {
			d.depth--
		}
	}
	d.emit(n, rest[:n], "")
	return nil
}

// quantifier takes over a quantifier. A possessive one becomes greedy where that makes no difference.
func (d *dialect) quantifier(rest string) error {
	n := 1
	if rest[0] == '{' {
		if n = strings.IndexByte(rest, '}') + 1; n == 0 {
			n = 1
		}
	}
	switch {
	case strings.HasPrefix(rest[n:], "?"):
		d.emit(n+1, rest[:n+1], "")
	case strings.HasPrefix(rest[n:], "+"):
		if !d.greedyWillDo(rest[n+1:]) {
			return errPossessive
		}
		d.emit(n+1, rest[:n], "")
	default:
		d.emit(n, rest[:n], "")
	}
	return nil
}

// greedyWillDo reports whether giving back what the repeated atom took could never help what follows it: the pattern is at its end, or
// goes on with a character that has to be there and that the atom does not match.
func (d *dialect) greedyWillDo(following string) bool {
	if d.atom == "" {
		return false
	}
	if following == "" {
		return d.depth == 0
	}
	r, n := utf8.DecodeRuneInString(following)
	if strings.ContainsRune(`\[]().*+?{}|^$`, r) {
		return false
	}
	if after := following[n:]; after != "" && strings.IndexByte("*?{", after[0]) >= 0 {
		return false
	}
	atom, err := regexp.Compile(`^(?is:` + d.atom + `)$`)
	return err == nil && !atom.MatchString(string(r))
}
