package config

import (
	"context"
	"slices"
)

// Result is the answer of a validation: what PUT
// /connector-plugins/{plugin}/config/validate shows.
type Result struct {
	Name       string        `json:"name"`
	ErrorCount int           `json:"error_count"`
	Groups     []string      `json:"groups"`
	Configs    []ConfigValue `json:"configs"`
}

// ConfigValue is one key in a Result. Definition is nil for a value whose key is
// not declared.
type ConfigValue struct {
	Definition *KeyInfo  `json:"definition"`
	Value      ValueInfo `json:"value"`
}

// ValueInfo is what became of the value of a key. Value is nil where there is
// none or it could not be parsed; a secret shows as Hidden.
type ValueInfo struct {
	Name              string   `json:"name"`
	Value             *string  `json:"value"`
	RecommendedValues []string `json:"recommended_values"`
	Errors            []string `json:"errors"`
	Visible           bool     `json:"visible"`
}

// Validate checks p as Decode does and answers key by key, in the order of
// declaration, undeclared keys first. A Checker's errors stand beside the keys
// that they name; a Prober runs last, if there is no error so far, under ctx.
// The fields of d hold the decoded configuration afterwards. A value of Null is
// checked as Java checks null; see the package framework for the error that
// Kafka Connect adds. Name is empty.
func Validate(ctx context.Context, p Props, d Describer) Result {
	s := run(p, p, d)
	s.settle()
	found := s.check()
	r := s.result()
	r.addAll(found)
	if off, _ := ctx.Value(probesOff{}).(bool); r.ErrorCount == 0 && len(s.wrong) == 0 && !off {
		for _, pr := range s.probers {
			r.addAll(s.adopt(pr.prefix, pr.able.Probe(ctx)))
		}
	}
	for _, e := range s.wrong {
		r.AddError(s.firstBelow(""), e.Error())
	}
	return r
}

// Probing returns a context under which Validate calls Probers, or does not. It is for workers that start with
// configurations which they were given: a system that is away for the moment is no reason to refuse them. Without it
// Validate does.
func Probing(ctx context.Context, on bool) context.Context {
	return context.WithValue(ctx, probesOff{}, !on)
}

type probesOff struct{}

func (s *state) result() Result {
	r := Result{Groups: []string{}, Configs: make([]ConfigValue, 0, len(s.keys))}
	for i, k := range s.keys {
		info := infoOf(k)
		if info.Group != "" && !slices.Contains(r.Groups, info.Group) {
			r.Groups = append(r.Groups, info.Group)
		}
		b, out := k.base(), s.outcomes[i]
		v := ValueInfo{Name: b.name, Value: out.value, RecommendedValues: k.recommended(), Errors: []string{}, Visible: true}
		if b.visible != nil {
			v.Visible = b.visible()
		}
		errs := out.errs
		if out.null {
			errs = out.nullErrs
		}
		for _, e := range errs {
			v.Errors = append(v.Errors, e.Error())
		}
		r.ErrorCount += len(v.Errors)
		r.Configs = append(r.Configs, ConfigValue{&info, v})
	}
	return r
}

func (r *Result) addAll(found []*KeyError) {
	for _, e := range found {
		r.AddError(e.Key, e.message())
	}
}

// Find returns the entry of a key, to be changed in place, or nil.
func (r *Result) Find(key string) *ConfigValue {
	for i := range r.Configs {
		if r.Configs[i].Value.Name == key {
			return &r.Configs[i]
		}
	}
	return nil
}

// AddError puts an error beside a key and counts it. A key that is not declared
// gets an entry without definition, before all others.
func (r *Result) AddError(key, message string) {
	c := r.Find(key)
	if c == nil {
		r.Configs = slices.Insert(r.Configs, r.undeclared(), ConfigValue{
			Value: ValueInfo{Name: key, RecommendedValues: []string{}, Errors: []string{}, Visible: true}})
		c = r.Find(key)
	}
	c.Value.Errors = append(c.Value.Errors, message)
	r.ErrorCount++
}

// undeclared counts the entries without definition; they come first.
func (r *Result) undeclared() int {
	n := 0
	for n < len(r.Configs) && r.Configs[n].Definition == nil {
		n++
	}
	return n
}

// Prefixed returns the answer with prefix before each key, as Kafka Connect puts
// the keys of a converter into the answer for a connector.
func (r Result) Prefixed(prefix string) Result {
	out := r
	out.Configs = make([]ConfigValue, len(r.Configs))
	for i, c := range r.Configs {
		c.Value.Name = prefix + c.Value.Name
		if c.Definition != nil {
			def := *c.Definition
			def.Name = prefix + def.Name
			c.Definition = &def
		}
		out.Configs[i] = c
	}
	return out
}

// Merge puts the entries of other into the answer: for a key that is in both,
// other's takes the place; further ones follow behind, those without definition
// go in front. Errors are counted anew, groups united.
func (r *Result) Merge(other Result) {
	for _, g := range other.Groups {
		if !slices.Contains(r.Groups, g) {
			r.Groups = append(r.Groups, g)
		}
	}
	for _, c := range other.Configs {
		have := r.Find(c.Value.Name)
		if have != nil && have.Definition == nil && c.Definition != nil {
			// It moves from the undeclared ones to its place among the others.
			r.Configs = slices.DeleteFunc(r.Configs, func(v ConfigValue) bool { return v.Value.Name == c.Value.Name })
			have = nil
		}
		switch {
		case have != nil:
			*have = c
		case c.Definition == nil:
			r.Configs = slices.Insert(r.Configs, r.undeclared(), c)
		default:
			r.Configs = append(r.Configs, c)
		}
	}
	r.ErrorCount = 0
	for _, c := range r.Configs {
		r.ErrorCount += len(c.Value.Errors)
	}
}
