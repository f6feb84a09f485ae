package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

func same[T comparable](a, b T) bool { return a == b }

func ignoreRaw[T any](parse func(string) (T, error)) func(string, string) (T, error) {
	return func(text, _ string) (T, error) { return parse(text) }
}

func trimmed(text string) (string, error) { return trim(text), nil }

func asIs(s string) string { return s }

// String binds text. Blanks at both ends are taken off, as Java does.
func String(d *Def, p *string, key string) *Key[string] {
	return bind(d, p, key, codec[string]{TypeString, ignoreRaw(trimmed), asIs, asIs, same[string], nil})
}

// Text binds text that keeps blanks at both ends. It is for separators,
// templates and the like; Java has no such type, the key shows as STRING.
func Text(d *Def, p *string, key string) *Key[string] {
	keep := func(text string) (string, error) { return text, nil }
	return bind(d, p, key, codec[string]{TypeString, ignoreRaw(keep), asIs, asIs, same[string], nil})
}

// Class binds the name of a plugin or a Java class. Blanks at both ends are
// taken off.
func Class(d *Def, p *string, key string) *Key[string] {
	return bind(d, p, key, codec[string]{TypeClass, ignoreRaw(trimmed), asIs, asIs, same[string], nil})
}

// ClassOf binds the name of a plugin that lookup knows. It returns the plugin's
// own name for any of its aliases, which is what p gets, or false.
func ClassOf(d *Def, p *string, key string, lookup func(name string) (class string, ok bool)) *Key[string] {
	parse := func(text string) (string, error) {
		name := trim(text)
		class, ok := lookup(name)
		if !ok {
			return "", errors.New("Class " + name + " could not be found.")
		}
		return class, nil
	}
	return bind(d, p, key, codec[string]{TypeClass, ignoreRaw(parse), asIs, asIs, same[string], nil})
}

// Bool binds true or false, in any case.
func Bool(d *Def, p *bool, key string) *Key[bool] {
	return bind(d, p, key, codec[bool]{TypeBoolean, ignoreRaw(parseBool), strconv.FormatBool, strconv.FormatBool, same[bool], nil})
}

// integer is the codec of a Go integer type.
func integer[T ~int | ~int16 | ~int32 | ~int64](typ Type) codec[T] {
	parse := func(text, _ string) (T, error) {
		n, err := parseInteger(text, typ)
		return T(n), err
	}
	format := func(v T) string { return strconv.FormatInt(int64(v), 10) }
	return codec[T]{typ, parse, format, format, same[T], nil}
}

// Int binds a whole number of Java's type INT: 32 bits.
func Int(d *Def, p *int, key string) *Key[int] { return bind(d, p, key, integer[int](TypeInt)) }

// Int32 binds a whole number of Java's type INT.
func Int32(d *Def, p *int32, key string) *Key[int32] {
	return bind(d, p, key, integer[int32](TypeInt))
}

// Short binds a whole number of Java's type SHORT.
func Short(d *Def, p *int16, key string) *Key[int16] {
	return bind(d, p, key, integer[int16](TypeShort))
}

// Long binds a whole number of Java's type LONG.
func Long(d *Def, p *int64, key string) *Key[int64] {
	return bind(d, p, key, integer[int64](TypeLong))
}

// Size binds a number of bytes, of Java's type LONG.
func Size(d *Def, p *int64, key string) *Key[int64] { return Long(d, p, key) }

// Double binds a number of Java's type DOUBLE.
func Double(d *Def, p *float64, key string) *Key[float64] {
	return bind(d, p, key, codec[float64]{TypeDouble, ignoreRaw(parseDouble), formatDouble, formatDouble, same[float64], nil})
}

