package objectstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
)

// A template is text with variables in double braces, as Aiven's connectors have them:
//
//	{{topic}} {{partition}} {{start_offset}} {{key}} {{timestamp}} {{value:PATH}} {{header:NAME}}
//
// with parameters: partition:padding=true and start_offset:padding=true put zeros before, timestamp:unit=yyyy, MM, dd or HH
// prints a part of the time, timestamp:PATTERN what Joda-Time would.
type template struct {
	pieces []piece
	loc    *time.Location
}

// A piece is literal text or a variable.
type piece struct {
	text     string // literal, if variable is ""
	variable string
	argument string
	pattern  pattern
	padding  bool
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

func parsePiece(inner string) (piece, error) {
	name, argument, given := strings.Cut(inner, ":")
	p := piece{variable: strings.TrimSpace(name), argument: strings.TrimSpace(argument)}
	switch p.variable {
	case "topic", "key":
		if given {
			return p, fmt.Errorf("{{%s}} takes no parameter", p.variable)
		}
	case "partition", "start_offset":
		if given && p.argument != "padding=true" && p.argument != "padding=false" {
			return p, fmt.Errorf("{{%s}}: the parameter %q is not padding=true or padding=false", p.variable, p.argument)
		}
		p.padding = p.argument == "padding=true"
	case "timestamp":
		text := p.argument
		if unit, ok := strings.CutPrefix(text, "unit="); ok {
			if unit != "yyyy" && unit != "MM" && unit != "dd" && unit != "HH" {
				return p, fmt.Errorf("{{timestamp}}: unit=%s is none of yyyy, MM, dd, HH", unit)
			}
			text = unit
		}
		var err error
		if p.pattern, err = parsePattern(text); err != nil {
			return p, fmt.Errorf("{{timestamp}}: %w", err)
		}
	case "value", "header":
		if p.argument == "" {
			return p, fmt.Errorf("{{%s}} needs a name, as in {{%s:name}}", p.variable, p.variable)
		}
	default:
		return p, fmt.Errorf("{{%s}} is none of topic, partition, start_offset, key, timestamp, value, header", inner)
	}
	return p, nil
}

// has tells whether a variable occurs.
func (t *template) has(variable string) bool {
	for _, p := range t.pieces {
		if p.variable == variable {
			return true
		}
	}
	return false
}

// folder prints all but the offset, which is left as {{start_offset}} for name.
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

const (
	offsetMark       = "\x00o"
	paddedOffsetMark = "\x00p"
)

// withOffset puts the offset of the first record into what folder returned.
func withOffset(folder string, offset int64) string {
	folder = strings.ReplaceAll(folder, offsetMark, strconv.FormatInt(offset, 10))
	return strings.ReplaceAll(folder, paddedOffsetMark, fmt.Sprintf("%020d", offset))
}

func (t *template) print(p piece, r *connect.SinkRecord, at time.Time) (string, error) {
	switch p.variable {
	case "":
		return p.text, nil
	case "topic":
		return r.Topic, nil
	case "partition":
		if p.padding {
			return fmt.Sprintf("%010d", r.Origin.Partition), nil
		}
		return strconv.Itoa(int(r.Origin.Partition)), nil
	case "start_offset":
		if p.padding {
			return paddedOffsetMark, nil
		}
		return offsetMark, nil
	case "timestamp":
		return p.pattern.format(at.In(t.loc)), nil
	case "key":
		if r.Key.Value.IsNull() {
			return "null", nil
		}
		return partitionText(r.Key.Value)
	case "header":
		for i := len(r.Headers) - 1; i >= 0; i-- {
			if r.Headers[i].Key == p.argument {
				return partitionText(r.Headers[i].Datum.Value)
			}
		}
		return "", fmt.Errorf("the record has no header %q", p.argument)
	}
	v, err := fieldOf(r.Value, p.argument)
	if err != nil {
		return "", err
	}
	return partitionText(v)
}
