package jsonpath

import (
	"errors"
	"slices"

	"github.com/streamlane/connect/data"
)

// A Path is a compiled JSONPath. It is safe for concurrent use.
type Path struct {
	text  string
	steps []step
	count bool // length() at the end
}

// A step leads from one value to others.
type step struct {
	names   []string // members by name
	indexes []int    // elements by position
	slice   *slice
	all     bool // *
	filter  filter
	deep    bool // .. before it
}

// A slice is a range of positions; nil: open.
type slice struct{ from, to *int }

// definite tells whether the step leads to one value at most.
func (s *step) definite() bool {
	return !s.deep && !s.all && s.slice == nil && s.filter == nil && len(s.names)+len(s.indexes) == 1
}

// String returns the text that the path was compiled from.
func (p *Path) String() string { return p.text }

// Definite tells whether the path leads to one value at most.
func (p *Path) Definite() bool {
	return !slices.ContainsFunc(p.steps, func(s step) bool { return !s.definite() })
}

// maxVisits bounds what it takes to evaluate a path on one document, for each .. and each filter within a filter may multiply it.
const maxVisits = 1_000_000

// maxDepth bounds the levels that .. goes down.
const maxDepth = 1000

// ErrCostly is for paths that visit too many values.
var ErrCostly = errors.New("the path comes to more than 1000000 values")

// A run is one evaluation.
type run struct {
	root   data.Value
	visits int
	err    error
}

// afford counts n visits. It reports false when the evaluation is at its end.
func (r *run) afford(n int) bool {
	if r.visits += n; r.visits > maxVisits && r.err == nil {
		r.err = ErrCostly
	}
	return r.err == nil
}

// Find returns what the path leads to. missing tells that something on its definite part, before the first step that may lead to several
// values, is not there, or null. Within filters what is missing does not match.
func (p *Path) Find(root data.Value) (found []data.Value, missing bool, err error) {
	r := &run{root: root}
	found = []data.Value{root}
	definite := true
	for i := range p.steps {
		s := &p.steps[i]
		definite = definite && s.definite()
		var next []data.Value
		for _, v := range found {
			next = s.append(next, r, v, 0)
		}
		found = next
		if definite && (len(found) == 0 || found[0].IsNull()) {
			return nil, true, nil
		}
	}
	return p.counted(found), false, r.err
}

// counted applies length() at the end of a path.
func (p *Path) counted(found []data.Value) []data.Value {
	if !p.count || len(found) != 1 {
		return found
	}
	n, ok := size(found[0])
	if !ok {
		return nil
	}
	return []data.Value{data.Int64(int64(n))}
}

// append adds what the step leads to from one value.
func (s *step) append(out []data.Value, r *run, v data.Value, depth int) []data.Value {
	if !r.afford(1) || depth > maxDepth {
		return out
	}
	out = s.appendHere(out, r, v)
	if !s.deep {
		return out
	}
	each(v, func(child data.Value) {
		out = s.append(out, r, child, depth+1)
	})
	return out
}

func (s *step) appendHere(out []data.Value, r *run, v data.Value) []data.Value {
	for _, name := range s.names {
		if m, ok := member(v, name); ok {
			out = append(out, m)
		}
	}
	elems, isArray := v.Array()
	for _, i := range s.indexes {
		if i < 0 {
			i += len(elems)
		}
		if i >= 0 && i < len(elems) {
			out = append(out, elems[i])
		}
	}
	switch {
	case s.slice != nil:
		from, to := s.slice.bounds(len(elems))
		out = append(out, elems[from:to]...)
	case s.all:
		each(v, func(child data.Value) { out = append(out, child) })
	case s.filter != nil && isArray && !s.deep: // .. comes to the elements itself
		for _, e := range elems {
			if s.filter(r, e) {
				out = append(out, e)
			}
		}
	case s.filter != nil && isObject(v) && s.filter(r, v):
		out = append(out, v)
	}
	return out
}

// bounds returns positions within n elements.
func (s *slice) bounds(n int) (from, to int) {
	at := func(p *int, open int) int {
		if p == nil {
			return open
		}
		i := *p
		if i < 0 {
			i += n
		}
		return min(max(i, 0), n)
	}
	from, to = at(s.from, 0), at(s.to, n)
	return from, max(from, to)
}

func isObject(v data.Value) bool { return v.Kind() == data.KindStruct || v.Kind() == data.KindMap }

// member returns a field of a struct, or the entry of a map.
func member(v data.Value, name string) (data.Value, bool) {
	if row, ok := v.Struct(); ok {
		return row.Get(name)
	}
	return v.Lookup(name)
}

// each visits elements, fields and entries.
func each(v data.Value, visit func(data.Value)) {
	if row, ok := v.Struct(); ok {
		for i := range row.Len() {
			visit(row.At(i))
		}
		return
	}
	if pairs, ok := v.Map(); ok {
		for i := range pairs {
			visit(pairs[i].Value)
		}
		return
	}
	elems, _ := v.Array()
	for i := range elems {
		visit(elems[i])
	}
}

// size returns the number of elements, members or characters.
func size(v data.Value) (int, bool) {
	switch v.Kind() {
	case data.KindStruct:
		row, _ := v.Struct()
		return row.Len(), true
	case data.KindMap:
		pairs, _ := v.Map()
		return len(pairs), true
	case data.KindArray:
		elems, _ := v.Array()
		return len(elems), true
	case data.KindString:
		s, _ := v.Str()
		return len([]rune(s)), true
	}
	return 0, false
}
