package jsonschema

import (
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

// The names by which JsonSchemaData keeps in one world what only the other has.
const (
	idParam    = "io.confluent.connect.json.Id"
	enumParam  = "io.confluent.connect.json.Enum"
	oneOfName  = "io.confluent.connect.json.OneOf"
	ourPrefix  = "io.confluent.connect.json"
	oneOfField = oneOfName + ".field."
	nullMarker = "<NULL>"
	idPrefix   = "#id"

	generalUnion      = "org.apache.kafka.connect.data.Union"
	generalEnum       = "org.apache.kafka.connect.data.Enum"
	generalUnionName  = "connect_union_"
	generalUnionField = "connect_union_field_"

	propType       = "connect.type"
	propVersion    = "connect.version"
	propIndex      = "connect.index"
	propParameters = "connect.parameters"
	mapKey         = "key"
	mapValue       = "value"
)

// enumParam returns the parameter that makes an enum of a STRING.
func (o *options) enumParam() string {
	if o.generalized {
		return generalEnum
	}
	return enumParam
}

// isUnion tells whether a STRUCT stands for a oneOf.
func isUnion(s *data.Schema) bool {
	if s.Kind() != data.KindStruct {
		return false
	}
	_, general := s.Parameter(generalUnion)
	return general || s.Name() == oneOfName
}

func isEnum(s *data.Schema) bool {
	_, general := s.Parameter(generalEnum)
	_, ours := s.Parameter(enumParam)
	return s.Kind() == data.KindString && (general || ours)
}

// stringKeys tells whether a MAP is a JSON object.
func stringKeys(s *data.Schema) bool {
	return s.KeySchema().Kind() == data.KindString && !s.KeySchema().Optional()
}

// inHashOrder returns members in the order of a Java HashMap, which is the one in
// which Java writes them: so the same schema has the same text from either.
func inHashOrder(members []jsontree.Member) []jsontree.Member {
	size := 16
	for len(members) > size*3/4 {
		size *= 2
	}
	buckets := make([][]jsontree.Member, size)
	for _, m := range members {
		at := hash(m.Key) & uint32(size-1)
		buckets[at] = append(buckets[at], m)
	}
	out := make([]jsontree.Member, 0, len(members))
	for _, b := range buckets {
		out = append(out, b...)
	}
	return out
}

// hash is Java's of a text, spread as HashMap spreads it.
func hash(text string) uint32 {
	var h uint32
	for _, r := range text {
		if r > 0xffff {
			r -= 0x10000
			h = 31*(31*h+uint32(0xd800+r>>10)) + uint32(0xdc00+r&0x3ff)
			continue
		}
		h = 31*h + uint32(r)
	}
	return h ^ h>>16
}
