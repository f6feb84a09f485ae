package cqlvalue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/data"
)

func (s *settings) collectionCodec(t gocql.CollectionType) (codec, error) {
	elem, err := s.codecOf(t.Elem)
	if err != nil {
		return nil, err
	}
	if t.Type() != gocql.TypeMap {
		return listCodec{elem: elem}, nil
	}
	key, err := s.codecOf(t.Key)
	if err != nil {
		return nil, err
	}
	return mapCodec{key: key, elem: elem}, nil
}

// appendSized appends a value behind its length; null is the length -1.
func appendSized(dst []byte, c codec, v data.Value, s *data.Schema) (out []byte, null bool, err error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	out, null, err = c.append(dst, v, s)
	if err != nil {
		return dst[:start], false, err
	}
	if null {
		return append(dst[:start], 0xff, 0xff, 0xff, 0xff), true, nil
	}
	size := len(out) - start - 4
	if size > math.MaxInt32 {
		return dst[:start], false, errors.New("a value of more than 2 GiB was found")
	}
	binary.BigEndian.PutUint32(out[start:], uint32(size))
	return out, false, nil
}

// appendElement is appendSized where null is not allowed.
func appendElement(dst []byte, c codec, v data.Value, s *data.Schema) ([]byte, error) {
	out, null, err := appendSized(dst, c, v, s)
	if err == nil && null {
		err = errors.New("null was found, which collections do not hold")
	}
	return out, err
}

// container returns the value that a text of a JSON array or object stands for, and
// any other value as it is. null reports a null, or a text of blanks.
func container(v data.Value, s *data.Schema, open, close string) (inside data.Value, schema *data.Schema, null bool, err error) {
	text, ok := v.Str()
	if !ok {
		return v, s, v.IsNull(), nil
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return v, nil, true, nil
	}
	if open != "" && !(strings.HasPrefix(text, open) && strings.HasSuffix(text, close)) {
		text = open + text + close
	}
	inside, err = readJSON(text)
	if err != nil {
		return v, nil, false, fmt.Errorf("the text %s was found, which is no JSON: %w", quoted(text), err)
	}
	return inside, nil, inside.IsNull(), nil
}

// listCodec is that of lists and sets, which look alike; doubles of sets are the
// server's to drop.
type listCodec struct{ elem codec }

func (c listCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	v, s, null, err := container(v, s, "[", "]")
	if err != nil || null {
		return dst, null, err
	}
	elems, ok := v.Array()
	if !ok {
		return dst, false, found(v, s, "an array, or a text of a JSON array")
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(elems)))
	elemSchema := s.ElemSchema()
	for i := range elems {
		if dst, err = appendElement(dst, c.elem, elems[i], elemSchema); err != nil {
			return dst, false, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return dst, false, nil
}

type mapCodec struct{ key, elem codec }

func (c mapCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	v, s, null, err := container(v, s, "{", "}")
	if err != nil || null {
		return dst, null, err
	}
	pairs, ok := v.Map()
	if !ok {
		return dst, false, found(v, s, "a map, or a text of a JSON object")
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(pairs)))
	keySchema, elemSchema := s.KeySchema(), s.ElemSchema()
	for i := range pairs {
		if dst, err = appendElement(dst, c.key, pairs[i].Key, keySchema); err != nil {
			return dst, false, fmt.Errorf("key %s: %w", describe(pairs[i].Key, keySchema), err)
		}
		if dst, err = appendElement(dst, c.elem, pairs[i].Value, elemSchema); err != nil {
			return dst, false, fmt.Errorf("value of key %s: %w", describe(pairs[i].Key, keySchema), err)
		}
	}
	return dst, false, nil
}

func (s *settings) tupleCodec(t gocql.TupleTypeInfo) (codec, error) {
	c := tupleCodec{settings: s}
	for _, e := range t.Elems {
		elem, err := s.codecOf(e)
		if err != nil {
			return nil, err
		}
		c.elems = append(c.elems, elem)
	}
	return c, nil
}

type tupleCodec struct {
	*settings
	elems []codec
}

func (c tupleCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	v, s, null, err := container(v, s, "", "")
	if err != nil || null {
		return dst, null, err
	}
	return c.appendByPlace(dst, v, s, c.elems, "an array or struct, or a text of a JSON array")
}

