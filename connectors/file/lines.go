package file

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A splitter cuts lines off the front of a buffer. It remembers where it has looked for line ends, so that a line that grows by many
// reads is looked through once.
type splitter struct {
	buf []byte // not cut off yet
	// lf is the index of the first \n of buf, len(buf) if there is none, -1 if nobody has looked.
	lf int
	// seen bytes of buf are known to hold no \n and no \r.
	seen int
}

// reset makes b the buffer.
func (s *splitter) reset(b []byte) { *s = splitter{buf: b, lf: -1} }

// grown says that the buffer is now b, which begins with what it was.
func (s *splitter) grown(b []byte) {
	if s.lf == len(s.buf) {
		s.lf = -1
	}
	s.buf = b
}

// next cuts off a line. It returns its text, without its end, and the number of bytes with it; ok is false if no line is complete. A \r at
// the end of the buffer is none, unless last says that nothing follows.
func (s *splitter) next(last bool) (line []byte, n int, ok bool) {
	if s.lf < 0 {
		s.lf = indexFrom(s.buf, '\n', s.seen)
	}
	end := indexFrom(s.buf[:s.lf], '\r', s.seen)
	switch {
	case end < s.lf && end+1 < len(s.buf) && s.buf[end+1] == '\n':
		n = end + 2
	case end < s.lf && (end+1 < len(s.buf) || last):
		n = end + 1
	case end < s.lf: // the \r may be half of \r\n
		s.seen = end
		return nil, 0, false
	case s.lf < len(s.buf):
		n = end + 1
	default:
		s.seen = len(s.buf)
		return nil, 0, false
	}
	line = s.buf[:end]
	s.buf, s.seen = s.buf[n:], 0
	s.lf = max(s.lf-n, -1)
	return line, n, true
}

// indexFrom returns the index of c in b at or behind from, len(b) if there is none.
func indexFrom(b []byte, c byte, from int) int {
	if from >= len(b) {
		return len(b)
	}
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// isLineEnd reports whether a line may end with c.
func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }

// validText replaces every byte of s that is no UTF-8 by U+FFFD.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune { return r }, s)
}
