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
		name: "plugins", summary: "lists the plugins and the Java classes that they stand for",
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error {
			return func(_ context.Context, p process, args []string) error {
				if len(args) > 0 {
					return usageError("plugins takes no arguments, found %q", args[0])
				}
				return table(p.stdout, plugins(p), func(i connect.Info) string {
					names := make([]string, len(i.StandsFor))
					for n, j := range i.StandsFor {
						names[n] = j.Class
					}
					return strings.Join(names, ", ")
				})
			}
		},
	}
}

// table prints a line for each plugin, with a last column of the caller's.
func table(w io.Writer, all []connect.Plugin, last func(connect.Info) string) error {
	slices.SortStableFunc(all, func(a, b connect.Plugin) int {
		if a.Kind() != b.Kind() {
			return int(a.Kind()) - int(b.Kind())
		}
		return strings.Compare(a.Info().Class, b.Info().Class)
	})
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range all {
		fmt.Fprintf(t, "%v\t%s\t%s\n", p.Kind(), p.Info().Class, last(p.Info()))
	}
	return t.Flush()
}

func configCommand() command {
	return command{
		name: "config", args: "PLUGIN", summary: "prints the reference of a plugin's keys, in Markdown",
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error {
			return func(_ context.Context, p process, args []string) error {
				if len(args) != 1 {
					return usageError("config takes the name of one plugin, found %d", len(args))
				}
				return printConfig(p, args[0])
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
