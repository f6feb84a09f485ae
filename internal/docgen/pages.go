package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/connectors/cassandra"
	"github.com/streamlane/connect/connectors/directory/full"
	"github.com/streamlane/connect/connectors/http"
	"github.com/streamlane/connect/connectors/mqtt"
	"github.com/streamlane/connect/connectors/s3"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/transforms"
	"github.com/streamlane/connect/transforms/expression"
)

// generated opens every page.
const generated = "<!-- Written by go generate; edit the declarations in the code. -->\n\n"

// A topic is a page about keys of the framework.
type topic struct {
	file, title, intro string
	keys               config.Describer
	// without lists keys that are decoded and checked, and have no effect yet.
	without []idle
}

// idle keys have no effect, for a reason.
type idle struct {
	why  string
	keys []string
}

func topics() []topic {
	return []topic{
		{
			file: "worker.md", title: "Keys of a worker", keys: new(framework.StandaloneConfig),
			intro: "They stand in the worker's `.properties` file, or in `connect.Options.Worker`. A program that embeds a Runtime needs none of them; " +
				"`offset.storage.file.filename` is read by the command `connect standalone` only. Those of the REST interface are for its commands, and for `rest.Listen`. " +
				"A file that tells users by `rest.extension.classes` is named by `java.security.auth.login.config`.",
		},
		{
			file: "distributed-worker.md", title: "Keys of a distributed worker", keys: new(framework.DistributedConfig),
			intro: "They stand in the worker's `.properties` file, for `connect distributed`; see [Operating](../operating.md).",
		},
		{
			file: "source-connectors.md", title: "Keys of every source connector", keys: new(framework.SourceConnectorConfig),
			intro: "They stand beside the connector's own keys.",
			without: []idle{
				{"There are no exactly-once sources yet, and `exactly.once.support=required` is refused", []string{
					"exactly.once.support", "transaction.boundary", "transaction.boundary.interval.ms",
				}},
			},
		},
		{
			file: "source-dead-letters.md", title: "Keys of dead letters of sources", keys: new(framework.SourceDeadLetters),
			intro: "They stand beside the connector's own keys. Java's Connect does not know them: they are for [dead letters of sources](../dead-letters.md).",
		},
		{
			file: "sink-connectors.md", title: "Keys of every sink connector", keys: new(framework.SinkConnectorConfig),
			intro: "They stand beside the connector's own keys. What dead letters are is on [a page of its own](../dead-letters.md).",
		},
	}
}

// A family is a kind of plugins, with a folder of pages.
type family struct {
	folder, title, use string
	plugins            []connect.Plugin
}

// connectorPlugins are those of the command.
func connectorPlugins() []connect.Plugin {
	return slices.Concat(full.In(connectors.All()), http.Plugins(), mqtt.Plugins(), s3.Plugins(), cassandra.Plugins())
}

func families() []family {
	return []family{
		{"connectors", "Connectors", "The keys of %s stand beside `connector.class`, and beside those of every [%s connector](../%s-connectors.md).", connectorPlugins()},
		{"transforms", "Transforms", "The keys stand below `transforms.<alias>.`, beside `transforms.<alias>.type`; those of predicates below `predicates.<alias>.`.",
			slices.Concat(transforms.All(), expression.All())},
		{"converters", "Converters", "The keys stand below `key.converter.`, `value.converter.` or `header.converter.`, of a connector or of the worker.",
			append(converters.All(), avro.Plugin(), jsonschema.Plugin(), protobuf.Plugin())},
	}
}

