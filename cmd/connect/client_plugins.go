package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// pluginInfo is what a worker tells of a plugin.
type pluginInfo struct {
	Class   string `json:"class"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
}

// plugins prints the plugins of the worker.
func (c *client) plugins(ctx context.Context) error {
	var found []pluginInfo
	if err := c.call(ctx, http.MethodGet, "/connector-plugins?connectorsOnly=false", nil, &found); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(found)
	}
	rows := make([][]string, len(found))
	for i, p := range found {
		rows[i] = []string{p.Type, p.Class, p.Version}
	}
	return c.out.table([]column{{head: "TYPE"}, {head: "CLASS"}, {head: "VERSION"}}, rows)
}

// keyInfo is what a worker tells of a configuration key.
type keyInfo struct {
	Name          string  `json:"name"`
	Type          string  `json:"type"`
	Required      bool    `json:"required"`
	DefaultValue  *string `json:"default_value"`
	Importance    string  `json:"importance"`
	Documentation string  `json:"documentation"`
}

// keys prints the configuration keys of a plugin of the worker.
func (c *client) keys(ctx context.Context, plugin string) error {
	var raw json.RawMessage
	if err := c.call(ctx, http.MethodGet, pluginPath(plugin, "/config"), nil, &raw); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(raw)
	}
	var found []keyInfo
	if err := json.Unmarshal(raw, &found); err != nil {
		return exitWith(exitOther, fmt.Errorf("keys of plugin %q: %w", plugin, err))
	}
	rows := make([][]string, len(found))
	for i, k := range found {
		usual := "required"
		switch {
		case k.DefaultValue != nil:
			usual = strconv.Quote(*k.DefaultValue)
		case !k.Required:
			usual = ""
		}
		rows[i] = []string{k.Name, k.Type, usual, k.Importance, strings.Join(strings.Fields(k.Documentation), " ")}
	}
	return c.out.table([]column{{head: "KEY"}, {head: "TYPE"}, {head: "DEFAULT"}, {head: "IMPORTANCE"}, {"DOCUMENTATION", true}}, rows)
}

func validateCommand() command {
	return command{
		name: "validate", args: "[flags] FILE ...",
		summary: "says whether the connectors of files are configured right; creates nothing",
		style:   flagsAnywhere, words: []wordKind{wordFile},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			local := f.Bool("local", false, "ask no worker but what is compiled in")
			return func(ctx context.Context, p process, paths []string) error {
				if len(paths) == 0 {
					return usageError("validate takes files of connectors, found none")
				}
				files, err := readConnectors(paths)
				if err != nil {
					return exitWith(exitInvalid, err)
				}
				run := flags.asking(func(ctx context.Context, cl *client, _ []string) error {
					ask := cl.validate
					if *local {
						ask = func(ctx context.Context, props config.Props) (*validation, error) {
							return validateLocally(ctx, p, props)
						}
					}
					return cl.printValidation(ctx, files, ask)
				})
				return run(ctx, p, nil)
			}
		},
	}
}

// validated is what came of one file, and its JSON.
type validated struct {
	Name   string       `json:"name"`
	File   string       `json:"file"`
	Valid  bool         `json:"valid"`
	Errors []keyMessage `json:"errors"`
}

func (c *client) printValidation(ctx context.Context, files []connectorFile, ask func(context.Context, config.Props) (*validation, error)) error {
	all := make([]validated, len(files))
	var rows [][]string
	invalid := 0
	for i, f := range files {
		found, err := ask(ctx, f.props)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		all[i] = validated{f.name, f.path, len(found.errors) == 0, found.errors}
		if all[i].Valid {
			rows = append(rows, []string{f.path, f.name, "valid", "", ""})
			continue
		}
		invalid++
		for _, m := range found.errors {
			rows = append(rows, []string{f.path, f.name, "INVALID", m.Key, m.Message})
		}
	}
	err := error(nil)
	if c.out.isJSON() {
		err = c.out.json(all)
	} else {
		err = c.out.table([]column{{head: "FILE"}, {head: "NAME"}, {head: "RESULT"}, {head: "KEY"}, {head: "ERROR"}}, rows)
	}
	if err == nil && invalid > 0 {
		err = exitWith(exitInvalid, fmt.Errorf("%d of %d files are invalid", invalid, len(files)))
	}
	return err
}

// A validation is what is wrong with a configuration, and which keys hold
// secrets.
type validation struct {
	errors  []keyMessage
	secrets map[string]bool
}

func newValidation() *validation {
	return &validation{errors: []keyMessage{}, secrets: make(map[string]bool)}
}

// add takes note of one key.
func (v *validation) add(key, kind string, errors []string) {
	for _, text := range errors {
		v.errors = append(v.errors, keyMessage{key, text})
	}
	if kind == string(config.TypePassword) {
		v.secrets[key] = true
	}
}

// aboutClass is a validation that says no more than that the class is wrong.
func aboutClass(message string) *validation {
	v := newValidation()
	v.add("connector.class", "", []string{message})
	return v
}

// validate asks the worker whether a configuration is right. What it says of one
// that it cannot validate, for its class is unknown, say, stands beside
// connector.class.
func (c *client) validate(ctx context.Context, props config.Props) (*validation, error) {
	class, _ := props.Get("connector.class")
	if class == "" {
		return aboutClass(`Missing required configuration "connector.class" which has no default value.`), nil
	}
	var answer struct {
		Configs []struct {
			Definition *struct {
				Type string `json:"type"`
			} `json:"definition"`
			Value *struct {
				Name   string   `json:"name"`
				Errors []string `json:"errors"`
			} `json:"value"`
		} `json:"configs"`
	}
	err := c.call(ctx, http.MethodPut, pluginPath(class, "/config/validate"), props, &answer)
	e, answered := errors.AsType[*answerError](err)
	if answered && (e.status == http.StatusBadRequest || e.status == http.StatusInternalServerError) {
		return aboutClass(e.message), nil
	}
	if err != nil {
		return nil, err
	}
	v := newValidation()
	for _, k := range answer.Configs {
		kind := ""
		if k.Definition != nil {
			kind = k.Definition.Type
		}
		if k.Value != nil {
			v.add(k.Value.Name, kind, k.Value.Errors)
		}
	}
	return v, nil
}

// addSecrets adds the keys of a plugin that hold secrets, if the worker knows the
// plugin.
func (c *client) addSecrets(ctx context.Context, plugin string, to *validation) {
	if plugin == "" {
		return
	}
	var found []keyInfo
	if c.call(ctx, http.MethodGet, pluginPath(plugin, "/config"), nil, &found) != nil {
		return
	}
	for _, k := range found {
		to.add(k.Name, k.Type, nil)
	}
}

// pluginPath is where a plugin is, with the rest of a path.
func pluginPath(plugin, rest string) string {
	return "/connector-plugins/" + url.PathEscape(plugin) + rest
}

// validateLocally is validate without a worker.
func validateLocally(ctx context.Context, p process, props config.Props) (*validation, error) {
	rt, err := connect.New(connect.Options{Plugins: plugins(p), Providers: (&dev{}).providers(p)})
	if err != nil {
		return nil, err
	}
	result, err := rt.Validate(ctx, props)
	if err != nil {
		return aboutClass(err.Error()), nil
	}
	v := newValidation()
	for _, k := range result.Configs {
		v.add(k.Value.Name, "", k.Value.Errors)
	}
	return v, nil
}
