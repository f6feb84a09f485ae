package data

import "strings"

// tokenizer cuts text into the tokens of Connect's value notation: each of the delimiters : , { } [ ] " that no backslash stands before,
// and the stretches between them. It looks one token ahead, and can go back to any position.
type tokenizer struct {
	text   string
	pos    int    // behind the token looked at, or behind the last one taken
	peeked bool   // whether token was looked at and not taken
	token  string // the token looked at
}

// mark returns the position in front of the next token.
func (t *tokenizer) mark() int {
	if t.peeked {
		return t.pos - len(t.token)
	}
	return t.pos
}

// rewind goes back to a position that mark returned.
func (t *tokenizer) rewind(pos int) { t.pos, t.peeked = pos, false }

// more reports whether there is another token.
func (t *tokenizer) more() bool { return t.peeked || t.pos < len(t.text) }

// next takes the next token, "" at the end.
func (t *tokenizer) next() string {
	if !t.peeked {
		t.token = t.scan()
	}
	t.peeked = false
	return t.token
}

// take takes n tokens and returns their text. If there are not as many it takes none.
func (t *tokenizer) take(n int) (string, bool) {
	start := t.mark()
	for range n {
		if !t.more() {
			t.rewind(start)
			return "", false
		}
		t.next()
	}
	return t.text[start:t.pos], true
}

// accept takes the next token if it is the one expected, blanks around it aside. Tokens of blanks only are skipped either way, unless the
// text ends with them.
func (t *tokenizer) accept(expected string) bool {
	if !t.peeked {
		if t.pos == len(t.text) {
			return false
		}
		t.token, t.peeked = t.scan(), true
	}
	for isBlank(t.token) && t.pos < len(t.text) {
		t.token = t.scan()
	}
	if trim(t.token) != expected {
		return false
	}
	t.peeked = false
	return true
}

// scan moves behind the next token and returns it.
func (t *tokenizer) scan() string {
	start, escaped := t.pos, false
	for t.pos < len(t.text) {
		switch t.text[t.pos] {
		case '\\':
			escaped = !escaped
		case ':', ',', '{', '}', '[', ']', '"':
			if !escaped {
				if t.pos == start {
					t.pos++
				}
				return t.text[start:t.pos]
			}
			escaped = false
		default:
			escaped = false
		}
		t.pos++
	}
	return t.text[start:t.pos]
}

// trim is Java's String.trim: it takes off what is not above U+0020 at both ends.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

func isBlank(s string) bool { return trim(s) == "" }
