package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Describer binds its fields to keys. Describe is called on a pointer, any
// number of times, and does nothing but declare: no I/O, no lasting effect. It
// may be called on a zero struct.
type Describer interface {
	Describe(d *Def)
}

// DescriberFunc is a function that describes.
type DescriberFunc func(d *Def)

// Describe calls the function.
func (f DescriberFunc) Describe(d *Def) { f(d) }

// A Checker is a Describer that checks what no single key can say. Check is
// pure: it runs in Decode and in Validate, after all keys are decoded. Keys that
// were in error hold their zero values then, and what Check says about these
// very keys is dropped. It returns KeyErrors, joined if there are several.
type Checker interface {
	Check() error
}

// A Prober is a Describer that can try its configuration against the world: a
// wrong password, a missing bucket. Probe runs in Validate only, when everything
// else is right, under the caller's deadline. It returns KeyErrors where it can
// name a key.
type Prober interface {
	Probe(ctx context.Context) error
}

// A Def collects the keys that a Describer declares. It is made by the functions
// of this package and of no use outside Describe.
type Def struct {
	s      *state
	prefix string
	// spoken is the part of prefix that checks leave out when they name a key:
	// an embedded plugin speaks of its own keys.
	spoken string
}

// state is one pass over a configuration.
type state struct {
	props, raw Props
	keys       []binding
	names      map[string]int
	outcomes   []outcome
	maps       []mapBinding
	checkers   []scoped[Checker]
	probers    []scoped[Prober]
	dynamics   []dynamic
	patterns   []pattern
	depth      int     // of the dynamic declaration under way
	wrong      []error // mistakes of the Describer itself
	embedding  int
}

// scoped is an ability of a Describer below a prefix.
type scoped[T any] struct {
	prefix string
	able   T
}

// Prefix declares the keys of sub below prefix, which usually ends with a dot.
func (d *Def) Prefix(prefix string, sub Describer) {
	child := &Def{s: d.s, prefix: d.prefix + prefix, spoken: d.spoken}
	child.describe(sub)
}

// Embed declares the keys of a plugin below prefix, as Kafka Connect embeds the
// keys of a transform into those of a connector: all in one group, in the order
// required, important, alphabetical, and numbered from order on. Messages of
// checks name the plugin's own key. Of two declarations of a key the first wins.
func (d *Def) Embed(prefix, group string, order int, sub Describer) {
	full := d.prefix + prefix
	child := &Def{s: d.s, prefix: full, spoken: full}
	start := len(d.s.keys)
	d.s.embedding++
	child.describe(sub)
	d.s.embedding--
	added := d.s.keys[start:]
	rank := map[string]int{"": 0}
	for _, k := range added {
		if g := k.base().group; rank[g] == 0 && g != "" {
			rank[g] = len(rank)
		}
	}
	slices.SortStableFunc(added, func(a, b binding) int { return compareKeys(a.base(), b.base(), rank) })
	for i, k := range added {
		b := k.base()
		b.group, b.order = group, order+i
		d.s.names[b.name] = start + i
	}
}

// Dynamic declares keys that depend on the values of others. The function is
// called when all keys declared so far are decoded, so that it can read the
// fields they are bound to, and declares further keys on d; these may be dynamic
// in turn. In Keys and Markdown, where there are no values, it is not called.
func (d *Def) Dynamic(declare func(d *Def)) {
	d.s.dynamics = append(d.s.dynamics, dynamic{func() { declare(d) }, d.s.depth + 1})
}

// Pattern documents the keys of sub below a prefix that has names of the user's in it, such as endpoint.<name>.: the
// reference shows them (Markdown, WriteReference). It declares no key: for a configuration that has the
// names, Dynamic does.
func (d *Def) Pattern(prefix string, sub Describer) {
	d.s.patterns = append(d.s.patterns, pattern{d.prefix + prefix, sub})
}

// pattern is one call of Pattern.
type pattern struct {
	prefix string
	sub    Describer
}

// Has tells whether the configuration under way has text for key. It is for
// Dynamic functions; false in Encode, Keys and Markdown.
func (d *Def) Has(key string) bool {
	_, ok := d.s.props.Get(d.prefix + key)
	return ok
}

// describe runs one Describer and notes what else it can do.
func (d *Def) describe(sub Describer) {
	if sub == nil {
		return
	}
	sub.Describe(d)
	if c, ok := sub.(Checker); ok {
		d.s.checkers = append(d.s.checkers, scoped[Checker]{d.prefix, c})
	}
	if p, ok := sub.(Prober); ok {
		d.s.probers = append(d.s.probers, scoped[Prober]{d.prefix, p})
	}
}

