package transforms

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamlane/connect/data"
)

// A syntaxVersion says how the path of a field is written (KIP-821).
type syntaxVersion string

const (
	syntaxV1 syntaxVersion = "V1" // the whole text is one name
	syntaxV2 syntaxVersion = "V2" // dots lead into structs and maps
)

// A fieldPath leads to a field: the names on the way to it.
type fieldPath struct {
	text  string
	steps []string
}

// nestedPurpose names the walk along a path in errors, as in Java.
const nestedPurpose = "nested field access"

// errNoSteps is for the empty path in V2, which Java accepts and then fails with on each record.
var errNoSteps = errors.New("the path of the field is empty")

// parseFieldPath reads a path. In V2 a step that begins with a backtick goes up to a backtick before a dot or the end, and may contain
// dots; a backslash before such a backtick makes it a part of the name.
func parseFieldPath(text string, v syntaxVersion) (fieldPath, error) {
	p := fieldPath{text: text}
	if v == syntaxV1 {
		p.steps = []string{text}
		return p, nil
	}
	for pos := 0; pos < len(text); {
		step, next, err := readStep(text, pos)
		if err != nil {
			return p, err
		}
		p.steps = append(p.steps, step)
		pos = next
	}
	if strings.HasSuffix(text, ".") {
		p.steps = append(p.steps, "")
	}
	return p, nil
}

// readStep reads the step that starts at pos. It returns where the one behind the dot starts.
func readStep(text string, pos int) (step string, next int, err error) {
	if text[pos] != '`' {
		end := strings.IndexByte(text[pos:], '.')
		if end < 0 {
			return text[pos:], len(text), nil
		}
		return text[pos : pos+end], pos + end + 1, nil
	}
	var name strings.Builder
	start := pos + 1
	for i := start; ; i++ {
		at := strings.IndexByte(text[i:], '`')
		if at < 0 {
			return "", 0, openBacktick(text, pos)
		}
		i += at
		escaped, last := text[i-1] == '\\', i == len(text)-1
		switch {
		case last && escaped:
			return "", 0, openBacktick(text, pos)
		case last:
			name.WriteString(text[start:i])
			return name.String(), len(text), nil
		case text[i+1] != '.': // a part of the name
		case escaped:
			name.WriteString(text[start:i-1] + "`")
			start = i + 1
		default:
			name.WriteString(text[start:i])
			return name.String(), i + 2, nil
		}
	}
}

func openBacktick(text string, at int) error {
	return fmt.Errorf("Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at position %d to escape it", text, at) //nolint:staticcheck // Java's words
}

// A fieldPlace is where a path leads under one schema.
type fieldPlace struct {
	indexes []int
	schema  *data.Schema
}

// in finds the place under a schema. It reports false if a name on the way is not there.
func (p fieldPath) in(s *data.Schema) (place fieldPlace, ok bool, err error) {
	if len(p.steps) == 0 {
		return place, false, errNoSteps
	}
	for _, step := range p.steps {
		if s.Kind() != data.KindStruct {
			return place, false, dataError("Cannot look up fields on non-struct type %s, on the way to %q", s, p.text)
		}
		f, found := s.Field(step)
		if !found {
			return place, false, nil
		}
		place.indexes = append(place.indexes, f.Index)
		s = f.Schema
	}
	place.schema = s
	return place, true, nil
}

// of returns the value at the place. It is null where something on the way is null.
func (p fieldPlace) of(row *data.Struct, defaults bool) (data.Value, error) {
	last := len(p.indexes) - 1
	for _, i := range p.indexes[:last] {
		v := fieldOf(row, i, defaults)
		if v.IsNull() {
			return v, nil
		}
		var err error
		if row, err = requireStruct(v, nestedPurpose); err != nil {
			return data.Value{}, err
		}
	}
	return fieldOf(row, p.indexes[last], defaults), nil
}

// ofMap returns the value in schemaless data. It is null where something on the way is missing or null.
func (p fieldPath) ofMap(v data.Value) (data.Value, error) {
	if len(p.steps) == 0 {
		return data.Value{}, errNoSteps
	}
	last := len(p.steps) - 1
	for _, step := range p.steps[:last] {
		v, _ = v.Lookup(step)
		if v.IsNull() {
			return v, nil
		}
		if _, err := requireMap(v, nestedPurpose); err != nil {
			return data.Value{}, err
		}
	}
	v, _ = v.Lookup(p.steps[last])
	return v, nil
}
