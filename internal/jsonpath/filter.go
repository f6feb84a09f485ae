package jsonpath

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// A filter decides on one value.
type filter func(r *run, v data.Value) bool

// An operand gives a value; false if there is none.
type operand func(r *run, v data.Value) (data.Value, bool)

// either reads terms joined by ||.
func (p *parser) either() (filter, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("brackets are nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.both()
	if err != nil {
		return nil, err
	}
	for {
		p.space()
		if !p.accept("||") {
			return left, nil
		}
		right, err := p.both()
		if err != nil {
			return nil, err
		}
		l := left
		left = func(r *run, v data.Value) bool { return l(r, v) || right(r, v) }
	}
}

// both reads terms joined by &&.
func (p *parser) both() (filter, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	for {
		p.space()
		if !p.accept("&&") {
			return left, nil
		}
		right, err := p.term()
		if err != nil {
			return nil, err
		}
		l := left
		left = func(r *run, v data.Value) bool { return l(r, v) && right(r, v) }
	}
}

// term reads a comparison, something in brackets, or the opposite of either.
func (p *parser) term() (filter, error) {
	p.space()
	if strings.HasPrefix(p.text[p.pos:], "!") && !strings.HasPrefix(p.text[p.pos:], "!=") {
		p.pos++
		if p.depth++; p.depth > maxNesting {
			return nil, p.fail("negations are nested too deeply")
		}
		defer func() { p.depth-- }()
		f, err := p.term()
		return func(r *run, v data.Value) bool { return !f(r, v) }, err
	}
	if p.accept("(") {
		f, err := p.either()
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.accept(")") {
			return nil, p.fail("want a closing bracket")
		}
		return f, nil
	}
	return p.comparison()
}

// operators are in the order in which they are tried: longer ones first.
var operators = []string{"==", "!=", "<=", ">=", "=~", "<", ">"}

// words are operators that are names.
var words = []string{"in", "nin", "contains", "anyof", "noneof", "subsetof", "size", "empty"}

func (p *parser) comparison() (filter, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.space()
	op := p.operator()
	switch op {
	case "":
		return func(r *run, v data.Value) bool { _, ok := left(r, v); return ok }, nil
	case "=~":
		return p.matching(left)
	}
	p.space()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	test := tests[op]
	return func(r *run, v data.Value) bool {
		a, aok := left(r, v)
		b, bok := right(r, v)
		if op == "!=" {
			return aok != bok || aok && test(a, b)
		}
		return aok && bok && r.afford(length(a)*length(b)) && test(a, b)
	}, nil
}

// length is that of a list, and 1 of all else.
func length(v data.Value) int {
	elems, _ := v.Array()
	return max(1, len(elems))
}

func (p *parser) operator() string {
	for _, op := range operators {
		if p.accept(op) {
			return op
		}
	}
	rest := p.text[p.pos:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(rest)
	}
	for _, w := range words {
		if strings.EqualFold(rest[:end], w) {
			p.pos += end
			return w
		}
	}
	return ""
}

// matching reads a regular expression between slashes, with its flags.
func (p *parser) matching(left operand) (filter, error) {
	p.space()
	if !p.accept("/") {
		return nil, p.fail("want a regular expression between slashes")
	}
	var b strings.Builder
	for {
		if p.pos >= len(p.text) {
			return nil, p.fail("the regular expression is never closed")
		}
		if p.accept(`\/`) {
			b.WriteByte('/')
			continue
		}
		if p.accept("/") {
			break
		}
		b.WriteByte(p.text[p.pos])
		p.pos++
	}
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("idmsuxU", p.text[p.pos]) >= 0 {
		p.pos++
	}
	expr := b.String()
	if flags := p.text[start:p.pos]; flags != "" {
		expr = "(?" + flags + ")" + expr
	}
	re, err := javaregex.Compile(expr)
	if err != nil {
		return nil, p.fail("%v", err)
	}
	return func(r *run, v data.Value) bool {
		l, _ := left(r, v)
		s, ok := l.Str()
		if !ok {
			return false
		}
		matches, err := re.Matches(s)
		if err != nil && r.err == nil {
			r.err = err
		}
		return matches
	}, nil
}

// operand reads a path or a constant.
func (p *parser) operand() (operand, error) {
	p.space()
	if p.pos >= len(p.text) {
		return nil, p.fail("want a path or a value")
	}
	switch c := p.text[p.pos]; {
	case c == '@' || c == '$':
		return p.pathOperand()
	case c == '\'' || c == '"':
		s, err := p.quoted()
		return constant(data.String(s)), err
	case c == '[':
		return p.list()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for word, v := range map[string]data.Value{"true": data.Boolean(true), "false": data.Boolean(false), "null": {}} {
		if p.accept(word) {
			return constant(v), nil
		}
	}
	return nil, p.fail("want @, $, a number, text in quotes, true, false, null or a list")
}

func constant(v data.Value) operand {
	return func(*run, data.Value) (data.Value, bool) { return v, true }
}

// pathOperand reads a path from @ or $. One that may lead to several values gives a list.
func (p *parser) pathOperand() (operand, error) {
	fromRoot := p.text[p.pos] == '$'
	p.pos++
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("filters are nested too deeply")
	}
	defer func() { p.depth-- }()
	var path Path
	if err := p.steps(&path); err != nil {
		return nil, err
	}
	definite := path.Definite()
	return func(r *run, v data.Value) (data.Value, bool) {
		if fromRoot {
			v = r.root
		}
		found := path.find(r, v)
		switch {
		case !definite:
			return data.ArrayOf(found...), len(found) > 0
		case len(found) == 0:
			return data.Value{}, false
		}
		return found[0], true
	}, nil
}

// find is Find from another value than the root, where null is a value.
func (p *Path) find(r *run, v data.Value) []data.Value {
	found := []data.Value{v}
	for i := range p.steps {
		var next []data.Value
		for _, v := range found {
			next = p.steps[i].append(next, r, v, 0)
		}
		found = next
	}
	return p.counted(found)
}

func (p *parser) list() (operand, error) {
	p.pos++
	var elems []data.Value
	for {
		p.space()
		if p.accept("]") {
			return constant(data.ArrayOf(elems...)), nil
		}
		if len(elems) > 0 && !p.accept(",") {
			return nil, p.fail("want a comma or a closing bracket")
		}
		p.space()
		if strings.HasPrefix(p.text[p.pos:], "@") || strings.HasPrefix(p.text[p.pos:], "$") || strings.HasPrefix(p.text[p.pos:], "[") {
			return nil, p.fail("want a constant: lists are of constants")
		}
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		v, _ := o(nil, data.Value{})
		elems = append(elems, v)
	}
}

func (p *parser) number() (operand, error) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-0123456789.eE", p.text[p.pos]) >= 0 {
		p.pos++
	}
	text := p.text[start:p.pos]
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return constant(data.Int64(n)), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.pos = start
		return nil, p.fail("want a number")
	}
	return constant(data.Float64(f)), nil
}

