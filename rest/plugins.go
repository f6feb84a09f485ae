package rest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// pluginInfo is Java's PluginInfo.
type pluginInfo struct {
	Class   string `json:"class"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
}

// listPlugins is GET /connector-plugins.
func (s *server) listPlugins(_ context.Context, c *call) (answer, error) {
	infos := []pluginInfo{}
	for _, l := range s.plugins.listed {
		if !l.isConnector() && c.flag("connectorsOnly", true) {
			continue
		}
		infos = append(infos, pluginInfo{l.class, l.kind.String(), l.plugin.Info().Version})
	}
	return ok(infos)
}

// pluginConfig is GET /connector-plugins/{name}/config.
func (s *server) pluginConfig(_ context.Context, c *call) (answer, error) {
	found, isKnown := s.plugins.named(c.name())
	if !isKnown {
		return answer{}, failure(http.StatusNotFound, connect.ErrNotFound, "Unknown plugin %s.", c.name())
	}
	if c.query.Has("version") {
		var err error
		if found, err = s.plugins.version(found, c.query.Get("version")); err != nil {
			return answer{}, err
		}
	}
	p := found.plugin
	if !found.isConnector() {
		return ok(append([]config.KeyInfo{}, config.Keys(p.Config())...))
	}
	keys := framework.Keys(found.kind == connect.SourcePlugin, p.Config())
	version := p.Info().Version
	for i := range keys {
		if keys[i].Name == "connector.plugin.version" && version != "" {
			keys[i].Default = &version
		}
	}
	return ok(keys)
}

// validate is PUT /connector-plugins/{name}/config/validate.
func (s *server) validate(ctx context.Context, c *call) (answer, error) {
	props, err := parseProps(c.body)
	if err != nil {
		return answer{}, err
	}
	if err := withClass(props); err != nil {
		return answer{}, err
	}
	class, asked := props["connector.class"], c.name()
	if class == "" || !strings.HasSuffix(strings.TrimSuffix(class, "Connector"), strings.TrimSuffix(asked, "Connector")) {
		return answer{}, badRequest("Included connector type %s does not match request type %s", class, asked)
	}
	result, err := s.rt.Validate(ctx, props)
	if err != nil {
		return answer{}, s.explain(err, props)
	}
	s.plugins.rename(&result)
	return ok(result)
}

// A catalog finds plugins by name, and lists them under the names that clients
// of Java's workers know. It is immutable.
type catalog struct {
	// listed are the plugins in Java's order: by kind, then by class.
	listed []listing
	// names are the further names of each: what an alias means. An alias that
	// means two classes means none.
	names map[string][]listing
}

// A listing is a plugin under one class name. A plugin that stands in for
// several classes has several, and a converter of headers too.
type listing struct {
	class  string
	kind   connect.PluginKind
	plugin connect.Plugin
}

func (l listing) isConnector() bool {
	return l.kind == connect.SourcePlugin || l.kind == connect.SinkPlugin
}

// rank is the place of a kind in Java's list.
func rank(kind connect.PluginKind) int {
	return slices.Index([]connect.PluginKind{
		connect.SinkPlugin, connect.SourcePlugin, connect.TransformPlugin,
		connect.PredicatePlugin, connect.ConverterPlugin, connect.HeaderConverterPlugin,
	}, kind)
}

// kindWord is what Java's short names leave off.
func kindWord(kind connect.PluginKind) string {
	switch kind {
	case connect.TransformPlugin:
		return "Transformation"
	case connect.PredicatePlugin:
		return "Predicate"
	case connect.ConverterPlugin:
		return "Converter"
	case connect.HeaderConverterPlugin:
		return "HeaderConverter"
	}
	return "Connector"
}

func newCatalog(plugins []connect.Plugin) *catalog {
	c := &catalog{names: make(map[string][]listing)}
	for _, p := range plugins {
		kinds := []connect.PluginKind{p.Kind()}
		if p.Kind() == connect.ConverterPlugin && convertsHeaders(p) {
			kinds = append(kinds, connect.HeaderConverterPlugin)
		}
		for _, kind := range kinds {
			c.add(p, kind)
		}
	}
	slices.SortStableFunc(c.listed, func(a, b listing) int {
		return cmp.Or(cmp.Compare(rank(a.kind), rank(b.kind)), cmp.Compare(a.class, b.class),
			framework.CompareVersions(a.plugin.Info().Version, b.plugin.Info().Version))
	})
	return c
}

// convertsHeaders tells whether a converter serves headers too.
func convertsHeaders(p connect.Plugin) bool {
	_, err := p.NewHeaderConverter(config.Props{"converter.type": "header"})
	return !errors.Is(err, connect.ErrBadRequest)
}

func (c *catalog) add(p connect.Plugin, kind connect.PluginKind) {
	own := listing{p.Info().Class, kind, p}
	shown := []listing{own}
	for i, j := range p.Info().StandsFor {
		if i == 0 {
			shown = nil
		}
		shown = append(shown, listing{j.Class, kind, p})
	}
	c.listed = append(c.listed, shown...)
	for _, l := range append(shown, own) {
		for _, name := range shortNames(l.class, kindWord(kind)) {
			c.names[name] = append(c.names[name], l)
		}
	}
}

// shortNames returns a class name with the aliases that Java makes of it
// (PluginUtils): the simple name, and that without the word for its kind. Simple
// names of nested classes, Key and Value, mean too many classes to mean one.
func shortNames(class, word string) []string {
	simple := class[strings.LastIndexByte(class, '.')+1:]
	if strings.Contains(simple, "$") {
		return []string{class}
	}
	names := []string{class, simple}
	if i := strings.LastIndex(simple, word); i > 0 {
		names = append(names, simple[:i])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// named returns the newest plugin that a name means.
func (c *catalog) named(name string) (listing, bool) {
	return newest(c.names[name])
}

// newest returns the newest of listings that are of one plugin class; not, if
// they are of several.
func newest(found []listing) (best listing, ok bool) {
	for i, l := range found {
		if i > 0 && l.plugin.Info().Class != best.plugin.Info().Class {
			return listing{}, false
		}
		if i == 0 || framework.CompareVersions(l.plugin.Info().Version, best.plugin.Info().Version) > 0 {
			best = l
		}
	}
	return best, len(found) > 0
}

// version returns the newest of a plugin's versions within a range.
func (c *catalog) version(of listing, text string) (listing, error) {
	within, err := framework.ParseVersionRange(text)
	if err != nil {
		return listing{}, failure(http.StatusBadRequest, err, "%s", err.Error())
	}
	shown := within.String()
	if text == "" {
		shown = "[,]" // which Java finds nothing in
	}
	var fit []listing
	var versions []string
	for _, l := range c.listed {
		if l.class != of.class && l.plugin.Info().Class != of.class || l.kind != of.kind {
			continue
		}
		versions = append(versions, l.plugin.Info().Version)
		if text != "" && within.Contains(l.plugin.Info().Version) {
			fit = append(fit, l)
		}
	}
	if best, isThere := newest(fit); isThere {
		return best, nil
	}
	return listing{}, badRequest("Plugin %s not found that matches the version range %s, available versions: [%s]",
		of.class, shown, strings.Join(slices.Compact(versions), ", "))
}

// connector returns the plugin of a connector's configuration.
func (c *catalog) connector(props config.Props) (listing, bool) {
	class, given := props.Get("connector.class")
	if !given {
		return listing{}, false
	}
	return newest(c.connectorsNamed(class))
}

// knows tells whether there is a connector of that name, in any version.
func (c *catalog) knows(class string) bool { return len(c.connectorsNamed(class)) > 0 }

func (c *catalog) connectorsNamed(class string) []listing {
	found := slices.Clone(c.names[strings.TrimSpace(class)])
	return slices.DeleteFunc(found, func(l listing) bool { return !l.isConnector() })
}

// typeOf is how the kind of a configured connector shows.
func (c *catalog) typeOf(props config.Props) string {
	l, _ := c.connector(props)
	return typeName(l.kind)
}

// connectors lists the classes of connectors.
func (c *catalog) connectors() []string {
	var classes []string
	for _, l := range c.listed {
		if l.isConnector() {
			classes = append(classes, l.class)
		}
	}
	return slices.Compact(classes)
}

// rename shows classes in a validation by the names under which they are listed.
func (c *catalog) rename(r *config.Result) {
	for i := range r.Configs {
		v := &r.Configs[i]
		for j, text := range v.Value.Errors {
			v.Value.Errors[j] = c.renamePlugin(text)
		}
		if v.Definition == nil || v.Definition.Type != config.TypeClass {
			continue
		}
		c.renameText(v.Value.Value)
		c.renameText(v.Definition.Default)
		for j := range v.Value.RecommendedValues {
			c.renameText(&v.Value.RecommendedValues[j])
		}
		slices.Sort(v.Value.RecommendedValues)
	}
}

// renamePlugin does the same in an error about versions of a plugin.
func (c *catalog) renamePlugin(text string) string {
	own, rest, isVersion := strings.Cut(strings.TrimPrefix(text, "Plugin "), " not found that matches the version range ")
	if !isVersion {
		return text
	}
	c.renameText(&own)
	return "Plugin " + own + " not found that matches the version range " + rest
}

// renameText replaces a plugin's own name by the one that it is listed under.
func (c *catalog) renameText(text *string) {
	if text == nil {
		return
	}
	for _, l := range c.names[*text] {
		if l.plugin.Info().Class == *text && len(l.plugin.Info().StandsFor) > 0 {
			*text = l.plugin.Info().StandsFor[0].Class
			return
		}
	}
}
