package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func versionCommand() command {
	return command{
		name: "version", args: "[-v]", summary: "prints the version; with -v those of the plugins too",
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			all := f.Bool("v", false, "list the plugins with their versions")
			return func(_ context.Context, p process, args []string) error {
				if len(args) > 0 {
					return usageError("version takes no arguments, found %q", args[0])
				}
				fmt.Fprintf(p.stdout, "connect %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				if !*all {
					return nil
				}
				return table(p.stdout, plugins(p), func(i connect.Info) string { return i.Version })
			}
		},
	}
}

// version is that of the module, or of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func pluginsCommand() command {
	return command{
		name: "plugins", args: "[flags]", summary: "lists the plugins compiled in and the Java classes that they stand for, or with --url those of a worker",
		style: flagsAnywhere, words: []wordKind{wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declareOptional(f)
			return func(ctx context.Context, p process, args []string) error {
				switch {
				case len(args) > 0:
					return usageError("plugins takes no arguments, found %q", args[0])
				case flags.url != "":
					return flags.asking(func(ctx context.Context, cl *client, _ []string) error { return cl.plugins(ctx) })(ctx, p, nil)
				}
				return listPlugins(p, printer{p.stdout, flags.output})
			}
		},
	}
}

// listPlugins prints what is compiled in.
func listPlugins(p process, out printer) error {
	names := func(i connect.Info) []string {
		names := make([]string, len(i.StandsFor))
		for n, j := range i.StandsFor {
			names[n] = j.Class
		}
		return names
	}
	if !out.isJSON() {
		return table(p.stdout, plugins(p), func(i connect.Info) string { return strings.Join(names(i), ", ") })
	}
	type info struct {
		pluginInfo
		StandsFor []string `json:"stands_for"`
	}
	all := plugins(p)
	sortPlugins(all)
	shown := make([]info, len(all))
	for n, plugin := range all {
		i := plugin.Info()
		shown[n] = info{pluginInfo{i.Class, plugin.Kind().String(), i.Version}, names(i)}
	}
	return out.json(shown)
}

// table prints a line for each plugin, with a last column of the caller's.
func table(w io.Writer, all []connect.Plugin, last func(connect.Info) string) error {
	sortPlugins(all)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range all {
		fmt.Fprintf(t, "%v\t%s\t%s\n", p.Kind(), p.Info().Class, last(p.Info()))
	}
	return t.Flush()
}

// sortPlugins sorts by kind and class.
func sortPlugins(all []connect.Plugin) {
	slices.SortStableFunc(all, func(a, b connect.Plugin) int {
		if a.Kind() != b.Kind() {
			return int(a.Kind()) - int(b.Kind())
		}
		return strings.Compare(a.Info().Class, b.Info().Class)
	})
}

func configCommand() command {
	return command{
		name: "config", args: "[flags] PLUGIN", summary: "prints the reference of a plugin's keys, in Markdown, or with --url those of a worker's plugin",
		style: flagsAnywhere, words: []wordKind{wordPlugin, wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declareOptional(f)
			return func(ctx context.Context, p process, args []string) error {
				if len(args) != 1 {
					return usageError("config takes the name of one plugin, found %d", len(args))
				}
				if flags.url == "" {
					return printConfig(p, args[0])
				}
				return flags.asking(func(ctx context.Context, cl *client, args []string) error { return cl.keys(ctx, args[0]) })(ctx, p, args)
			}
		},
	}
}

// printConfig prints the keys of the plugins that go by a name: their own, a Java
// class, or its last part.
func printConfig(p process, name string) error {
	found := false
	for _, plugin := range plugins(p) {
		if !goesBy(plugin.Info(), name) {
			continue
		}
		found = true
		fmt.Fprintf(p.stdout, "# %s (%v)\n\n%s\n\n%s\n", plugin.Info().Class, plugin.Kind(), plugin.Info().Doc, config.Markdown(plugin.Config()))
	}
	if !found {
		return exitWith(exitUsage, fmt.Errorf("there is no plugin %q; connect plugins lists them", name))
	}
	return nil
}

func goesBy(i connect.Info, name string) bool {
	if i.Class == name {
		return true
	}
	return slices.ContainsFunc(i.StandsFor, func(j connect.JavaClass) bool {
		return j.Class == name || j.Class[strings.LastIndexByte(j.Class, '.')+1:] == name
	})
}
