package javajson

// AppendBase64 appends the bytes whose Base64 is text, and reports whether it is
// that. It takes what Jackson's default variant takes: blanks between groups of
// four, groups behind padding, padding that is complete, any left-over bits.
func AppendBase64(dst []byte, text string) ([]byte, bool) {
	for i := 0; ; {
		for i < len(text) && text[i] <= ' ' {
			i++
		}
		if i == len(text) {
			return dst, true
		}
		if len(text)-i < 4 {
			return dst, false
		}
		a, b, c, d := sextet(text[i]), sextet(text[i+1]), sextet(text[i+2]), sextet(text[i+3])
		bits := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		switch {
		case a|b|c|d < 64:
			dst = append(dst, byte(bits>>16), byte(bits>>8), byte(bits))
		case a|b|c < 64 && d == padding:
			dst = append(dst, byte(bits>>16), byte(bits>>8))
		case a|b < 64 && c == padding && d == padding:
			dst = append(dst, byte(bits>>16))
		default:
			return dst, false
		}
		i += 4
	}
}

// What sextet says of characters that stand for no six bits.
const (
	padding = 0x40
	invalid = 0x80
)

func sextet(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	case c == '=':
		return padding
	}
	return invalid
}
