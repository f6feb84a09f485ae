package config

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// placeholder is ConfigTransformer's pattern: provider up to the first colon, a
// path up to the next (there may be none), key up to the first brace.
var placeholder = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// HasPlaceholder tells whether a raw text holds a placeholder.
func HasPlaceholder(text string) bool { return placeholder.MatchString(text) }

// RestorePlaceholders returns the configuration with the raw text put back for
// each key that has a placeholder in raw: what is stored must not hold resolved
// secrets.
func RestorePlaceholders(p, raw Props) Props {
	out := p.Clone()
	for k, text := range raw {
		if _, ok := out[k]; ok && HasPlaceholder(text) {
			out[k] = text
		}
	}
	return out
}

// A Resolver replaces the placeholders of Props by what Providers hold. Make one
// with NewResolver; a nil Resolver replaces nothing. It is safe for concurrent
// use.
type Resolver struct {
	providers map[string]Provider
}

// NewResolver returns a resolver for providers by their names.
func NewResolver(providers map[string]Provider) *Resolver {
	return &Resolver{maps.Clone(providers)}
}

// Resolved is a configuration without placeholders, save those that nobody could
// replace.
type Resolved struct {
	Props Props
	// Raw is what came in.
	Raw Props
	// TTLs hold how long values hold, by place; no entry: for good.
	TTLs map[Place]time.Duration
	// Provided are the texts that took the place of placeholders.
	Provided []Secret
	// Unresolved lists the placeholders that stayed, because their provider or
	// key is not known: key and text.
	Unresolved []UnresolvedPlaceholder
}

// Place is where a provider was asked.
type Place struct{ Provider, Path string }

// UnresolvedPlaceholder is a placeholder that stayed in the value of Key.
type UnresolvedPlaceholder struct{ Key, Placeholder string }

// TTL returns the shortest time to live, and whether there is any.
func (r Resolved) TTL() (time.Duration, bool) {
	if len(r.TTLs) == 0 {
		return 0, false
	}
	return slices.Min(slices.Collect(maps.Values(r.TTLs))), true
}

// Resolve replaces placeholders. All keys of a provider and path are asked for
// in one call; calls are made one after the other, in alphabetical order.
// Replacement text is not looked at again. A placeholder whose provider or key
// is unknown stays as it is. The error of a provider ends the whole.
func (r *Resolver) Resolve(ctx context.Context, raw Props) (Resolved, error) {
	out := Resolved{Props: raw.Clone(), Raw: raw}
	if r == nil {
		return out, nil
	}
	values := map[Place]map[string]string{}
	wanted := r.wanted(raw)
	places := slices.SortedFunc(maps.Keys(wanted), func(a, b Place) int {
		return strings.Compare(a.Provider+":"+a.Path, b.Provider+":"+b.Path)
	})
	for _, at := range places {
		data, err := r.providers[at.Provider].Get(ctx, at.Path, slices.Sorted(maps.Keys(wanted[at])))
		if err != nil {
			return Resolved{}, fmt.Errorf("config provider %s, path %q: %w", at.Provider, at.Path, err)
		}
		values[at] = data.Values
		if data.Expires {
			if out.TTLs == nil {
				out.TTLs = map[Place]time.Duration{}
			}
			out.TTLs[at] = max(data.TTL, 0)
		}
	}
	for _, key := range raw.Keys() {
		out.Props[key] = placeholder.ReplaceAllStringFunc(raw[key], func(text string) string {
			at, name := parsePlaceholder(text)
			if v, ok := values[at][name]; ok {
				out.Provided = append(out.Provided, NewSecret(v))
				return v
			}
			out.Unresolved = append(out.Unresolved, UnresolvedPlaceholder{key, text})
			return text
		})
	}
	return out, nil
}

// wanted collects which keys are needed of which place.
func (r *Resolver) wanted(raw Props) map[Place]map[string]bool {
	wanted := map[Place]map[string]bool{}
	for _, text := range raw {
		for _, m := range placeholder.FindAllString(text, -1) {
			at, name := parsePlaceholder(m)
			if r.providers[at.Provider] == nil {
				continue
			}
			if wanted[at] == nil {
				wanted[at] = map[string]bool{}
			}
			wanted[at][name] = true
		}
	}
	return wanted
}

func parsePlaceholder(text string) (Place, string) {
	m := placeholder.FindStringSubmatch(text)
	return Place{m[1], m[3]}, m[4]
}

// Close closes the providers that have a Close method and returns their errors
// joined. The resolver is of no use afterwards.
func (r *Resolver) Close() error {
	if r == nil {
		return nil
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.providers)) {
		if c, ok := r.providers[name].(interface{ Close() error }); ok {
			if err := c.Close(); err != nil {
				errs = append(errs, fmt.Errorf("config provider %s: %w", name, err))
			}
		}
	}
	return joined(errs)
}
