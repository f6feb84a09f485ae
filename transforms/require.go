package transforms

import (
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// dataError is Java's DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}

// requireMap returns the entries of schemaless data.
func requireMap(v data.Value, purpose string) ([]data.Pair, error) {
	pairs, ok := v.Map()
	if !ok {
		return nil, dataError("Only Map objects supported in absence of schema for [%s], found: %s", purpose, kindOf(v))
	}
	return pairs, nil
}

// requireStruct returns data under a schema.
func requireStruct(v data.Value, purpose string) (*data.Struct, error) {
	s, ok := v.Struct()
	if !ok {
		return nil, dataError("Only Struct objects supported for [%s], found: %s", purpose, kindOf(v))
	}
	return s, nil
}

// kindOf names the kind of a value for errors.
func kindOf(v data.Value) string {
	if v.IsNull() {
		return "null"
	}
	return v.Kind().String()
}

// requireSinkRecord returns the offset of a record on its way out of Kafka.
func requireSinkRecord(r *connect.Record, purpose string) (int64, error) {
	if r.Offset < 0 {
		return 0, dataError("Only SinkRecord supported for [%s], found: a source record, which has no offset in Kafka", purpose)
	}
	return r.Offset, nil
}

// copyBasics starts a schema with name, version, doc and parameters of another, but not its being optional nor its default
// (SchemaUtil.copySchemaBasics).
func copyBasics(s *data.Schema, b *data.Builder) *data.Builder {
	b.Name(s.Name()).Doc(s.Doc()).Parameters(s.Parameters()...)
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	return b
}

// setField sets field i of a struct that is being made. Values are those of a field with the same schema, so that null alone needs a
// look: as in Java a required field refuses it even if it has a default.
func setField(row *data.Struct, f data.Field, v data.Value) error {
	if v.IsNull() && !f.Schema.Optional() {
		return data.Validate(f.Schema, v, f.Name)
	}
	row.Set(f.Index, v)
	return nil
}

// putField is setField for a value that may be of another schema.
func putField(row *data.Struct, f data.Field, v data.Value) error {
	if err := data.Validate(f.Schema, v, f.Name); err != nil {
		return err
	}
	row.Set(f.Index, v)
	return nil
}

// fieldOf returns field i of a struct: null becomes the default where defaults are wanted (KIP-1040).
func fieldOf(row *data.Struct, i int, defaults bool) data.Value {
	if defaults {
		return row.At(i)
	}
	return row.Raw(i)
}

// upsert sets an entry of a map that is being made.
func upsert(pairs []data.Pair, key string, v data.Value) []data.Pair {
	for i := range pairs {
		if k, ok := pairs[i].Key.Str(); ok && k == key {
			pairs[i].Value = v
			return pairs
		}
	}
	return append(pairs, data.Pair{Key: data.String(key), Value: v})
}

// copyOf makes a struct that begins with the fields of another.
func copyOf(old *data.Struct, s *data.Schema) (*data.Struct, error) {
	row, err := data.NewStruct(s)
	if err != nil {
		return nil, err
	}
	for i := range old.Len() {
		row.Set(i, old.Raw(i))
	}
	return row, nil
}
