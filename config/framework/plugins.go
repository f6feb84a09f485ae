package framework

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// Kind is what a plugin is, in the words of Java's interfaces.
type Kind string

// The kinds of plugins.
const (
	Connector       Kind = "Connector"
	Converter       Kind = "Converter"
	HeaderConverter Kind = "HeaderConverter"
	Transformation  Kind = "Transformation"
	Predicate       Kind = "Predicate"
)

// PluginInfo is one plugin, as far as configurations are concerned.
type PluginInfo struct {
	Kind Kind
	// Class is the plugin's own name; answers show it.
	Class string
	// Aliases are further names that choose it.
	Aliases []string
	Version string
	// Config returns a new configuration, to be filled. Nil: the plugin has no
	// keys.
	Config func() config.Describer
}

// Plugins are the plugins of a worker. An empty list knows none: then every
// class is taken as given, and only the framework's own keys are declared.
type Plugins []PluginInfo

// has tells whether a name belongs to the plugin.
func (p PluginInfo) has(name string) bool {
	return p.Class == name || slices.Contains(p.Aliases, name)
}

// Named returns the plugins that a name may mean: those of the kind, or of any
// kind if none of it has the name.
func (ps Plugins) Named(kind Kind, name string) Plugins {
	var all, ofKind Plugins
	for _, p := range ps {
		if !p.has(name) {
			continue
		}
		all = append(all, p)
		if p.Kind == kind {
			ofKind = append(ofKind, p)
		}
	}
	if ofKind != nil {
		return ofKind
	}
	return all
}

// Find returns the newest plugin of the kind that a name means, within a range
// of versions; "" and latest mean any. Errors are in Kafka Connect's words.
func (ps Plugins) Find(kind Kind, name, version string) (PluginInfo, error) {
	named := ps.Named(kind, name)
	if len(named) == 0 {
		return PluginInfo{}, fmt.Errorf("Class %s could not be found.", name)
	}
	if named[0].Kind != kind {
		return PluginInfo{}, fmt.Errorf("Class %s does not implement the %s interface", named[0].Class, kind)
	}
	r, err := ParseVersionRange(version)
	if err != nil {
		return PluginInfo{}, err
	}
	slices.SortStableFunc(named, func(a, b PluginInfo) int { return CompareVersions(b.Version, a.Version) })
	for _, p := range named {
		if r.Contains(p.Version) {
			return p, nil
		}
	}
	return PluginInfo{}, noVersionError(fmt.Sprintf("Plugin %s not found that matches the version range %s, available versions: [%s]",
		named[0].Class, r, strings.Join(ps.Versions(kind, name), ", ")))
}

// ErrNoVersion is wrapped by the errors of Plugins.Find about a plugin that is
// there, in other versions than those asked for.
var ErrNoVersion = errors.New("no such version")

// noVersionError is an ErrNoVersion in Kafka Connect's words.
type noVersionError string

func (e noVersionError) Error() string   { return string(e) }
func (noVersionError) Is(err error) bool { return err == ErrNoVersion }

// Versions lists the versions of a plugin, oldest first.
func (ps Plugins) Versions(kind Kind, name string) []string {
	var out []string
	for _, p := range ps.Named(kind, name) {
		if p.Kind == kind {
			out = append(out, p.Version)
		}
	}
	slices.SortFunc(out, CompareVersions)
	return slices.Compact(out)
}

// Classes lists the classes of a kind in alphabetical order.
func (ps Plugins) Classes(kind Kind) []string {
	var out []string
	for _, p := range ps {
		if p.Kind == kind {
			out = append(out, p.Class)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// class declares a key that names a plugin. Its variable gets the plugin's own
// name, or the name as given if there are no plugins to look it up in.
func (ps Plugins) class(d *config.Def, p *string, key string, kind Kind) *config.Key[string] {
	if len(ps) == 0 {
		return config.Class(d, p, key)
	}
	lookup := func(name string) (string, bool) {
		named := ps.Named(kind, name)
		if len(named) == 0 {
			return "", false
		}
		return named[0].Class, true
	}
	return config.ClassOf(d, p, key, lookup).Recommend(func() []string { return ps.Classes(kind) })
}

// version declares the key that chooses among the versions of the plugin that
// another key names.
func (ps Plugins) version(d *config.Def, p *string, key string, kind Kind, class *string) *config.Key[string] {
	return config.String(d, p, key).Optional().
		Check(config.CheckFunc("version or range such as [1.0,2.0)", func(v string) error {
			_, err := ParseVersionRange(v)
			return err
		})).
		Recommend(func() []string { return ps.Versions(kind, *class) })
}

// check looks a plugin up again with its version and puts what is wrong on its
// class key, and on its version key where that is what is wrong.
func (ps Plugins) check(kind Kind, class, version, classKey, versionKey string) (PluginInfo, []error) {
	if len(ps) == 0 || class == "" {
		return PluginInfo{}, nil
	}
	found, err := ps.Find(kind, class, version)
	if err == nil {
		return found, nil
	}
	errs := []error{&config.KeyError{Key: classKey, Err: err}}
	if named := ps.Named(kind, class); len(named) > 0 && named[0].Kind == kind {
		errs = append(errs, &config.KeyError{Key: versionKey, Err: err})
	}
	return PluginInfo{}, errs
}
