package converters

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// A charset is one of Java's character sets.
type charset struct {
	// encode appends a text; nil for UTF-8, which is what Go's strings are.
	encode func(dst []byte, text string) []byte
	decode func(b []byte) string
}

// lookupCharset finds a charset by its name in Java or one of its aliases there,
// in any case.
func lookupCharset(name string) (charset, bool) {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "unicode-1-1-utf-8":
		return charset{decode: decodeUTF8}, true
	case "us-ascii", "ascii", "ascii7", "646", "iso646-us", "iso-646.irv:1991", "iso_646.irv:1991", "iso_646.irv:1983", "iso-ir-6",
		"ansi_x3.4-1968", "ansi_x3.4-1986", "us", "ibm367", "cp367", "csascii", "default":
		return singleByte(0x80, nil), true
	case "iso-8859-1", "iso8859-1", "iso8859_1", "iso_8859-1", "iso_8859_1", "iso_8859-1:1987", "8859_1", "iso-ir-100", "latin1", "l1",
		"ibm819", "ibm-819", "cp819", "819", "csisolatin1":
		return singleByte(0x100, nil), true
	case "iso-8859-15", "iso8859-15", "iso8859_15", "iso_8859-15", "8859_15", "latin9", "latin-9", "l9", "ibm923", "ibm-923", "cp923", "923",
		"csisolatin9", "csisolatin0", "iso8859_15_fdis":
		return singleByte(0x100, latin9()), true
	case "windows-1252", "cp1252", "cp5348", "ibm-1252", "ibm1252":
		return singleByte(0x100, windows1252()), true
	case "utf-16", "utf16", "utf_16", "unicode", "unicodebig":
		return charset{encode: encodeUTF16Marked, decode: decodeUTF16Marked}, true
	case "utf-16be", "utf_16be", "x-utf-16be", "iso-10646-ucs-2", "unicodebigunmarked":
		return utf16Of(binary.BigEndian, binary.BigEndian), true
	case "utf-16le", "utf_16le", "x-utf-16le", "unicodelittleunmarked":
		return utf16Of(binary.LittleEndian, binary.LittleEndian), true
	}
	return charset{}, false
}

// windows1252 says where windows-1252 is not ISO-8859-1. Five bytes stand for
// nothing.
func windows1252() map[byte]rune {
	m := map[byte]rune{0x81: utf8.RuneError, 0x8D: utf8.RuneError, 0x8F: utf8.RuneError, 0x90: utf8.RuneError, 0x9D: utf8.RuneError}
	b := byte(0x80)
	for _, r := range "€\x00‚ƒ„…†‡ˆ‰Š‹Œ\x00Ž\x00\x00‘’“”•–—˜™š›œ\x00žŸ" {
		if r != 0 {
			m[b] = r
		}
		b++
	}
	return m
}

// latin9 says where ISO-8859-15 is not ISO-8859-1.
func latin9() map[byte]rune {
	return map[byte]rune{0xA4: '€', 0xA6: 'Š', 0xA8: 'š', 0xB4: 'Ž', 0xB8: 'ž', 0xBC: 'Œ', 0xBD: 'œ', 0xBE: 'Ÿ'}
}

// singleByte makes a charset of one byte a character: the code points below
// limit, but for the exceptions.
func singleByte(limit rune, exceptions map[byte]rune) charset {
	var runes [256]rune
	bytes := make(map[rune]byte, 256)
	for i := range runes {
		runes[i] = rune(i)
		if r, ok := exceptions[byte(i)]; ok {
			runes[i] = r
		} else if rune(i) >= limit {
			runes[i] = utf8.RuneError
		}
		if runes[i] != utf8.RuneError {
			bytes[runes[i]] = byte(i)
		}
	}
	encode := func(dst []byte, text string) []byte {
		for _, r := range text {
			if r < utf8.RuneSelf {
				dst = append(dst, byte(r))
				continue
			}
			b, ok := bytes[r]
			if !ok {
				b = '?'
			}
			dst = append(dst, b)
		}
		return dst
	}
	decode := func(b []byte) string {
		var text strings.Builder
		text.Grow(len(b))
		for _, c := range b {
			text.WriteRune(runes[c])
		}
		return text.String()
	}
	return charset{encode, decode}
}

func utf16Of(appending binary.AppendByteOrder, order binary.ByteOrder) charset {
	encode := func(dst []byte, text string) []byte { return appendUTF16(dst, text, appending) }
	decode := func(b []byte) string { return decodeUTF16(b, order) }
	return charset{encode, decode}
}

// encodeUTF16Marked writes big-endian behind a byte order mark; of the empty
// text nothing.
func encodeUTF16Marked(dst []byte, text string) []byte {
	if text == "" {
		return dst
	}
	return appendUTF16(append(dst, 0xFE, 0xFF), text, binary.BigEndian)
}

// decodeUTF16Marked goes by the byte order mark; without one it is big-endian.
func decodeUTF16Marked(b []byte) string {
	if len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE {
		return decodeUTF16(b[2:], binary.LittleEndian)
	}
	if len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF {
		b = b[2:]
	}
	return decodeUTF16(b, binary.BigEndian)
}

func appendUTF16(dst []byte, text string, order binary.AppendByteOrder) []byte {
	for _, r := range text {
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			dst = order.AppendUint16(dst, uint16(high))
			dst = order.AppendUint16(dst, uint16(low))
			continue
		}
		dst = order.AppendUint16(dst, uint16(r))
	}
	return dst
}

// decodeUTF16 replaces what is malformed as Java's UnicodeDecoder does: a high
// surrogate together with the unit behind it, a low one, a mark of the other
// order, and an incomplete end as a whole.
func decodeUTF16(b []byte, order binary.ByteOrder) string {
	const otherMark = 0xFFFE
	var text strings.Builder
	text.Grow(len(b))
	for len(b) >= 2 {
		r := rune(order.Uint16(b))
		if r >= 0xD800 && r < 0xDC00 {
			if len(b) < 4 {
				break
			}
			text.WriteRune(utf16.DecodeRune(r, rune(order.Uint16(b[2:]))))
			b = b[4:]
			continue
		}
		if r == otherMark || utf16.IsSurrogate(r) {
			r = utf8.RuneError
		}
		text.WriteRune(r)
		b = b[2:]
	}
	if len(b) > 0 {
		text.WriteRune(utf8.RuneError)
	}
	return text.String()
}

// decodeUTF8 returns a text that aliases b, or a copy in which every malformed
// sequence is U+FFFD: sequences as Java's decoder cuts them.
func decodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	var text strings.Builder
	text.Grow(len(b) + len(b)/2)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = malformedUTF8(b)
		}
		text.WriteRune(r)
		b = b[n:]
	}
	return text.String()
}

// malformedUTF8 returns the length of the malformed sequence that b begins with:
// as much as could begin a character, and surrogates as a whole.
func malformedUTF8(b []byte) int {
	continues := func(i int) bool { return i < len(b) && b[i]&0xC0 == 0x80 }
	lead := b[0]
	if lead < 0xE0 || lead > 0xF4 || !continues(1) {
		return 1
	}
	second := b[1]
	if lead == 0xE0 && second < 0xA0 || lead == 0xF0 && second < 0x90 || lead == 0xF4 && second > 0x8F {
		return 1
	}
	if !continues(2) {
		return 2
	}
	return 3
}
