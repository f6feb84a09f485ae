package http

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsonvalue"
)

// A raw record is a value, or the error of a part of a response that is none, with its text.
type raw struct {
	value data.Value
	text  []byte
	err   error
}

// A body is a response, read.
type body struct {
	// root is what pagination looks at; null where the format has no whole.
	root    data.Value
	records []raw
}

var errUTF8 = errors.New("the text is no valid UTF-8")

// decode reads a response. The error is that of the response as a whole.
func (e *Endpoint) decode(text []byte, records selector) (body, error) {
	switch e.Format {
	case NDJSON:
		return lines(text, parseJSON), nil
	case Text:
		return lines(text, func(b []byte) (data.Value, error) {
			if !utf8.Valid(b) {
				return data.Value{}, errUTF8
			}
			return data.String(string(b)), nil
		}), nil
	case CSV:
		return parseCSV(text, []rune(e.Delimiter)[0], e.CSVHeader)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return body{}, nil // 204, and servers that mean it
	}
	parse := parseJSON
	if e.Format == XML {
		parse = parseXML
	}
	root, err := parse(text)
	if err != nil {
		return body{}, err
	}
	b := body{root: root}
	values, err := records.list(root)
	if _, missing := errors.AsType[*nothing](err); missing && e.RecordsOptional {
		return b, nil
	}
	for _, v := range values {
		b.records = append(b.records, raw{value: v})
	}
	return b, err
}

func lines(text []byte, parse func([]byte) (data.Value, error)) body {
	var b body
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v, err := parse(line)
		b.records = append(b.records, raw{value: v, text: line, err: err})
	}
	return b
}

func parseJSON(text []byte) (data.Value, error) {
	if !utf8.Valid(text) {
		return data.Value{}, errUTF8
	}
	r := javajson.NewReader(text)
	v, err := jsonvalue.Read(&r, number)
	if err != nil {
		return v, fmt.Errorf("no JSON: %w", err)
	}
	if rest := bytes.TrimSpace(text[r.Offset():]); len(rest) > 0 {
		return v, fmt.Errorf("no JSON: text behind the value, at byte %d", r.Offset())
	}
	return v, nil
}

// number keeps as text what has no value.
func number(n javajson.Num) (data.Value, error) {
	if f := n.Float64(); !n.Integral() && math.IsInf(f, 0) {
		return data.String(n.Text()), nil
	}
	return jsonvalue.Number(n)
}

// unique keeps the last of several members with one name.
func unique(pairs []data.Pair) []data.Pair {
	if len(pairs) < 2 {
		return pairs
	}
	at := make(map[string]int, len(pairs))
	kept := pairs[:0]
	for _, p := range pairs {
		name, _ := p.Key.Str()
		if i, double := at[name]; double {
			kept[i] = p
			continue
		}
		at[name] = len(kept)
		kept = append(kept, p)
	}
	return kept
}

func parseCSV(text []byte, delimiter rune, header bool) (body, error) {
	if !utf8.Valid(text) {
		return body{}, errUTF8
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.Comma, r.FieldsPerRecord = delimiter, -1
	var names []string
	var b body
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, fmt.Errorf("no CSV: %w", err)
		}
		if header && names == nil {
			names = fields
			continue
		}
		if header && len(fields) != len(names) {
			b.records = append(b.records, raw{text: []byte(strings.Join(fields, string(delimiter))),
				err: fmt.Errorf("%d fields, want %d", len(fields), len(names))})
			continue
		}
		pairs := make([]data.Pair, len(fields))
		for i, f := range fields {
			name := "c" + strconv.Itoa(i+1)
			if header {
				name = names[i]
			}
			pairs[i] = data.Pair{Key: data.String(name), Value: data.String(f)}
		}
		b.records = append(b.records, raw{value: data.MapOf(unique(pairs)...)})
	}
}

// maxXMLDepth is that of JSON.
const maxXMLDepth = javajson.MaxDepth

// parseXML makes maps of elements: attributes as @name, text as #text where there is more than text, several children of one name as a list.
func parseXML(text []byte) (data.Value, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return data.Value{}, fmt.Errorf("no XML: %w", err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		v, err := element(d, start, 1)
		if err != nil {
			return v, fmt.Errorf("no XML: %w", err)
		}
		return data.MapOf(data.Pair{Key: data.String(start.Name.Local), Value: v}), behindXML(d)
	}
}

// behindXML tells of a second element, or of text, behind the first.
func behindXML(d *xml.Decoder) error {
	for {
		t, err := d.Token()
		switch t := t.(type) {
		case xml.StartElement:
			return fmt.Errorf("no XML: a second element, <%s>, behind the first", t.Name.Local)
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("no XML: text behind the element")
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("no XML: %w", err)
		}
	}
}

func element(d *xml.Decoder, start xml.StartElement, depth int) (data.Value, error) {
	if depth > maxXMLDepth {
		return data.Value{}, fmt.Errorf("more than %d levels", maxXMLDepth)
	}
	var names []string
	children := map[string][]data.Value{}
	add := func(name string, v data.Value) {
		if children[name] == nil {
			names = append(names, name)
		}
		children[name] = append(children[name], v)
	}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			add("@"+a.Name.Local, data.String(a.Value))
		}
	}
	var chars strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return data.Value{}, err
		}
		switch t := t.(type) {
		case xml.CharData:
			chars.Write(t)
		case xml.StartElement:
			v, err := element(d, t, depth+1)
			if err != nil {
				return v, err
			}
			add(t.Name.Local, v)
		case xml.EndElement:
			return ofElement(names, children, strings.TrimSpace(chars.String())), nil
		}
	}
}

func ofElement(names []string, children map[string][]data.Value, text string) data.Value {
	if len(names) == 0 {
		return data.String(text)
	}
	if text != "" {
		names, children["#text"] = append(names, "#text"), []data.Value{data.String(text)}
	}
	pairs := make([]data.Pair, len(names))
	for i, name := range names {
		v := children[name][0]
		if len(children[name]) > 1 {
			v = data.ArrayOf(children[name]...)
		}
		pairs[i] = data.Pair{Key: data.String(name), Value: v}
	}
	return data.MapOf(pairs...)
}

// appendJSON writes what the parsers read.
func appendJSON(dst []byte, v data.Value) []byte {
	switch v.Kind() {
	case data.KindNull:
		return append(dst, "null"...)
	case data.KindString:
		s, _ := v.Str()
		return javajson.AppendString(dst, s)
	case data.KindBytes:
		b, _ := v.Bytes()
		return append(append(append(dst, '"'), base64.StdEncoding.EncodeToString(b)...), '"')
	case data.KindFloat64, data.KindFloat32:
		f, _ := v.Float()
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case data.KindArray:
		elems, _ := v.Array()
		dst = append(dst, '[')
		for i, e := range elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, e)
		}
		return append(dst, ']')
	case data.KindMap:
		pairs, _ := v.Map()
		dst = append(dst, '{')
		for i, p := range pairs {
			if i > 0 {
				dst = append(dst, ',')
			}
			name, _ := p.Key.Str()
			dst = append(javajson.AppendString(dst, name), ':')
			dst = appendJSON(dst, p.Value)
		}
		return append(dst, '}')
	}
	return v.Append(dst)
}
