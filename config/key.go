package config

import (
	"slices"
	"strings"
)

// Importance says how much a key matters. The zero value is Low.
type Importance int8

// The importances.
const (
	Low Importance = iota
	Medium
	High
)

// String returns the importance as the REST interface prints it.
func (i Importance) String() string {
	switch i {
	case High:
		return "HIGH"
	case Medium:
		return "MEDIUM"
	}
	return "LOW"
}

// Width is the width of an input field that suits a key. The zero value is
// NoWidth.
type Width int8

// The widths.
const (
	NoWidth Width = iota
	ShortWidth
	MediumWidth
	LongWidth
)

// String returns the width as the REST interface prints it.
func (w Width) String() string {
	return [...]string{"NONE", "SHORT", "MEDIUM", "LONG"}[min(max(w, 0), 3)]
}

// base is what a key is, whatever its Go type.
type base struct {
	name        string // full
	spoken      string // as its checks name it
	typ         Type
	importance  Importance
	doc         string
	group       string
	order       int
	width       Width
	displayName string
	dependents  []string
	deprecated  string
	ignored     string
	hasDefault  bool
	optional    bool
	visible     func() bool
	settle      func() // brings the decoded variable into its canonical form
}

// required tells that the key has no default and may not be left out.
func (b *base) required() bool { return !b.hasDefault && !b.optional }

// binding is a Key of any type.
type binding interface {
	base() *base
	decode(text, raw string) outcome
	decodeAbsent() outcome
	decodeNull() outcome
	defaultText() *string
	encode() (text string, differs bool)
	recommended() []string
	checksText() []string
}

// codec goes between the text of a key and its Go value.
type codec[T any] struct {
	typ   Type
	parse func(text, raw string) (T, error)
	text  func(T) string // as written in Props and REST answers
	show  func(T) string // as messages print it
	equal func(a, b T) bool
	// stored is the text to write into Props; nil: as text.
	stored func(T) string
}

// A Key is one declared key, bound to a variable of type T. Its methods add to
// the declaration and return the key. A key without Default and without Optional
// is required.
type Key[T any] struct {
	b         base
	codec     codec[T]
	target    *T
	given     *bool
	def       T
	checks    []Check[T]
	recommend func() []T
}

// bind declares a key.
func bind[T any](d *Def, target *T, key string, c codec[T]) *Key[T] {
	full := d.prefix + key
	k := &Key[T]{codec: c, target: target}
	spoken := strings.TrimPrefix(full, d.spoken)
	k.b = base{name: full, spoken: spoken, typ: c.typ, order: -1, displayName: spoken}
	d.add(k)
	return k
}

// Default makes the key optional and gives the value that stands for its
// absence. A slice is copied.
func (k *Key[T]) Default(v T) *Key[T] {
	k.def, k.b.hasDefault = v, true
	return k
}

// Optional makes the key optional, without a value of its own: absent, the
// variable is the zero value (Java's default of null). Checks see only values
// that were given.
func (k *Key[T]) Optional() *Key[T] { k.b.optional = true; return k }

// Given lets *p tell, after decoding, whether there was text for the key.
func (k *Key[T]) Given(p *bool) *Key[T] { k.given = p; return k }

// Doc documents the key: whole sentences, with units and meaning of special
// values.
func (k *Key[T]) Doc(text string) *Key[T] { k.b.doc = text; return k }

// Importance says how much the key matters; Low otherwise.
func (k *Key[T]) Importance(i Importance) *Key[T] { k.b.importance = i; return k }

// Group puts the key under a heading, at a place within it. Keys without a group
// come without heading, in the order of declaration.
func (k *Key[T]) Group(name string, order int) *Key[T] {
	k.b.group, k.b.order = name, order
	return k
}

// Order sets the place of the key within its group; -1 otherwise.
func (k *Key[T]) Order(n int) *Key[T] { k.b.order = n; return k }

// Width proposes the width of an input field; NoWidth otherwise.
func (k *Key[T]) Width(w Width) *Key[T] { k.b.width = w; return k }

// DisplayName is the name for people; the key itself otherwise.
func (k *Key[T]) DisplayName(name string) *Key[T] { k.b.displayName = name; return k }

// Dependents names the keys whose values or visibility depend on this one.
func (k *Key[T]) Dependents(keys ...string) *Key[T] { k.b.dependents = keys; return k }

// Recommend proposes values. The function is called in Validate, when all keys
// are decoded.
func (k *Key[T]) Recommend(values func() []T) *Key[T] { k.recommend = values; return k }

