package javajson

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may be nested, both for reading and
// for writing: the limit of Jackson's StreamReadConstraints.
const MaxDepth = 1000

// A Reader reads one JSON value, token by token. Strings that it returns alias
// its text, which must not change any more. What follows the value is not looked
// at, as with Jackson's readTree, but a number that stands alone must end in
// a blank or with the text.
//
// Copying a Reader saves its place; the copy goes on from there. Its size is that
// of a few words. After an error a Reader must not be used.
type Reader struct {
	text  []byte
	pos   int
	depth int
}

// NewReader returns a Reader of text, behind its byte order mark if it has one.
func NewReader(text []byte) Reader {
	return Reader{text: bytes.TrimPrefix(text, []byte("\uFEFF"))}
}

// A SyntaxError says where a text is no JSON.
type SyntaxError struct {
	Offset int // in bytes, behind a byte order mark
	Reason string
}

// Error returns the reason and the place.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset) }

func (r *Reader) fail(format string, args ...any) error {
	return &SyntaxError{Offset: r.pos, Reason: fmt.Sprintf(format, args...)}
}

// unexpected describes what is at pos, where want should be.
func (r *Reader) unexpected(want string) error {
	if r.pos >= len(r.text) {
		return r.fail("the text ends where %s should be", want)
	}
	c, _ := utf8.DecodeRune(r.text[r.pos:])
	return r.fail("found %q where %s should be", c, want)
}

// space skips blanks.
func (r *Reader) space() {
	for r.pos < len(r.text) && isBlank(r.text[r.pos]) {
		r.pos++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// Offset returns the place behind what was read last.
func (r *Reader) Offset() int { return r.pos }

// Slice returns the text from offset on up to the place of the Reader.
func (r *Reader) Slice(offset int) []byte { return r.text[offset:r.pos:r.pos] }

// Take moves behind the value ahead if its text begins with prefix, which must be
// the text of a whole object or array. It saves reading what was read before.
func (r *Reader) Take(prefix []byte) bool {
	if len(prefix) == 0 || !bytes.HasPrefix(r.text[r.pos:], prefix) {
		return false
	}
	r.pos += len(prefix)
	return true
}

// Next skips blanks and returns the kind of the value ahead, by its first
// character.
func (r *Reader) Next() (Kind, error) {
	r.space()
	if r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == '"':
			return String, nil
		case c == '{':
			return Object, nil
		case c == '[':
			return Array, nil
		case c == '-', c >= '0' && c <= '9':
			return Number, nil
		case c == 't', c == 'f':
			return Boolean, nil
		case c == 'n':
			return Null, nil
		}
	}
	return 0, r.unexpected("a value")
}

// Null reads null.
func (r *Reader) Null() error { return r.literal("null") }

// Bool reads true or false.
func (r *Reader) Bool() (bool, error) {
	if r.pos < len(r.text) && r.text[r.pos] == 't' {
		return true, r.literal("true")
	}
	return false, r.literal("false")
}

// literal reads a word, behind which no letter or digit may stand.
func (r *Reader) literal(word string) error {
	rest := r.text[r.pos:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return r.unexpected(word)
	}
	r.pos += len(word)
	if c, _ := utf8.DecodeRune(r.text[r.pos:]); c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) {
		return r.unexpected("the end of " + word)
	}
	return nil
}

// Open enters the object or array ahead, whose kind Next gave.
func (r *Reader) Open() error {
	if r.depth == MaxDepth {
		return r.fail("nested deeper than %d levels", MaxDepth)
	}
	r.depth++
	r.pos++
	return nil
}

// Element moves to the next element of an array and reports whether there is
// one. Behind the last it leaves the array. first is true for the first call
// after Open.
func (r *Reader) Element(first bool) (bool, error) { return r.member(first, ']') }

// Key moves to the next member of an object and returns its key. Behind the
// last it leaves the object and ok is false. first is true for the first call
// after Open.
func (r *Reader) Key(first bool) (key string, ok bool, err error) {
	if ok, err = r.member(first, '}'); err != nil || !ok {
		return "", false, err
	}
	r.space()
	if r.pos >= len(r.text) || r.text[r.pos] != '"' {
		return "", false, r.unexpected("the quote of a key")
	}
	if key, err = r.String(); err != nil {
		return "", false, err
	}
	r.space()
	if r.pos >= len(r.text) || r.text[r.pos] != ':' {
		return "", false, r.unexpected("a colon")
	}
	r.pos++
	return key, true, nil
}

func (r *Reader) member(first bool, end byte) (bool, error) {
	r.space()
	if r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == end:
			r.pos++
			r.depth--
			return false, nil
		case first:
			return true, nil
		case c == ',':
			r.pos++
			return true, nil
		}
	}
	return false, r.unexpected("a comma or the end of the " + map[byte]string{']': "array", '}': "object"}[end])
}

// Skip reads the value ahead and forgets it.
func (r *Reader) Skip() error {
	kind, err := r.Next()
	if err != nil {
		return err
	}
	switch kind {
	case Null:
		return r.Null()
	case Boolean:
		_, err = r.Bool()
	case Number:
		_, err = r.Number()
	case String:
		err = r.skipString()
	case Array:
		err = r.skipArray()
	case Object:
		err = r.skipObject()
	}
	return err
}

func (r *Reader) skipArray() error {
	if err := r.Open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		if more, err := r.Element(first); err != nil || !more {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
}

func (r *Reader) skipObject() error {
	if err := r.Open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		if _, more, err := r.Key(first); err != nil || !more {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
}
