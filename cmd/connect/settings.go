package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/kafka"
)

// workerFile is a standalone worker's configuration.
type workerFile struct {
	framework.StandaloneConfig
	// raw is what the file says, resolved what it says without placeholders.
	raw, resolved config.Props
	providers     map[string]config.Provider
}

// readWorker reads the properties file of a worker. The error lists all that is
// wrong with it.
func readWorker(ctx context.Context, path string, environ func() []string) (*workerFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("worker file: %w", err)
	}
	defer func() { _ = file.Close() }()
	w := &workerFile{}
	if w.raw, err = config.ParseProperties(file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var found, wrong problems
	found.add(w.decode(ctx, environ))
	for _, err := range found {
		wrong.add(fmt.Errorf("%s: %w", path, err))
	}
	return w, wrong.orNil()
}

// decode resolves the placeholders and decodes the keys.
func (w *workerFile) decode(ctx context.Context, environ func() []string) (err error) {
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
	keys, rest := config.KeyErrors(config.DecodeResolved(r.Props, w.raw, &w.StandaloneConfig))
	wrong := problems(rest)
	missing := make(map[string]bool)
	for _, k := range keys {
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

// unknown returns the keys that mean nothing to a worker or to its Kafka clients.
func (w *workerFile) unknown() []config.UnknownKey {
	return slices.DeleteFunc(config.Unknown(w.resolved, new(framework.StandaloneConfig)), func(u config.UnknownKey) bool {
		return slices.ContainsFunc(kafka.Keys(), func(k kafka.Key) bool {
			return k.Name == u.Key && k.Clients&kafka.AdminClient != 0
		})
	})
}

// restKeys returns the keys of the REST server that are given: this worker has
// none to apply them to.
func (w *workerFile) restKeys() []string {
	var given []string
	for _, k := range w.raw.Keys() {
		if k == "listeners" || k == "admin.listeners" || strings.HasPrefix(k, "rest.") || strings.HasPrefix(k, "access.control.") ||
			strings.HasPrefix(k, "listeners.https.") || k == "response.http.headers.config" || k == "ssl.client.auth" {
			given = append(given, k)
		}
	}
	return given
}