// pages returns all pages by their path below docs/reference.
func pages() (map[string]string, error) {
	all := make(map[string]string)
	var index strings.Builder
	index.WriteString(generated + "# Reference\n\nAll keys, with types, defaults and limits.\n\n")
	for _, t := range topics() {
		text, err := t.page()
		if err != nil {
			return nil, err
		}
		all[t.file] = text
		fmt.Fprintf(&index, "- [%s](%s)\n", t.title, t.file)
	}
	for _, f := range families() {
		fmt.Fprintf(&index, "\n## %s\n\n| Class | Kind | Version | Stands for | |\n|---|---|---|---|---|\n", f.title)
		for _, group := range grouped(f.plugins) {
			file := path.Join(f.folder, group.name+".md")
			page, err := f.page(group)
			if err != nil {
				return nil, err
			}
			all[file] = page
			for _, p := range group.plugins {
				i := p.Info()
				fmt.Fprintf(&index, "| [%s](%s) | %s | %s | %s | %s |\n", i.Class, file, strings.ReplaceAll(p.Kind().String(), "_", " "), i.Version, standsFor(i), cell(i.Doc))
			}
		}
	}
	all["README.md"] = index.String()
	return all, nil
}

func (t *topic) page() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s\n\n%s\n\n", generated, t.title, t.intro)
	known := config.Keys(t.keys)
	for _, idle := range t.without {
		for _, key := range idle.keys {
			if !slices.ContainsFunc(known, func(k config.KeyInfo) bool { return k.Name == key }) {
				return "", fmt.Errorf("page %s: key %q is listed as one without effect, and is not declared", t.file, key)
			}
		}
		fmt.Fprintf(&b, "%s. Checked, and without effect: `%s`.\n\n", idle.why, strings.Join(idle.keys, "`, `"))
	}
	b.WriteString(body(t.keys))
	return b.String(), nil
}

// A pluginGroup is plugins that share a page: InsertField$Key and
// InsertField$Value are one thing to read about.
type pluginGroup struct {
	name    string
	plugins []connect.Plugin
}

func grouped(plugins []connect.Plugin) []pluginGroup {
	var groups []pluginGroup
	for _, p := range plugins {
		name, _, _ := strings.Cut(p.Info().Class, "$")
		i := slices.IndexFunc(groups, func(g pluginGroup) bool { return g.name == name })
		if i < 0 {
			i, groups = len(groups), append(groups, pluginGroup{name: name})
		}
		groups[i].plugins = append(groups[i].plugins, p)
	}
	slices.SortStableFunc(groups, func(a, b pluginGroup) int { return cmp.Compare(a.name, b.name) })
	return groups
}

func (f *family) page(g pluginGroup) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s\n\n", generated, g.name)
	for _, p := range g.plugins {
		i := p.Info()
		fmt.Fprintf(&b, "`%s`, version %s. %s", i.Class, i.Version, i.Doc)
		if java := standsFor(i); java != "" {
			fmt.Fprintf(&b, " Stands for %s.", java)
		}
		b.WriteString("\n\n")
	}
	first := g.plugins[0]
	if strings.Contains(f.use, "%") {
		fmt.Fprintf(&b, f.use+"\n\n", g.name, first.Kind(), first.Kind())
	} else {
		b.WriteString(f.use + "\n\n")
	}
	b.WriteString(body(first.Config()))
	var text string
	var err error
	switch f.folder {
	case "transforms":
		text, err = exampleOf(g)
	case "converters":
		text, err = conversionsOf(g)
	}
	b.WriteString(text)
	return b.String(), err
}

// exampleOf shows a transform, or predicate, at work.
func exampleOf(g pluginGroup) (string, error) {
	for _, e := range examples() {
		i := slices.IndexFunc(g.plugins, func(p connect.Plugin) bool { return p.Info().Class == e.class })
		if i < 0 {
			continue
		}
		text, err := e.show(g.plugins[i])
		if err != nil {
			return "", fmt.Errorf("example of %s: %w", e.class, err)
		}
		return text, nil
	}
	return "", fmt.Errorf("there is no example of %s", g.name)
}

// body is the tables of keys.
func body(d config.Describer) string {
	if len(config.Keys(d)) == 0 {
		return "There are no keys.\n"
	}
	return strings.TrimRight(config.Markdown(d), "\n") + "\n"
}

func standsFor(i connect.Info) string {
	names := make([]string, len(i.StandsFor))
	for n, j := range i.StandsFor {
		names[n] = "`" + j.Class + "`"
	}
	return strings.Join(names, ", ")
}

// cell is text within a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
