package objectstore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A template is text with variables in double braces, as Aiven's connectors have them:
//
//	{{topic}} {{partition}} {{start_offset}} {{key}} {{timestamp}} {{key:PATH}} {{value:PATH}} {{header:NAME}}
//
// with parameters: partition:padding=true and start_offset:padding=true put zeros before, to 10 and 20 digits; pad=left,12,0 and
// pad=right,12,0 pad to a width by a character; timestamp:unit=yyyy, MM, dd or HH prints a part of the time, timestamp:PATTERN what
// Joda-Time would.
type template struct {
	pieces []piece
	loc    *time.Location
	// missing, if not empty, stands for fields that are missing or null.
	missing string
}

// A piece is literal text or a variable.
type piece struct {
	text     string // literal, if variable is ""
	variable string
	argument string
	pattern  pattern
	pad      padding
}

// A padding makes a number at least so wide.
type padding struct {
	width int
	char  string
	right bool
}

func (p padding) of(n int64) string {
	text := strconv.FormatInt(n, 10)
	fill := strings.Repeat(p.char, max(0, p.width-len(text)))
	if p.right {
		return text + fill
	}
	return fill + text
}

// TemplateVariables returns the names of the variables of a template for the keys of objects, or says what is wrong with it.
func TemplateVariables(text string) ([]string, error) {
	t, err := parseTemplate(text, "")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range t.pieces {
		if p.variable != "" && !slices.Contains(names, p.variable) {
			names = append(names, p.variable)
		}
	}
	return names, nil
}

func parseTemplate(text, zone string) (*template, error) {
	loc, err := location(zone)
	if err != nil {
		return nil, err
	}
	t := &template{loc: loc}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t.pieces = append(t.pieces, piece{text: before})
		}
		if !found {
			break
		}
		inner, behind, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, errors.New("{{ without }}")
		}
		p, err := parsePiece(strings.TrimSpace(inner))
		if err != nil {
			return nil, err
		}
		t.pieces = append(t.pieces, p)
		rest = behind
	}
	if len(t.pieces) == 0 {
		return nil, errors.New("the template is empty")
	}
	return t, nil
}

func parsePiece(inner string) (p piece, err error) {
	name, argument, given := strings.Cut(inner, ":")
	p = piece{variable: strings.TrimSpace(name), argument: strings.TrimSpace(argument)}
	switch p.variable {
	case "topic":
		if given {
			return p, fmt.Errorf("{{%s}} takes no parameter", p.variable)
		}
	case "partition":
		p.pad, err = parsePadding(p, given, 10)
	case "start_offset":
		p.pad, err = parsePadding(p, given, 20)
	case "timestamp":
		p.pattern, err = parseTimestamp(p.argument)
	case "key", "value", "header":
		if p.argument == "" && (given || p.variable != "key") {
			return p, fmt.Errorf("{{%s}} needs a name, as in {{%s:name}}", p.variable, p.variable)
		}
	default:
		return p, fmt.Errorf("{{%s}} is none of topic, partition, start_offset, key, timestamp, value, header", inner)
	}
	return p, err
}

func parseTimestamp(argument string) (pattern, error) {
	if unit, ok := strings.CutPrefix(argument, "unit="); ok {
		if !slices.Contains([]string{"yyyy", "YYYY", "MM", "dd", "HH"}, unit) {
			return pattern{}, fmt.Errorf("{{timestamp}}: unit=%s is none of yyyy, MM, dd, HH", unit)
		}
		argument = unit
	}
	p, err := parsePattern(argument)
	if err != nil {
		return p, fmt.Errorf("{{timestamp}}: %w", err)
	}
	return p, nil
}

// maxPadding bounds the width of numbers; a key has 1,024 bytes at most.
const maxPadding = 255

