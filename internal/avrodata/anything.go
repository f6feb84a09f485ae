package avrodata

import (
	"fmt"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/mapkeys"
)

// anything reads schemaless data: a record of optional fields, of which the first
// that is set counts, as in AvroData.
func (in *input) anything(depth int) (data.Value, error) {
	if depth >= maxDepth {
		return data.Value{}, tooDeep()
	}
	if err := in.spend(1); err != nil {
		return data.Value{}, err
	}
	var found data.Value
	for at := range anyFields {
		branch, err := in.long()
		if err != nil {
			return found, err
		}
		if branch == 0 {
			continue
		}
		if branch != 1 {
			return found, dataError("branch %d of a union of 2", branch)
		}
		v, err := in.anyField(at, depth)
		if err != nil {
			return found, err
		}
		if found.IsNull() {
			found = v
		}
	}
	return found, nil
}

func (in *input) anyField(at, depth int) (data.Value, error) {
	switch at {
	case anyBoolean:
		return in.boolean()
	case anyBytes:
		b, err := in.counted()
		return bytesValue(b), err
	case anyDouble:
		f, err := in.float(double)
		return data.Float64(f), err
	case anyFloat:
		f, err := in.float(float)
		return data.Float32(float32(f)), err
	case anyInt:
		n, err := in.long()
		if err != nil {
			return data.Value{}, err
		}
		return integerValue(&decoder{wire: integer, kind: data.KindInt32}, n)
	case anyLong:
		n, err := in.long()
		return data.Int64(n), err
	case anyText:
		b, err := in.counted()
		if err != nil {
			return data.Value{}, err
		}
		return textValue(b)
	case anyArray:
		return in.anyArray(depth)
	}
	return in.anyMap(depth)
}

func (in *input) anyArray(depth int) (data.Value, error) {
	var elems []data.Value
	for {
		n, err := in.block(someBytes)
		if err != nil || n == 0 {
			return data.ArrayOf(elems...), err
		}
		for range n {
			v, err := in.anything(depth + 1)
			if err != nil {
				return data.Value{}, fmt.Errorf("element %d: %w", len(elems), err)
			}
			elems = append(elems, v)
		}
	}
}

func (in *input) anyMap(depth int) (data.Value, error) {
	var pairs []data.Pair
	for {
		n, err := in.block(someBytes)
		if err != nil {
			return data.Value{}, err
		}
		if n == 0 {
			return data.MapOf(mapkeys.Unique(pairs)...), nil
		}
		for range n {
			k, err := in.anything(depth + 1)
			if err != nil {
				return data.Value{}, fmt.Errorf("map entry %d: %w", len(pairs), err)
			}
			v, err := in.anything(depth + 1)
			if err != nil {
				return data.Value{}, fmt.Errorf("map entry %d: %w", len(pairs), err)
			}
			pairs = append(pairs, data.Pair{Key: k, Value: v})
		}
	}
}
