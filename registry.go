package connect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect/config/framework"
)

// A registry finds plugins by the names that configurations use.
type registry struct {
	plugins []Plugin
	// infos has the same plugins as configurations see them.
	infos framework.Plugins
}

// newRegistry refuses broken plugins and two of the same kind, class and
// version.
func newRegistry(plugins []Plugin) (*registry, error) {
	var errs []error
	type id struct {
		kind           framework.Kind
		class, version string
	}
	seen := make(map[id]bool)
	r := &registry{plugins: slices.Clone(plugins)}
	for _, p := range plugins {
		if err := p.Err(); err != nil {
			errs = append(errs, err)
			continue
		}
		for _, kind := range p.frameworkKinds() {
			key := id{kind, p.info.Class, p.info.Version}
			if seen[key] {
				errs = append(errs, fmt.Errorf("plugin %q version %q is listed twice", key.class, key.version))
			}
			seen[key] = true
			r.infos = append(r.infos, framework.PluginInfo{
				Kind: kind, Class: p.info.Class, Aliases: p.aliases(), Version: p.info.Version, Config: p.describe,
			})
		}
	}
	return r, errors.Join(errs...)
}

// frameworkKinds are the kinds that the plugin can be named as: a converter may
// be a header converter too.
func (p Plugin) frameworkKinds() []framework.Kind {
	switch p.kind {
	case TransformPlugin:
		return []framework.Kind{framework.Transformation}
	case PredicatePlugin:
		return []framework.Kind{framework.Predicate}
	case ConverterPlugin:
		if p.header != nil {
			return []framework.Kind{framework.Converter, framework.HeaderConverter}
		}
		return []framework.Kind{framework.Converter}
	case HeaderConverterPlugin:
		return []framework.Kind{framework.HeaderConverter}
	}
	return []framework.Kind{framework.Connector}
}

// aliases are the names beside its class that choose the plugin: the Java
// classes that it stands for, and of each name the short forms of Java's
// PluginUtils, the simple name and the simple name without its kind.
func (p Plugin) aliases() []string {
	full := []string{p.info.Class}
	for _, j := range p.info.StandsFor {
		full = append(full, j.Class)
	}
	names := slices.Clone(full[1:])
	for _, name := range full {
		simple := name[strings.LastIndexByte(name, '.')+1:]
		names = append(names, simple)
		for _, kind := range p.frameworkKinds() {
			if short, ok := strings.CutSuffix(simple, string(kind)); ok && short != "" {
				names = append(names, short)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// find returns the newest plugin of the kind that a name means, within a range
// of versions; an empty range is any.
func (r *registry) find(kind framework.Kind, name, versions string) (Plugin, error) {
	info, err := r.infos.Find(kind, strings.TrimSpace(name), versions)
	if err != nil {
		return Plugin{}, fmt.Errorf("%s %q: %w: %w; available are: %s",
			strings.ToLower(string(kind)), name, ErrNotFound, err, strings.Join(r.infos.Classes(kind), ", "))
	}
	for _, p := range r.plugins {
		if p.info.Class == info.Class && p.info.Version == info.Version && slices.Contains(p.frameworkKinds(), kind) {
			return p, nil
		}
	}
	return Plugin{}, fmt.Errorf("%s %q: %w", kind, name, ErrNotFound)
}
