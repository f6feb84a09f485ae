package converters

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/mapkeys"
)

// array reads an array whose elements have a plan, nil for any.
func (d *decoding) array(elem *readPlan, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Array {
		return data.Value{}, wrongContainer("Arrays should be encoded as JSON arrays", kind)
	}
	if err := d.Open(); err != nil {
		return data.Value{}, err
	}
	var elems []data.Value
	for first := true; ; first = false {
		if more, err := d.Element(first); err != nil || !more {
			return data.ArrayOf(elems...), err
		}
		v, err := d.value(elem)
		if err != nil {
			return data.Value{}, at(err, "element %d", len(elems))
		}
		elems = append(elems, v)
	}
}

// mapping reads an object if keys are texts, else an array of pairs.
func (d *decoding) mapping(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if p.key == nil || p.key.kind == data.KindString {
		if kind != javajson.Object {
			return data.Value{}, wrongContainer("Maps with string fields should be encoded as JSON objects", kind)
		}
		return d.object(p.elem)
	}
	if kind != javajson.Array {
		return data.Value{}, wrongContainer("Maps with non-string fields should be encoded as JSON array of tuples", kind)
	}
	if err := d.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	for first := true; ; first = false {
		if more, err := d.Element(first); err != nil || !more {
			return data.MapOf(mapkeys.Unique(pairs)...), err
		}
		pair, err := d.pair(p)
		if err != nil {
			return data.Value{}, at(err, "map entry %d", len(pairs))
		}
		pairs = append(pairs, pair)
	}
}

// pair reads [key,value].
func (d *decoding) pair(p *readPlan) (data.Pair, error) {
	kind, err := d.Next()
	if err != nil {
		return data.Pair{}, err
	}
	if kind != javajson.Array {
		return data.Pair{}, dataError("Found invalid map entry instead of array tuple: %s", kind)
	}
	if err := d.Open(); err != nil {
		return data.Pair{}, err
	}
	var both [2]data.Value
	plans := [2]*readPlan{p.key, p.elem}
	for n := 0; ; n++ {
		more, err := d.Element(n == 0)
		switch {
		case err != nil:
			return data.Pair{}, err
		case more != (n < 2):
			return data.Pair{}, dataError("Found invalid map entry, expected length 2 but found %s than that", map[bool]string{true: "more", false: "less"}[more])
		case !more:
			return data.Pair{Key: both[0], Value: both[1]}, nil
		}
		if both[n], err = d.value(plans[n]); err != nil {
			return data.Pair{}, err
		}
	}
}

// object reads a map with text keys.
func (d *decoding) object(elem *readPlan) (data.Value, error) {
	if err := d.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	for first := true; ; first = false {
		key, more, err := d.Key(first)
		if err != nil || !more {
			return data.MapOf(mapkeys.Unique(pairs)...), err
		}
		v, err := d.value(elem)
		if err != nil {
			return data.Value{}, at(err, "map key %q", key)
		}
		pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
	}
}

// row reads a struct. Members that are no fields are skipped, of doubled ones
// the last counts.
func (d *decoding) row(p *readPlan, kind javajson.Kind) (data.Value, error) {
	if kind != javajson.Object {
		return data.Value{}, wrongContainer("Structs should be encoded as JSON objects", kind)
	}
	if d.fields += len(p.fields); d.fields > maxRowFields {
		return data.Value{}, dataError("the structs of one record have more than %d fields", maxRowFields)
	}
	x, err := data.NewStruct(p.schema)
	if err != nil {
		return data.Value{}, err
	}
	if err := d.Open(); err != nil {
		return data.Value{}, err
	}
	var few [4]uint64
	seen := fieldSet(few[:])
	if len(p.fields) > 64*len(few) {
		seen = make(fieldSet, (len(p.fields)+63)/64)
	}
	missing := len(p.fields)
	for next := 0; ; next++ {
		key, more, err := d.Key(next == 0)
		if err != nil {
			return data.Value{}, err
		}
		if !more {
			break
		}
		i := p.find(key, next)
		if i < 0 {
			if err := d.Skip(); err != nil {
				return data.Value{}, err
			}
			continue
		}
		v, err := d.value(p.fields[i].plan)
		if err != nil {
			return data.Value{}, at(err, "field %q", key)
		}
		x.Set(i, v)
		missing -= seen.add(i)
	}
	if missing == 0 {
		return data.StructOf(x), nil
	}
	return data.StructOf(x), p.fillMissing(x, seen)
}

// fillMissing treats fields that the text does not have as null.
func (p *readPlan) fillMissing(x *data.Struct, seen fieldSet) error {
	for i := range p.fields {
		if seen.has(i) {
			continue
		}
		v, err := p.fields[i].plan.null()
		if err != nil {
			return at(err, "field %q", p.fields[i].name)
		}
		x.Set(i, v)
	}
	return nil
}

// fieldSet is a set of positions of fields.
type fieldSet []uint64

func (s fieldSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// add returns 1 if i is new, else 0.
func (s fieldSet) add(i int) int {
	if s.has(i) {
		return 0
	}
	s[i/64] |= 1 << (i % 64)
	return 1
}