// tests compare two values that are there.
var tests = map[string]func(l, r data.Value) bool{
	"==":       equal,
	"!=":       func(l, r data.Value) bool { return !equal(l, r) },
	"<":        func(l, r data.Value) bool { c, ok := compare(l, r); return ok && c < 0 },
	"<=":       func(l, r data.Value) bool { c, ok := compare(l, r); return ok && c <= 0 },
	">":        func(l, r data.Value) bool { c, ok := compare(l, r); return ok && c > 0 },
	">=":       func(l, r data.Value) bool { c, ok := compare(l, r); return ok && c >= 0 },
	"in":       func(l, r data.Value) bool { return contains(r, l) },
	"nin":      func(l, r data.Value) bool { return !contains(r, l) },
	"contains": holds,
	"anyof":    func(l, r data.Value) bool { return anyIn(l, r) },
	"noneof":   func(l, r data.Value) bool { return !anyIn(l, r) },
	"subsetof": subset,
	"size":     func(l, r data.Value) bool { return sizeIs(l, r) },
	"empty":    isEmpty,
}

// numberOf returns the number that a value is; a date counts as its milliseconds.
func numberOf(v data.Value) (data.Decimal, bool) {
	if n, ok := v.Int(); ok {
		return data.DecimalFromInt64(n, 0), true
	}
	if f, ok := v.Float(); ok {
		d, err := data.DecimalOfFloat64(f)
		return d, err == nil
	}
	if ms, ok := v.Millis(); ok {
		return data.DecimalFromInt64(ms, 0), true
	}
	return v.Decimal()
}

func equal(l, r data.Value) bool {
	if c, ok := compare(l, r); ok {
		return c == 0
	}
	return data.Equal(l, r)
}

// compare orders numbers and texts.
func compare(l, r data.Value) (int, bool) {
	if a, ok := l.Int(); ok {
		if b, ok := r.Int(); ok {
			return cmp.Compare(a, b), true
		}
	}
	if a, ok := numberOf(l); ok {
		b, ok := numberOf(r)
		return a.Cmp(b), ok
	}
	a, aok := l.Str()
	b, bok := r.Str()
	return cmp.Compare(a, b), aok && bok
}

func contains(list, v data.Value) bool {
	elems, _ := list.Array()
	for _, e := range elems {
		if equal(e, v) {
			return true
		}
	}
	return false
}

// holds tells whether a list has an element, or a text a part.
func holds(l, r data.Value) bool {
	if s, ok := l.Str(); ok {
		part, ok := r.Str()
		return ok && strings.Contains(s, part)
	}
	return contains(l, r)
}

func anyIn(l, r data.Value) bool {
	elems, _ := l.Array()
	for _, e := range elems {
		if contains(r, e) {
			return true
		}
	}
	return false
}

func subset(l, r data.Value) bool {
	elems, ok := l.Array()
	for _, e := range elems {
		ok = ok && contains(r, e)
	}
	return ok
}

func sizeIs(l, r data.Value) bool {
	n, ok := size(l)
	want, isInt := r.Int()
	return ok && isInt && int64(n) == want
}

func isEmpty(l, r data.Value) bool {
	n, ok := size(l)
	want, isBool := r.Bool()
	return ok && isBool && (n == 0) == want
}