// Visible tells whether the key matters under the values of the other keys. The
// function is called in Validate, when all keys are decoded. It changes what
// user interfaces show, not what is checked.
func (k *Key[T]) Visible(visible func() bool) *Key[T] { k.b.visible = visible; return k }

// Check adds checks; they run in order, each adds an error of its own.
func (k *Key[T]) Check(checks ...Check[T]) *Key[T] {
	k.checks = append(k.checks, checks...)
	return k
}

// Deprecated marks the key as leaving; the text says what to use instead. Ignored
// lists uses of it.
func (k *Key[T]) Deprecated(instead string) *Key[T] { k.b.deprecated = instead; return k }

// Ignored marks a key that is parsed and checked for the sake of configurations
// that have it, and has no effect; the reason says why. The function Ignored
// lists uses of it, for a warning.
func (k *Key[T]) Ignored(reason string) *Key[T] { k.b.ignored = reason; return k }

func (k *Key[T]) base() *base { return &k.b }

// decode parses and checks, and sets the variable where both went well.
func (k *Key[T]) decode(text, raw string) outcome {
	k.note(true)
	v, err := k.codec.parse(text, raw)
	if err != nil {
		var zero T
		*k.target = zero
		shown := text
		if k.b.typ == TypePassword {
			shown = Hidden
		}
		return outcome{errs: append([]error{invalid(k.b.name, k.b.name, shown, err)}, k.checkNull()...)}
	}
	*k.target = v
	printed := k.codec.text(v)
	return outcome{value: &printed, errs: k.check(v)}
}

func (k *Key[T]) decodeAbsent() outcome {
	k.note(false)
	var zero T
	switch {
	case k.b.hasDefault:
		*k.target = k.copyOf(k.def)
		printed := k.codec.text(k.def)
		return outcome{value: &printed, errs: k.check(k.def), absent: true}
	case k.b.optional:
		*k.target = zero
		return outcome{absent: true}
	}
	*k.target = zero
	return outcome{errs: append([]error{missing(k.b.name)}, k.checkNull()...), absent: true}
}

// decodeNull is for a JSON null: as if absent, but for REST answers there is no
// value.
func (k *Key[T]) decodeNull() outcome {
	out := k.decodeAbsent()
	out.value, out.null, out.nullErrs = nil, true, k.checkNull()
	return out
}

func (k *Key[T]) note(given bool) {
	if k.given != nil {
		*k.given = given
	}
}

// copyOf keeps a default slice from being shared with the decoded field.
func (k *Key[T]) copyOf(v T) T {
	if list, ok := any(v).([]string); ok {
		return any(slices.Clone(list)).(T)
	}
	return v
}

func (k *Key[T]) check(v T) []error {
	var errs []error
	for _, c := range k.checks {
		if reason := c.test(v, k.codec.text); reason != nil {
			errs = append(errs, invalid(k.b.name, k.b.spoken, k.codec.show(v), reason))
		}
	}
	return errs
}

// checkNull is what the checks say about the value null that Java's validators
// get where parsing failed or a required key is missing.
func (k *Key[T]) checkNull() []error {
	if k.b.optional {
		return nil
	}
	var errs []error
	for _, c := range k.checks {
		if c.null != nil {
			errs = append(errs, invalid(k.b.name, k.b.spoken, "null", c.null(k.codec.text)))
		}
	}
	return errs
}

func (k *Key[T]) defaultText() *string {
	if !k.b.hasDefault {
		return nil
	}
	t := k.codec.text(k.def)
	return &t
}

func (k *Key[T]) encode() (string, bool) {
	text := k.codec.text
	if k.codec.stored != nil {
		text = k.codec.stored
	}
	v := *k.target
	if k.b.hasDefault {
		return text(v), !k.codec.equal(v, k.def)
	}
	var zero T
	if k.given != nil && *k.given {
		return text(v), true
	}
	return text(v), k.b.required() || !k.codec.equal(v, zero)
}

func (k *Key[T]) recommended() []string {
	out := []string{}
	if k.recommend == nil {
		return out
	}
	for _, v := range k.recommend() {
		out = append(out, k.codec.text(v))
	}
	return out
}

func (k *Key[T]) checksText() []string {
	var out []string
	for _, c := range k.checks {
		if c.describe != nil {
			out = append(out, c.describe(k.codec.text))
		}
	}
	return out
}
