package javaregex

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// property returns the set that \p{name} stands for. fold tells of the flag i, under which letters of one case are those of all.
func property(name string, fold, unicodeClass bool) (*set, error) {
	if key, value, ok := strings.Cut(name, "="); ok {
		key = strings.ToLower(key)
		switch key {
		case "sc", "script":
			if s := script(value); s != nil {
				return s, nil
			}
		case "blk", "block":
			if s := block(value); s != nil {
				return s, nil
			}
		case "gc", "general_category":
			if s := category(value, fold); s != nil {
				return s, nil
			}
		}
		return nil, fmt.Errorf("Unknown Unicode property {name=<%s>, value=<%s>}", key, value)
	}
	if rest, ok := strings.CutPrefix(name, "In"); ok {
		if s := block(rest); s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("Unknown character property name {%s}", name)
	}
	if rest, ok := strings.CutPrefix(name, "Is"); ok {
		if s := binaryProperty(strings.ToUpper(rest), fold); s != nil {
			return s, nil
		}
		if s := category(rest, fold); s != nil {
			return s, nil
		}
		if s := script(rest); s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("Unknown character property name {%s}", name)
	}
	if unicodeClass {
		if s := unicodePosix(strings.ToUpper(name), fold); s != nil {
			return s, nil
		}
	}
	if s := category(name, fold); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("Unknown character property name {%s}", name)
}

// category is a general category, a POSIX class of ASCII, or one of the methods of Java's class Character; nil if there is none of
// that name.
func category(name string, fold bool) *set {
	if s := posix(name, fold); s != nil {
		return s
	}
	if s := javaMethod(name, fold); s != nil {
		return s
	}
	switch name {
	case "LC":
		return ofTables(unicode.Lu, unicode.Ll, unicode.Lt)
	case "LD":
		return ofTables(unicode.L, unicode.Nd)
	case "L1":
		return newSet(0, 0xFF)
	case "all", "ALL":
		return everything
	case "Cn":
		return assigned().negate()
	case "C":
		return ofTables(unicode.C).union(assigned().negate())
	}
	if fold && (name == "Lu" || name == "Ll" || name == "Lt") {
		return ofTables(unicode.Lu, unicode.Ll, unicode.Lt)
	}
	if len(name) > 2 || len(name) == 0 {
		return nil
	}
	if t, ok := unicode.Categories[name]; ok {
		return ofTables(t)
	}
	return nil
}

