package transforms

import (
	"context"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A ConcatFieldsConfig configures ConcatFields.
type ConcatFieldsConfig struct {
	// Fields are paths of fields, in the order in which they are joined; Output is the field that is added.
	Fields []string
	Output string
	// Delimiter stands between, Missing in the place of what is missing or null.
	Delimiter, Missing string
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.ConcatFields.
func (c *ConcatFieldsConfig) Describe(d *config.Def) {
	config.List(d, &c.Fields, "field.names").Importance(config.High).Check(fieldList(false)).Doc("Fields to join. Dots lead into structs and maps.")
	config.String(d, &c.Output, "output.field.name").Importance(config.High).Check(config.NonEmpty()).Doc("Name of the field that is added, an optional STRING.")
	config.Text(d, &c.Delimiter, "delimiter").Default("").Importance(config.High).Doc("Text between the values.")
	config.Text(d, &c.Missing, "field.replace.missing").Default("").Importance(config.High).Doc("Text for a value that is missing or null.")
}

// concatFields is ConcatFields.
type concatFields struct {
	side    side
	c       ConcatFieldsConfig
	fields  []*locator
	schemas schemaCache[*data.Schema]
	buf     []byte // used again for each record
}

func newConcatFields(c ConcatFieldsConfig, s side) (*concatFields, error) {
	t := &concatFields{side: s, c: c}
	for _, f := range c.Fields {
		t.fields = append(t.fields, newLocator(f))
	}
	return t, nil
}

// Apply adds the joined text.
func (t *concatFields) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	t.buf = t.buf[:0]
	for i, f := range t.fields {
		v, _, err := f.find(*d)
		if err != nil {
			return false, err
		}
		if i > 0 {
			t.buf = append(t.buf, t.c.Delimiter...)
		}
		if v.Value.IsNull() {
			t.buf = append(t.buf, t.c.Missing...)
		} else {
			t.buf = v.Value.Append(t.buf)
		}
	}
	joined := data.String(string(t.buf))
	if cap(t.buf) > keptBuffer {
		t.buf = nil
	}
	old, ok := d.Value.Struct()
	if !ok {
		pairs, _ := d.Value.Map()
		added := data.MapOf(upsert(slices.Clone(pairs), t.c.Output, joined)...)
		if d.Schema != nil {
			if err := data.Validate(d.Schema, added, ""); err != nil {
				return false, err
			}
		}
		d.Value = added
		return true, nil
	}
	schema, err := t.schemas.get(old.Schema(), func(s *data.Schema) (*data.Schema, error) {
		b := copyBasics(s, data.StructBuilder())
		for _, f := range s.Fields() {
			b.Field(f.Name, f.Schema)
		}
		return b.Field(t.c.Output, data.OptionalStringSchema).Build()
	})
	if err != nil {
		return false, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return false, err
	}
	for i := range old.Len() {
		row.Set(i, old.At(i)) // null becomes the default
	}
	row.Set(old.Len(), joined)
	*d = connect.Datum{Schema: schema, Value: data.StructOf(row)}
	return true, nil
}
