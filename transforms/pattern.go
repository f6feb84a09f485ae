package transforms

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A pattern is a regular expression of Java's. It is the one place that knows which engine runs it: Go's, which never takes more than linear
// time but has neither back references nor look-around. What Java's engine would understand differently is refused.
type pattern struct {
	first   *regexp.Regexp // leftmost match, alternatives in order, as Java finds it
	longest *regexp.Regexp // leftmost longest match, to see whether the whole text matches
}

// compilePattern reads a pattern, or says what is wrong with it.
func compilePattern(text string) (*pattern, error) {
	translated, err := fromJava(text)
	if err != nil {
		return nil, err
	}
	first, err := regexp.Compile(translated)
	if err != nil {
		return nil, err
	}
	longest := regexp.MustCompile(translated)
	longest.Longest()
	return &pattern{first, longest}, nil
}

// matches reports whether the whole text matches (Matcher.matches).
func (p *pattern) matches(text string) bool {
	// A match of the whole text is leftmost, and none is longer.
	at := p.longest.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text)
}

// replaceFirst replaces the first match (Matcher.replaceFirst), which need not be the whole text even if that matches.
func (p *pattern) replaceFirst(text string, r *replacement) (string, error) {
	at := p.first.FindStringSubmatchIndex(text)
	if at == nil {
		return text, nil
	}
	if r.err != nil {
		return "", r.err
	}
	out := []byte(text[:at[0]])
	for _, part := range r.parts {
		out = append(out, part.text...)
		if from := at[2*part.group]; part.group > 0 && from >= 0 {
			out = append(out, text[from:at[2*part.group+1]]...)
		} else if part.whole {
			out = append(out, text[at[0]:at[1]]...)
		}
	}
	return string(append(out, text[at[1]:]...)), nil
}

// A replacement is parsed text for replaceFirst.
type replacement struct {
	parts []replacementPart
	err   error // what is wrong with it; Java tells when it is used
}

// A replacementPart is literal text followed by what a group matched.
type replacementPart struct {
	text  string
	group int  // 0: none, unless whole is set
	whole bool // $0
}

// parseReplacement reads a replacement by the rules of Matcher.appendReplacement.
func (p *pattern) parseReplacement(text string) *replacement {
	r := &replacement{}
	var literal strings.Builder
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\\':
			if i+1 == len(text) {
				r.err = errors.New("character to be escaped is missing")
				return r
			}
			literal.WriteByte(text[i+1])
			i += 2
		case '$':
			group, n, err := p.reference(text[i+1:])
			if err != nil {
				r.err = err
				return r
			}
			r.parts = append(r.parts, replacementPart{text: literal.String(), group: group, whole: group == 0})
			literal.Reset()
			i += 1 + n
		default:
			literal.WriteByte(c)
			i++
		}
	}
	r.parts = append(r.parts, replacementPart{text: literal.String()})
	return r
}

// reference reads what follows a $. It returns the group and the length of what it read.
func (p *pattern) reference(text string) (group, n int, err error) {
	if text == "" {
		return 0, 0, errors.New("illegal group reference: group index is missing behind $")
	}
	if text[0] == '{' {
		return p.namedReference(text)
	}
	if !isDigit(text[0]) {
		return 0, 0, fmt.Errorf("illegal group reference: found $%c, want $ and a digit, ${name}, or \\$ for the character", text[0])
	}
	groups := p.first.NumSubexp()
	group, n = int(text[0]-'0'), 1
	if group > groups {
		return 0, 0, fmt.Errorf("no group %d: the expression has %d", group, groups)
	}
	// More digits count as long as there is such a group: $11 is group 1 and the character 1 where there are but ten.
	for n < len(text) && isDigit(text[n]) {
		longer := group*10 + int(text[n]-'0')
		if longer > groups {
			break
		}
		group, n = longer, n+1
	}
	return group, n, nil
}

// namedReference reads {name}.
func (p *pattern) namedReference(text string) (group, n int, err error) {
	end := strings.IndexFunc(text[1:], func(r rune) bool { return !isAlphanumeric(r) }) + 1
	switch {
	case end == 0 || text[end] != '}':
		return 0, 0, errors.New("named capturing group is missing trailing '}'")
	case end == 1:
		return 0, 0, errors.New("named capturing group has no name: found ${}")
	case isDigit(text[1]):
		return 0, 0, fmt.Errorf("capturing group name %s starts with digit character", text[:end+1])
	}
	group = slices.Index(p.first.SubexpNames(), text[1:end])
	if group < 0 {
		return 0, 0, fmt.Errorf("no group with name %s", text[:end+1])
	}
	return group, end + 1, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
