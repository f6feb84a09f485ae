package transforms

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A letterCase is one of the two cases.
type letterCase string

const (
	lowerCase letterCase = "lower"
	upperCase letterCase = "upper"
)

// A CaseTransformConfig configures CaseTransform.
type CaseTransformConfig struct {
	// Fields are names of fields of the top level.
	Fields []string

	to letterCase
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.CaseTransform.
func (c *CaseTransformConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "field.names").Importance(config.High).Check(fieldList(true)).Doc("Fields of the top level, to change where they are STRINGs.")
	config.EnumFold(d, &c.to, "case", lowerCase, upperCase).Importance(config.High).Doc("Case to bring their text to.")
}

// caseTransform is CaseTransform.
type caseTransform struct {
	side   side
	fields []string
	change func(string) string
}

func newCaseTransform(c CaseTransformConfig, s side) (*caseTransform, error) {
	t := &caseTransform{s, c.Fields, strings.ToLower}
	if c.to == upperCase {
		t.change = upper
	}
	return t, nil
}

// Apply changes the fields.
func (t *caseTransform) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	if row, ok := d.Value.Struct(); ok {
		row = filled(row)
		for _, name := range t.fields {
			f, ok := row.Schema().Field(name)
			if !ok {
				continue
			}
			if v, changed := t.changed(row.At(f.Index)); changed {
				row = row.With(f.Index, v)
			}
		}
		d.Value = data.StructOf(row)
		return true, nil
	}
	pairs, ok := d.Value.Map()
	if !ok {
		return false, dataError("%s type must be STRUCT or MAP: found %s", t.side, kindOf(d.Value))
	}
	out := slices.Clone(pairs)
	for _, name := range t.fields {
		old, _ := d.Value.Lookup(name)
		if v, changed := t.changed(old); changed {
			out = upsert(out, name, v)
		}
	}
	d.Value = data.MapOf(out...)
	return true, nil
}

// changed returns the text in the other case, and whether that is another one. What is no text stays.
func (t *caseTransform) changed(v data.Value) (data.Value, bool) {
	text, ok := v.Str()
	if !ok {
		return v, false
	}
	to := t.change(text)
	return data.String(to), to != text
}

// wide are the small letters that become several capitals.
var wide = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J\u030c", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST", "և", "ԵՒ")

func upper(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		s = wide.Replace(s)
	}
	return strings.ToUpper(s)
}

// filled is a struct with the default of each field that is null, if there is one.
func filled(row *data.Struct) *data.Struct {
	for i := range row.Len() {
		if row.Raw(i).IsNull() && !row.At(i).IsNull() {
			row = row.With(i, row.At(i))
		}
	}
	return row
}
