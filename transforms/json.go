package transforms

import (
	"context"
	"errors"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A textType is what JSON is handed over as.
type textType string

const (
	asString textType = "STRING"
	asBytes  textType = "BYTES"
)

// A ToJSONConfig configures ToJSON.
type ToJSONConfig struct{ output textType }

// Describe declares the keys of com.github.jcustenborder.kafka.connect.transform.common.ToJSON.
func (c *ToJSONConfig) Describe(d *config.Def) {
	config.EnumFold(d, &c.output, "output.schema.type", asString, asBytes).Default(asString).Importance(config.Medium).Doc("What the JSON becomes: text, or its UTF-8.")
	var envelope bool
	config.Bool(d, &envelope, "schemas.enable").Default(false).Check(config.CheckFunc("false", func(on bool) error {
		if on {
			return errors.New("this is not supported here: the JSON is the data alone")
		}
		return nil
	})).Doc("Has to be false: the JSON is the data alone, without their schema.")
}

// toJSON is ToJSON.
type toJSON struct {
	side    side
	asBytes bool
	buf     []byte
}

func newToJSON(c ToJSONConfig, s side) (*toJSON, error) {
	return &toJSON{side: s, asBytes: c.output == asBytes}, nil
}

// Apply makes JSON of the whole. Null stays null.
func (t *toJSON) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d := t.side.of(r)
	if d.Value.IsNull() {
		return true, nil
	}
	var err error
	if t.buf, err = appendJSON(t.buf[:0], d.Schema, d.Value, 0); err != nil {
		return false, err
	}
	if t.asBytes {
		*d = connect.Datum{Schema: data.OptionalBytesSchema, Value: data.Bytes([]byte(string(t.buf)))}
	} else {
		*d = connect.Datum{Schema: data.OptionalStringSchema, Value: data.String(string(t.buf))}
	}
	if cap(t.buf) > keptBuffer {
		t.buf = nil
	}
	return true, nil
}

// A FromJSONConfig configures FromJSON.
type FromJSONConfig struct {
	// Infer gives the data a schema.
	Infer bool
}

// Describe declares the keys of FromJSON.
func (c *FromJSONConfig) Describe(d *config.Def) {
	config.Bool(d, &c.Infer, "schema.infer").Default(false).Importance(config.Medium).
		Doc("Whether the data get a schema, which is inferred from each text: objects are STRUCTs, integers INT32 or INT64, other numbers FLOAT64, everything " +
			"is optional, and members that are null are left out. Otherwise they have none, and objects are MAPs.")
}

// fromJSON is FromJSON.
type fromJSON struct {
	side  side
	infer bool
	typer jsonTyper
}

func newFromJSON(c FromJSONConfig, s side) (*fromJSON, error) {
	return &fromJSON{side: s, infer: c.Infer}, nil
}

// Apply reads text, or the UTF-8 of text. Null stays null.
func (t *fromJSON) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d, place := t.side.of(r), t.side.lower()
	if d.Value.IsNull() {
		return true, nil
	}
	text, ok := d.Value.Str()
	if b, isBytes := d.Value.Bytes(); isBytes {
		text, ok = string(b), true
	}
	if !ok {
		return false, dataError("the %s has to be STRING or BYTES to read JSON: found %s", place, d.Value.Kind())
	}
	v, err := parseJSON(text)
	if err != nil {
		return false, dataError("the %s is no JSON: %v", place, err)
	}
	read := connect.Datum{Value: v}
	if t.infer && !v.IsNull() {
		if read.Schema, err = t.typer.schema("", v); err != nil {
			return false, err
		}
		if read.Schema == nil {
			return false, errNoJSONSchema
		}
		if read.Value, err = t.typer.value(read.Schema, v); err != nil {
			return false, err
		}
	}
	*d = read
	return true, nil
}
