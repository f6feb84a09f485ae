package data

import (
	"errors"
	"strings"
)

// maxNesting is how deep containers may be nested in parsed text. Deeper ones count as plain text, for the depth comes from outside.
const maxNesting = 1000

// The schemas of containers without a common schema.
var (
	arrayOfAny = NewBuilder(KindArray).MustBuild()
	mapOfAny   = NewBuilder(KindMap).MustBuild()
)

// errNoValue says that a part of a container can not be read. The whole text is then a STRING.
var errNoValue = errors.New("not a value in Connect's notation")

// Parse infers a value and its schema from text, as Kafka Connect's Values.parseString does for headers. The text null is null with
// no schema; true and false are BOOLEAN; yyyy-MM-dd, HH:mm:ss.SSSZ and yyyy-MM-ddTHH:mm:ss.SSSZ are a Date, Time and Timestamp
// (read leniently, in UTC; only their length of 10, 13 and 24 is fixed); an exact integer is the smallest of INT8 to INT64; another
// number is FLOAT32 if it is finite as one, else FLOAT64, else a Decimal; [a,b] is an ARRAY and {k:v} a MAP, whose strings are in
// double quotes. All else is the text itself as STRING: Parse has no errors.
//
// The elements of a container get a common schema where there is one: the widest number, or that of the last element if all have one
// kind. Otherwise the schema of the container has no element schema.
//
// Some oddities are Java's, and kept: of text that goes on behind a number or container, as in 1,2, the rest does not count; inside of
// quotes backslashes stay, and blanks between two delimiters are lost. In one case the result is not Java's: blanks in front of a
// container that can not be read are a STRING of the whole text, where Java returns the blanks alone. Nor is text nested deeper than
// 1000 containers, which is a STRING.
func Parse(text string) (*Schema, Value) {
	if text == "" {
		return StringSchema, String(text)
	}
	return parseText(text, 0)
}

func parseText(text string, depth int) (*Schema, Value) {
	p := parser{tokenizer: tokenizer{text: text}}
	schema, v, err := p.parse(false, depth)
	if err != nil {
		return StringSchema, String(text)
	}
	return schema, v
}

// parser reads one text.
type parser struct{ tokenizer }

// parse reads one value. A nil schema beside no error is null. Only an embedded value is an error; what stands alone is a STRING.
func (p *parser) parse(embedded bool, depth int) (*Schema, Value, error) {
	switch {
	case !p.more():
		return nil, Value{}, nil
	case embedded && p.accept(`"`):
		schema, v := p.quoted(depth)
		return schema, v, nil
	case p.literal("null", embedded):
		return nil, Value{}, nil
	case p.literal("true", embedded):
		return BooleanSchema, Boolean(true), nil
	case p.literal("false", embedded):
		return BooleanSchema, Boolean(false), nil
	case p.accept("["):
		return p.array(depth + 1)
	case p.accept("{"):
		return p.mapping(depth + 1)
	}
	token := trim(p.next())
	if schema, v, ok := p.scalar(token); ok {
		return schema, v, nil
	}
	return nil, Value{}, errNoValue
}

// literal takes a token that stands for a value. On top level it must be all there is: true} is a STRING.
func (p *parser) literal(token string, embedded bool) bool {
	start := p.mark()
	if p.accept(token) && (embedded || !p.more()) {
		return true
	}
	p.rewind(start)
	return false
}

// quoted reads up to the closing quote, or the end. The text is a STRING, unless it is a date or time.
func (p *parser) quoted(depth int) (*Schema, Value) {
	var b strings.Builder
	for p.more() && !p.accept(`"`) {
		b.WriteString(p.next())
	}
	text := b.String()
	if text != "" && startsWithDigit(trim(text)) {
		if schema, v := parseText(text, depth); isTemporal(schema) {
			return schema, v
		}
	}
	return StringSchema, String(text)
}

// scalar reads a date, time, timestamp or number that starts with the token.
func (p *parser) scalar(token string) (*Schema, Value, bool) {
	if startsWithDigit(token) {
		if schema, v, ok := p.temporal(token); ok {
			return schema, v, true
		}
	} else if !strings.HasPrefix(token, "+") && !strings.HasPrefix(token, "-") {
		return nil, Value{}, false
	}
	d, problem := readDecimal(token)
	if problem != "" {
		return nil, Value{}, false
	}
	schema, v := numberOf(d)
	return schema, v, true
}