// add enters a key.
func (d *Def) add(k binding) {
	b := k.base()
	if _, twice := d.s.names[b.name]; twice {
		if d.s.embedding == 0 {
			d.s.wrong = append(d.s.wrong, fmt.Errorf("configuration %s is defined twice", b.name))
		}
		return
	}
	d.s.names[b.name] = len(d.s.keys)
	d.s.keys = append(d.s.keys, k)
}

// compareKeys is ConfigDef's order of the keys of an embedded plugin.
func compareKeys(a, b *base, groups map[string]int) int {
	return cmp.Or(
		cmp.Compare(groups[a.group], groups[b.group]),
		cmp.Compare(a.order, b.order),
		-compareBool(a.required(), b.required()),
		cmp.Compare(b.importance, a.importance),
		cmp.Compare(a.name, b.name),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// outcome is what became of one key.
type outcome struct {
	value  *string // printed back; nil where there is none or it is in error
	errs   []error
	absent bool // decoded from its default, or not at all
	// null tells that the value was Null. Decode takes it for absent, Validate
	// shows what Java's validators say of null.
	null     bool
	nullErrs []error
}

// maxDepth bounds dynamic keys that declare dynamic keys.
const maxDepth = 32

// declare collects the keys without decoding anything.
func declare(into Describer) *state {
	s := &state{names: map[string]int{}}
	(&Def{s: s}).describe(into)
	return s
}

// run declares and decodes, dynamic keys included.
func run(p, raw Props, into Describer) *state {
	s := &state{props: p, raw: raw, names: map[string]int{}}
	(&Def{s: s}).describe(into)
	s.expand(func() {
		for i := len(s.outcomes); i < len(s.keys); i++ {
			s.outcomes = append(s.outcomes, s.decodeKey(s.keys[i]))
		}
	})
	s.fillMaps()
	return s
}

// expand calls step on the keys declared so far, then runs the dynamic
// declarations one by one, with a step after each. What one declares comes
// before what its later siblings declare.
func (s *state) expand(step func()) {
	step()
	for len(s.dynamics) > 0 {
		next := s.dynamics[0]
		later := s.dynamics[1:]
		s.dynamics, s.depth = nil, next.depth
		if next.depth > maxDepth {
			s.wrong = append(s.wrong, errors.New("dynamic keys are nested too deeply"))
			return
		}
		next.declare()
		s.dynamics = append(s.dynamics, later...)
		step()
	}
}

// dynamic is a Dynamic function to run, and how deep it is nested.
type dynamic struct {
	declare func()
	depth   int
}

// decodeKey decodes one key from its text, its default or null.
func (s *state) decodeKey(k binding) outcome {
	name := k.base().name
	text, present := s.props[name]
	switch {
	case !present:
		return k.decodeAbsent()
	case text == Null:
		return k.decodeNull()
	}
	raw, ok := s.raw[name]
	if !ok {
		raw = text
	}
	return k.decode(text, raw)
}

// check runs the checks that span keys and returns what they found, by key.
func (s *state) check() []*KeyError {
	var found []*KeyError
	for _, c := range s.checkers {
		found = append(found, s.adopt(c.prefix, c.able.Check())...)
	}
	return found
}

// adopt turns the errors of a check or probe into errors with full keys. One
// that names no key is put on the first key below the prefix.
func (s *state) adopt(prefix string, err error) []*KeyError {
	var found []*KeyError
	for _, e := range flatten(err) {
		var ke *KeyError
		if !errors.As(e, &ke) {
			found = append(found, &KeyError{Key: s.firstBelow(prefix), Err: e})
			continue
		}
		full := *ke
		full.Key = prefix + ke.Key
		if full.Err == nil {
			full.Err = errors.New("is not valid")
		}
		if i, known := s.names[full.Key]; known {
			if s.keys[i].base().typ == TypePassword && full.Value != "" {
				full.Value = Hidden
			}
			if len(s.outcomes[i].errs) > 0 {
				continue // a consequence of what was said already
			}
		}
		found = append(found, &full)
	}
	return found
}

func (s *state) firstBelow(prefix string) string {
	for _, k := range s.keys {
		if name := k.base().name; len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return name
		}
	}
	return prefix
}
