package transforms

import (
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A locator finds a field in structs and maps by a path whose steps are separated by dots.
type locator struct {
	path   fieldPath
	places schemaCache[located]
}

type located struct {
	fieldPlace
	there bool
}

// newLocator reads a path. Each dot leads further in, unless a field has the whole of it for its name.
func newLocator(path string) *locator {
	return &locator{path: fieldPath{text: path, steps: strings.Split(path, ".")}}
}

// find returns the field with its schema, and whether there is one. A null on the way gives null. Data that have no fields are an error.
func (l *locator) find(d connect.Datum) (field connect.Datum, there bool, err error) {
	if row, ok := d.Value.Struct(); ok {
		p, err := l.places.get(row.Schema(), func(s *data.Schema) (located, error) {
			if f, ok := s.Field(l.path.text); ok {
				return located{fieldPlace{[]int{f.Index}, f.Schema}, true}, nil
			}
			place, there, err := l.path.in(s)
			return located{place, there}, err
		})
		if err != nil || !p.there {
			return connect.Datum{}, false, err
		}
		v, err := p.of(row, true)
		return connect.Datum{Schema: p.schema, Value: v}, true, err
	}
	if _, ok := d.Value.Map(); !ok {
		return connect.Datum{}, false, dataError("want a STRUCT or MAP with the field %q, found %s", l.path.text, kindOf(d.Value))
	}
	v, ok := d.Value.Lookup(l.path.text)
	if ok {
		return connect.Datum{Value: v}, true, nil
	}
	v = d.Value
	for _, step := range l.path.steps {
		inner, ok := v.Lookup(step)
		if !ok {
			return connect.Datum{}, false, nil
		}
		v = inner
	}
	return connect.Datum{Value: v}, true, nil
}

// scalarText returns the text of a number, boolean or string.
func scalarText(v data.Value) (text string, ok bool) {
	switch k := v.Kind(); {
	case k == data.KindString, k == data.KindBoolean, k == data.KindDecimal, k >= data.KindInt8 && k <= data.KindFloat64:
		return v.String(), true
	}
	return "", false
}
