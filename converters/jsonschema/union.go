package jsonschema

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// union reads a value into the field of a union's struct that it fits: the first of
// its simple type, else the object with which it has most properties in common.
// Texts that fit no STRING go to the first field of BYTES, where Java gives up.
func (in *input) union(d *decoder, kind javajson.Kind) (data.Value, error) {
	if in.budget -= 1 + len(d.fields); in.budget < 0 {
		return data.Value{}, dataError("the record has more fields than its length allows")
	}
	at, err := in.choose(d, kind)
	if err != nil {
		return data.Value{}, err
	}
	if at < 0 {
		return data.Value{}, dataError("Did not find matching oneof field for data")
	}
	x, err := data.NewStruct(d.schema)
	if err != nil {
		return data.Value{}, err
	}
	v, err := in.value(d.fields[at].dec)
	if err != nil {
		return data.Value{}, err
	}
	x.Set(at, v)
	return data.StructOf(x), nil
}

// choose looks ahead without moving.
func (in *input) choose(d *decoder, kind javajson.Kind) (int, error) {
	integral := false
	if kind == javajson.Number {
		ahead := *in
		n, err := ahead.Number()
		if err != nil {
			return -1, err
		}
		integral = n.Integral()
	}
	best, most := -1, 0
	for i := range d.fields {
		f := d.fields[i].dec
		if f.takes(kind, integral) {
			return i, nil
		}
		if f.kind != data.KindStruct || kind != javajson.Object {
			continue
		}
		ahead := *in
		n, err := ahead.matching(f)
		if err != nil {
			return -1, err
		}
		if n > most {
			best, most = i, n
		}
	}
	if best < 0 && kind == javajson.String {
		for i := range d.fields {
			if k := d.fields[i].dec.kind; k == data.KindBytes || k == data.KindDecimal {
				return i, nil
			}
		}
	}
	return best, nil
}

// takes tells whether a value is one of a simple type.
func (d *decoder) takes(kind javajson.Kind, integral bool) bool {
	switch d.schema.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return integral
	case data.KindFloat32, data.KindFloat64:
		return kind == javajson.Number
	case data.KindBoolean:
		return kind == javajson.Boolean
	case data.KindString:
		return kind == javajson.String
	case data.KindBytes:
		return kind == javajson.Number && !integral
	case data.KindArray:
		return kind == javajson.Array
	case data.KindMap:
		return kind == javajson.Object || kind == javajson.Array
	}
	return false
}

// matching counts the properties of the object ahead that are fields, and those of
// objects inside.
func (in *input) matching(d *decoder) (int, error) {
	if err := in.Open(); err != nil {
		return 0, err
	}
	n := 0
	for next := 0; ; next++ {
		key, more, err := in.Key(next == 0)
		if err != nil || !more {
			return n, err
		}
		i := d.find(key, next)
		if i < 0 {
			if err := in.Skip(); err != nil {
				return n, err
			}
			continue
		}
		n++
		kind, err := in.Next()
		if err != nil {
			return n, err
		}
		if inner := d.fields[i].dec; kind == javajson.Object && inner.kind == data.KindStruct {
			m, err := in.matching(inner)
			if err != nil {
				return n, err
			}
			n += m
			continue
		}
		if err := in.Skip(); err != nil {
			return n, err
		}
	}
}