func assigned() *set {
	return ofTables(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// posix is a POSIX class of ASCII.
func posix(name string, fold bool) *set {
	switch name {
	case "ASCII":
		return newSet(0, 127)
	case "Alnum":
		return newSet('0', '9', 'A', 'Z', 'a', 'z')
	case "Alpha":
		return newSet('A', 'Z', 'a', 'z')
	case "Blank":
		return newSet(' ', ' ', '\t', '\t')
	case "Cntrl":
		return newSet(0, 31, 127, 127)
	case "Digit":
		return digits
	case "Graph":
		return newSet('!', '~')
	case "Print":
		return newSet(' ', '~')
	case "Punct":
		return newSet('!', '/', ':', '@', '[', '`', '{', '~')
	case "Space":
		return spaces
	case "XDigit":
		return newSet('0', '9', 'A', 'F', 'a', 'f')
	case "Lower", "Upper":
		if fold {
			return newSet('A', 'Z', 'a', 'z')
		}
		if name == "Lower" {
			return newSet('a', 'z')
		}
		return newSet('A', 'Z')
	}
	return nil
}

// javaMethod is a class of the form javaLowerCase.
func javaMethod(name string, fold bool) *set {
	if fold && (name == "javaLowerCase" || name == "javaUpperCase" || name == "javaTitleCase") {
		return lowercase().union(uppercase()).union(ofTables(unicode.Lt))
	}
	switch name {
	case "javaLowerCase":
		return lowercase()
	case "javaUpperCase":
		return uppercase()
	case "javaTitleCase":
		return ofTables(unicode.Lt)
	case "javaAlphabetic":
		return alphabetic()
	case "javaIdeographic":
		return ofTables(unicode.Ideographic)
	case "javaDigit":
		return ofTables(unicode.Nd)
	case "javaDefined":
		return assigned()
	case "javaLetter":
		return ofTables(unicode.L)
	case "javaLetterOrDigit":
		return ofTables(unicode.L, unicode.Nd)
	case "javaSpaceChar":
		return ofTables(unicode.Z)
	case "javaWhitespace":
		noBreak := newSet(0xA0, 0xA0, 0x2007, 0x2007, 0x202F, 0x202F)
		return ofTables(unicode.Z).intersect(noBreak.negate()).union(newSet('\t', '\r', 0x1C, 0x1F))
	case "javaISOControl":
		return newSet(0, 0x1F, 0x7F, 0x9F)
	case "javaMirrored":
		return nil // Go has no table of it
	}
	return nil
}

func lowercase() *set  { return ofTables(unicode.Ll, unicode.Other_Lowercase) }
func uppercase() *set  { return ofTables(unicode.Lu, unicode.Other_Uppercase) }
func alphabetic() *set { return ofTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic) }

// unicodeWord is \w under the flag U.
func unicodeWord() *set {
	return alphabetic().union(ofTables(unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control))
}

// binaryProperty is a property of Unicode, by its name in upper case.
func binaryProperty(name string, fold bool) *set {
	switch strings.ReplaceAll(name, "_", "") {
	case "ALPHABETIC":
		return alphabetic()
	case "LETTER":
		return ofTables(unicode.L)
	case "IDEOGRAPHIC":
		return ofTables(unicode.Ideographic)
	case "LOWERCASE", "UPPERCASE", "TITLECASE":
		if fold {
			return lowercase().union(uppercase()).union(ofTables(unicode.Lt))
		}
		return map[string]*set{"LOWERCASE": lowercase(), "UPPERCASE": uppercase(), "TITLECASE": ofTables(unicode.Lt)}[name]
	case "WHITESPACE":
		return ofTables(unicode.White_Space)
	case "CONTROL":
		return ofTables(unicode.Cc)
	case "PUNCTUATION":
		return ofTables(unicode.P)
	case "HEXDIGIT":
		return ofTables(unicode.Nd, unicode.Hex_Digit)
	case "ASSIGNED":
		return assigned()
	case "NONCHARACTERCODEPOINT":
		return ofTables(unicode.Noncharacter_Code_Point)
	case "DIGIT":
		return ofTables(unicode.Nd)
	case "ALNUM":
		return alphabetic().union(ofTables(unicode.Nd))
	case "BLANK":
		return ofTables(unicode.Zs).union(newSet('\t', '\t'))
	case "GRAPH":
		return assigned().intersect(ofTables(unicode.Z, unicode.Cc, unicode.Cs).negate())
	case "PRINT":
		return assigned().intersect(ofTables(unicode.Cc, unicode.Cs, unicode.Zl, unicode.Zp).negate())
	case "WORD":
		return unicodeWord()
	case "JOINCONTROL":
		return ofTables(unicode.Join_Control)
	}
	return nil
}

// unicodePosix is a POSIX class under the flag U.
func unicodePosix(name string, fold bool) *set {
	switch name {
	case "ALPHA":
		return alphabetic()
	case "LOWER", "UPPER":
		return binaryProperty(name+"CASE", fold)
	case "SPACE":
		return ofTables(unicode.White_Space)
	case "DIGIT", "ALNUM", "BLANK", "GRAPH", "PRINT":
		return binaryProperty(name, fold)
	case "PUNCT":
		return ofTables(unicode.P)
	case "CNTRL":
		return ofTables(unicode.Cc)
	case "XDIGIT":
		return ofTables(unicode.Nd, unicode.Hex_Digit)
	}
	return nil
}

// script is a script by its name or its code of four letters, nil for none.
func script(name string) *set {
	long := name
	for code, full := range scriptCodes {
		if strings.EqualFold(code, name) {
			long = full
		}
	}
	for key, table := range unicode.Scripts {
		if strings.EqualFold(key, long) {
			return ofTables(table)
		}
	}
	return nil
}

// block is a block by its name, with blanks, underscores or neither; nil for none.
func block(name string) *set {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == ' ' || r == '_' || r == '-' {
				return -1
			}
			return unicode.ToUpper(r)
		}, s)
	}
	for _, b := range blocks {
		if plain(b.name) == plain(name) {
			return newSet(b.low, b.high)
		}
	}
	return nil
}

// unicodeWordSet is unicodeWord, made once.
var unicodeWordSet = sync.OnceValue(unicodeWord)