// appendByPlace appends the elements of an array, or the fields of a struct in
// their order.
func (s *settings) appendByPlace(dst []byte, v data.Value, schema *data.Schema, codecs []codec, allowed string) ([]byte, bool, error) {
	elems, isArray := v.Array()
	row, isStruct := v.Struct()
	count := len(elems)
	if isStruct {
		count = row.Len()
	}
	switch {
	case !isArray && !isStruct:
		return dst, false, found(v, schema, allowed)
	case count > len(codecs) && !s.allowAddition || count < len(codecs) && !s.allowMissing:
		return dst, false, fmt.Errorf("%d elements were found, where %d are allowed", count, len(codecs))
	}
	elemSchema := schema.ElemSchema()
	for i, c := range codecs {
		var elem data.Value
		switch {
		case i >= count:
		case isStruct:
			elem, elemSchema = row.At(i), row.Schema().Fields()[i].Schema
		default:
			elem = elems[i]
		}
		var err error
		if dst, _, err = appendSized(dst, c, elem, elemSchema); err != nil {
			return dst, false, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return dst, false, nil
}

func (s *settings) udtCodec(t gocql.UDTTypeInfo) (codec, error) {
	c := udtCodec{settings: s, name: quoteName(t.Name)}
	for _, f := range t.Elements {
		field, err := s.codecOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s of %s: %w", f.Name, c.name, err)
		}
		c.names, c.codecs = append(c.names, f.Name), append(c.codecs, field)
	}
	return c, nil
}

// udtCodec is that of user-defined types: of structs and maps by the names of
// their fields, of arrays by place.
type udtCodec struct {
	*settings
	name   string
	names  []string
	codecs []codec
}

const udtAllowed = "a struct, a map, an array, or a text of a JSON object or array"

func (c udtCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	v, s, null, err := container(v, s, "", "")
	if err != nil || null {
		return dst, null, err
	}
	switch v.Kind() {
	case data.KindArray:
		return c.appendByPlace(dst, v, s, c.codecs, udtAllowed)
	case data.KindStruct, data.KindMap:
	default:
		return dst, false, found(v, s, udtAllowed)
	}
	matched := 0
	for i, name := range c.names {
		value, schema, ok := member(v, s, name)
		if !ok && !c.allowMissing {
			return dst, false, fmt.Errorf("field %s is missing, which type %s has", name, c.name)
		}
		if ok {
			matched++
		}
		if dst, _, err = appendSized(dst, c.codecs[i], value, schema); err != nil {
			return dst, false, fmt.Errorf("field %s: %w", name, err)
		}
	}
	if !c.allowAddition && matched != memberCount(v) {
		return dst, false, fmt.Errorf("%s was found, which type %s has not", c.extra(v), c.name)
	}
	return dst, false, nil
}

// member returns a field of a struct, or what a map holds under a text.
func member(v data.Value, s *data.Schema, name string) (data.Value, *data.Schema, bool) {
	row, ok := v.Struct()
	if !ok {
		value, ok := v.Lookup(name)
		return value, s.ElemSchema(), ok
	}
	i := row.Schema().FieldIndex(name)
	if i < 0 {
		return data.Value{}, nil, false
	}
	return row.At(i), row.Schema().Fields()[i].Schema, true
}

func memberCount(v data.Value) int {
	if row, ok := v.Struct(); ok {
		return row.Len()
	}
	pairs, _ := v.Map()
	return len(pairs)
}

// extra names the fields of a value that the type does not have.
func (c udtCodec) extra(v data.Value) string {
	known := map[string]bool{}
	for _, name := range c.names {
		known[name] = true
	}
	var names []string
	if row, ok := v.Struct(); ok {
		for _, f := range row.Schema().Fields() {
			if !known[f.Name] {
				names = append(names, f.Name)
			}
		}
	}
	pairs, _ := v.Map()
	for _, p := range pairs {
		if name, ok := p.Key.Str(); !ok || !known[name] {
			names = append(names, p.Key.String())
		}
	}
	return "field " + shorten(strings.Join(names, ", "))
}

func (s *settings) vectorCodec(t gocql.VectorType) (codec, error) {
	elem, err := s.codecOf(t.SubType)
	if err != nil {
		return nil, err
	}
	return vectorCodec{elem: elem, dimensions: t.Dimensions, sized: !fixedSize(t.SubType)}, nil
}

// fixedSize reports whether vectors hold values of a type without their lengths.
// Types of Cassandra that do not declare a length, tinyint among them, have one
// in front of each value, though it is always the same.
func fixedSize(t gocql.TypeInfo) bool {
	if v, ok := t.(gocql.VectorType); ok {
		return fixedSize(v.SubType)
	}
	switch t.Type() {
	case gocql.TypeBigInt, gocql.TypeBoolean, gocql.TypeTimestamp, gocql.TypeDouble, gocql.TypeFloat, gocql.TypeInt, gocql.TypeUUID, gocql.TypeTimeUUID:
		return true
	}
	return false
}

type vectorCodec struct {
	elem       codec
	dimensions int
	sized      bool
}

func (c vectorCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	v, s, null, err := container(v, s, "", "")
	if err != nil || null {
		return dst, null, err
	}
	elems, ok := v.Array()
	if !ok {
		return dst, false, found(v, s, "an array, or a text of a JSON array")
	}
	if len(elems) != c.dimensions {
		return dst, false, fmt.Errorf("%d elements were found, where the vector has %d dimensions", len(elems), c.dimensions)
	}
	elemSchema := s.ElemSchema()
	for i := range elems {
		start := len(dst)
		if dst, null, err = c.elem.append(dst, elems[i], elemSchema); err == nil && null {
			err = errors.New("null was found, which vectors do not hold")
		}
		if err != nil {
			return dst, false, fmt.Errorf("element %d: %w", i, err)
		}
		if c.sized {
			dst = insertSize(dst, start)
		}
	}
	return dst, false, nil
}

// insertSize puts the length of what begins at a place in front of it.
func insertSize(dst []byte, start int) []byte {
	size := len(dst) - start
	width := uvintSize(uint64(size))
	for range width {
		dst = append(dst, 0)
	}
	copy(dst[start+width:], dst[start:start+size])
	appendUvint(dst[:start], uint64(size))
	return dst
}
