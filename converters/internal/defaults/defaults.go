// Package defaults puts the defaults of schemas in their places.
package defaults

import "github.com/streamlane/connect/data"

// InPlace returns the default of a schema; that of a STRUCT, which was made before
// the schema had a default, under the schema itself.
func InPlace(s *data.Schema) data.Value {
	row, ok := s.Default().Struct()
	if !ok {
		return s.Default()
	}
	x, err := data.NewStruct(s)
	if err != nil {
		return s.Default()
	}
	for i := range row.Len() {
		x.Set(i, row.Raw(i))
	}
	return data.StructOf(x)
}
