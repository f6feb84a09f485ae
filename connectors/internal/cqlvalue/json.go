package cqlvalue

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// readJSON reads a text that is one JSON value, to the end, as leniently as the
// codecs of the DataStax connector do: names without quotes, texts in single
// quotes, elements left out (they are null), NaN and Infinity. Whole numbers of
// 64 bits are such, all others decimals. Of doubled members the last counts.
func readJSON(text string) (data.Value, error) {
	r := jsonReader{text: text}
	v, err := r.value(0)
	if err != nil {
		return data.Value{}, fmt.Errorf("at character %d: %w", utf8.RuneCountInString(text[:min(r.pos, len(text))])+1, err)
	}
	if r.blanks(); r.pos < len(text) {
		return data.Value{}, fmt.Errorf("text goes on behind the value, at character %d", utf8.RuneCountInString(text[:r.pos])+1)
	}
	return v, nil
}

type jsonReader struct {
	text string
	pos  int
}

// blanks skips what may stand between tokens and returns the character ahead, 0 for
// the end.
func (r *jsonReader) blanks() byte {
	for r.pos < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.pos]) >= 0 {
		r.pos++
	}
	if r.pos == len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *jsonReader) value(depth int) (data.Value, error) {
	if depth > javajson.MaxDepth {
		return data.Value{}, fmt.Errorf("it is nested deeper than %d levels", javajson.MaxDepth)
	}
	switch c := r.blanks(); {
	case c == '[':
		return r.array(depth)
	case c == '{':
		return r.object(depth)
	case c == '"' || c == '\'':
		s, err := r.string(c)
		return data.String(s), err
	case c == '-' || c == '+' || c == '.' || isDigit(c):
		return r.number()
	case c == 0:
		return data.Value{}, errors.New("the text ends where a value is expected")
	}
	switch word := r.word(); word {
	case "null":
		return data.Value{}, nil
	case "true", "false":
		return data.Boolean(word == "true"), nil
	case "NaN":
		return data.Float64(math.NaN()), nil
	case "Infinity", "INF":
		return data.Float64(math.Inf(1)), nil
	case "":
		return data.Value{}, fmt.Errorf("%q was found where a value is expected", r.text[r.pos])
	default:
		r.pos -= len(word)
		return data.Value{}, fmt.Errorf("%s was found, where texts are in quotes", quoted(word))
	}
}

// word reads letters, digits, underscores, dollars and all characters beyond ASCII:
// a name as JavaScript has it.
func (r *jsonReader) word() string {
	start := r.pos
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		if !(isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= utf8.RuneSelf) {
			break
		}
		r.pos++
	}
	return r.text[start:r.pos]
}

func (r *jsonReader) number() (data.Value, error) {
	start := r.pos
	for r.pos < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.pos]) >= 0 {
		r.pos++
	}
	digits := r.text[start:r.pos]
	if digits == "-" || digits == "+" {
		if word := r.word(); word == "Infinity" || word == "INF" {
			return data.Float64(math.Inf(map[string]int{"-": -1, "+": 1}[digits])), nil
		}
	}
	if len(digits) > 1000 {
		return data.Value{}, errors.New("the number has more than 1000 characters")
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil && digits[0] != '+' {
		return data.Int64(n), nil
	}
	d, err := data.ParseDecimal(digits)
	if err != nil || strings.HasPrefix(digits, "+") || strings.HasPrefix(strings.TrimPrefix(digits, "-"), ".") || strings.HasSuffix(digits, ".") {
		r.pos = start
		return data.Value{}, fmt.Errorf("%s is no number", quoted(digits))
	}
	return data.DecimalOf(d), nil
}

func (r *jsonReader) array(depth int) (data.Value, error) {
	r.pos++
	var elems []data.Value
	for {
		switch c := r.blanks(); {
		case c == ']' && len(elems) == 0:
			r.pos++
			return data.ArrayOf(), nil
		case c == ',' || c == ']':
			elems = append(elems, data.Value{}) // one left out
		default:
			v, err := r.value(depth + 1)
			if err != nil {
				return data.Value{}, err
			}
			elems = append(elems, v)
		}
		switch r.blanks() {
		case ']':
			r.pos++
			return data.ArrayOf(elems...), nil
		case ',':
			r.pos++
		default:
			return data.Value{}, errors.New("a comma or a closing bracket is expected")
		}
	}
}

func (r *jsonReader) object(depth int) (data.Value, error) {
	r.pos++
	var pairs []data.Pair
	places := map[string]int{}
	if r.blanks() == '}' {
		r.pos++
		return data.MapOf(), nil
	}
	for {
		key, err := r.key()
		if err != nil {
			return data.Value{}, err
		}
		var v data.Value
		if c := r.blanks(); c != ',' && c != '}' {
			if v, err = r.value(depth + 1); err != nil {
				return data.Value{}, err
			}
		}
		if i, again := places[key]; again {
			pairs[i].Value = v
		} else {
			places[key] = len(pairs)
			pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
		}
		switch r.blanks() {
		case '}':
			r.pos++
			return data.MapOf(pairs...), nil
		case ',':
			r.pos++
		default:
			return data.Value{}, errors.New("a comma or a closing brace is expected")
		}
	}
}

