package transforms

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// A FilterByFieldValueConfig configures FilterByFieldValue.
type FilterByFieldValueConfig struct {
	// Field of the top level; "": the whole.
	Field string
	// Value is the text of the value wanted, or Pattern a regular expression that is found in it. One of them is given.
	Value, Pattern string
	// Matches keeps what matches, false what does not.
	Matches bool

	byValue bool
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.FilterByFieldValue.
func (c *FilterByFieldValueConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field.name").Optional().Importance(config.High).Doc("Field of the top level. Without it the whole is compared.")
	config.Text(d, &c.Value, "field.value").Optional().Given(&c.byValue).Importance(config.High).
		Doc("Value wanted, of the type that its text has in a header: true, 42, 1.5, a date, or text.")
	config.String(d, &c.Pattern, "field.value.pattern").Optional().Importance(config.High).Check(validRegex()).
		Doc("Regular expression, in Java's syntax, to find in the text of the value, in place of field.value.")
	config.Bool(d, &c.Matches, "field.value.matches").Default(true).Importance(config.High).
		Doc("true keeps records whose field matches and drops all others, false the other way round.")
}

var errValueXorPattern = errors.New("either field.value or field.value.pattern have to be set, and not both")

func (c *FilterByFieldValueConfig) hasPattern() bool { return c.Pattern != "" }

// Probe refuses what one key alone can not tell.
func (c *FilterByFieldValueConfig) Probe(context.Context) error {
	if c.byValue == c.hasPattern() {
		return &config.KeyError{Key: "field.value", Value: c.Value, Err: errValueXorPattern}
	}
	return nil
}

// filterByFieldValue is FilterByFieldValue.
type filterByFieldValue struct {
	side    side
	c       FilterByFieldValueConfig
	want    data.Value
	pattern *javaregex.Pattern
}

func newFilterByFieldValue(c FilterByFieldValueConfig, s side) (*filterByFieldValue, error) {
	t := &filterByFieldValue{side: s, c: c}
	if err := c.Probe(context.Background()); err != nil {
		return nil, err
	}
	if c.hasPattern() {
		var err error
		t.pattern, err = javaregex.Compile(c.Pattern)
		return t, err
	}
	_, t.want = data.Parse(c.Value)
	return t, nil
}

// Apply keeps or drops the record. One whose key or value is null stays, and a field that is null, or missing in a map, does not match.
func (t *filterByFieldValue) Apply(_ context.Context, r *connect.Record) (bool, error) {
	v := t.side.of(r).Value
	if v.IsNull() {
		return true, nil
	}
	if t.c.Field != "" {
		row, isRow := v.Struct()
		_, isMap := v.Map()
		switch {
		case isRow && row.Schema().FieldIndex(t.c.Field) < 0:
			return false, dataError("the %s has no field %q (schema %s)", t.side.lower(), t.c.Field, row.Schema())
		case !isRow && !isMap:
			return false, dataError("the %s has to be a STRUCT or MAP with the field %q: found %s", t.side.lower(), t.c.Field, v.Kind())
		}
		v = topField(v, t.c.Field)
	}
	matches, err := t.matches(v)
	return err == nil && matches == t.c.Matches, err
}

// topField returns a field of a struct or map, null where there is none.
func topField(v data.Value, name string) data.Value {
	if row, ok := v.Struct(); ok {
		v, _ = row.Get(name)
		return v
	}
	v, _ = v.Lookup(name)
	return v
}

func (t *filterByFieldValue) matches(v data.Value) (bool, error) {
	if t.pattern == nil {
		return sameAsParsed(v, t.want), nil
	}
	if v.IsNull() {
		return false, nil
	}
	at, err := t.pattern.Find(data.Format(v))
	if err != nil {
		return false, fmt.Errorf("configuration field.value.pattern: %w", err)
	}
	return at != nil, nil
}

// sameAsParsed compares with what text has been parsed into. Numbers of all widths count as the same; a text that looks like a number is
// the same as that number, for it is text here.
func sameAsParsed(v, want data.Value) bool {
	if a, ok := v.Int(); ok {
		b, ok := want.Int()
		return ok && a == b
	}
	if a, ok := v.Float(); ok {
		if b, ok := want.Float(); ok {
			return a == b || float32(a) == float32(b) && v.Kind() != want.Kind()
		}
		b, ok := want.Int()
		return ok && a == float64(b)
	}
	if s, ok := v.Str(); ok && want.Kind() != data.KindString {
		return s == data.Format(want)
	}
	return data.Equal(v, want)
}
