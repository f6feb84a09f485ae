package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// show runs an example and tells of the record before and after.
func (e *example) show(p connect.Plugin) (string, error) {
	var b strings.Builder
	b.WriteString("\n## Example\n\n```properties\n")
	kind := "transforms"
	if p.Kind() == connect.PredicatePlugin {
		kind = "predicates"
	}
	fmt.Fprintf(&b, "%s=example\n%s.example.type=%s\n", kind, kind, e.class)
	for _, key := range slices.Sorted(maps.Keys(e.props)) {
		fmt.Fprintf(&b, "%s.example.%s=%s\n", kind, key, strings.ReplaceAll(e.props[key], `\`, `\\`))
	}
	b.WriteString("```\n\n")
	r := e.record
	before := lines(r)
	if p.Kind() == connect.PredicatePlugin {
		x, err := p.NewPredicate(e.props)
		if err != nil {
			return "", err
		}
		holds, err := x.Test(context.Background(), &r)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "For this record it is %t:\n\n```text\n%s```\n", holds, before)
		return b.String(), nil
	}
	x, err := p.NewTransform(e.props)
	if err != nil {
		return "", err
	}
	keep, err := x.Apply(context.Background(), &r)
	switch {
	case err != nil:
		return "", err
	case !keep:
		fmt.Fprintf(&b, "This record is dropped:\n\n```text\n%s```\n", before)
	case lines(r) == before:
		fmt.Fprintf(&b, "This record stays as it is:\n\n```text\n%s```\n", before)
	default:
		fmt.Fprintf(&b, "Before:\n\n```text\n%s```\n\nAfter:\n\n```text\n%s```\n", before, lines(r))
	}
	return b.String(), nil
}

// lines writes a record for people.
func lines(r connect.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "topic      %s\n", r.Topic)
	if !r.Timestamp.IsZero() {
		fmt.Fprintf(&b, "timestamp  %s\n", r.Timestamp.UTC().Format(time.RFC3339))
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "header     %s: %s\n", h.Key, datum(h.Datum))
	}
	fmt.Fprintf(&b, "key        %s\n", datum(r.Key))
	fmt.Fprintf(&b, "value      %s\n", datum(r.Value))
	return b.String()
}

// datum writes what is under a schema, or without one.
func datum(d connect.Datum) string {
	if d.Schema == nil && d.Value.IsNull() {
		return "null"
	}
	return typed(d.Schema, d.Value, "           ")
}

// typed writes the type before the value, and a struct on several lines.
func typed(s *data.Schema, v data.Value, indent string) string {
	x, isStruct := v.Struct()
	if !isStruct {
		return typeOf(s, v) + " " + plain(v)
	}
	var b strings.Builder
	b.WriteString(typeOf(s, v))
	if version, ok := x.Schema().Version(); ok {
		fmt.Fprintf(&b, ", version %d", version)
	}
	b.WriteString(" {\n")
	for i, field := range x.Schema().Fields() {
		fmt.Fprintf(&b, "%s  %s: %s\n", indent, field.Name, typed(field.Schema, x.Raw(i), indent+"  "))
	}
	return b.String() + indent + "}"
}

func typeOf(s *data.Schema, v data.Value) string {
	if s == nil {
		if v.IsNull() {
			return "no schema,"
		}
		return "no schema, " + v.Kind().String()
	}
	name := s.Kind().String()
	if s.Name() != "" {
		name = s.Name()[strings.LastIndexByte(s.Name(), '.')+1:]
		if s.Kind() == data.KindStruct {
			name = "STRUCT " + s.Name()
		}
	}
	if s.Optional() {
		name = "optional " + name
	}
	return name
}

// plain writes a value in the way of JSON, bytes as text where they are some.
func plain(v data.Value) string {
	switch v.Kind() {
	case data.KindString:
		s, _ := v.Str()
		return strconv.Quote(s)
	case data.KindDate:
		ms, _ := v.Millis()
		return time.UnixMilli(ms).UTC().Format(time.RFC3339)
	case data.KindBytes:
		b, _ := v.Bytes()
		return strconv.QuoteToASCII(string(b))
	case data.KindArray:
		elems, _ := v.Array()
		var out []string
		for _, e := range elems {
			out = append(out, plain(e))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return v.String()
}
