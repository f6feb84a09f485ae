package framework

import (
	"errors"
	"fmt"

	"github.com/streamlane/connect/config"
)

// TransformConfig holds the keys of one transform of a chain, below
// transforms.<alias>. in a connector's configuration.
type TransformConfig struct {
	Alias   string
	Type    PluginRef
	Negate  bool
	Applies string // alias of the predicate under which it applies; "": always
	// Config is the transform's own configuration, decoded; nil if there are no
	// Plugins to ask.
	Config config.Describer

	found        PluginInfo // whose Config is
	plugins      Plugins
	negateGiven  bool
	appliesGiven bool
}

// Prefix returns transforms.<alias>.
func (t *TransformConfig) Prefix() string { return "transforms." + t.Alias + "." }

// PredicateConfig holds the keys of one predicate, below predicates.<alias>. in
// a connector's configuration.
type PredicateConfig struct {
	Alias string
	Type  PluginRef
	// Config is the predicate's own configuration, decoded; nil if there are no
	// Plugins to ask.
	Config config.Describer

	found   PluginInfo // whose Config is
	plugins Plugins
}

// Prefix returns predicates.<alias>.
func (p *PredicateConfig) Prefix() string { return "predicates." + p.Alias + "." }

// describeStages runs when the aliases are known. Doubled aliases, an error of
// their own, are declared once.
func (c *ConnectorConfig) describeStages(d *config.Def) {
	transforms, predicates := c.Transforms, c.Predicates
	c.Transforms, c.Predicates = nil, nil
	for i, alias := range unique(c.TransformAliases) {
		// Encode comes here with what Decode left: it is kept.
		if i < len(transforms) && transforms[i].Alias == alias {
			c.Transforms = append(c.Transforms, transforms[i])
		} else {
			c.Transforms = append(c.Transforms, &TransformConfig{Alias: alias})
		}
		t := c.Transforms[i]
		t.plugins = c.Plugins
		d.Dynamic(func(d *config.Def) { d.Prefix(t.Prefix(), t) })
	}
	for i, alias := range unique(c.PredicateAliases) {
		if i < len(predicates) && predicates[i].Alias == alias {
			c.Predicates = append(c.Predicates, predicates[i])
		} else {
			c.Predicates = append(c.Predicates, &PredicateConfig{Alias: alias})
		}
		p := c.Predicates[i]
		p.plugins = c.Plugins
		d.Dynamic(func(d *config.Def) { d.Prefix(p.Prefix(), p) })
	}
}

func unique(aliases []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, a := range aliases {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// Describe declares type and version, and once these are known the keys of the
// transform itself.
func (t *TransformConfig) Describe(d *config.Def) {
	group := "Transforms: " + t.Alias
	describeType(d, t.plugins, Transformation, &t.Type, group, "Transformation", t.Alias)
	d.Dynamic(func(d *config.Def) {
		own, ok := stageConfig(t.plugins, Transformation, t.Type, &t.found, &t.Config)
		if !ok {
			return
		}
		d.Embed("", group, 2, config.DescriberFunc(func(d *config.Def) {
			t.describeCondition(d)
			d.Prefix("", own)
		}))
		config.Map(d, &t.Type.Config, "", "Settings of the transform.")
	})
}

// describeCondition declares the keys that every transform has. They come first:
// a transform's own keys of these names are out of reach.
func (t *TransformConfig) describeCondition(d *config.Def) {
	config.String(d, &t.Applies, "predicate").Optional().Given(&t.appliesGiven).Importance(config.Medium).
		Doc("Alias of a predicate: the transform applies to the records for which it holds.")
	config.Bool(d, &t.Negate, "negate").Default(false).Given(&t.negateGiven).Importance(config.Medium).
		Doc("Whether the transform applies to the records for which the predicate does not hold.")
}

// Check looks the transform up with its version.
func (t *TransformConfig) Check() error {
	_, errs := t.plugins.check(Transformation, t.Type.Class, t.Type.Version, "type", "plugin.version")
	if t.negateGiven && !t.appliesGiven {
		errs = append(errs, config.Errorf("type", "Config '%[1]snegate' was provided but there is no config '%[1]spredicate' defining a predicate to be negated.", t.Prefix()))
	}
	return errors.Join(errs...)
}

// Describe declares type and version, and once these are known the keys of the
// predicate itself.
func (p *PredicateConfig) Describe(d *config.Def) {
	group := "Predicates: " + p.Alias
	describeType(d, p.plugins, Predicate, &p.Type, group, "Predicate", p.Alias)
	d.Dynamic(func(d *config.Def) {
		if own, ok := stageConfig(p.plugins, Predicate, p.Type, &p.found, &p.Config); ok {
			d.Embed("", group, 2, own)
			config.Map(d, &p.Type.Config, "", "Settings of the predicate.")
		}
	})
}

// Check looks the predicate up with its version.
func (p *PredicateConfig) Check() error {
	_, errs := p.plugins.check(Predicate, p.Type.Class, p.Type.Version, "type", "plugin.version")
	return errors.Join(errs...)
}

func describeType(d *config.Def, plugins Plugins, kind Kind, ref *PluginRef, group, title, alias string) {
	plugins.class(d, &ref.Class, "type", kind).Importance(config.High).Group(group, 0).Width(config.LongWidth).
		DisplayName(fmt.Sprintf("%s type for %s", title, alias)).
		Doc(fmt.Sprintf("Class of the %s %s.", lower(title), alias))
	plugins.version(d, &ref.Version, "plugin.version", kind, &ref.Class).Importance(config.High).Group(group, 1).Width(config.LongWidth).
		DisplayName(fmt.Sprintf("%s version for %s", title, alias)).
		Doc(fmt.Sprintf("Version of the %s %s, or a range such as [1.0,2.0). Any, if left out.", lower(title), alias))
}

func lower(title string) string { return string(title[0]|0x20) + title[1:] }

// stageConfig returns the configuration of a plugin of the chain, the one that
// is there already if it is of the same plugin. Without a list of plugins any
// class will do, and nothing is known of its keys.
func stageConfig(plugins Plugins, kind Kind, ref PluginRef, found *PluginInfo, have *config.Describer) (config.Describer, bool) {
	nothing := config.DescriberFunc(func(*config.Def) {})
	if len(plugins) == 0 {
		return nothing, ref.Class != ""
	}
	info, err := plugins.Find(kind, ref.Class, ref.Version)
	switch {
	case err != nil:
		return nil, false
	case info.Config == nil:
		return nothing, true
	case *have == nil || found.Class != info.Class || found.Version != info.Version:
		*found, *have = info, info.Config()
	}
	return *have, true
}
