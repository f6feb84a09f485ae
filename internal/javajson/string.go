package javajson

import (
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// String reads the string ahead. Without escapes the result aliases the text.
// Half a surrogate pair, which Go's strings can not hold, becomes U+FFFD.
func (r *Reader) String() (string, error) {
	start := r.pos + 1
	plain, err := r.plain()
	if err != nil {
		return "", err
	}
	body := r.text[start:r.pos]
	if plain {
		r.pos++
		return unsafe.String(unsafe.SliceData(body), len(body)), nil
	}
	out, err := r.unescape(append(make([]byte, 0, len(body)+32), body...))
	return unsafe.String(unsafe.SliceData(out), len(out)), err
}

// skipString reads the string ahead without building it.
func (r *Reader) skipString() error {
	plain, err := r.plain()
	for err == nil && !plain {
		if _, err = r.escape(); err == nil {
			plain, err = r.run()
		}
	}
	if err == nil {
		r.pos++
	}
	return err
}

// plain moves from the opening quote to the closing one and returns true, or to
// the first escape and returns false.
func (r *Reader) plain() (bool, error) {
	r.pos++
	return r.run()
}

// run moves to the next quote, which it reports as true, or backslash. It
// refuses control characters and invalid UTF-8.
func (r *Reader) run() (bool, error) {
	start, ascii := r.pos, true
	for ; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '"', c == '\\':
			if !ascii && !utf8.Valid(r.text[start:r.pos]) {
				return false, r.fail("the string in front is no UTF-8")
			}
			return c == '"', nil
		case c < 0x20:
			return false, r.fail("found control character 0x%02x in a string, where an escape should be", c)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return false, r.unexpected("the end of a string")
}

// unescape goes on from an escape to behind the end of the string.
func (r *Reader) unescape(out []byte) ([]byte, error) {
	for {
		c, err := r.escape()
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, c)
		start := r.pos
		end, err := r.run()
		if err != nil {
			return nil, err
		}
		out = append(out, r.text[start:r.pos]...)
		if end {
			r.pos++
			return out, nil
		}
	}
}

// escape reads one escape, or two that are a surrogate pair.
func (r *Reader) escape() (rune, error) {
	r.pos++ // the backslash
	if r.pos >= len(r.text) {
		return 0, r.unexpected("the rest of an escape")
	}
	c := r.text[r.pos]
	r.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return r.unit()
	}
	r.pos--
	return 0, r.unexpected(`one of "\/bfnrtu`)
}

// unit reads the four digits of an escape, and a second escape if the two are a
// surrogate pair.
func (r *Reader) unit() (rune, error) {
	high, err := r.hex()
	if err != nil || !utf16.IsSurrogate(high) {
		return high, err
	}
	if rest := r.text[r.pos:]; len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
		ahead := *r
		ahead.pos += 2
		low, err := ahead.hex()
		if pair := utf16.DecodeRune(high, low); err == nil && pair != utf8.RuneError {
			*r = ahead
			return pair, nil
		}
	}
	return utf8.RuneError, nil
}

func (r *Reader) hex() (rune, error) {
	var unit rune
	for range 4 {
		if r.pos >= len(r.text) {
			return 0, r.unexpected("a hexadecimal digit")
		}
		c := r.text[r.pos]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, r.unexpected("a hexadecimal digit")
		}
		unit = unit<<4 | rune(c)
		r.pos++
	}
	return unit, nil
}