// duration is the codec of a whole number of units.
func duration(typ Type, unit time.Duration) codec[time.Duration] {
	parse := func(text, _ string) (time.Duration, error) {
		n, err := parseInteger(text, typ)
		return fromUnits(n, unit), err
	}
	format := func(v time.Duration) string { return inUnits(v, unit) }
	return codec[time.Duration]{typ, parse, format, format, same[time.Duration], nil}
}

// Millis binds a duration written as a whole number of milliseconds, of Java's
// type LONG. What exceeds Go's 292 years is cut to that.
func Millis(d *Def, p *time.Duration, key string) *Key[time.Duration] {
	return bind(d, p, key, duration(TypeLong, time.Millisecond))
}

// MillisInt binds a duration written as a whole number of milliseconds, of
// Java's type INT: at most 24.8 days.
func MillisInt(d *Def, p *time.Duration, key string) *Key[time.Duration] {
	return bind(d, p, key, duration(TypeInt, time.Millisecond))
}

// Seconds binds a duration written as a whole number of seconds, of Java's type
// INT.
func Seconds(d *Def, p *time.Duration, key string) *Key[time.Duration] {
	return bind(d, p, key, duration(TypeInt, time.Second))
}

// List binds a list: entries separated by commas, blanks around them taken off.
// Blank text is the empty list.
func List(d *Def, p *[]string, key string) *Key[[]string] {
	parse := func(text, _ string) ([]string, error) { return parseList(text), nil }
	join := func(v []string) string { return strings.Join(v, ",") }
	show := func(v []string) string { return "[" + strings.Join(v, ", ") + "]" }
	return bind(d, p, key, codec[[]string]{TypeList, parse, join, show, slices.Equal[[]string], nil})
}

// Password binds a secret. Blanks at both ends are taken off, as Java does.
func Password(d *Def, p *Secret, key string) *Key[Secret] {
	return bind(d, p, key, codec[Secret]{
		typ:    TypePassword,
		parse:  func(text, raw string) (Secret, error) { return Secret{text: trim(text), raw: raw}, nil },
		text:   func(Secret) string { return Hidden },
		show:   func(Secret) string { return Hidden },
		equal:  func(a, b Secret) bool { return a.text == b.text && a.raw == b.raw },
		stored: func(s Secret) string { return s.raw },
	})
}

// Enum binds one of the given words, as they are written.
func Enum[T ~string](d *Def, p *T, key string, words ...T) *Key[T] {
	return bind(d, p, key, word[T](func(text string) T { return T(text) })).Check(OneOf(words...))
}

// EnumFold binds one of the given words, in any case. The variable gets the word
// as it is declared; REST answers show it as it was written.
func EnumFold[T ~string](d *Def, p *T, key string, words ...T) *Key[T] {
	k := bind(d, p, key, word[T](func(text string) T { return T(text) }))
	k.b.settle = func() {
		for _, w := range words {
			if strings.EqualFold(string(*p), string(w)) {
				*p = w
			}
		}
	}
	return k.Check(OneOfFold(words...))
}

func word[T ~string](make func(string) T) codec[T] {
	parse := func(text, _ string) (T, error) { return make(trim(text)), nil }
	text := func(v T) string { return string(v) }
	return codec[T]{TypeString, parse, text, text, same[T], nil}
}

// mapBinding collects the entries below a prefix.
type mapBinding struct {
	prefix string
	target *Props
	doc    string
}

// Map binds all entries below prefix, under the rest of their keys and in raw
// text, save the keys that are declared by themselves. The prefix usually ends
// with a dot.
func Map(d *Def, p *Props, prefix, doc string) {
	d.s.maps = append(d.s.maps, mapBinding{d.prefix + prefix, p, doc})
}

// fillMaps runs when every key is known.
func (s *state) fillMaps() {
	for _, m := range s.maps {
		sub := s.props.Prefix(m.prefix)
		for rest, v := range sub {
			if _, declared := s.names[m.prefix+rest]; declared || v == Null {
				delete(sub, rest)
			}
		}
		*m.target = sub
	}
}