// temporal reads a date or time. Colons that are not escaped are delimiters, so it may be spread over five tokens.
func (p *parser) temporal(token string) (*Schema, Value, bool) {
	start := p.mark()
	if rest, ok := p.take(4); ok {
		if schema, v, ok := parseTemporal(token + rest); ok {
			return schema, v, true
		}
	}
	p.rewind(start)
	return parseTemporal(token)
}

// array reads the rest of an array, behind its opening bracket.
func (p *parser) array(depth int) (*Schema, Value, error) {
	if depth > maxNesting {
		return nil, Value{}, errNoValue
	}
	var common merger
	var elems []Value
	for p.more() {
		if p.accept("]") {
			return alignedArray(common.schema, elems)
		}
		if p.accept(",") {
			return nil, Value{}, errNoValue // an element is missing
		}
		schema, v, err := p.parse(true, depth)
		if err != nil {
			return nil, Value{}, err
		}
		common.add(schema)
		elems = append(elems, v)
		end := p.mark()
		if p.accept("]") {
			p.rewind(end)
		} else if !p.accept(",") {
			return nil, Value{}, errNoValue
		}
	}
	return nil, Value{}, errNoValue // not closed
}

// mapping reads the rest of a map, behind its opening brace.
func (p *parser) mapping(depth int) (*Schema, Value, error) {
	if depth > maxNesting {
		return nil, Value{}, errNoValue
	}
	var keys, values merger
	entries := newKeyIndex(nil)
	for p.more() {
		if p.accept("}") {
			return alignedMap(keys.schema, values.schema, entries.pairs)
		}
		if p.accept(",") {
			return nil, Value{}, errNoValue // an entry is missing
		}
		keySchema, key, err := p.parse(true, depth)
		if err != nil {
			return nil, Value{}, err
		}
		if key.IsNull() || !p.accept(":") {
			return nil, Value{}, errNoValue
		}
		schema, v, err := p.parse(true, depth)
		if err != nil {
			return nil, Value{}, err
		}
		entries.put(Pair{Key: key, Value: v})
		p.accept(",")
		keys.add(keySchema)
		values.add(schema)
	}
	return nil, Value{}, errNoValue // not closed
}

// merger finds the schema that the elements of a container have in common.
type merger struct {
	schema *Schema
	mixed  bool // there is none, and there will be none
}

// add takes another element into account. A nil schema, of null, says nothing.
func (m *merger) add(schema *Schema) {
	switch {
	case schema == nil || m.mixed:
	case m.schema == nil || m.schema.kind == schema.kind:
		m.schema = schema
	case !m.schema.kind.isNumber() || !schema.kind.isNumber():
		m.schema, m.mixed = nil, true
	case m.schema.kind < schema.kind:
		m.schema = schema
	}
}

// alignedArray converts the elements to their common schema.
func alignedArray(elem *Schema, elems []Value) (*Schema, Value, error) {
	if elem == nil {
		return arrayOfAny, ArrayOf(elems...), nil
	}
	for i := range elems {
		var err error
		if elems[i], err = Convert(nil, elems[i], elem); err != nil {
			return nil, Value{}, err
		}
	}
	return ArrayBuilder(elem).MustBuild(), ArrayOf(elems...), nil
}

// alignedMap converts keys and values to their common schemas. Keys that become equal are one key then.
func alignedMap(key, value *Schema, pairs []Pair) (*Schema, Value, error) {
	if key == nil {
		return mapOfAny, MapOf(pairs...), nil
	}
	schema := NewBuilder(KindMap).Key(key)
	if value != nil {
		schema.Elem(value)
	}
	aligned := newKeyIndex(nil)
	for _, p := range pairs {
		var err error
		if p.Key, err = Convert(nil, p.Key, key); err != nil {
			return nil, Value{}, err
		}
		if value != nil {
			if p.Value, err = Convert(nil, p.Value, value); err != nil {
				return nil, Value{}, err
			}
		}
		aligned.put(p)
	}
	return schema.MustBuild(), MapOf(aligned.pairs...), nil
}
