package cqlmap

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// load reads the object that a text holds. A text that holds none stays a text,
// as the anchor has it: what is no JSON is a value of its own. So it is with
// Jackson that only the first value of the text counts.
func (o *object) load(text string) {
	if o.read {
		return
	}
	o.read = true
	r := javajson.NewReader([]byte(text))
	if kind, err := r.Next(); err != nil || kind != javajson.Object {
		return
	}
	if members, err := readValue(&r); err == nil {
		o.members = members
	}
}

// readValue reads the value ahead.
func readValue(r *javajson.Reader) (data.Value, error) {
	kind, err := r.Next()
	if err != nil {
		return data.Value{}, err
	}
	switch kind {
	case javajson.Null:
		return data.Value{}, r.Null()
	case javajson.Boolean:
		b, err := r.Bool()
		return data.Boolean(b), err
	case javajson.String:
		s, err := r.String()
		return data.String(s), err
	case javajson.Number:
		n, err := r.Number()
		if err != nil {
			return data.Value{}, err
		}
		return number(n)
	case javajson.Array:
		return readArray(r)
	default:
		return readObject(r)
	}
}

// number returns a whole number of 64 bits as such, and any other as a decimal,
// which keeps all of its digits.
func number(n javajson.Num) (data.Value, error) {
	d, err := data.ParseDecimal(n.Text())
	if err != nil {
		return data.Value{}, err
	}
	if n.Integral() {
		if i, ok := d.Int64(); ok {
			return data.Int64(i), nil
		}
	}
	return data.DecimalOf(d), nil
}

func readArray(r *javajson.Reader) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	var elems []data.Value
	for first := true; ; first = false {
		if ok, err := r.Element(first); err != nil {
			return data.Value{}, err
		} else if !ok {
			return data.ArrayOf(elems...), nil
		}
		v, err := readValue(r)
		if err != nil {
			return data.Value{}, err
		}
		elems = append(elems, v)
	}
}

// readObject reads an object as a map. Of doubled members the last counts, at the
// place of the first.
func readObject(r *javajson.Reader) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	places := map[string]int{}
	for first := true; ; first = false {
		key, ok, err := r.Key(first)
		if err != nil {
			return data.Value{}, err
		}
		if !ok {
			return data.MapOf(pairs...), nil
		}
		v, err := readValue(r)
		if err != nil {
			return data.Value{}, err
		}
		if i, again := places[key]; again {
			pairs[i].Value = v
			continue
		}
		places[key] = len(pairs)
		pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
	}
}
