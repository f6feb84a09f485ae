package objectstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// Compatibility says when the schema of records ends a file, and which records are brought into the file's schema
// (schema.compatibility).
type Compatibility string

// The compatibilities. Those with TRANSITIVE are as those without.
const (
	// NoCompatibility: each change of the schema ends a file.
	NoCompatibility    Compatibility = "NONE"
	Backward           Compatibility = "BACKWARD"
	Forward            Compatibility = "FORWARD"
	Full               Compatibility = "FULL"
	BackwardTransitive Compatibility = "BACKWARD_TRANSITIVE"
	ForwardTransitive  Compatibility = "FORWARD_TRANSITIVE"
	FullTransitive     Compatibility = "FULL_TRANSITIVE"
)

var errNoVersion = errors.New("the schema has no version")

// changes tells whether a record of schema s must not go into the file of schema current.
func (c Compatibility) changes(s, current *data.Schema) (bool, error) {
	if s == current || s != nil && current != nil && s.Equal(current) {
		return false, nil
	}
	if c == NoCompatibility || c == "" {
		return true, nil
	}
	if s == nil || current == nil {
		return false, fmt.Errorf("schema.compatibility=%s: records with and without a schema are in one file", c)
	}
	v, ok1 := s.Version()
	w, ok2 := current.Version()
	if !ok1 || !ok2 {
		return false, fmt.Errorf("schema.compatibility=%s: %w", c, errNoVersion)
	}
	if strings.HasPrefix(string(c), "FORWARD") {
		return v < w, nil
	}
	return v > w, nil
}

// project brings a record's value into the schema of its file.
func (c Compatibility) project(d connect.Datum, current *data.Schema) (connect.Datum, error) {
	if c == NoCompatibility || c == "" || d.Schema == current || d.Schema != nil && current != nil && d.Schema.Equal(current) {
		return d, nil
	}
	if _, err := c.changes(d.Schema, current); err != nil {
		return connect.Datum{}, err
	}
	v, err := data.Project(d.Schema, d.Value, current)
	if err != nil {
		return connect.Datum{}, fmt.Errorf("schema.compatibility=%s: %w", c, err)
	}
	return connect.Datum{Schema: current, Value: v}, nil
}
