// Package names makes names that schema languages allow of any, by the rule of
// Confluent's converters.
package names

import "strings"

// LetterOrDigit tells whether a name may have r behind its first character.
func LetterOrDigit(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || Digit(r) || r == '_'
}

// Digit tells whether r is one of the ten digits.
func Digit(r rune) bool { return r >= '0' && r <= '9' }

// Valid tells whether a name has letters, digits and underscores alone, and no digit
// in front. The empty name is valid.
func Valid(name string) bool {
	for i, r := range name {
		if !LetterOrDigit(r) || i == 0 && Digit(r) {
			return false
		}
	}
	return true
}

// Scrub returns what is left of a name's URL encoding with underscores for all that
// has no place, and an x in front of a first character that front refuses.
func Scrub(name string, front func(rune) bool) string {
	encoded := urlEncode(name)
	if encoded != "" && !front(rune(encoded[0])) {
		encoded = "x" + encoded
	}
	return strings.Map(func(r rune) rune {
		if LetterOrDigit(r) {
			return r
		}
		return '_'
	}, encoded)
}

// Split takes a full name apart, each part made valid by scrub.
func Split(full string, scrub func(string) string) (space, name string) {
	parts := strings.Split(full, ".")
	for i := range parts {
		parts[i] = scrub(parts[i])
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], "."), parts[last]
}

// urlEncode is Java's URLEncoder, which leaves letters, digits and .-*_ and makes a
// plus of a blank.
func urlEncode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case LetterOrDigit(rune(c)) || c == '.' || c == '-' || c == '*':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