// key reads the name of a member and the colon behind it.
func (r *jsonReader) key() (key string, err error) {
	switch c := r.blanks(); c {
	case '"', '\'':
		key, err = r.string(c)
	default:
		if key = r.word(); key == "" {
			err = errors.New("the name of a member is expected")
		}
	}
	if err != nil {
		return "", err
	}
	if r.blanks() != ':' {
		return "", errors.New("a colon is expected")
	}
	r.pos++
	return key, nil
}

// string reads a text up to the quote that closes it.
func (r *jsonReader) string(quote byte) (string, error) {
	r.pos++
	start, plain := r.pos, true
	for r.pos < len(r.text) && r.text[r.pos] != quote {
		c := r.text[r.pos]
		if c < ' ' {
			return "", fmt.Errorf("the control character %q stands in a text", c)
		}
		if c == '\\' {
			plain = false
			r.pos++
		}
		r.pos++
	}
	if r.pos >= len(r.text) {
		r.pos = len(r.text)
		return "", errors.New("a text is not closed")
	}
	text := r.text[start:r.pos]
	r.pos++
	if plain {
		return text, nil
	}
	return unescape(text)
}

var escapes = map[byte]byte{'"': '"', '\'': '\'', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func unescape(text string) (string, error) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		i++
		if text[i] != 'u' {
			c, ok := escapes[text[i]]
			if !ok {
				return "", fmt.Errorf("%q is no escape", text[i-1:i+1])
			}
			out = append(out, c)
			continue
		}
		unit, ok := hexUnit(text, i+1)
		if !ok {
			return "", errors.New("four hexadecimal digits follow \\u")
		}
		i += 4
		if utf16.IsSurrogate(unit) && strings.HasPrefix(text[i+1:], `\u`) {
			if low, ok := hexUnit(text, i+3); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
				unit = utf16.DecodeRune(unit, low)
				i += 6
			}
		}
		out = utf8.AppendRune(out, unit)
	}
	return string(out), nil
}

func hexUnit(text string, at int) (rune, bool) {
	if at+4 > len(text) {
		return 0, false
	}
	n, err := strconv.ParseUint(text[at:at+4], 16, 16)
	return rune(n), err == nil
}

// appendJSON appends the text of a value as JSON: decimals as numbers, bytes as
// Base64, dates as texts of ISO 8601.
func (s *settings) appendJSON(dst []byte, v data.Value, schema *data.Schema, depth int) ([]byte, error) {
	if depth > javajson.MaxDepth {
		return dst, fmt.Errorf("a value nested deeper than %d levels was found, which JSON does not hold", javajson.MaxDepth)
	}
	switch v.Kind() {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindString:
		text, _ := v.Str()
		return javajson.AppendString(dst, text), nil
	case data.KindBytes:
		b, _ := v.Bytes()
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
		return append(dst, '"'), nil
	case data.KindDate:
		return append(s.appendDate(append(dst, '"'), v, schema), '"'), nil
	case data.KindFloat32, data.KindFloat64:
		if f, _ := v.Float(); f != f || math.IsInf(f, 0) {
			return append(v.Append(append(dst, '"')), '"'), nil
		}
	case data.KindArray:
		return s.appendJSONArray(dst, v, schema, depth)
	case data.KindMap, data.KindStruct:
		return s.appendJSONObject(dst, v, schema, depth)
	}
	return v.Append(dst), nil
}

func (s *settings) appendJSONArray(dst []byte, v data.Value, schema *data.Schema, depth int) (_ []byte, err error) {
	elems, _ := v.Array()
	dst = append(dst, '[')
	for i := range elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = s.appendJSON(dst, elems[i], schema.ElemSchema(), depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (s *settings) appendJSONObject(dst []byte, v data.Value, schema *data.Schema, depth int) (_ []byte, err error) {
	dst = append(dst, '{')
	if row, ok := v.Struct(); ok {
		for i, f := range row.Schema().Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(javajson.AppendString(dst, f.Name), ':')
			if dst, err = s.appendJSON(dst, row.At(i), f.Schema, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	pairs, _ := v.Map()
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch p.Key.Kind() {
		case data.KindArray, data.KindMap, data.KindStruct, data.KindBytes, data.KindNull:
			return dst, fmt.Errorf("%s was found as key of a map, where a text, number, boolean or date is allowed", describe(p.Key, nil))
		case data.KindDate:
			dst = append(s.appendDate(append(dst, '"'), p.Key, schema.KeySchema()), '"')
		default:
			dst = javajson.AppendString(dst, p.Key.String())
		}
		dst = append(dst, ':')
		if dst, err = s.appendJSON(dst, p.Value, schema.ElemSchema(), depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
