package jsonvalue

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// Read reads the next value: objects are maps in the order of the text, numbers what number makes of them. Of two members of one name the last counts.
func Read(r *javajson.Reader, number func(javajson.Num) (data.Value, error)) (data.Value, error) {
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
		return array(r, number)
	default:
		return object(r, number)
	}
}

// Number makes INT64 of integers, decimals of larger ones, and FLOAT64 of other numbers.
func Number(n javajson.Num) (data.Value, error) {
	if !n.Integral() {
		return data.Float64(n.Float64()), nil
	}
	d, err := data.ParseDecimal(n.Text())
	if err != nil {
		return data.Value{}, err
	}
	if i, ok := d.Int64(); ok {
		return data.Int64(i), nil
	}
	return data.DecimalOf(d), nil
}

func array(r *javajson.Reader, number func(javajson.Num) (data.Value, error)) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	var elems []data.Value
	for first := true; ; first = false {
		more, err := r.Element(first)
		if err != nil || !more {
			return data.ArrayOf(elems...), err
		}
		v, err := Read(r, number)
		if err != nil {
			return data.Value{}, err
		}
		elems = append(elems, v)
	}
}

// manyMembers is how many members of an object are looked through one by one.
const manyMembers = 32

func object(r *javajson.Reader, number func(javajson.Num) (data.Value, error)) (data.Value, error) {
	if err := r.Open(); err != nil {
		return data.Value{}, err
	}
	var pairs []data.Pair
	var index map[string]int // of an object with many members
	for first := true; ; first = false {
		key, more, err := r.Key(first)
		if err != nil || !more {
			return data.MapOf(pairs...), err
		}
		v, err := Read(r, number)
		if err != nil {
			return data.Value{}, err
		}
		if index == nil && len(pairs) == manyMembers {
			index = indexOf(pairs)
		}
		if i := find(pairs, index, key); i >= 0 {
			pairs[i].Value = v
			continue
		}
		if index != nil {
			index[key] = len(pairs)
		}
		pairs = append(pairs, data.Pair{Key: data.String(key), Value: v})
	}
}

// find returns the place of a member; -1: there is none.
func find(pairs []data.Pair, index map[string]int, key string) int {
	if index != nil {
		if i, ok := index[key]; ok {
			return i
		}
		return -1
	}
	for i := range pairs {
		if k, _ := pairs[i].Key.Str(); k == key {
			return i
		}
	}
	return -1
}

func indexOf(pairs []data.Pair) map[string]int {
	index := make(map[string]int, 2*len(pairs))
	for i := range pairs {
		key, _ := pairs[i].Key.Str()
		index[key] = i
	}
	return index
}