// parsePadding reads padding=true, which is to width digits, padding=false, or pad=left,12,0.
func parsePadding(p piece, given bool, width int) (padding, error) {
	switch {
	case !given || p.argument == "padding=false":
		return padding{}, nil
	case p.argument == "padding=true":
		return padding{width: width, char: "0"}, nil
	}
	wrong := fmt.Errorf("{{%s}}: the parameter %q is none of padding=true, padding=false, pad=left,12,0", p.variable, p.argument)
	text, ok := strings.CutPrefix(p.argument, "pad=")
	side, text, ok1 := strings.Cut(text, ",")
	number, char, ok2 := strings.Cut(text, ",")
	n, err := strconv.Atoi(number)
	if !ok || !ok1 || !ok2 || err != nil || n < 0 || n > maxPadding || side != "left" && side != "right" || utf8.RuneCountInString(char) != 1 {
		return padding{}, wrong
	}
	return padding{width: n, char: char, right: side == "right"}, nil
}

// has tells whether a variable occurs.
func (t *template) has(variable string) bool {
	return slices.ContainsFunc(t.pieces, func(p piece) bool { return p.variable == variable })
}

// folder prints all but the offset, which is left to withOffset.
func (t *template) folder(r *connect.SinkRecord, at time.Time) (string, error) {
	var b strings.Builder
	for _, p := range t.pieces {
		text, err := t.print(p, r, at)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// offsetMark stands for the offset of the first record.
const offsetMark = "\x00"

// withOffset puts the offset of the first record into what folder returned.
func (t *template) withOffset(folder string, offset int64) string {
	for _, p := range t.pieces {
		if p.variable == "start_offset" {
			folder = strings.Replace(folder, offsetMark, p.pad.of(offset), 1)
		}
	}
	return folder
}

func (t *template) print(p piece, r *connect.SinkRecord, at time.Time) (string, error) {
	switch p.variable {
	case "":
		return p.text, nil
	case "topic":
		return r.Topic, nil
	case "partition":
		return p.pad.of(int64(r.Origin.Partition)), nil
	case "start_offset":
		return offsetMark, nil
	case "timestamp":
		return p.pattern.format(at.In(t.loc)), nil
	}
	text, err := t.printData(p, r)
	if err == nil && strings.Contains(text, offsetMark) {
		return "", fmt.Errorf("{{%s}}: the text %q has a zero byte, which names of objects must not have", p.variable, text)
	}
	return text, err
}

// printData prints a part of the record's data.
func (t *template) printData(p piece, r *connect.SinkRecord) (string, error) {
	var v data.Value
	var err error
	switch {
	case p.variable == "header":
		if v, err = headerOf(r, p.argument); err != nil {
			return "", err
		}
	case p.variable == "key" && p.argument == "":
		if v = r.Key.Value; v.IsNull() && t.missing == "" {
			return "null", nil
		}
		return nameText(v)
	case p.variable == "key":
		v, err = fieldOf(r.Key, p.argument)
	default:
		v, err = fieldOf(r.Value, p.argument)
	}
	root := r.Value.Value
	if p.variable == "key" {
		root = r.Key.Value
	}
	if t.missing != "" && p.variable != "header" && !root.IsNull() && (err != nil || v.IsNull()) {
		return t.missing, nil
	}
	if err != nil {
		return "", err
	}
	return nameText(v)
}

// headerOf returns the last header of a name, or a field of it, named behind a dot.
func headerOf(r *connect.SinkRecord, name string) (data.Value, error) {
	header, field, _ := strings.Cut(name, ".")
	for i := len(r.Headers) - 1; i >= 0; i-- {
		switch r.Headers[i].Key {
		case name:
			return r.Headers[i].Datum.Value, nil
		case header:
			return fieldOf(r.Headers[i].Datum, field)
		}
	}
	return data.Value{}, fmt.Errorf("the record has no header %q", name)
}

// nameText prints data for a name: as folders of fields have it, and numbers with fractions as Java prints them.
func nameText(v data.Value) (string, error) {
	if v.Kind() == data.KindFloat32 || v.Kind() == data.KindFloat64 {
		return data.Format(v), nil
	}
	return partitionText(v)
}
