package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/kafka"
)

// workerFile is a worker's configuration.
type workerFile struct {
	// raw is what the file says, resolved what it says without placeholders.
	raw, resolved config.Props
	providers     map[string]config.Provider
}

// readWorker reads the properties file of a worker into its keys: a
// framework.StandaloneConfig or DistributedConfig. The error lists all that is
// wrong with it.
func readWorker(ctx context.Context, path string, environ func() []string, keys config.Describer) (*workerFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("worker file: %w", err)
	}
	defer func() { _ = file.Close() }()
	w := &workerFile{}
	if w.raw, err = config.ParseProperties(file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w.addLoginConfig(environ)
	var found, wrong problems
	found.add(w.decode(ctx, environ, keys))
	for _, err := range found {
		wrong.add(fmt.Errorf("%s: %w", path, err))
	}
	return w, wrong.orNil()
}

// addLoginConfig takes the path of the login configuration file, which tells the
// users of the REST interface, from where Java's scripts have it: a system
// property in the variable KAFKA_OPTS. The file may have it as a key.
func (w *workerFile) addLoginConfig(environ func() []string) {
	if _, given := w.raw.Get(framework.LoginConfigKey); given {
		return
	}
	for _, variable := range environ() {
		name, options, _ := strings.Cut(variable, "=")
		if name != "KAFKA_OPTS" {
			continue
		}
		for _, option := range strings.Fields(options) {
			if path, ok := strings.CutPrefix(option, "-D"+framework.LoginConfigKey+"="); ok {
				w.raw = w.raw.Merge(config.Props{framework.LoginConfigKey: path})
			}
		}
	}
}

// decode resolves the placeholders and decodes the keys.
func (w *workerFile) decode(ctx context.Context, environ func() []string, keys config.Describer) (err error) {
	var declared framework.WorkerConfig
	_ = config.Decode(w.raw, &declared) // what is wrong with it is found after resolving
	if w.providers, err = providers(declared.ConfigProviders, environ); err != nil {
		return err
	}
	r, err := config.NewResolver(w.providers).Resolve(ctx, w.raw)
	if err != nil {
		return err
	}
	w.resolved = r.Props
	found, rest := config.KeyErrors(config.DecodeResolved(r.Props, w.raw, keys))
	wrong := problems(rest)
	missing := make(map[string]bool)
	for _, k := range found {
		if missing[k.Key] {
			continue // what its checks say of nothing
		}
		missing[k.Key] = errors.Is(k, config.ErrMissing)
		wrong.add(k)
	}
	return wrong.orNil()
}

// providers makes the config providers that the worker's keys declare. The
// environment is that of the process that the command was given.
func providers(declared []framework.ProviderConfig, environ func() []string) (map[string]config.Provider, error) {
	made := make(map[string]config.Provider, len(declared))
	var wrong problems
	for _, d := range declared {
		p, err := d.Provider(environ)
		if err != nil {
			wrong.add(err)
			continue
		}
		made[d.Alias] = p
	}
	return made, wrong.orNil()
}

// warnUnknown tells of keys that mean nothing to a worker of these keys or to its
// Kafka clients.
func (w *workerFile) warnUnknown(log *slog.Logger, path string, keys config.Describer) {
	for _, u := range config.Unknown(w.resolved, keys) {
		known := slices.ContainsFunc(kafka.Keys(), func(k kafka.Key) bool {
			return k.Name == u.Key && k.Clients&kafka.AdminClient != 0
		})
		if !known {
			log.Warn("a worker key is not known and has no effect", "file", path, "key", u.Key, "nearest", u.Nearest)
		}
	}
}
