package jsonschema

import (
	"slices"

	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// sort is what a JSON Schema is, as the library behind JsonSchemaData sees it.
type sort uint8

const (
	isEmpty sort = iota + 1
	isNever
	isNull
	isBoolean
	isInteger
	isNumber
	isText
	isArray
	isObject
	isEnumeration
	isConstant
	isReference
	isOneOf // and anyOf
	isAllOf
	isOther // not, if
)

// shape is a schema, or one of the several that its keywords make of one.
type shape struct {
	sort sort
	node *jsontree.Node // of which attributes are read
	subs []shape        // of isOneOf and isAllOf
	bare bool           // one of several: the attributes are those of all together
}

var (
	objectWords = []string{"properties", "required", "minProperties", "maxProperties", "dependencies", "patternProperties", "additionalProperties", "propertyNames"}
	arrayWords  = []string{"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"}
	numberWords = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
	textWords   = []string{"minLength", "maxLength", "pattern", "format"}
)

// shapeOf looks at the keywords of a schema.
func shapeOf(n *jsontree.Node) shape {
	if n.Is(javajson.Boolean) {
		if n.True {
			return shape{sort: isEmpty, node: n}
		}
		return shape{sort: isNever, node: n}
	}
	if n.Get("$ref") != nil {
		return shape{sort: isReference, node: n}
	}
	var all []shape
	if c := combined(n); c != nil {
		all = append(all, c...)
	}
	if n.Get("enum") != nil {
		all = append(all, shape{sort: isEnumeration, node: n})
	}
	if n.Get("const") != nil {
		all = append(all, shape{sort: isConstant, node: n})
	}
	all = append(all, typed(n)...)
	if n.Get("not") != nil || n.Get("if") != nil {
		all = append(all, shape{sort: isOther, node: n})
	}
	switch len(all) {
	case 0:
		return shape{sort: isEmpty, node: n}
	case 1:
		return all[0]
	}
	for i := range all {
		all[i].bare = true
	}
	return shape{sort: isAllOf, node: n, subs: all}
}

func combined(n *jsontree.Node) (all []shape) {
	for _, word := range []string{"oneOf", "anyOf", "allOf"} {
		list := n.Get(word)
		if list == nil {
			continue
		}
		s := shape{sort: isOneOf, node: n}
		if word == "allOf" {
			s.sort = isAllOf
		}
		for _, item := range list.Items {
			s.subs = append(s.subs, shapeOf(item))
		}
		all = append(all, s)
	}
	return all
}

// typed returns what the word type says; without it, what words of one type say.
func typed(n *jsontree.Node) (all []shape) {
	names := map[string]sort{
		"null": isNull, "boolean": isBoolean, "integer": isInteger, "number": isNumber, "string": isText, "array": isArray, "object": isObject,
	}
	switch t := n.Get("type"); {
	case t.Is(javajson.String):
		if s, ok := names[t.Text]; ok {
			return []shape{{sort: s, node: n}}
		}
		return []shape{{sort: isOther, node: n}}
	case t.Is(javajson.Array):
		any := shape{sort: isOneOf, node: n}
		for _, item := range t.Items {
			name, _ := item.Str()
			any.subs = append(any.subs, shape{sort: names[name], node: n, bare: true})
		}
		return []shape{any}
	}
	for _, words := range []struct {
		list []string
		sort sort
	}{{objectWords, isObject}, {arrayWords, isArray}, {numberWords, isNumber}, {textWords, isText}} {
		if slices.ContainsFunc(words.list, func(w string) bool { return n.Get(w) != nil }) {
			all = append(all, shape{sort: words.sort, node: n})
		}
	}
	return all
}
